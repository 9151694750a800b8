"""A finished build outlives a deployment that fails later."""

import pytest

pytest.register_assert_rewrite("crash")

from crash import Hook, await_no_deployment  # noqa: E402
from harness import web_app  # noqa: E402

# The build counts itself; the app starts only when /data/ready is there.
MANIFEST = """
[build]
command = "echo built >> /cache/builds; wc -l < /cache/builds > BUILT"
[processes.web]
command = "test -e /data/ready && exec python3 web.py"
"""


def builds(app):
    return len((app.build_cache / "builds").read_text().splitlines())


def kept(app):
    return app.platform.root / "cache" / app.name / "kept"


def make_ready(app):
    app.data.mkdir(parents=True, exist_ok=True)
    (app.data / "ready").touch()


def test_the_next_push_of_the_same_files_uses_the_build_of_one_that_did_not_start(platform):
    app = platform.create_app(web_app("1", pushrod_toml=MANIFEST))
    failed = app.work.push(code=1)
    assert f"The build of {app.name} is kept" in failed.err
    assert app.checkouts() == [] and kept(app).is_dir()
    make_ready(app)
    pushed = app.work.push()
    assert "Using the build of deployment 1 (echo built" in pushed.err and "Building" not in pushed.err
    assert builds(app) == 1 and app.version() == "1"
    assert app.checkouts() == [2] and not kept(app).exists()
    # What is live is not used again.
    platform.pushrod("redeploy", app.name)
    assert builds(app) == 2


def test_a_push_with_the_option_rebuild_builds_again(platform):
    app = platform.create_app(web_app("1", pushrod_toml=MANIFEST))
    app.work.push(code=1)
    make_ready(app)
    pushed = app.work.push(options=["rebuild"])
    assert "Building" in pushed.err and "Using the build" not in pushed.err
    assert builds(app) == 2 and app.version() == "1"


def test_prune_shows_and_removes_it(platform):
    app = platform.create_app(web_app("1", pushrod_toml=MANIFEST))
    app.work.push(code=1)
    removed = platform.json("prune", app.name)["removed"]
    assert [entry["bytes"] > 0 for entry in removed if entry["what"] == "kept build"] == [True]
    assert not kept(app).exists()


@pytest.mark.parametrize("call", ["rename", "fdatasync"])
def test_a_kill_leaves_it_whole_or_gone(own_platform, call):
    app = own_platform.create_app(web_app("1", pushrod_toml=MANIFEST))
    app.work.push(code=1)
    hook = Hook(own_platform)
    count, made = 1, 1
    while True:
        hook.kill_at(call, count)
        result = app.work.finish_push(app.work.start_push(), code=None)
        hook.restore()
        await_no_deployment(app)
        assert app.checkouts() == []
        if kept(app).exists():
            assert (kept(app) / "tree" / "BUILT").read_text() == f"{builds(app)}\n"
        else:
            app.work.push(code=1)
            made += 1
        assert builds(app) <= made
        if "died of signal 9" not in result.err:
            break
        count += 1
    assert count > 3
    make_ready(app)
    assert "Using the build of deployment" in app.work.push().err
    assert app.version() == "1"
