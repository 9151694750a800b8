"""An app's code comes from another branch, repo or directory."""

import pytest

pytest.register_assert_rewrite("crash")

from crash import await_converged, await_no_deployment, killed_at  # noqa: E402
from harness import Traffic, run_command, web_app  # noqa: E402


def source(platform, app):
    info = platform.json("app", "info", app.name)
    return info["repo"], info["branch"], info["path"]


def two_apps(platform):
    """One that runs version 1 from main, and one that runs version 2 from next."""
    app = platform.deploy(web_app("1"))
    staging = platform.create_app(work=app.work, branch="next")
    staging.push({"VERSION": "2\n"})
    return app, staging


def test_an_app_moves_to_a_branch_without_a_failed_request(platform):
    app, staging = two_apps(platform)
    with Traffic(app) as traffic:
        traffic.await_requests(20)
        out = platform.pushrod("app", "set", app.name, "--branch", "next").out
    traffic.assert_no_failure()
    assert 'branch "main" to "next"' in out and 'Branch "main" of repo' in out
    assert app.version() == "2"
    assert source(platform, app)[1] == "next"
    assert [d["kind"] for d in app.deployments()] == ["set", "push"]
    app.work.commit({"VERSION": "3\n"})
    assert "has no app" in app.work.push("HEAD:refs/heads/main", code=1).err
    app.work.push("HEAD:refs/heads/next")
    assert (app.version(), staging.version()) == ("3", "3")


def test_a_branch_that_is_not_there_begins_at_what_the_app_runs(platform):
    app = platform.deploy(web_app("1"))
    before = app.ref()
    platform.pushrod("app", "set", app.name, "--branch", "release/1")
    app.branch = "release/1"
    assert (app.version(), app.ref()) == ("1", before)
    app.push({"VERSION": "2\n"})
    assert app.version() == "2"


def test_an_app_moves_to_another_directory_and_back(platform):
    files = web_app("top") | {f"inner/{name}": content for name, content in web_app("inner").items()}
    app = platform.deploy(files)
    platform.pushrod("app", "set", app.name, "--path", "inner")
    assert app.version() == "inner"
    platform.pushrod("rollback", app.name)
    assert app.version() == "top"
    assert source(platform, app)[2] == ""
    platform.pushrod("app", "set", app.name, "--path", "inner")
    platform.pushrod("app", "set", app.name, "--path", "")
    assert (app.version(), source(platform, app)[2]) == ("top", "")
    assert "No change" in platform.pushrod("app", "set", app.name, "--path", "").out
    platform.pushrod("app", "set", app.name, "--path", "inner", "--build-root", ".")
    assert app.version() == "inner"
    assert platform.json("app", "info", app.name)["build_root"] == ""
    platform.pushrod("app", "set", app.name, "--build-root", "")
    assert platform.json("app", "info", app.name)["build_root"] is None


def test_a_move_that_fails_changes_nothing(platform):
    app = platform.deploy(web_app("1"))
    before = source(platform, app)
    result = platform.pushrod("app", "set", app.name, "--path", "missing", code=1)
    assert "missing" in result.out + result.err
    assert (app.version(), source(platform, app)) == ("1", before)
    assert app.last_deployment()["state"] == "failed"
    result = platform.pushrod("app", "set", app.name, "--repo", "nowhere", code=1)
    assert "there is no repo nowhere" in result.err and "app create" in result.err
    assert "nothing to set" in platform.pushrod("app", "set", app.name, code=1).err


def test_an_app_moves_to_another_repo(platform):
    app = platform.deploy(web_app("1"))
    other = platform.deploy(web_app("other"))
    result = platform.pushrod("app", "set", app.name, "--repo", other.name, "--branch", "none", code=1)
    assert "has no commit" in result.err
    platform.pushrod("app", "set", app.name, "--repo", other.name)
    assert app.version() == "other"
    other.push({"VERSION": "both\n"})
    assert (app.version(), other.version()) == ("both", "both")
    result = platform.pushrod("rollback", app.name, "1", code=1)
    assert "came from branch" in result.out + result.err and f"app set {app.name} --repo" in result.out + result.err
    platform.pushrod("app", "set", app.name, "--repo", app.work.repo)
    assert app.version() == "1"


def test_an_app_that_is_not_deployed_waits_for_its_push(platform):
    app = platform.create_app(web_app("1"))
    platform.pushrod("app", "set", app.name, "--branch", "live")
    assert app.deployments() == []
    app.branch = "live"
    app.push()
    assert app.version() == "1"


@pytest.mark.parametrize("call, every", [("fdatasync", 3), ("vfork", 2)])
def test_a_move_that_is_killed_leaves_the_old_or_the_new_source(own_platform, call, every):
    platform = own_platform
    app, staging = two_apps(platform)
    runs = {"main": "1", "next": "2"}
    moved = set()
    for count in range(1, 200, every):
        old = source(platform, app)[1]
        new = "next" if old == "main" else "main"
        argv = [platform.binary, "--root", platform.root, "app", "set", app.name, "--branch", new]
        result = run_command(killed_at(call, count, argv), env=platform.server_env, code=None)
        await_no_deployment(app)
        app.branch = source(platform, app)[1]
        await_converged(app)
        assert app.version() == runs[app.branch]
        moved.add(app.branch == new)
        if result.code == 0:
            break
        assert result.code == -9, result
    assert True in moved
