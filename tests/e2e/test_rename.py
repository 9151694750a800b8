"""An app gets another name."""

import pytest

pytest.register_assert_rewrite("crash")

from crash import assert_whole, await_converged, await_no_deployment, killed_at  # noqa: E402
from harness import Traffic, run_command, web_app  # noqa: E402

PROCESSES = "web: python3 web.py\nworker: echo $APP works; exec sleep 1000\n"


def state_of(platform, name):
    return {one["app"]: one["state"] for one in platform.json("app", "list")}.get(name)


def test_a_renamed_app_keeps_what_it_has(platform):
    app = platform.deploy(web_app("mine", Procfile=PROCESSES))
    platform.pushrod("config", "set", app.name, "COLOUR=blue")
    (app.data / "kept").write_text("data")
    old, new = app.name, platform.unique_name()
    result = platform.pushrod("app", "rename", old, new)
    assert f"{old} is called {new} now" in result.out and "The repo keeps its name" in result.out
    app.name = new
    assert app.version() == "mine"
    environment = app.get("/env").json()
    assert environment["APP"] == new and environment["COLOUR"] == "blue"
    assert environment["INSTANCE"] == f"{new}.3.web.1"
    assert (app.data / "kept").read_text() == "data"
    assert [d["kind"] for d in app.deployments()] == ["rename", "config", "push"]
    assert platform.http(f"{old}.localhost", "/").status == platform.http("nobody.localhost", "/").status
    assert "there is no app" in platform.pushrod("app", "info", old, code=1).err
    assert f"{old} works" in platform.pushrod("logs", new, "--process", "worker").out
    for directory in ("data", "checkouts", "releases", "cache", "logs"):
        assert not (platform.root / directory / old).is_symlink() and not (platform.root / directory / old).exists()
        assert (platform.root / directory / new).is_dir() and not (platform.root / directory / new).is_symlink()


def test_a_renamed_app_goes_on(platform):
    app = platform.deploy(web_app("1"))
    new = platform.unique_name()
    platform.pushrod("app", "rename", app.name, new)
    app.name = new
    app.push({"VERSION": "2\n"})
    assert app.version() == "2"
    platform.pushrod("rollback", new)
    assert app.version() == "1"
    platform.pushrod("restart", new)
    assert app.version() == "1"
    assert platform.pushrod("run", new, "--", "sh", "-c", "echo $APP").out == new + "\n"


def test_no_request_fails_while_an_app_gets_another_name(platform):
    app = platform.deploy(web_app("1"))
    unknown = platform.http("nobody.localhost", "/").status
    new = platform.unique_name()
    with Traffic(app) as traffic:
        traffic.await_requests(20)
        platform.pushrod("app", "rename", app.name, new)
        assert [platform.http(f"{new}.localhost", "/").status for _ in range(20)] == [200] * 20
    assert {request.status for request in traffic.failures()} <= {unknown}, "answered, or unknown"


def test_the_old_name_is_free(platform):
    app = platform.deploy(web_app("1"))
    old, new = app.name, platform.unique_name()
    platform.pushrod("app", "rename", old, new)
    other = platform.deploy(web_app("other"), name=old, repo=platform.unique_name())
    assert other.version() == "other"
    assert platform.http(f"{new}.localhost", "/").text == "1"
    platform.pushrod("app", "rename", old, platform.unique_name())
    platform.pushrod("app", "rename", new, old)
    assert platform.http(f"{old}.localhost", "/").text == "1"


def test_an_app_that_is_not_deployed_or_stopped_gets_another_name(platform):
    app = platform.create_app(web_app("1"))
    new = platform.unique_name()
    platform.pushrod("app", "rename", app.name, new)
    app.name = new
    app.work.push()
    assert app.version() == "1"
    platform.pushrod("stop", new)
    newer = platform.unique_name()
    platform.pushrod("app", "rename", new, newer)
    assert state_of(platform, newer) == "stopped"
    platform.pushrod("start", newer)
    assert platform.http(f"{newer}.localhost", "/").text == "1"


def test_an_app_that_does_not_start_keeps_its_name(platform):
    files = web_app("1", Procfile='web: [ "$(cat /data/broken)" ] && exit 3; exec python3 web.py\n')
    app = platform.deploy(files)
    (app.data / "broken").write_text("yes")
    new = platform.unique_name()
    result = platform.pushrod("app", "rename", app.name, new, code=1)
    assert "exit code 3" in result.out + result.err
    assert app.version() == "1"
    assert state_of(platform, new) is None
    for directory in ("data", "checkouts", "releases", "cache", "logs"):
        assert not (platform.root / directory / new).is_symlink()


@pytest.mark.parametrize("wrong", ["Upper", "a.b", "-x", "x" * 41])
def test_a_name_that_cannot_be_is_refused(platform, wrong):
    app = platform.create_app(web_app())
    platform.pushrod("app", "rename", app.name, "--", wrong, code=1)


def test_a_name_that_is_taken_is_refused(platform):
    one, other = platform.create_app(web_app()), platform.create_app(web_app())
    assert "already" in platform.pushrod("app", "rename", one.name, other.name, code=1).err
    assert "already" in platform.pushrod("app", "rename", one.name, one.name, code=1).err


@pytest.mark.parametrize("call, every", [("fdatasync", 3), ("symlink", 1), ("unlink", 2), ("vfork", 1)])
def test_a_rename_that_is_killed_leaves_the_old_or_the_new_name(own_platform, call, every):
    platform = own_platform
    app = platform.deploy(web_app("v1"))
    (app.data / "kept").write_text("data")
    outcomes = set()
    for count in range(1, 200, every):
        old, new = app.name, platform.unique_name()
        argv = [platform.binary, "--root", platform.root, "app", "rename", old, new]
        result = run_command(killed_at(call, count, argv), env=platform.server_env, code=None)
        await_no_deployment(app)
        names = [one["app"] for one in platform.json("app", "list")]
        assert names in ([old], [new])
        app.name = names[0]
        await_converged(app)
        assert_whole(app, {"v1": app.work.head()})
        assert (app.data / "kept").read_text() == "data"
        for directory in ("data", "checkouts", "releases", "cache", "logs"):
            there = [entry.name for entry in (platform.root / directory).iterdir()]
            assert set(there) <= {app.name, "_pushrod"}, (directory, there)
        outcomes.add(app.name == new)
        if result.code == 0:
            break
        assert result.code == -9, result
    assert True in outcomes
