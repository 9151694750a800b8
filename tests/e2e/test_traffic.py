"""Where requests go: access logs, maintenance, holding, sleep."""

import json

import pytest
from harness import finish, wait_until, web_app


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
    assert "GET" not in platform.log("router")
