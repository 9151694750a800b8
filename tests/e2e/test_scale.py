"""How much of an app runs: scale, stop, start and restart; each a deployment without a gap."""

import pytest
from harness import HELD_BUILD, Traffic, finish, wait_until, web_app

TWO_TYPES = 'web: python3 web.py\nworker: exec sleep 1000\n'


def setting(app, name):
    """What the app's processes have in their environment."""
    return app.get("/env").json().get(name)


def pids(app):
    """Instance → pid, of those that run."""
    return {p["instance"]: p["pid"] for p in app.processes() if p["state"] == "running"}


def test_scaling_keeps_running_instances(platform):
    app = platform.deploy({**web_app(), "Procfile": TWO_TYPES})
    before = pids(app)
    with Traffic(app) as traffic:
        platform.pushrod("scale", app.name, "web=3", "worker=2")
        after = pids(app)
        assert before.items() <= after.items() and len(after) == 5
        platform.pushrod("scale", app.name, "web=1")
        app.await_settled()
    traffic.assert_no_failure()
    assert pids(app).items() >= before.items() and len(pids(app)) == 3
    assert [d["detail"] for d in app.deployments()[:2]] == ["web 3 to 1", "web 1 to 3, worker 1 to 2"]


def test_a_scale_outlives_pushes_and_restarts(platform):
    app = platform.deploy({**web_app(), "Procfile": TWO_TYPES})
    platform.pushrod("scale", app.name, "worker=0", "web=2")
    app.push({"VERSION": "2"})
    app.await_settled()
    assert [name.split(".", 2)[2] for name in app.instances()] == ["web.1", "web.2"]
    shown = platform.json("scale", app.name)
    assert shown == [
        {"type": "web", "count": 2, "scaled": True, "pending": False},
        {"type": "worker", "count": 0, "scaled": True, "pending": False},
    ]


def test_what_is_so_already_makes_no_release(platform):
    app = platform.deploy({**web_app(), "Procfile": TWO_TYPES})
    platform.pushrod("config", "set", app.name, "MODE=fast")
    platform.pushrod("scale", app.name, "worker=0")
    made = len(app.deployments())
    for words in (["config", "set", app.name, "MODE=fast"], ["scale", app.name, "worker=0"]):
        assert "already" in platform.pushrod(*words).out
    assert "nothing to restart" in platform.pushrod("restart", app.name, "worker", code=1).err
    assert "--json" in platform.pushrod("scale", app.name, "web=2", "--json", code=2).err
    assert len(app.deployments()) == made
    # The same number as in the app's files, but from now on whatever they say.
    platform.pushrod("scale", app.name, "web=1")
    assert platform.json("scale", app.name)[0] == {
        "type": "web", "count": 1, "scaled": True, "pending": False}  # fmt: skip


def test_a_rollback_skips_equal_releases_and_keeps_pending_settings(platform):
    app = platform.deploy()
    for value in ("1", "2", "2 ", "2"):
        platform.pushrod("config", "set", app.name, f"MODE={value}")
    platform.pushrod("restart", app.name)
    platform.pushrod("config", "set", app.name, "--no-restart", "LATER=1")
    platform.pushrod("rollback", app.name)
    assert setting(app, "MODE") == "2 "
    assert [s["name"] for s in platform.json("config", "list", app.name) if s["pending"]] == ["LATER"]
    platform.pushrod("restart", app.name)
    assert (setting(app, "MODE"), setting(app, "LATER")) == ("2 ", "1")


@pytest.mark.parametrize("word", ["web", "web=", "web=-1", "web=65", "web=x", "nope=1", "WEB=1"])
def test_what_is_no_scale_is_refused(platform, word):
    app = platform.deploy()
    result = platform.pushrod("scale", app.name, word, code=1)
    assert len(result.err.splitlines()) <= 2
    assert len(app.deployments()) == 1


def test_a_type_that_is_not_meant_to_run_is_scaled_to_none_before_the_first_push(make_platform):
    platform = make_platform(settings="[health]\nsettle = 1\nwatch = 0\n").start()
    app = platform.create_app({**web_app(), "Procfile": "web: python3 web.py\nconsole: bash\n"})
    result = app.work.push(code=1)
    assert f"scale {app.name} console=0" in result.err and "[processes.console] count = 0" in result.err
    assert "not deployed" in platform.pushrod("scale", app.name, code=1).err
    assert "is kept for the next release" in platform.pushrod("scale", app.name, "console=0").out
    assert platform.json("scale", app.name) == [{"type": "console", "count": 0, "scaled": True, "pending": True}]
    app.work.push()
    assert [name.split(".", 2)[2] for name in app.instances()] == ["web.1"]
    assert platform.json("scale", app.name)[0] == {
        "type": "console", "count": 0, "scaled": True, "pending": False}  # fmt: skip


def test_none_of_a_type_to_come_can_run_beside_a_change_of_others(platform):
    app = platform.deploy()
    platform.pushrod("scale", app.name, "migrate=0", "web=2")
    assert len(app.deployments()) == 2
    platform.pushrod("scale", app.name, "web=1")
    app.push({"Procfile": "web: python3 web.py\nmigrate: true\n"})
    assert {p["type"]: p["count"] for p in platform.json("scale", app.name)} == {"migrate": 0, "web": 1}


def test_a_manifest_adds_to_a_procfile(platform):
    files = web_app() | {"Procfile": "web: python3 web.py\nconsole: bash\n"}
    app = platform.deploy(files | {"pushrod.toml": "[processes.console]\ncount = 0\n"})
    assert [name.split(".", 2)[2] for name in app.instances()] == ["web.1"]


def test_a_scale_that_does_not_start_changes_nothing(platform):
    one_only = 'web: test "${INSTANCE##*.}" = 1 || exit 1; exec python3 web.py\n'
    app = platform.deploy({**web_app(), "Procfile": one_only})
    before = pids(app)
    with Traffic(app) as traffic:
        platform.pushrod("scale", app.name, "web=2", code=1)
    traffic.assert_no_failure()
    assert pids(app) == before and platform.json("scale", app.name)[0]["count"] == 1


def test_a_stopped_app_stays_stopped_until_it_is_started(platform):
    app = platform.deploy(web_app("1"))
    platform.pushrod("stop", app.name)
    wait_until(lambda: not app.processes(), what="the end of the instances")
    assert platform.http(app.host).status == 503
    (listed,) = [entry for entry in platform.json("app", "list") if entry["app"] == app.name]
    assert listed["state"] == "stopped"
    app.push({"VERSION": "2"})
    assert app.processes() == [] and platform.http(app.host).status == 503
    for verb in ("stop", "restart"):
        assert "stopped" in platform.pushrod(verb, app.name, code=1).err
    platform.pushrod("start", app.name)
    assert app.version() == "2"
    assert "not stopped" in platform.pushrod("start", app.name, code=1).err


def test_one_type_is_restarted_alone(platform):
    app = platform.deploy({**web_app(), "Procfile": TWO_TYPES})
    before = pids(app)
    with Traffic(app) as traffic:
        platform.pushrod("restart", app.name, "web")
        app.await_settled()
    traffic.assert_no_failure()
    worker = f"{app.name}.1.worker.1"
    assert set(pids(app)) == {worker, f"{app.name}.2.web.1"} and pids(app)[worker] == before[worker]
    # And all of them the next time, the one that went on included.
    platform.pushrod("restart", app.name)
    app.await_settled()
    assert set(pids(app)) == {f"{app.name}.3.worker.1", f"{app.name}.3.web.1"}


def test_a_change_waits_for_a_push_in_progress(platform):
    app = platform.create_app(web_app("1", pushrod_toml=HELD_BUILD))
    app.release_build()
    app.push()
    app.hold_build()
    push = app.start_push({"VERSION": "2"})
    app.await_build()
    change = platform.start_pushrod("config", "set", app.name, "A=1")
    wait_until(lambda: len(app.deployments()) == 3, what="the second change")
    app.release_build()
    assert finish(push).code == 0
    assert finish(change).code == 0
    assert (app.version(), setting(app, "A")) == ("2", "1")


def test_everything_works_over_ssh(platform):
    app = platform.deploy({**web_app("1"), "Procfile": TWO_TYPES})
    platform.ssh("config", "set", app.name, "TEXT=two words")
    assert setting(app, "TEXT") == "two words"
    platform.ssh("scale", app.name, "worker=2")
    platform.ssh("restart", app.name, "worker")
    platform.ssh("stop", app.name)
    platform.ssh("start", app.name)
    platform.ssh("rollback", app.name, "1")
    assert setting(app, "TEXT") is None
    assert [d["kind"] for d in app.deployments()] == [
        "rollback", "start", "stop", "restart", "scale", "config", "push"]  # fmt: skip
    gate_log = (platform.root / "logs" / "_pushrod" / "gate.log").read_text()
    assert "config set" in gate_log and "two words" not in gate_log
