"""Releases of an app, and rolling back to one."""

from harness import Traffic, web_app


TWO_TYPES = 'web: python3 web.py\nworker: exec sleep 1000\n'


def setting(app, name):
    """What the app's processes have in their environment."""
    return app.get("/env").json().get(name)


def test_a_rollback_brings_code_settings_and_processes_back(platform):
    app = platform.deploy({**web_app("1"), "Procfile": TWO_TYPES})
    platform.pushrod("config", "set", app.name, "STAGE=one")
    platform.pushrod("scale", app.name, "worker=2")
    first = app.ref()
    app.push({"VERSION": "2", "Procfile": "web: python3 web.py\n"})
    platform.pushrod("config", "set", app.name, "STAGE=two")
    assert (app.version(), setting(app, "STAGE")) == ("2", "two")
    with Traffic(app) as traffic:
        platform.pushrod("rollback", app.name, "3")
    traffic.assert_no_failure()
    assert (app.version(), setting(app, "STAGE"), app.ref()) == ("1", "one", first)
    app.await_settled()
    assert app.instances() == [f"{app.name}.6.web.1", f"{app.name}.6.worker.1", f"{app.name}.6.worker.2"]
    assert platform.pushrod("config", "get", app.name, "STAGE").out == "one"
    app.push({"VERSION": "3"})
    assert (app.version(), setting(app, "STAGE")) == ("3", "one")


def test_a_rollback_can_be_rolled_back(platform):
    app = platform.deploy(web_app("1"))
    app.push({"VERSION": "2"})
    platform.pushrod("restart", app.name)
    platform.pushrod("rollback", app.name)
    assert app.version() == "1"
    platform.pushrod("rollback", app.name, "2")
    assert app.version() == "2"
    assert app.checkouts() and len(app.checkouts()) <= 2


def test_a_rollback_to_a_release_of_the_same_commit_leaves_the_other_apps_of_the_branch(platform):
    files = {f"{path}/{name}": text for path in "ab" for name, text in web_app("1").items()}
    first = platform.create_app(files, path="a")
    second = platform.create_app(work=first.work, path="b")
    first.work.push()
    platform.pushrod("config", "set", first.name, "COLOUR=blue")
    platform.pushrod("rollback", first.name)
    assert "COLOUR" not in first.get("/env").json()
    assert [d["kind"] for d in second.deployments()] == ["push"]


def test_a_rollback_that_does_not_start_changes_nothing(platform):
    starts = 'web: test -e /data/broken && exit 1; exec python3 web.py\n'
    app = platform.deploy({**web_app("1"), "Procfile": starts})
    app.push({"VERSION": "2", "Procfile": "web: python3 web.py\n"})
    head = app.ref()
    (app.data / "broken").touch()
    with Traffic(app) as traffic:
        platform.pushrod("rollback", app.name, "1", code=1)
    traffic.assert_no_failure()
    assert (app.version(), app.ref()) == ("2", head)
    app.await_settled()
    assert (app.checkouts(), app.releases()) == ([2], [1])


def test_apps_of_one_branch_roll_back_together(platform):
    one = platform.create_app(web_app("1"))
    two = platform.create_app(repo=one.work.repo, work=one.work)
    one.push()
    one.push({"VERSION": "2"})
    platform.pushrod("rollback", one.name)
    assert (one.version(), two.version(), one.ref()) == ("1", "1", two.ref())


def test_what_is_not_kept_cannot_be_rolled_back_to(platform):
    app = platform.deploy(web_app("1"))
    for number, why in (("1", "live"), ("9", "not kept")):
        assert why in platform.pushrod("rollback", app.name, number, code=1).err
    assert "no release" in platform.pushrod("rollback", app.name, code=1).err


def test_releases_tell_what_changed(platform):
    app = platform.deploy({**web_app("1"), "Procfile": TWO_TYPES})
    platform.pushrod("config", "set", app.name, "A=1", "B=2")
    platform.pushrod("scale", app.name, "worker=3")
    app.push({"VERSION": "2"})
    listed = platform.json("releases", app.name)
    assert [(r["number"], r["kind"], r["live"]) for r in listed] == [
        (4, "push", True), (3, "scale", False), (2, "config", False), (1, "push", False)]  # fmt: skip
    assert listed[0]["processes"] == {"web": 1, "worker": 3}
    changes = {n: [c["what"] for c in platform.json("release", app.name, str(n))["changes"]] for n in (2, 3, 4)}
    assert changes == {2: ["setting A", "setting B"], 3: ["process worker"], 4: ["commit"]}
    assert "not kept" in platform.pushrod("release", app.name, "77", code=1).err
