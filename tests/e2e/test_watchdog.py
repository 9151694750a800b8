"""The watchdog: what does not answer any more is ended and started again, and pushes go on."""

import contextlib
import os
import signal
import time

import pytest
from harness import wait_until, web_app


@pytest.fixture
def platform(make_platform):
    """A platform of the test's own: it is hurt."""
    platform = make_platform()
    platform.start()
    return platform


@pytest.fixture
def app(platform):
    """An app that answers."""
    return platform.deploy(web_app("1"))


def worker_of(platform):
    """The pid of HAProxy's worker: the only child of its master."""
    master = platform.service_pid("router")
    with open(f"/proc/{master}/task/{master}/children", encoding="ascii") as children:
        return int(children.read().split()[0])


@contextlib.contextmanager
def stopped(pid):
    """The process is stopped, and ends within the block. (A stopped process is as silent as one that hangs.)"""
    end = os.pidfd_open(pid)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
        wait_until(lambda: has_ended(end), what=f"the end of process {pid}")
    finally:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(end, signal.SIGKILL)
        os.close(end)


def has_ended(pidfd):
    try:
        signal.pidfd_send_signal(pidfd, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("victim", ["master", "worker"])
def test_a_push_that_finds_a_hanging_router_goes_on(platform, app, victim):
    app.push({"VERSION": "2\n"})
    pid = platform.service_pid("router") if victim == "master" else worker_of(platform)
    begin = time.monotonic()
    with stopped(pid):
        app.push({"VERSION": "3\n"})
    assert time.monotonic() - begin < 20, "usually about three"
    assert app.version().strip() == "3"
    app.push({"VERSION": "4\n"})
    assert app.version().strip() == "4"


def test_a_hanging_sshd_is_started_again_while_pushes_run(platform, app):
    app.push({"Procfile": "web: sleep 2; exec python3 web.py\n"})
    push = app.start_push({"VERSION": "2\n"})
    wait_until(lambda: app.instances("starting"), what="the new instance")
    with stopped(platform.service_pid("sshd")):
        app.work.finish_push(push)
    assert app.version().strip() == "2"
    wait_until(lambda: platform.accepts(platform.ports.ssh), what="the new sshd")
    app.push({"VERSION": "3\n"})


def test_a_hanging_daemon_is_started_again(platform, app):
    daemon = platform.daemon_pid()
    with stopped(daemon):
        app.push({"VERSION": "2\n"})
    wait_until(lambda: platform.daemon_pid() not in (None, 0, daemon), what="the new daemon")
    app.await_settled()


def test_the_daemon_does_not_go_on_without_its_watchdog(platform, app):
    daemon = platform.daemon_pid()
    (watchdog,) = [process.pid for process in platform.processes() if process.argv[-1:] == ["watch"]]
    os.kill(watchdog, signal.SIGKILL)
    wait_until(lambda: platform.daemon_pid() not in (None, 0, daemon), what="the new daemon")
    app.push({"VERSION": "2\n"})
    assert len([process for process in platform.processes() if process.argv[-1:] == ["watch"]]) == 1


def test_clients_wait_while_a_killed_router_is_started_again(platform, app):
    master, worker = platform.service_pid("router"), worker_of(platform)
    for pid in (master, worker):
        os.kill(pid, signal.SIGKILL)
    for _ in range(20):
        assert app.version() == "1"
    assert platform.service_pid("router") != master
