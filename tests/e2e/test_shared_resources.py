"""What the kernel counts per user id, which all apps and Pushrod share: an app that takes all of it stops no other.

Each attack is a function of this file, which the app apps/hostile.py runs beside another app, which is deployed, followed
and asked while the attack lasts, and after its end.
"""

import contextlib

import pytest
from attacks import attempt, deploy_hostile
from harness import wait_until, web_app


@pytest.fixture
def hostile(platform):
    """The app that attacks."""
    return deploy_hostile(platform)


@contextlib.contextmanager
def during(hostile, attack, **arguments):
    """Runs the attack, gives its result, and ends the process that holds on to what it took."""
    result = attempt(hostile, attack, **arguments)
    try:
        yield result
    finally:
        hostile.platform.pushrod("restart", hostile.name)


def send_descriptors():
    """Sends descriptors over sockets that are never read, until the kernel takes no more. Returns how many it took."""
    import array
    import builtins
    import os
    import socket

    held = builtins.held = []  # for as long as the process lives
    sent = 0
    one = os.open("/dev/null", os.O_RDONLY)
    message = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [one] * 250))]
    while True:
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        held.append(pair)
        pair[0].setblocking(False)
        try:
            while True:
                pair[0].sendmsg([b"x"], message)
                sent += 250
        except BlockingIOError:
            continue
        except OSError as error:
            return [sent, error.errno]


def test_descriptors_on_their_way_keep_no_other_app_from_being_deployed(platform, hostile):
    app = platform.deploy(web_app("1"))
    with during(hostile, send_descriptors) as (sent, _):
        assert sent > 10_000, "the attack takes what it can get"
        app.push({"VERSION": "2\n"})
        assert app.version().strip() == "2"
        platform.deploy(web_app("new"))  # a reload of the router
        app.push({"VERSION": "3\n"})
        assert app.version().strip() == "3"
    app.push({"VERSION": "4\n"})
    assert app.version().strip() == "4"


def capabilities():
    """What is left of the capabilities with which the sandbox was prepared."""
    with open("/proc/self/status", encoding="ascii") as status:
        return [line.split()[1] for line in status if line.startswith("Cap")]


def test_an_app_has_no_capabilities(hostile):
    assert set(attempt(hostile, capabilities)) == {"0000000000000000"}


def watch_files():
    """Makes inotify instances until there are no more. Returns how many."""
    import builtins
    import ctypes

    libc = ctypes.CDLL(None)
    builtins.held = []
    while (fd := libc.inotify_init1(0)) >= 0:
        builtins.held.append(fd)
    return len(builtins.held)


def test_without_inotify_apps_are_deployed_undone_and_followed(platform, hostile):
    app = platform.deploy(web_app("1", Procfile="web: echo started $(cat VERSION); exec python3 web.py\n"))
    with during(hostile, watch_files) as count:
        assert 0 < count <= 64, "a sandbox has a limit of its own"
        follower = platform.start_pushrod("logs", app.name, "--follow")
        app.push({"VERSION": "2\n"})
        assert app.version().strip() == "2"
        failed = app.push({"Procfile": "web: exec false\n"}, code=1)
        assert "exit code 1" in failed.text
        assert app.version().strip() == "2"
        app.push({"Procfile": "web: echo begun; exec python3 web.py\n"})
        for line in follower.stdout:
            if b"begun" in line:
                break
        else:
            raise AssertionError("the follower ended without the new line")
        follower.terminate()
        follower.wait()


def use_up_ports():
    """Takes all local UDP ports of the kernel's choice, in processes that live on."""
    import os
    import select
    import socket

    held = []
    while True:
        read_end, write_end = os.pipe()
        if os.fork() == 0:
            word = b"more"
            try:
                for _ in range(11_000):
                    held.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                    held[-1].bind(("127.0.0.1", 0))
            except OSError:
                word = b"used up"
            os.write(write_end, word)
            while True:
                select.select([], [], [])
        os.close(write_end)
        if os.read(read_end, 100) == b"used up":
            return True


def test_an_app_that_uses_up_what_all_need_is_stopped(make_platform):
    # The other kinds are tried by script/guest, since they would hurt the tests that run beside this one.
    platform = make_platform().start()
    hostile = deploy_hostile(platform)
    app = platform.deploy(web_app("1"))
    with contextlib.suppress(AssertionError, OSError):  # the answer may come or not: the app is ended
        attempt(hostile, use_up_ports)
    wait_until(lambda: platform.json("app", "info", hostile.name)["state"] == "stopped", 90, "the end of the attack")
    app.push({"VERSION": "2\n"})
    assert app.version().strip() == "2"
    assert hostile.last_deployment()["kind"] == "stop"
    reason = "it had used up the local UDP ports"
    assert reason in platform.pushrod("deployments", hostile.name).out
    assert reason in platform.pushrod("audit").out
    assert f"stopped because {reason}" in platform.pushrod("app", "info", hostile.name).out
