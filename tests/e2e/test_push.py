"""git push: a branch goes live whole, or nothing changes."""

import time

import pytest
from harness import Traffic, finish, web_app


def state_of(app):
    """All that a failed push must leave as it was (I2)."""
    return {
        "ref": app.ref(),
        "instances": [(p["instance"], p["pid"], p["port"], p["restarts"]) for p in app.processes()],
        "checkouts": app.checkouts(),
        "releases": app.releases(),
        "info": app.platform.json("app", "info", app.name),
        "version": app.version(),
    }


def test_a_first_push_is_live_before_it_returns(platform):
    app = platform.create_app(web_app("first"))
    result = app.work.push()
    assert app.version() == "first"
    assert app.ref() == app.work.head()
    assert app.checkouts() == [1]
    assert "Release 1" in result.err and f"http://{app.host}:{platform.ports.http}" in result.err
    assert "new branch" in result.err


@pytest.mark.parametrize("keep_alive", [True, False], ids=["keep-alive", "a connection each"])
def test_no_request_fails_during_pushes(platform, keep_alive):
    app = platform.deploy(web_app("1"))
    with Traffic(app, keep_alive=keep_alive) as traffic:
        for version in ("2", "3"):
            app.push({"VERSION": version})
            returned = time.monotonic()
            traffic.await_requests(20)
            assert traffic.versions(since=returned) == {version}
        app.await_settled()
        traffic.await_requests(20)
    traffic.assert_no_failure()
    assert app.instances() == [f"{app.name}.3.web.1"]


def test_requests_in_flight_are_finished_by_the_old_version(platform):
    app = platform.deploy(web_app("old"))
    with Traffic(app, path="/slow?ms=1500", clients=2, pause=0.01) as slow:
        app.push({"VERSION": "new"})
        assert app.version() == "new"
        slow.await_requests(4)
    slow.assert_no_failure()


def test_a_commit_that_is_live_already_is_no_deployment(platform):
    app = platform.deploy()
    result = app.work.push()
    assert "up-to-date" in result.err
    assert [d["number"] for d in app.deployments()] == [1]


def test_an_app_that_ends_fails_the_push_at_once_and_shows_its_last_words(platform):
    app = platform.deploy(web_app("good"))
    app.await_settled()
    before = state_of(app)
    began = time.monotonic()
    result = app.push({"VERSION": "bad", "web.py": "print('no config: giving up', flush=True)\nraise SystemExit(3)\n"}, code=1)
    assert time.monotonic() - began < 15, "health.timeout is 30 s; nobody should wait for it"
    assert "no config: giving up" in result.err
    assert "exit code 3" in result.err
    assert "[remote rejected]" in result.err
    app.await_settled()
    assert state_of(app) == before


def test_a_first_push_that_fails_leaves_nothing(platform):
    app = platform.create_app(web_app(web_py="raise SystemExit(1)\n"))
    app.work.push(code=1)
    assert app.ref() is None
    assert app.processes() == []
    assert app.checkouts() == [] and app.releases() == []
    assert app.get(status=503)
    assert platform.json("app", "info", app.name)["release"] is None


def test_an_app_that_does_not_listen_fails_when_its_health_timeout_is_over(platform):
    toml = '[processes.web]\ncommand = "sleep 1000"\n[processes.web.health]\ntimeout = "1500ms"\n'
    app = platform.create_app({"pushrod.toml": toml})
    result = app.work.push(code=1)
    assert "not healthy after" in result.err and "$PORT" in result.err


def test_after_failures_the_next_push_goes_live_and_at_most_two_checkouts_are_there(platform):
    app = platform.deploy(web_app("1"))
    for _ in range(3):
        app.push({"web.py": "raise SystemExit(1)\n"}, code=1)
        assert len(app.checkouts()) <= 2
    app.push(web_app("2"))
    assert len(app.checkouts()) <= 2
    assert app.version() == "2"
    app.await_settled()
    assert [d["state"] for d in app.deployments()] == ["live", "failed", "failed", "failed", "live"]


def test_at_most_two_checkouts_are_there_while_pushes_follow_each_other(platform):
    app = platform.deploy(web_app("0"))
    for version in range(1, 5):
        push = app.start_push({"VERSION": str(version)})
        while push.poll() is None:
            assert len(app.checkouts()) <= 2
        finish(push, code=0)
        assert len(app.checkouts()) <= 2
    assert app.version() == "4"
