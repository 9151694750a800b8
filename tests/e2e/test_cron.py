"""Cron: what an app's pushrod.toml wants to have run by the clock.

No test waits for the clock: what the database says of when it was last looked at is set back, so that a run is due.
"""

import json
import os
import signal
import socket
import sqlite3
import time

import pytest
from harness import finish, wait_until

CRON = """[processes]
worker = "exec sleep 1000"
[[cron]]
name = "clean"
schedule = "0 * * * *"
command = "{command}"
timezone = "UTC"
{more}
"""


def cron_app(platform, command="echo cleaned; echo $PROCESS >&2", more="", **options):
    return platform.deploy({"pushrod.toml": CRON.format(command=command, more=more)}, **options)


def make_due(app):
    """As if the daemon had been away for the last hour, and the last full hour had passed meanwhile."""
    platform = app.platform
    wait_until(lambda: seen(app), what="the daemon to follow the clock")
    # Whole hours have passed in any 60 minutes.
    with sqlite3.connect(platform.root / "pushrod.db", timeout=20) as database:
        changed = database.execute(
            "UPDATE cron_states SET seen = ? WHERE app_id = (SELECT id FROM apps WHERE name = ?)",
            (int((time.time() - 3600) * 1000), app.name),
        )  # fmt: skip
        assert changed.rowcount == 1
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as call:
        call.sendto(b"look", str(platform.root / "run" / "serve.sock"))


def seen(app):
    with sqlite3.connect(app.platform.root / "pushrod.db", timeout=20) as database:
        return database.execute(
            "SELECT seen FROM cron_states WHERE app_id = (SELECT id FROM apps WHERE name = ?)", (app.name,)
        ).fetchone()


def history(app):
    return app.platform.json("cron", "history", app.name)


def await_run(app, count=1):
    return wait_until(
        lambda: len(h := history(app)) >= count and all(job["ended"] for job in h) and h, what="the run to end"
    )


def test_what_is_due_runs_once_is_logged_and_remembered(make_platform):
    platform = make_platform().start()
    app = cron_app(platform)
    listed = platform.json("cron", "list", app.name)
    assert [cron["name"] for cron in listed] == ["clean"]
    assert listed[0]["schedule"] == "0 * * * *" and listed[0]["timezone"] == "UTC" and listed[0]["last"] is None
    assert listed[0]["next"].endswith(":00:00.000Z")
    make_due(app)
    run = await_run(app)[0]
    assert run["job"] == "clean.1" and run["exit_code"] == 0 and run["author"] == "cron"
    assert platform.json("cron", "list", app.name)[0]["last"]["job"] == "clean.1"
    log = platform.pushrod("logs", app.name, "--process", "clean").out
    assert [line.split(" | ")[1] for line in log.splitlines()] == ["cleaned", "clean"]
    # Another daemon finds nothing left to do.
    os.kill(platform.daemon_pid(), signal.SIGKILL)
    wait_until(platform.daemon_pid, what="another daemon")
    platform.pushrod("restart", app.name)
    assert len(history(app)) == 1
    assert "clean.1" in platform.ssh("cron", "history", app.name).out
    assert "0 * * * *" in platform.ssh("cron", "list", app.name).out


def test_a_run_now_shows_its_output_and_passes_its_code(platform):
    app = cron_app(platform, command="echo now; echo no >&2; exit 5")
    result = platform.ssh("cron", "run", app.name, "clean", code=5)
    assert result.out == "now\n" and result.err == "no\n"
    run = history(app)[0]
    assert run["exit_code"] == 5 and run["author"] == "admin" and run["result"] == "exit code 5"
    assert "no cron job" in platform.pushrod("cron", "run", app.name, "dirty", code=1).err


def test_a_run_does_not_overlap_unless_it_may(platform):
    app = cron_app(platform, command="echo begun; exec sleep 1010")
    client = platform.start_pushrod("cron", "run", app.name, "clean")
    assert client.stdout.readline() == b"begun\n"
    assert "is already running" in platform.pushrod("cron", "run", app.name, "clean", code=1).err
    assert any(p["instance"] == f"{app.name}.1.clean.1" for p in app.processes())
    platform.pushrod("run", app.name, "--stop", "clean.1")
    assert finish(client).code == 143


def test_its_timeout_ends_all_its_processes(platform):
    app = cron_app(platform, command="sleep 1011 & trap '' TERM; echo begun; while :; do sleep 0.05; done",
                   more='timeout = "1s"')  # fmt: skip
    platform.pushrod("cron", "run", app.name, "clean", code=124)
    assert history(app)[0]["result"] == "ran longer than 1 s"
    assert not platform.processes("sleep 1011")


def test_cron_jobs_come_and_go_with_the_release(make_platform):
    platform = make_platform().start()
    app = cron_app(platform)
    wait_until(lambda: seen(app), what="the daemon to follow the clock")
    app.push({"pushrod.toml": '[processes]\nworker = "exec sleep 1000"\n'})
    wait_until(lambda: not seen(app), what="the daemon to forget it")
    assert platform.json("cron", "list", app.name) == []
    assert "no cron jobs" in platform.pushrod("cron", "list", app.name).out


@pytest.mark.parametrize("line, reason", [
    ('schedule = "61 * * * *"', "61, which is not from 0 to 59"),
    ('schedule = "0 0 30 2 *"', "never comes"),
    ('schedule = "@daily"\ntimezone = "Mars/Olympus"', "unknown time zone"),
])  # fmt: skip
def test_what_could_never_run_is_refused_with_its_line(platform, line, reason):
    app = platform.create_app({"pushrod.toml": f'[processes]\nworker = "sleep 9"\n[[cron]]\ncommand = "x"\n{line}\n'})
    result = app.push(code=1)
    assert reason in result.text and "pushrod.toml:" in result.text
    assert json.loads(platform.pushrod("cron", "list", app.name, "--json").out) == []
