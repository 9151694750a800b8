"""Where requests go: access logs, maintenance, holding, sleep."""

import json
import os
import re
import signal
import time

import pytest
from harness import HELD_BUILD, Traffic, echo, finish, open_websocket, wait_until, web_app


@pytest.fixture(scope="module")
def app(shared_platform):
    """One app for all tests of this file that only ask."""
    return shared_platform.deploy(web_app("traffic"))


def access_log(app, *words):
    """`logs --process router --json` of it."""
    out = app.platform.pushrod("logs", app.name, "--process", "router", "--json", *words).out
    return [json.loads(line) for line in out.splitlines()]


# Access logs


def test_each_request_is_logged_for_its_app_alone(platform, app):
    other = platform.deploy(web_app("other"))
    app.get("/slow?ms=30", headers={"X-Forwarded-For": "203.0.113.1"})
    app.get("/nothing-here", status=404)
    other.get("/env")
    lines = wait_until(lambda: [line for line in access_log(app) if line["path"] == "/nothing-here"])
    assert lines[-1]["status"] == 404 and lines[-1]["method"] == "GET" and lines[-1]["process"] == "router"
    slow = [line for line in access_log(app) if line["path"] == "/slow?ms=30"][-1]
    assert slow["status"] == 200 and slow["client"] == "127.0.0.1" and slow["bytes"] > 7
    assert 30 <= slow["duration_ms"] < 5000
    assert "/env" not in str(access_log(app))
    shown = platform.pushrod("logs", app.name, "--process", "router").out.splitlines()[-1]
    assert "router | GET /nothing-here 404 " in shown
    assert "nothing-here" not in platform.pushrod("logs", app.name).out, "only when it is asked for"


def test_access_logs_can_be_followed_and_searched(platform, app):
    app.get("/read?path=/before", status=404)
    follower = platform.start_pushrod("logs", app.name, "--process", "router", "-f")
    for path in ("/before", "/follow-me"):
        while path.encode() not in follower.stdout.readline():
            pass
        app.get("/read?path=/follow-me", status=404)
    follower.terminate()
    finish(follower)
    assert all("follow-me" in line["path"] for line in access_log(app, "--grep", "follow-me"))
    assert access_log(app, "--grep", "follow-me")


def test_a_request_cannot_forge_a_log_line(platform, app):
    forged = b"GET /a%0a=%20app.x\x1b[2J\"'\\#\xc3\xa4 HTTP/1.1\r\nHost: " + app.host.encode() + b"\r\n\r\n"
    for request in (forged, b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: " + app.host.encode() + b"\r\n\r\n",
                    b"G\xff\x1b / HTTP/1.1\r\nHost: " + app.host.encode() + b"\r\n\r\n"):  # fmt: skip
        with platform.connect_http() as connection:
            connection.sendall(request)
            connection.recv(4096)
    app.get("/list?path=/last", status=404)
    wait_until(lambda: "/last" in str(access_log(app)))
    log = platform.log("access")
    assert all(line.count("= ") >= 1 and line.isprintable() for line in log.splitlines()), log
    assert all(len(line) < 4100 for line in log.splitlines())


def test_haproxys_own_messages_are_not_among_them(platform, app):
    platform.create_app()  # a reload
    assert "New worker" in platform.log("router")
    assert "New worker" not in platform.log("access")
    # A line that a message of another of HAProxy's threads is written into is no access line any more.
    assert not re.search(r"^\S+ =", platform.log("router"), re.MULTILINE)


# Maintenance


def test_maintenance_answers_with_a_page(platform, app):
    out = platform.pushrod("maintenance", "on", app.name).out
    assert "is on: 503" in out
    response = app.get(status=503)
    assert response.headers["Retry-After"] == "60" and "maintenance" in response.text
    assert platform.json("app", "info", app.name)["traffic"] == "maintenance"
    assert "is on" in platform.ssh("maintenance", "show", app.name).out
    assert platform.json("maintenance", "show", app.name)["maintenance"] == "page"
    platform.ssh("maintenance", "off", app.name)
    assert app.version() == "traffic"
    assert platform.json("maintenance", "show", app.name)["maintenance"] == "off"


def test_an_app_shows_a_page_of_its_own(platform, app):
    page = "<!doctype html><title>Back soon</title>" + "ä" * 32_000
    platform.ssh(f"maintenance on {app.name} --page -", input=page)
    try:
        response = app.get(status=503)
        assert response.text == page and response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert response.headers["Retry-After"]
        file = platform.home / "page.txt"
        file.write_text("plain")
        platform.pushrod("maintenance", "on", app.name, "--page", file)
        response = app.get(status=503)
        assert response.text == "plain" and response.headers["Content-Type"].startswith("text/plain")
    finally:
        platform.pushrod("maintenance", "off", app.name)


@pytest.mark.parametrize("page, why", [("x" * 65_537, "too long"), ("", "empty"), (b"\xff\xfe", "UTF-8"), ("a\0b", "UTF-8")])
def test_a_page_that_cannot_be_shown_is_refused(platform, app, page, why):
    result = platform.ssh(f"maintenance on {app.name} --page -", input=page, code=1)
    assert why in result.err
    assert app.version() == "traffic"


def test_over_ssh_no_file_of_the_server_becomes_a_page(platform, app):
    assert "standard input" in platform.ssh("maintenance", "on", app.name, "--page", "/etc/passwd", code=1).err


def test_requests_wait_while_maintenance_holds_them(platform):
    app = platform.deploy(web_app("1"))
    with Traffic(app, clients=4) as traffic, Traffic(app, clients=2, keep_alive=False) as short:
        platform.pushrod("maintenance", "on", app.name, "--hold")
        before = len(traffic.requests()) + len(short.requests())
        assert platform.json("app", "info", app.name)["traffic"] == "held"
        app.push({"VERSION": "2"})
        platform.create_app()  # the router reloads
        after = len(traffic.requests()) + len(short.requests())
        assert after - before <= 6, "they went through"
        platform.pushrod("maintenance", "off", app.name)
        released = time.monotonic()
        traffic.await_requests(20)
        short.await_requests(20)
    traffic.assert_no_failure()
    short.assert_no_failure()
    assert traffic.versions(since=released) == {"2"}


# Everything else


def test_no_request_fails_across_changes_of_settings_jobs_and_other_apps(platform):
    """What no other test has requests across."""
    manifest = """[processes.web]
    command = "python3 web.py"
    [[cron]]
    schedule = "0 0 1 1 *"
    command = "echo from cron"
    name = "yearly"
    """
    app, other = platform.deploy(web_app("1", pushrod_toml=manifest)), platform.deploy(web_app("other"))
    platform.pushrod("config", "set", app.name, "A=1", "B=2")
    app.push({"VERSION": "2"})
    app.await_settled()
    env_file = platform.home / "imported.env"
    env_file.write_text("C=3\n")
    changes = [
        ["config", "unset", app.name, "A"],
        ["config", "import", app.name, env_file],
        ["maintenance", "on", other.name],
        ["maintenance", "off", other.name],
        ["stop", other.name],
        ["run", app.name, "--", "true"],
        ["run", app.name, "--detach", "--", "true"],
        ["cron", "run", app.name, "yearly"],
        ["prune", app.name],
        ["app", "destroy", other.name, "--yes"],
    ]
    with Traffic(app) as traffic, Traffic(app, clients=2, keep_alive=False) as short:
        for words in changes:
            platform.pushrod(*words)
            traffic.await_requests(10)
            short.await_requests(10)
        app.await_settled()
    traffic.assert_no_failure()
    short.assert_no_failure()
    assert traffic.versions() == {"2"}


# Holding by deployments

NO_OVERLAP = '[processes.web]\ncommand = "python3 web.py"\noverlap = false\nstop_timeout = "5s"\n'
HELD_RELEASE = """[processes.web]
command = "python3 web.py"
[release]
command = "touch /data/held; until [ -e /data/go ]; do sleep 0.02; done"
hold = true
"""


def assert_versions_in_order(traffic, old, new):
    """No request that began after one of the new release had been answered was answered by the old one."""
    traffic.assert_no_failure()
    requests = traffic.requests()
    first = min(request.end for request in requests if request.text == new)
    late = [request for request in requests if request.start > first and request.text != new]
    assert {request.text for request in requests} == {old, new}
    assert not late


def test_requests_wait_while_a_type_that_may_not_overlap_is_switched(platform):
    app = platform.deploy(web_app("1", pushrod_toml=NO_OVERLAP))
    with Traffic(app) as traffic:
        app.push({"VERSION": "2"})
        traffic.await_requests(20)
    assert_versions_in_order(traffic, "1", "2")
    with Traffic(app) as traffic:
        platform.pushrod("restart", app.name)
        traffic.await_requests(20)
    traffic.assert_no_failure()


def test_requests_go_on_to_the_old_release_when_the_new_one_fails(platform):
    app = platform.deploy(web_app("1", pushrod_toml=NO_OVERLAP))
    with Traffic(app) as traffic:
        app.push({"VERSION": "2", "web.py": "import sys; sys.exit(3)\n"}, code=1)
        traffic.await_requests(20)
    traffic.assert_no_failure()
    assert traffic.versions() == {"1"}


def test_requests_wait_for_a_release_command_that_asks_for_it(platform):
    app = platform.deploy(web_app("1"))
    with Traffic(app) as traffic:
        push = app.start_push({"VERSION": "2", "pushrod.toml": HELD_RELEASE, "Procfile": None})
        wait_until((app.data / "held").exists, what="the release command")
        assert platform.json("app", "info", app.name)["traffic"] == "held"
        before = len(traffic.requests())
        (app.data / "go").touch()
        finish(push, code=0)
        traffic.await_requests(20)
        assert traffic.requests()[before + 4].text == "2"
    assert_versions_in_order(traffic, "1", "2")


def test_a_killed_deployment_blocks_no_other(own_platform):
    app = own_platform.deploy(web_app("1"))
    with Traffic(app) as traffic:
        push = app.start_push({"VERSION": "2", "pushrod.toml": HELD_RELEASE, "Procfile": None})
        wait_until((app.data / "held").exists, what="the release command")
        for process in own_platform.processes("proc-receive"):
            os.kill(process.pid, signal.SIGKILL)
        finish(push)
        traffic.await_requests(20)
    traffic.assert_no_failure()
    assert traffic.versions() == {"1"}


# Sleep

SLEEPY = '[processes.web]\ncommand = "python3 web.py"\nsleep_after = "1s"\n[processes.worker]\ncommand = "sleep 1000"\n'


def states(app):
    """State of the processes, by type."""
    return {process["process"]: process["state"] for process in app.processes()}


def await_sleep(app):
    """Waits until it sleeps and its process is gone."""
    wait_until(lambda: states(app)["web"] == "asleep" and not app.platform.processes("web.py"), 30, "sleep")


def test_an_idle_app_sleeps_and_the_next_request_wakes_it(own_platform):
    app = own_platform.deploy(web_app("1", pushrod_toml=SLEEPY))
    await_sleep(app)
    assert states(app)["worker"] == "running"
    assert own_platform.json("app", "info", app.name)["traffic"] == "asleep"
    with Traffic(app, clients=8, at_most=20) as traffic:
        traffic.await_requests(20)
    traffic.assert_no_failure()
    assert states(app)["web"] == "running"


def test_a_request_in_flight_keeps_an_app_awake(own_platform):
    app = own_platform.deploy(web_app("1", pushrod_toml=SLEEPY.replace("1s", "2s")))
    assert app.get("/slow?ms=7000").text == "1"
    assert states(app)["web"] == "running"
    await_sleep(app)


def test_an_open_websocket_keeps_an_app_awake(own_platform):
    app = own_platform.deploy(web_app("1", pushrod_toml=SLEEPY))
    with open_websocket(app) as connection:
        # One that has been idle for a shorter time tells when it is late enough.
        idle = own_platform.deploy(web_app("1", pushrod_toml=SLEEPY))
        wait_until(lambda: states(idle)["web"] == "asleep", 30, "sleep")
        assert states(app)["web"] == "running"
        assert echo(connection, "still here") == "still here"
    await_sleep(app)


def test_every_change_of_an_app_that_sleeps_works(own_platform):
    app = own_platform.deploy(web_app("1", pushrod_toml=SLEEPY))
    await_sleep(app)
    app.push({"VERSION": "2"})
    assert app.version() == "2"
    await_sleep(app)
    own_platform.pushrod("restart", app.name)
    assert app.version() == "2"
    await_sleep(app)
    app.push({"VERSION": "3", "web.py": "import sys; sys.exit(3)\n"}, code=1)
    assert app.version() == "2"
    await_sleep(app)
    own_platform.pushrod("stop", app.name)
    app.get(status=503)


def test_a_request_during_a_push_to_an_app_that_sleeps_is_served(own_platform):
    app = own_platform.deploy(web_app("1", pushrod_toml=SLEEPY))
    await_sleep(app)
    push = app.start_push({"VERSION": "2", "pushrod.toml": HELD_BUILD + SLEEPY})
    app.await_build()
    asked = time.monotonic()
    assert app.version() == "1"
    assert time.monotonic() - asked < 20, "it waited for the deployment"
    app.release_build()
    assert finish(push).code == 0
    assert app.version() == "2"


def test_a_request_waits_for_a_daemon_that_was_killed(own_platform):
    app = own_platform.deploy(web_app("1", pushrod_toml=SLEEPY))
    await_sleep(app)
    for _ in range(3):
        os.kill(own_platform.daemon_pid(), signal.SIGKILL)
        assert app.version() == "1"
        await_sleep(app)


def test_an_app_sleeps_on_when_the_tree_starts_again(own_platform):
    app = own_platform.deploy(web_app("1", pushrod_toml=SLEEPY))
    await_sleep(app)
    own_platform.stop()
    own_platform.start()
    assert states(app)["web"] == "asleep"
    assert app.version() == "1"
