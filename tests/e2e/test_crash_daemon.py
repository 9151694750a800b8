"""SIGKILL to the daemon, to everything at once, and to commands that change something: the rest converges (I6)."""

import random
import threading

import pytest

pytest.register_assert_rewrite("crash")

from crash import (  # noqa: E402
    assert_whole, await_answer, await_converged, await_new_pid, kill, kill_if_there, killed_at, parent_of, rows,
    servers_running,
)  # fmt: skip
from harness import HELD_BUILD, Traffic, finish, run_command, wait_until, web_app  # noqa: E402


def test_no_request_fails_while_the_daemon_is_killed_again_and_again(own_platform):
    platform = own_platform
    app = platform.deploy(web_app("0"))
    dice, end, kills = random.Random(20), threading.Event(), []

    def assassin():
        while not end.wait(dice.uniform(0, 0.4)):
            if pid := platform.daemon_pid():
                kill_if_there(pid)
                kills.append(pid)

    thread = threading.Thread(target=assassin)
    thread.start()
    try:
        with Traffic(app, clients=3, pause=0.005) as traffic:
            for version in range(1, 11):
                app.push({"VERSION": str(version)})
                assert app.version() == str(version)
            end.set()
            thread.join()
            wait_until(platform.daemon_pid, what="the daemon")
            await_converged(app)
            traffic.await_requests(20)
    finally:
        end.set()
        thread.join()
    traffic.assert_no_failure()
    assert len(set(kills)) >= 2
    assert_whole(app, {"10": app.work.head()})


def watchdog_of(platform, daemon):
    return next((p.pid for p in platform.processes(" watch") if parent_of(p.pid) == daemon), None)


def test_a_daemon_whose_watchdog_is_killed_is_replaced_whole(own_platform):
    platform = own_platform
    app = platform.deploy(web_app("1"))
    for _ in range(3):
        daemon = platform.daemon_pid()
        watchdog = wait_until(lambda: watchdog_of(platform, daemon), what="its watchdog")
        kill(watchdog)
        await_new_pid(platform, "daemon", daemon, 5)
        assert parent_of(daemon) is None, "the old one has ended"
    app.push({"VERSION": "2"})
    await_converged(app)
    assert_whole(app, {"2": app.work.head()})
    assert "unexpected" not in platform.log("daemon")


SLOW_START = "web: until [ -e /data/go ]; do sleep 0.02; done; exec python3 web.py\n"


@pytest.mark.parametrize("step", ["build", "release", "health"])
def test_after_a_power_cut_in_mid_deployment_the_old_release_is_up(own_platform, step):
    platform = own_platform
    app = platform.deploy(web_app("1"))
    commits = {"1": app.work.head()}
    hold = "touch /data/held; until [ -e /data/go ]; do sleep 0.02; done"
    changes = {
        "build": {"pushrod.toml": HELD_BUILD},
        "release": {"pushrod.toml": f'[release]\ncommand = "{hold}"\n'},
        "health": {"Procfile": SLOW_START},
    }
    push = app.start_push({"VERSION": "2"} | changes[step])
    wait_until(lambda: len(app.deployments()) == 2 and app.last_deployment()["steps"][-1:], what="the deployment")
    wait_until(lambda: app.last_deployment()["steps"][-1]["step"] == step, what=f"the step {step}")
    platform.kill_all()
    finish(push)
    platform.start()
    await_answer(app)
    await_converged(app)
    assert_whole(app, commits)
    deployment = app.last_deployment()
    assert (deployment["state"], deployment["number"]) == ("failed", 2) and deployment["ended"]
    app.push({"VERSION": "3", "pushrod.toml": "", "Procfile": "web: python3 web.py\n"})
    assert app.version() == "3"


def killed_everywhere(platform, words, calls=("fdatasync", "rename", "unlinkat"), every=2):
    """Runs a command again and again, each time killed a little later, until it comes to its end."""
    for call in calls:
        for count in range(1, 400, every):
            argv = killed_at(call, count, [platform.binary, "--root", platform.root, *words])
            result = run_command(argv, env=platform.server_env, code=None)
            if result.code != -9:
                break
            yield call, count


def test_destroying_an_app_can_be_killed_and_said_again(own_platform):
    platform = own_platform
    other = platform.deploy(web_app("other"))
    for call in ("fdatasync", "unlinkat"):
        app = platform.deploy(web_app("1"))
        for _ in killed_everywhere(platform, ["app", "destroy", app.name, "--yes"], (call,), 4):
            assert other.version() == "other"
        if app.name in [listed["app"] for listed in platform.json("app", "list")]:
            platform.pushrod("app", "destroy", app.name, "--yes")
        # Whoever was killed while it emptied the trash leaves that to the daemon.
        assert [path for path in app.traces() if "trash" not in path.parts] == []
        assert servers_running(app) == []
    assert rows(platform, "SELECT count(*) FROM instances") == [(1,)]
    other.push({"VERSION": "2"})
    await_converged(other)
    wait_until(lambda: not list((platform.root / "trash").iterdir()), what="the trash to be emptied")
    assert_whole(other, {"2": other.work.head()})


def test_adding_and_removing_a_key_can_be_killed_and_said_again(own_platform):
    platform = own_platform
    key = platform.make_key("ada")

    def known():
        return {k["key"] for k in platform.json("key", "list")}

    def lines():
        return (platform.root / "ssh" / "authorized_keys").read_text().count("command=")

    for verb in ("add", "remove"):
        words = ["key", verb, "ada", *([f"{key}.pub"] if verb == "add" else [])]
        for call, count in killed_everywhere(platform, words, ("fdatasync", "fsync", "rename"), 1):
            platform.ssh("app", "list")
        assert ("ada" in known()) == (verb == "add")
        assert lines() == len(known())
        platform.ssh("app", "list", key=key, code=0 if verb == "add" else 255)
