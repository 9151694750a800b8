"""script/check-layers finds the violation that is planted for each of its rules, in a small house of its own."""

import shutil
import subprocess
from pathlib import Path

import pytest

CHECK = Path(__file__).resolve().parent.parent.parent / "script" / "check-layers"

ROOMS = """
room(base)
room(router USES base LIBS fmt::fmt)
room(engine USES base)
room(engine/local USES engine router)
room(deploy USES engine)
room(tree USES deploy engine/local)
"""
FILES = {
    "base/text.hh": "",
    "router/router.hh": '#include "base/text.hh"\nstruct Router {\n};\n',
    "engine/engine.hh": "struct Engine {\n};\n",
    "engine/local/local_engine.hh": '#include "engine/engine.hh"\n#include "router/router.hh"\n',
    "deploy/deploy.cc": '#include "engine/engine.hh"\n',
    "tree/up.cc": '#include "base/text.hh"\n#include "engine/local/local_engine.hh"\n',
    "main.cc": '#include "tree/up.hh"\n',
}


@pytest.fixture
def check(tmp_path):
    """A function that runs the check on the house with these rooms and files changed; returns what it reports."""

    def run(files=None, rooms=ROOMS):
        script = tmp_path / "script" / "check-layers"
        script.parent.mkdir(exist_ok=True)
        shutil.copy(CHECK, script)
        (tmp_path / "CMakeLists.txt").write_text(rooms)
        for name, text in {**FILES, **(files or {})}.items():
            file = tmp_path / "src" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        result = subprocess.run([script], capture_output=True, text=True, timeout=60, check=False)
        assert (result.returncode == 0) == (result.stderr == "")
        return result.stderr

    return run


def test_a_house_in_order_passes(check):
    assert check() == ""


def test_no_room_above_the_engine_includes_what_lies_behind_it(check):
    # It is below the room, and the room uses it through another one.
    found = check({"tree/up.cc": '#include "base/text.hh"\n#include "router/router.hh"\n'})
    assert found == 'src/tree/up.cc:2: includes "router/router.hh", which lies behind the engine: ask engine/ or engine/local/\n'


def test_main_does_not_either(check):
    assert 'src/main.cc:1: includes "router/router.hh", which lies behind' in check({"main.cc": '#include "router/router.hh"\n'})


def test_a_room_includes_only_what_it_uses(check):
    found = check({"deploy/deploy.cc": '#include "engine/local/local_engine.hh"\n'})
    assert "src/deploy/deploy.cc:1: includes" in found and "deploy may use only base, deploy, engine" in found


def test_a_room_uses_only_rooms_below_it(check):
    assert "room engine uses deploy, which does not lie below it" in check(
        rooms=ROOMS.replace("room(engine USES base)", "room(engine USES base deploy)"))


def test_no_two_types_have_one_name(check):
    found = check({"deploy/deploy.cc": "struct Router {\n};\n"})
    assert found == "type Router is defined more than once: src/deploy/deploy.cc, src/router/router.hh\n"
