"""What apps write and what deployments told."""

import contextlib
import json
import os
import re
import select
import threading
import time

import pytest
from harness import HELD_BUILD, finish, wait_until, web_app


@pytest.fixture
def app(platform):
    """An app whose worker writes the lines of /data/say, each as soon as it is there."""
    worker = "worker: echo worker begins; touch /data/say; exec tail -n +1 -f /data/say\n"
    return platform.deploy(web_app("1", Procfile="web: python3 web.py\n" + worker))


def say_in_worker(app, text):
    with open(app.data / "say", "a", encoding="utf-8") as file:
        file.write(text + "\n")


def await_line(app, text):
    wait_until(lambda: text in app.platform.pushrod("logs", app.name).out, what=f"{text!r} in the log")


@contextlib.contextmanager
def following(follower):
    """A function that tells whether a line of what the command prints has the text. The command ends with the block."""
    seen = []
    reader = threading.Thread(target=lambda: seen.extend(iter(follower.stdout.readline, b"")), daemon=True)
    reader.start()
    try:
        yield lambda text: any(text in line.decode() for line in list(seen))
    finally:
        follower.terminate()
        follower.wait()
        reader.join()


def lines_of(result):
    """(process, text) of each line."""
    found = []
    for line in result.out.splitlines():
        match = re.fullmatch(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\S* (\S+) \| (.*)", line)
        assert match, line
        found.append((match[2], match[3]))
    return found


def test_logs_are_merged_by_time(platform, app):
    for turn in range(3):
        app.get(f"/say?text=web-{turn}")
        await_line(app, f"web-{turn}")
        say_in_worker(app, f"worker-{turn}")
        await_line(app, f"worker-{turn}")
    lines = lines_of(platform.pushrod("logs", app.name))
    assert lines[-6:] == [
        (process, f"{process[:-2]}-{turn}") for turn in range(3) for process in ("web.1", "worker.1")
    ]
    assert ("web.1", "version 1 listens") in lines and ("worker.1", "worker begins") in lines
    assert lines_of(platform.pushrod("logs", app.name, "-n", "2")) == lines[-2:]


def test_logs_of_one_process_type_or_instance(platform, app):
    await_line(app, "worker begins")
    for wanted in ("worker", "worker.1"):
        lines = lines_of(platform.pushrod("logs", app.name, "--process", wanted))
        assert {process for process, _ in lines} == {"worker.1"}
    assert lines_of(platform.pushrod("logs", app.name, "--process", "worker.2")) == []


def test_a_process_that_there_is_not_is_a_slip(platform, app):
    for slip in ("wbe", "wbe.1"):
        said = platform.pushrod("logs", app.name, "--process", slip, code=1).err
        assert f'no logs of a process "{slip}"' in said and "router" in said and "web" in said
    assert "cannot be combined" in platform.pushrod("logs", app.name, "--deployment", "1", "--process", "web", code=2).err


def test_logs_since_a_time(platform, app):
    say_in_worker(app, "old")
    await_line(app, "old")
    moment = wait_until_a_new_second()
    say_in_worker(app, "new")
    await_line(app, "new")
    for since in (moment, moment.replace(" ", "T") + "Z"):
        assert [text for _, text in lines_of(platform.pushrod("logs", app.name, "--since", since))] == ["new"]
    assert ("worker.1", "old") in lines_of(platform.ssh("logs", app.name, "--since", "1h"))
    assert lines_of(platform.pushrod("logs", app.name, "--since", "1h", "-n", "1")) == [("worker.1", "new")]
    assert "not a point in time" in platform.pushrod("logs", app.name, "--since", "lately", code=1).err


def wait_until_a_new_second():
    """The time, as `logs` shows it, at the beginning of a second."""
    second = int(time.time())
    wait_until(lambda: int(time.time()) > second, what="the next second")
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second + 1))


def test_logs_that_match_a_pattern(platform, app):
    for text in ("an apple", "a pear", "another apple"):
        say_in_worker(app, text)
        await_line(app, text)
    apples = [("worker.1", "an apple"), ("worker.1", "another apple")]
    assert lines_of(platform.pushrod("logs", app.name, "--grep", "^an.*apple$")) == apples
    assert lines_of(platform.ssh("logs", app.name, "--grep", "APPLE")) == []
    assert lines_of(platform.ssh("logs", app.name, "--grep", "(?i)APPLE", "-n", "1")) == apples[1:]
    entries = platform.pushrod("logs", app.name, "--grep", "pear", "--json").out.splitlines()
    assert [json.loads(entry)["text"] for entry in entries] == ["a pear"]
    assert "pattern" in platform.pushrod("logs", app.name, "--grep", "(", code=1).err
    assert "is live" in platform.pushrod("logs", app.name, "--deployment", "1", "--grep", "live").out
    assert platform.pushrod("logs", app.name, "--deployment", "1", "--grep", "nowhere").out == ""


def test_a_follower_sees_only_what_matches(platform, app):
    with following(platform.start_pushrod("logs", app.name, "-f", "-n", "0", "--grep", "^(yes|end)$")) as is_seen:
        wait_until(lambda: say_in_worker(app, "yes") or is_seen("| yes\n"), what="a line that matches")
        say_in_worker(app, "no")
        say_in_worker(app, "end")
        wait_until(lambda: is_seen("| end\n"), what="the last line")
    assert not is_seen("| no\n")


def test_logs_as_json_are_a_line_each_with_true_times(platform, app):
    before = time.time()
    app.get("/say?text=now")
    await_line(app, "now")
    entries = [json.loads(line) for line in platform.pushrod("logs", app.name, "--json").out.splitlines()]
    assert all(entry.keys() == {"time", "process", "text"} for entry in entries)
    assert entries == sorted(entries, key=lambda entry: entry["time"])
    now = [entry for entry in entries if entry["text"] == "now"]
    assert [entry["process"] for entry in now] == ["web.1"]
    stamp = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(before)), time.strftime("%Y-%m-%dT%H:%M", time.gmtime())
    assert now[0]["time"][:16] in stamp


@pytest.mark.parametrize("door", ["start_pushrod", "start_ssh"])
def test_a_follower_sees_lines_as_they_come_across_a_deployment(platform, app, door):
    with following(getattr(platform, door)("logs", app.name, "-f", "-n", "0")) as is_seen:
        # Said until it is seen: nothing else tells that the follower watches already.
        wait_until(lambda: say_in_worker(app, "hello") or is_seen("hello"), what="a line of the worker")
        app.push({"VERSION": "2"})
        wait_until(lambda: is_seen("version 2 listens"), what="a line of the new version")
        app.get("/say?text=from-two")
        wait_until(lambda: is_seen("from-two"), what="a later line of the new version")
    assert not is_seen("version 1 listens"), "it was asked for none of the old lines"


def test_a_follower_ends_with_its_app(platform, app):
    follower = platform.start_pushrod("logs", app.name, "-f", "-n", "0")
    wait_until(lambda: say_in_worker(app, "hello") or select.select([follower.stdout], [], [], 0)[0], what="a line")
    platform.pushrod("app", "destroy", app.name, "--yes")
    platform.create_app(web_app("secret"), name=app.name).work.push()
    result = finish(follower, code=0)
    assert "has been destroyed" in result.err and "secret" not in result.out


def test_hostile_lines_stay_one_line_each_and_cannot_steer_a_terminal(platform, app):
    app.get("/say?text=%1b]52;c;ZXZpbA==%07evil%1b[2J%0d2020-01-01+00:00:00+web.1+|+forged%c3%28end")
    await_line(app, "end")
    result = platform.pushrod("logs", app.name)
    assert "\x1b" not in result.out and "\r" not in result.out and "\x07" not in result.out
    assert len([line for line in result.out.splitlines() if "end" in line]) == 1


def test_the_log_of_a_deployment(platform):
    app = platform.deploy(web_app("1", pushrod_toml='[build]\ncommand = "echo from the build"\n'))
    app.push({"web.py": "raise SystemExit('no luck')\n"}, code=1)
    first = platform.pushrod("logs", app.name, "--deployment", "1").out
    assert "from the build" in first and "is live" in first
    second = platform.pushrod("logs", app.name, "--deployment", "2").out
    assert "no luck" in second and "exit code 1" in second
    assert platform.pushrod("logs", app.name, "--deployment", "2", "-n", "2").out.splitlines() == second.splitlines()[-2:]
    result = platform.pushrod("logs", app.name, "--deployment", "3", code=1)
    assert "no deployment 3" in result.err


def test_of_a_very_long_log_of_a_deployment_the_end_is_shown(platform):
    app = platform.deploy(web_app("1"))
    with open(platform.root / "logs" / app.name / "deployments" / "1.log", "ab") as log:
        log.truncate(70 << 20)
        log.seek(0, os.SEEK_END)
        log.write(b"\nlast words\n")
    result = platform.pushrod("logs", app.name, "--deployment", "1")
    assert result.out == "last words\n" and "older lines are left out" in result.err


def test_a_deployment_can_be_followed_until_its_end(platform):
    app = platform.create_app(web_app("1", pushrod_toml=HELD_BUILD))
    push = app.start_push()
    app.await_build()
    follower = platform.start_ssh("logs", app.name, "--deployment", "1", "-f")
    app.release_build()
    finish(push, code=0)
    assert "is live" in finish(follower, code=0).out


def test_logs_of_a_first_failed_push_are_there(platform):
    app = platform.create_app({"Procfile": "web: echo last words; exit 3\n"})
    app.work.push(code=1)
    assert "last words" in platform.pushrod("logs", app.name, "--deployment", "1").out


def test_a_flood_of_output_stays_within_its_cap(make_platform):
    platform = make_platform(settings='[limits]\nlog_bytes = "128k"\n').start()
    flood = "worker: head -c 20000000 /dev/zero | tr '\\0' x; yes 'line of a flood' | head -n 200000; echo done; sleep 1000\n"
    app = platform.deploy({"Procfile": flood})
    await_line(app, "done")
    directory = platform.root / "logs" / app.name / "instances" / "1.worker.1"
    assert sum(path.stat().st_size for path in directory.iterdir()) < 300_000


SAY_STRANGE = """import sys, time
out = sys.stdout.buffer
out.write(b"one\\0two\\0\\0\\n" + b"\\0\\n" + b"x" * 20_000 + b"\\n" + b"y" * 300_000 + b"\\n")
out.write(b"".join(b"%d\\0\\n" % n for n in range(20_000)) + b"end\\0")
out.flush()
time.sleep(1000)
"""


def records(app):
    return [json.loads(line) for line in app.platform.pushrod("logs", app.name, "--json", "--since", "1d").out.splitlines()]


def test_a_record_is_whole_with_any_content(platform):
    app = platform.create_app({"say.py": SAY_STRANGE, "Procfile": "worker: exec python3 say.py\n"})
    app.push()
    wait_until(lambda: any(r["text"] == "19999\ufffd" for r in records(app)), what="the last line")
    found = records(app)
    assert [r["text"] for r in found[:3]] == ["one\ufffdtwo\ufffd\ufffd", "\ufffd", "x" * 20_000]
    assert [(r["text"], r.get("continued")) for r in found[3:5]] == [("y" * 262_144, True), ("y" * 37_856, None)]
    assert [r["text"] for r in found[5:]] == [f"{n}\ufffd" for n in range(20_000)]
    app.push({"Procfile": "worker: exec sleep 1000\n"})
    wait_until(lambda: records(app)[-1]["text"] == "end\ufffd", what="what was printed without a newline")


def test_the_last_lines_of_a_failing_app_are_complete(platform):
    say = "import sys\nsys.stdout.buffer.write(b'a\\0b' + b'z' * 70_000 + b'\\n')\nsys.exit(3)\n"
    toml = '[processes.worker]\ncommand = "exec python3 say.py"\nhealth.settle = "5s"\n'
    app = platform.create_app({"say.py": say, "pushrod.toml": toml})
    result = app.push(code=1)
    assert "a\ufffdbzzz" in result.err
    log = platform.pushrod("logs", app.name, "--deployment", "1", "--json").out
    assert "a\ufffdb" + "z" * 70_000 in [json.loads(line)["text"].strip() for line in log.splitlines()]
