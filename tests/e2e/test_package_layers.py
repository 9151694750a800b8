"""Installed packages are layers: made once, shared by releases and apps, out of reach of what is pushed."""

import json
import os
import signal
import socket

import pytest
from harness import wait_until, web_app
from test_builders import wheel

GREET = wheel("greet", "WORD = 'hello'\n")
REQUIREMENTS = "--no-index\n--find-links wheels\ngreet==1.0\n"


def python_app(version="1"):
    """An app that answers with what its package says, and imports it from the layer."""
    return web_app(version) | {
        "requirements.txt": REQUIREMENTS,
        "wheels/greet-1.0-py3-none-any.whl": GREET,
    }


def layers(platform):
    """The names of what lies in layers/."""
    directory = platform.root / "layers"
    return sorted(path.name for path in directory.iterdir()) if directory.exists() else []


@pytest.fixture
def new_layers(platform):
    """A function: the names of the layers that were not there when the test began."""
    before = set(layers(platform))  # of an earlier test, until the daemon has removed them
    return lambda: sorted(set(layers(platform)) - before)


def test_a_second_push_and_a_second_app_install_nothing(platform, new_layers):
    app = platform.create_app(python_app())
    assert "Installing packages (Python 3" in app.work.push().err
    first = new_layers()
    assert len(first) == 1 and first[0].startswith("python-")
    result = app.push({"VERSION": "2"})
    assert "Packages: unchanged (Python 3" in result.err and "Installing" not in result.err
    assert app.version() == "2"
    other = platform.create_app(python_app("of another app"))
    assert "Packages: unchanged" in other.work.push().err
    assert other.version() == "of another app"
    assert new_layers() == first
    found = next(each for each in platform.json("doctor") if each["name"] == "layers")
    assert found["found"].startswith("1, 1 in use, ")


def test_every_process_of_a_release_has_its_layer(platform):
    app = platform.deploy(python_app())
    word = ["python", "-c", "import greet; print(greet.WORD, greet.__file__.split('/')[1])"]
    assert platform.pushrod("run", app.name, "--", *word).out == "hello venv\n"
    app.push({"pushrod.toml": "[release]\ncommand = \"python -c 'import greet; print(greet.WORD)'\"\n"})
    platform.pushrod("restart", app.name)
    assert app.version() == "1"
    platform.pushrod("rollback", app.name)
    assert platform.pushrod("run", app.name, "--", *word).out == "hello venv\n"


def test_redeploy_without_the_cache_installs_again(platform, new_layers):
    app = platform.deploy(python_app())
    before = new_layers()
    assert "Installing packages" not in platform.pushrod("redeploy", app.name).out
    assert "Installing packages" in platform.pushrod("redeploy", app.name, "--no-cache").out
    assert len(new_layers()) == len(before) + 1
    assert "Installing packages" in app.push({"VERSION": "2"}, options=["no-cache"]).err
    assert app.version() == "2"


def node_app(dependencies=None, **more):
    """An app in JavaScript whose layer has no packages, but is there."""
    package = {"name": "app", "version": "1.0.0", "scripts": {"postinstall": "true"}, **(dependencies or {})}
    lock = {"name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": True,
            "packages": {"": {"name": "app", "version": "1.0.0"}}}  # fmt: skip
    return web_app() | {"package.json": json.dumps(package), "package-lock.json": json.dumps(lock)} | more


def test_a_build_may_change_its_packages_for_its_own_release(platform):
    script = "mkdir -p node_modules/own && echo changed > node_modules/own/word"
    files = node_app(**{"pushrod.toml": f'[build]\nafter = "{script}"\n'})
    app = platform.deploy(files)
    assert platform.pushrod("run", app.name, "--", "cat", "node_modules/own/word").out == "changed\n"
    other = platform.deploy(node_app())
    assert platform.pushrod("run", other.name, "--", "ls", "node_modules").out == ""
    assert platform.pushrod("run", other.name, "--", "touch", "node_modules/x", code=1).code == 1


def test_a_release_whose_build_changed_its_packages_keeps_the_layer_for_the_next_build(platform, new_layers):
    script = "echo changed > node_modules/word"
    app = platform.deploy(node_app(**{"pushrod.toml": f'[build]\nafter = "{script}"\n'}))
    other = platform.deploy(python_app())
    assert len(new_layers()) == 2
    platform.pushrod("app", "destroy", other.name, "--yes")
    wait_until(lambda: not [name for name in new_layers() if name.startswith("python-")], what="the tidier")
    assert len(new_layers()) == 1
    assert "Packages: unchanged" in app.push({"VERSION": "2"}).err
    assert platform.pushrod("run", app.name, "--", "cat", "node_modules/word").out == "changed\n"


def test_a_build_that_changes_packages_which_are_in_the_repository_takes_their_place(platform):
    script = "echo changed > node_modules/word"
    files = node_app(**{"pushrod.toml": f'[build]\nafter = "{script}"\n', "node_modules/committed/word": "old"})
    app = platform.deploy(files)
    assert platform.pushrod("run", app.name, "--", "sh", "-c", "ls node_modules; cat node_modules/word").out == (
        "word\nchanged\n"
    )


def test_programs_of_a_workspace_are_found_and_their_code_is_no_part_of_the_layer(platform):
    tool = lambda word: f"#!/usr/bin/env node\nconsole.log('{word}')\n"  # noqa: E731
    cli = {"name": "cli", "version": "1.0.0", "bin": {"greet": "./bin/greet.js"}}
    package = {"name": "app", "version": "1.0.0", "workspaces": ["cli"], "dependencies": {"cli": "1.0.0"}}
    packages = {"": package, "cli": cli, "node_modules/cli": {"resolved": "cli", "link": True}}
    lock = {"name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": packages}
    files = {"package.json": package, "package-lock.json": lock, "cli/package.json": cli}
    app = platform.create_app(web_app() | {name: json.dumps(text) for name, text in files.items()}
                              | {"cli/bin/greet.js": tool("hello")})  # fmt: skip
    assert "Installing packages" in app.work.push().err
    assert platform.pushrod("run", app.name, "--", "greet").out == "hello\n"
    assert "Packages: unchanged" in app.push({"cli/bin/greet.js": tool("good day")}).err
    assert platform.pushrod("run", app.name, "--", "greet").out == "good day\n"


@pytest.fixture
def held(platform):
    """A function that makes apps whose packages come from an index that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as index:
        requirements = f"--index-url http://127.0.0.1:{index.getsockname()[1]}/simple\ngreet==1.0\n"
        yield lambda: platform.create_app(web_app() | {"requirements.txt": requirements})


def await_installing(platform):
    """Waits for pip to run, and returns its process."""
    wait_until(lambda: platform.processes("--progress-bar"), what="pip")
    return platform.processes("--progress-bar")


def test_a_deployment_that_is_killed_while_it_installs_leaves_nothing(platform, held, new_layers):
    app = held()
    push = app.start_push()
    await_installing(platform)
    assert [name.endswith(".new") for name in new_layers()] == [True]
    for process in platform.processes("proc-receive"):
        os.kill(process.pid, signal.SIGKILL)
    app.work.finish_push(push, code=None)
    wait_until(lambda: not platform.processes("--progress-bar"), what="the end of pip")
    wait_until(lambda: new_layers() == [], what="the end of the layer")
    app.push(python_app())
    assert app.version() == "1"


def test_a_deployment_that_waits_for_packages_installs_them_when_the_other_is_cancelled(platform, held, new_layers):
    first, second = held(), held()
    pushes = [first.work.start_push()]
    await_installing(platform)
    pushes.append(second.work.start_push())
    log = lambda app: platform.pushrod("logs", app.name, "--deployment", "1", code=None).out  # noqa: E731
    wait_until(lambda: "waiting: another deployment installs the same packages" in log(second), what="the second push")
    platform.pushrod("cancel", first.name)
    first.work.finish_push(pushes[0], code=1)
    wait_until(lambda: "Installing packages" in log(second), what="its turn")
    await_installing(platform)
    platform.pushrod("cancel", second.name)
    second.work.finish_push(pushes[1], code=1)
    assert new_layers() == [] and not platform.processes("--progress-bar")


@pytest.mark.parametrize("target", ["/etc", "/data", "..", "/proc/self/root", "node_modules"])
def test_a_symlink_in_the_place_of_the_packages_leads_nowhere(platform, new_layers, target):
    """The hostile trees: nothing is mounted or made where the link leads."""
    neighbour = platform.deploy(web_app("untouched"))
    (neighbour.data / "mine").write_text("1")
    app = platform.create_app(node_app())
    (app.work.directory / "node_modules").symlink_to(target)
    app.work.commit()
    app.work.push(code=None)
    assert neighbour.version() == "untouched"
    assert sorted(path.name for path in neighbour.data.iterdir()) == ["mine"]
    assert new_layers() == []


def test_a_build_cannot_put_a_symlink_in_the_place_of_its_packages(platform):
    """It can move a directory above the mount away; so Pushrod looks again after the build."""
    swap = "cd /app && mv packages moved && mkdir -p packages/web && ln -s /data packages/web/node_modules"
    web = node_app(**{"pushrod.toml": f"[build]\nroot = \"../..\"\nafter = \"{swap}\"\n"})
    app = platform.create_app({f"packages/web/{name}": content for name, content in web.items()}, path="packages/web")
    result = app.work.push(code=1)
    assert "packages are installed in packages/web/node_modules, and the app has something else there" in result.err
    assert list(app.data.iterdir() if app.data.exists() else []) == []


def test_a_build_cannot_change_the_layer_that_others_use(platform, new_layers):
    victim = platform.deploy(python_app())
    made = new_layers()
    spoil = "rm -rf /venv/* /.layers/* 2>&1; find / -name greet.py -exec sh -c 'echo 1 > {}' ';' 2>&1; true"
    app = platform.create_app(python_app() | {"pushrod.toml": f'[build]\nafter = "{spoil}"\n'})
    assert "Packages: unchanged" in app.work.push(code=None).err
    assert new_layers() == made
    word = ["python", "-c", "import greet; print(greet.WORD)"]
    assert platform.pushrod("run", victim.name, "--", *word).out == "hello\n"
    other = platform.deploy(python_app("2"))
    assert platform.pushrod("run", other.name, "--", *word).out == "hello\n"
