"""SIGKILL to git, builds, supervisors and the router: what they carried goes on, or is back at once (I5, I6)."""

import fcntl
import os
import signal
import time

import pytest

pytest.register_assert_rewrite("crash")

from crash import (  # noqa: E402
    assert_whole, await_answer, await_converged, await_new_pid, kill, parent_of, supervisor_pid, wake_daemon,
)  # fmt: skip
from harness import APPS, HELD_BUILD, Traffic, finish, run_command, wait_until, web_app  # noqa: E402

# A worker that writes into /data whether another one ran beside it.
LOCKED_WORKER = {"worker.py": (APPS / "worker.py").read_text(), "Procfile": "worker: exec python3 worker.py\n"}


def worker_history(app):
    """A line per start; none as long as the first has not come that far."""
    file = app.data / "worker.history"
    return file.read_text().splitlines() if file.exists() else []


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
    # The daemon tells the router when it has found out that the app keeps connections: not stopped in between.
    wait_until(lambda: "keep-" in (platform.root / "run/router/slots.map").read_text(), 20, "kept connections")
    with open(platform.root / "run/locks/router", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
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
    assert "HAProxy rejected the new configuration" in result.err and "sponge" in result.err
    assert app.version() == "1"
    assert (platform.root / "run" / "router" / "hosts.map").read_bytes() == hosts
    (platform.root / "server.toml").write_text(settings)
    # The daemon has the true haproxy, and the app that was made gets its route as soon as that is possible.
    wake_daemon(platform)
    wait_until(lambda: platform.http("new.localhost").status == 503, what="the route")
    assert app.version() == "1"
