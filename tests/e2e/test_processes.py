"""What runs on the machine: the tree, stopping, crash loops, ps, the root directory."""

import os
import signal

import pytest
from harness import HELD_BUILD, Traffic, finish, run_command, wait_until, web_app


def test_up_stops_with_sigterm_and_leaves_nothing(make_platform):
    platform = make_platform().start()
    app = platform.deploy(web_app("1", Procfile="web: python3 web.py\nworker: exec sleep 1000\n"))
    assert platform.processes("web.py")
    platform.stop()  # asserts that no process and no port is left
    assert app.instances() == [f"{app.name}.1.web.1", f"{app.name}.1.worker.1"]


def test_up_stops_with_ctrl_c(make_platform):
    platform = make_platform().start()
    platform.deploy()
    platform.up.send_signal(signal.SIGINT)
    assert platform.up.wait(30) is not None
    platform.up = None
    platform.assert_nothing_left()


def test_requests_in_flight_are_finished_when_the_tree_stops(make_platform):
    platform = make_platform().start()
    app = platform.deploy(web_app("1"))
    with Traffic(app, path="/slow?ms=1000", clients=2, pause=0.01, at_most=0.5) as traffic:
        platform.stop()
    assert [request.status for request in traffic.requests()] == [200] * len(traffic.requests())


def test_open_connections_do_not_hold_up_the_end(make_platform):
    platform = make_platform().start()
    app = platform.deploy()
    follower = platform.start_ssh("logs", app.name, "-f")
    wait_until(lambda: platform.processes("gate --key"), what="the connection")
    platform.stop(deadline=20)  # the router's requests would have 30 s
    assert finish(follower).code != 0


def test_deployments_in_progress_are_cancelled_when_the_tree_stops(make_platform):
    platform = make_platform().start()
    app = platform.create_app(web_app("1", pushrod_toml=HELD_BUILD))
    pushes = [app.start_push()]
    app.await_build()
    pushes.append(app.start_push({"VERSION": "2"}))
    wait_until(lambda: len(app.deployments()) == 2, what="the second deployment")
    platform.stop()
    assert [d["state"] for d in app.deployments()] == ["cancelled", "cancelled"]
    assert all(finish(push).code != 0 for push in pushes)
    assert (app.ref(), app.checkouts()) == (None, [])


def test_a_new_tree_starts_everything_again(make_platform):
    platform = make_platform().start()
    app = platform.deploy(web_app("1"))
    app.get("/write?path=/data/note&text=kept")
    platform.stop()
    platform.start()
    wait_until(lambda: platform.http(app.host).status == 200, what="the app to answer")
    assert app.version() == "1"
    assert app.get("/read?path=/data/note").text == "kept"
    app.push({"VERSION": "2"})
    assert app.version() == "2"


def test_pushes_and_restarts_want_a_running_tree_and_say_so(make_platform):
    platform = make_platform().start()
    app = platform.deploy(web_app("1"))
    platform.stop()
    for verb in ("restart", "redeploy"):
        result = platform.pushrod(verb, app.name, code=1)
        assert "not running" in result.err and " up" in result.err
    assert platform.json("app", "list")[0]["app"] == app.name
    assert all("not running" in platform.pushrod(*words).err for words in (["app", "list"], ["ps"]))
    assert platform.json("ps")[0]["state"] in ("down", "missing")


def test_a_second_up_on_one_root_is_refused(platform):
    result = platform.pushrod("up", "--http", "127.0.0.1:1", code=1)
    assert "running already" in result.err and str(platform.root) in result.err
    assert platform.json("app", "list") is not None


def test_up_on_an_address_in_the_apps_range_is_refused(make_platform):
    platform = make_platform()
    result = platform.pushrod("up", "--http", f"127.0.0.1:{platform.ports.apps[0]}", code=1)
    assert "range" in result.err


def test_up_without_ssh_has_none(make_platform):
    platform = make_platform()
    platform.write_settings("[ssh]\nenabled = false\n")
    process = platform.start_pushrod("up", "--http", f"127.0.0.1:{platform.ports.http}")
    wait_until(lambda: platform.accepts(platform.ports.http), what="the router")
    assert not platform.processes("sshd")
    process.terminate()
    assert "ssh   off" in finish(process).out
    platform.assert_nothing_left()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_root_that_others_can_enter_is_refused(make_platform, mode):
    platform = make_platform()
    platform.root.chmod(mode)
    result = platform.pushrod("app", "list", code=1)
    assert "chmod 700" in result.err and str(platform.root) in result.err
    platform.root.chmod(0o700)
    assert platform.pushrod("app", "list").code == 0


def test_a_root_that_belongs_to_another_user_or_is_no_directory_is_refused(make_platform):
    platform = make_platform()
    for root, complaint in (("/usr", "another user"), (platform.root / "server.toml", "not a directory")):
        result = platform_command(platform, "--root", root, "app", "list")
        assert result.code == 1 and complaint in result.err


def test_the_root_may_be_a_symbolic_link(make_platform):
    platform = make_platform().start()
    app = platform.deploy(web_app("1"))
    link, other = platform.directory / "link", platform.directory / "other"
    link.symlink_to(platform.root)
    (platform.home / "pushrod").symlink_to(link)
    for words, env in ((("--root", link), {}), (("--root", f"{link}/"), {}), ((), {"PUSHROD_ROOT": str(link)}), ((), {})):
        result = platform_command(platform, *words, "app", "list", env=env)
        assert result.code == 0 and app.name in result.out, (words, env)
    assert platform_command(platform, "--root", link, "restart", app.name).code == 0
    assert platform_command(platform, "--root", link, "key", "add", "other", "/dev/null").code == 1
    platform.stop()
    platform.root, root = link, platform.root
    platform.start()
    app.push({"VERSION": "2"})
    assert app.version() == "2"
    platform.stop()
    platform.root = root
    other.symlink_to(platform.directory / "gone")
    result = platform_command(platform, "--root", other, "app", "list")
    assert result.code == 1 and "symbolic link" in result.err and "which is not there" in result.err
    other.unlink()
    other.symlink_to(other)
    result = platform_command(platform, "--root", other, "app", "list")
    assert result.code == 1 and "cannot be resolved" in result.err


def platform_command(platform, *words, env=()):
    """pushrod without the harness's own --root."""
    return run_command([platform.binary, *words], env=platform.server_env | dict(env), code=None)


def test_the_root_is_made_closed_and_found_by_its_variable(make_platform):
    platform = make_platform()
    root = platform.directory / "fresh"
    assert platform_command(platform, "app", "list", env={"PUSHROD_ROOT": str(root)}).code == 0
    assert root.stat().st_mode & 0o777 == 0o700
    assert platform_command(platform, "app", "list").code == 0
    assert (platform.home / "pushrod").is_dir()


def test_ps_shows_the_instances(platform):
    app = platform.deploy(web_app("1", Procfile="web: python3 web.py\nworker: exec sleep 1000\n"))
    web, worker = platform.json("ps", app.name)
    assert web.keys() == {"instance", "app", "release", "process", "number", "state", "pid", "port", "ports", "up_for_ms",
                          "retry_in_ms", "restarts", "last_exit"}  # fmt: skip
    assert (web["instance"], web["app"], web["release"], web["process"], web["number"]) == (
        f"{app.name}.1.web.1", app.name, 1, "web", 1,
    )  # fmt: skip
    assert (web["state"], web["restarts"], web["last_exit"]) == ("running", 0, "")
    assert 0 <= web["up_for_ms"] < 60_000
    assert os.path.exists(f"/proc/{web['pid']}")
    assert worker["port"] is None
    text = platform.pushrod("ps", app.name).out
    assert text.splitlines()[0].split()[:4] == ["INSTANCE", "STATE", "PID", "PORT"]
    assert f"{app.name}.1.worker.1" in text
    assert {p["app"] for p in platform.json("ps")} >= {app.name}


def test_a_crash_loop_backs_off(platform):
    app = platform.deploy(web_app("1", Procfile="worker: test -e /data/crash && exit 8; exec sleep 1000\n"))
    (app.data / "crash").touch()
    os.kill(app.processes()[0]["pid"], signal.SIGTERM)
    ends = {}  # of the times for which it is held back, by the number of quick deaths

    def held_back_for_the_fourth_time():
        deaths, until = app.quick_deaths()
        if until:
            ends[deaths] = until
        return deaths == 4 and until

    wait_until(held_back_for_the_fourth_time, what="restarts", deadline=60)
    assert ends[4] - ends[3] >= 4000 and ends[3] - ends[2] >= 2000
    assert app.processes()[0]["last_exit"] and app.processes()[0]["restarts"] >= 3
    (app.data / "crash").unlink()
    wait_until(lambda: app.instances("running"), what="the end of the crash loop", deadline=30)


def test_a_process_that_ignores_sigterm_is_killed_at_its_deadline(platform):
    toml = """
    [processes.worker]
    command = "trap '' TERM; while :; do sleep 0.1; done"
    stop_timeout = "500ms"
    """
    app = platform.deploy({"pushrod.toml": toml})
    pid = app.processes()[0]["pid"]
    platform.pushrod("restart", app.name)
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), deadline=10, what="the end of the old process")
    app.await_settled()
    assert app.instances("running") == [f"{app.name}.2.worker.1"]


def test_a_stop_reaches_every_process_of_an_instance(platform):
    script = "trap 'echo child ends >> /data/ends; exit' TERM\nwhile :; do sleep 0.05; done\n"
    procfile = "worker: sh child.sh & sh child.sh & (setsid sh child.sh) & wait; wait; wait\n"
    app = platform.deploy({"Procfile": procfile, "child.sh": script})
    platform.pushrod("restart", app.name)
    app.await_settled()
    assert (app.data / "ends").read_text().splitlines() == ["child ends"] * 3
    assert app.instances("running") == [f"{app.name}.2.worker.1"]


def test_what_a_build_leaves_running_ends_with_it(platform):
    toml = '[build]\ncommand = "sleep 1234 & setsid sleep 1234 & true"\n'
    platform.deploy(web_app("1", pushrod_toml=toml))
    assert not platform.processes("sleep 1234")


def test_builds_take_turns(make_platform):
    platform = make_platform(settings="[limits]\nbuilds = 1\n").start()
    first = platform.create_app(web_app("1", pushrod_toml=HELD_BUILD))
    second = platform.create_app(web_app("2", pushrod_toml=HELD_BUILD))
    second.release_build()
    pushes = [first.start_push()]
    first.await_build()
    pushes.append(second.start_push())
    log = platform.root / "logs" / second.name
    wait_until(lambda: any("waiting" in path.read_text() for path in log.rglob("*") if path.is_file()), what="the wait")
    assert not (second.build_cache / "begun").exists()
    first.release_build()
    results = [finish(push, code=0) for push in pushes]
    assert "waiting for a build slot" in results[1].err
    assert (first.version(), second.version()) == ("1", "2")


def test_kept_releases_are_pruned(make_platform):
    platform = make_platform(settings="[retention]\nreleases = 2\ndeployments = 3\n").start()
    app = platform.deploy(web_app("0"))
    for version in range(1, 5):
        app.push({"VERSION": str(version)})
    app.await_settled()
    wait_until(lambda: app.releases() == [3, 4] and app.checkouts() == [5], what="pruning")
    wait_until(lambda: len(app.deployments()) <= 3, what="pruning of deployments")
    assert app.version() == "4"
