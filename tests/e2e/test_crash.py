"""SIGKILL to each of the processes that Pushrod conducts: what they carried goes on, or is back at once (I5, I6)."""

import os
import random
import signal
import threading
import time

import pytest

pytest.register_assert_rewrite("crash")

from crash import (  # noqa: E402
    assert_whole, await_answer, await_converged, await_new_pid, kill, kill_if_there, killed_at, parent_of, rows,
    servers_running, supervisor_pid, wake_daemon,
)  # fmt: skip
from harness import APPS, HELD_BUILD, Traffic, finish, run_command, start_command, wait_until, web_app  # noqa: E402

# A worker that writes into /data whether another one ran beside it.
LOCKED_WORKER = {"worker.py": (APPS / "worker.py").read_text(), "Procfile": "worker: exec python3 worker.py\n"}


def worker_history(app):
    return (app.data / "worker.history").read_text().splitlines()


def live_held_app(platform):
    """An app whose version 1 is live and whose next builds are held."""
    app = platform.create_app(web_app("1", pushrod_toml=HELD_BUILD))
    app.release_build()
    app.work.push()
    app.await_settled()
    app.hold_build()
    return app, {"1": app.work.head()}


# git and its client


def test_a_client_killed_while_unpacking_changes_nothing_and_its_objects_are_removed_later(platform):
    app = platform.deploy(web_app("1"))
    old, commits = app.ref(), {"1": app.work.head()}
    app.work.commit({"large": os.urandom(3_000_000)})
    pack = platform.directory / f"{app.name}.pack"
    making = f"printf '{app.work.head()}\\n^{old}\\n' | git pack-objects --revs --stdout -q > {pack}"
    run_command(["sh", "-c", making], env=platform.client_env, cwd=app.work.directory)
    client = platform.start_ssh(f"git-receive-pack '{app.name}'", stdin=-1)
    while (length := int(client.stdout.read(4), 16)) != 0:
        client.stdout.read(length - 4)
    command = f"{old} {app.work.head()} refs/heads/main\0report-status".encode()
    client.stdin.write(b"%04x%s0000" % (len(command) + 4, command))
    client.stdin.write(pack.read_bytes()[:2_000_000])
    client.stdin.flush()
    quarantine = platform.root / "repos" / f"{app.name}.git" / "objects"
    wait_until(lambda: list(quarantine.glob("tmp_objdir-*")), what="the quarantine")
    os.killpg(client.pid, signal.SIGKILL)
    client.communicate()
    receiver = f"git receive-pack -- {platform.root}/repos/{app.name}.git"
    wait_until(lambda: not platform.processes(receiver), what="the end of receive-pack")
    assert [d["number"] for d in app.deployments()] == [1]
    assert_whole(app, commits)
    # git leaves them behind when a signal ends it; the next push works, and the day after they are removed.
    for left in quarantine.glob("tmp_objdir-*"):
        os.utime(left, (time.time() - 25 * 3600,) * 2)
    app.push({"VERSION": "2", "large": None})
    assert app.version() == "2"
    wait_until(lambda: not list(quarantine.glob("tmp_objdir-*")), what="the end of the quarantine")


def test_a_deployment_outlives_its_receive_pack(platform):
    app, commits = live_held_app(platform)
    push = app.start_push({"VERSION": "2"})
    app.await_build()
    (receiver,) = platform.processes(f"git receive-pack -- {platform.root}/repos/{app.name}.git")
    kill(receiver.pid)
    assert finish(push).code != 0
    assert app.last_deployment()["state"] == "running"
    app.release_build()
    wait_until(lambda: app.last_deployment()["state"] == "live", what="the deployment to go on")
    await_converged(app)
    assert_whole(app, {"2": app.work.head()})


@pytest.mark.parametrize("age", [0, 60], ids=["fresh", "old"])
def test_locks_that_a_killed_git_left_are_not_in_the_way(platform, age):
    app = platform.deploy(web_app("1"))
    locks = [platform.root / "repos" / f"{app.name}.git" / name for name in ("refs/heads/main.lock", "HEAD.lock")]
    for lock in locks:
        lock.touch()
        os.utime(lock, (time.time() - age,) * 2)
    app.push({"VERSION": "2"})
    assert not [lock for lock in locks if lock.exists()]
    await_converged(app)
    assert_whole(app, {"2": app.work.head()})


# Builds


def hook_of(app):
    """The pid of what deploys the app: it has announced itself in the app's lock."""
    return int((app.platform.root / "run" / "locks" / f"app.{app.name}").read_text().split()[0])


def test_every_process_of_a_build_ends_with_its_sandbox(platform):
    app, commits = live_held_app(platform)
    push = app.start_push({"VERSION": "2"})
    app.await_build()
    (sandbox,) = [p for p in platform.processes("touch /cache/begun") if parent_of(p.pid) == hook_of(app)]
    kill(sandbox.pid)
    result = finish(push, code=1, timeout=30)  # at once, on a quiet machine; the build would last for ever
    assert "SIGKILL" in result.err and "[remote rejected]" in result.err
    assert not platform.processes("touch /cache/begun")
    assert app.last_deployment()["state"] == "failed"
    await_converged(app)
    assert_whole(app, commits)


def test_a_killed_hook_takes_its_build_with_it(platform):
    app, commits = live_held_app(platform)
    push = app.start_push({"VERSION": "2"})
    app.await_build()
    kill(hook_of(app))
    finish(push, code=1)
    wait_until(lambda: not platform.processes("touch /cache/begun"), what="the end of the build")
    await_converged(app)
    assert app.last_deployment()["state"] == "failed" and "interrupted" in app.last_deployment()["error"]
    assert_whole(app, commits)
    wait_until(lambda: not list((platform.root / "trash").iterdir()), what="the trash to be emptied")


# s6


def test_an_instance_whose_supervisor_is_killed_never_runs_twice(platform):
    app = platform.deploy(LOCKED_WORKER)
    service = f"{app.name}.1.worker.1"
    for starts in range(1, 4):
        wait_until(lambda: len(worker_history(app)) == starts, what="the worker to begin")
        pid = platform.service_pid(service)
        kill(supervisor_pid(platform, service))
        await_new_pid(platform, service, pid)
    wait_until(lambda: len(worker_history(app)) == 4, what="the worker to begin again")
    assert worker_history(app) == [f"{service} alone"] * 4
    assert [p["instance"] for p in app.processes()] == [service]


def test_an_instance_whose_supervisor_dies_just_before_it_is_to_stop_is_removed(own_platform):
    platform = own_platform
    app = platform.deploy(web_app("1"))
    service = f"{app.name}.1.web.1"
    supervisor = supervisor_pid(platform, service)
    # The daemon and its watchdog, so that the old instance lives until its supervisor is dead.
    stopped = sorted((p.pid for p in platform.processes() if p.argv[-1:] in (["serve"], ["watch"])), reverse=True)
    assert len(stopped) == 2
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        app.push({"VERSION": "2"})
        kill(supervisor)
    finally:
        for pid in reversed(stopped):
            os.kill(pid, signal.SIGCONT)
    await_converged(app)
    assert_whole(app, {"2": app.work.head()})
    wait_until(lambda: not [p for p in platform.processes("s6-supervise") if service in p.command], what="its logger")


def test_a_killed_tree_is_taken_over_by_the_next_up(own_platform):
    platform = own_platform
    app = platform.deploy(web_app("1"))
    worker = platform.deploy(LOCKED_WORKER)
    commits = {"1": app.work.head()}
    with Traffic(app, clients=1, pause=0.01) as traffic:
        platform.up.kill()
        platform.up.wait()
        platform.up = None
        traffic.await_requests(20)  # without s6-svscan everything goes on
        traffic.assert_no_failure()
    platform.start()
    wait_until(lambda: (platform.directory / "up.log").read_text().count("Pushrod is up") == 2, what="the new tree")
    assert "of an earlier tree" in (platform.directory / "up.log").read_text()
    await_answer(app)
    await_converged(app)
    assert_whole(app, commits)
    wait_until(lambda: len(worker_history(worker)) == 2, what="the worker to be back")
    assert worker_history(worker) == [f"{worker.name}.1.worker.1 alone"] * 2
    supervisors = {p.pid for p in platform.processes("s6-supervise")} | {platform.up.pid}
    for program in (" serve", "haproxy -W", "sshd -D"):
        assert len([p for p in platform.processes(program) if parent_of(p.pid) in supervisors]) == 1, program
    app.push({"VERSION": "2"})
    assert app.version() == "2"


def test_an_app_goes_on_without_its_logger(platform):
    app = platform.deploy(web_app("1"))
    logger = f"{app.name}.1.web.1/log"
    pid, before = platform.service_pid(logger), platform.service_pid(f"{app.name}.1.web.1")
    kill(pid)
    for number in range(50):  # more than a pipe holds: if nobody read it, a request would get no answer
        app.get(f"/say?text=line-{number}-" + "x" * 4000)
    await_new_pid(platform, logger, pid)
    app.get("/say?text=after")
    wait_until(lambda: "after" in platform.pushrod("logs", app.name).out, what="the line in the log")
    assert "line-49-" in platform.pushrod("logs", app.name, "-n", "200").out
    assert platform.service_pid(f"{app.name}.1.web.1") == before


# The router


def test_the_router_is_back_with_the_routes_of_now(own_platform):
    platform = own_platform
    app, other = platform.deploy(web_app("1")), platform.deploy(web_app("other"))
    app.push({"VERSION": "2"})  # known to the running HAProxy, and to the file
    app.await_settled()

    def answers():
        try:
            return platform.http(app.host).text == "2" and platform.http(other.host).text == "other"
        except OSError:
            return False

    def workers():
        return [p.pid for p in platform.processes("haproxy") if parent_of(p.pid) == platform.service_pid("router")]

    for victim in ("worker", "master"):
        master = platform.service_pid("router")
        for pid in workers() if victim == "worker" else [master]:
            kill(pid)
        # Within a second, where nobody else wants the machine.
        await_new_pid(platform, "router", master)
        wait_until(answers, 5, "the routes")
        assert len(workers()) == 1
        app.push({"VERSION": "3"})
        app.push({"VERSION": "2"})
        assert answers()
    other.push({"VERSION": "later"})
    assert other.version() == "later"


def test_a_configuration_that_haproxy_refuses_leaves_the_old_one_in_force(own_platform):
    platform = own_platform
    app = platform.deploy(web_app("1"))
    refuses = platform.directory / "bin" / "haproxy"
    refuses.parent.mkdir()
    refuses.write_text("#!/bin/sh\necho \"[ALERT] unknown keyword 'sponge'\" >&2\nexit 1\n")
    refuses.chmod(0o755)
    hosts = (platform.root / "run" / "router" / "hosts.map").read_bytes()
    environment = platform.server_env | {"PATH": f"{refuses.parent}:{os.environ['PATH']}"}
    # Another setting needs a reload; the daemon read its settings when it started.
    settings = (platform.root / "server.toml").read_text()
    (platform.root / "server.toml").write_text(settings + "[http]\napp_connections = 900\n")
    argv = [platform.binary, "--root", platform.root, "app", "create", "new"]
    result = run_command(argv, env=environment, code=70)
    assert "HAProxy refuses the new configuration" in result.err and "sponge" in result.err
    assert app.version() == "1"
    assert (platform.root / "run" / "router" / "hosts.map").read_bytes() == hosts
    (platform.root / "server.toml").write_text(settings)
    # The daemon has the true haproxy, and the app that was made gets its route as soon as that is possible.
    wake_daemon(platform)
    wait_until(lambda: platform.http("new.localhost").status == 503, what="the route")
    assert app.version() == "1"


# The daemon, and all at once


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


# Many at once


def test_pushes_to_many_branches_at_once_all_go_live(own_platform):
    platform = own_platform
    first = platform.create_app(web_app("0"))
    apps = [first] + [platform.create_app(work=first.work, branch=f"branch-{number}") for number in range(1, 20)]
    heads = [first.work.commit({"VERSION": str(number)}) for number in range(20)]
    pushes = [first.work.start_push(f"{head}:refs/heads/{app.branch}") for app, head in zip(apps, heads)]
    for push in pushes:
        finish(push, code=0)
    for number, (app, head) in enumerate(zip(apps, heads)):
        await_converged(app)
        assert_whole(app, {str(number): head})


def test_of_pushes_to_one_branch_at_once_the_branch_names_the_last_that_went_live(own_platform):
    platform = own_platform
    app = platform.deploy(web_app("0"))
    clones, heads = [], {}
    for number in range(1, 6):
        clone = platform.directory / "clones" / str(number)
        platform.git("clone", "--quiet", platform.url(app.name), clone)
        (clone / "VERSION").write_text(f"{number}\n")
        platform.git("commit", "--quiet", "--all", "-m", "a change", cwd=clone)
        clones.append(clone)
        heads[str(number)] = platform.git("rev-parse", "HEAD", cwd=clone).out.strip()
    pushes = [start_command(["git", "push", "origin", "HEAD:main"], env=platform.client_env, cwd=c) for c in clones]
    results = [finish(push) for push in pushes]
    await_converged(app)
    assert [result.code for result in results].count(0) == 1, "the others are based on what is not live any more"
    version = assert_whole(app, heads)
    assert results[int(version) - 1].code == 0
    states = [deployment["state"] for deployment in app.deployments()]
    assert states.count("live") == 2 and set(states) <= {"live", "failed", "superseded"}


# Other commands that change something


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
