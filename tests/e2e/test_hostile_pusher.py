"""A pusher with a key for one app, against the machine: bombs, pushes that never end, too many of them."""

import contextlib
import os
import signal
import subprocess
import threading
import time

import pytest
from harness import HELD_BUILD, finish, wait_until, web_app
from packs import Pack, push_request

MEGA = 1 << 20


class GitMemory:
    """The most that one git process of the platform has had resident, in bytes, while this was open."""

    def __init__(self, platform):
        self.platform, self.most, self._end = platform, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _watch(self):
        while not self._end.wait(0.01):
            for process in self.platform.processes():
                if "git" in process.argv[0]:
                    with contextlib.suppress(OSError, StopIteration, IndexError):
                        lines = open(f"/proc/{process.pid}/status").read().splitlines()
                        line = next(line for line in lines if line.startswith("VmHWM"))
                        self.most = max(self.most, int(line.split()[1]) * 1024)


def start_raw_push(platform, app, key=None):
    """receive-pack at the other end of ssh; its standard input is ours."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return platform.start_client([*platform._ssh([f"git-receive-pack '{app.work.repo}'"], key)], env=platform.client_env, **pipes)


def send(client, data):
    """Writes to receive-pack; it may have had enough."""
    with contextlib.suppress(BrokenPipeError):
        client.stdin.write(data)
        client.stdin.flush()


def receivers(platform):
    """The receive-packs that run."""
    return [process for process in platform.processes() if "receive-pack" in process.argv]


def repository_of(app):
    return app.platform.root / "repos" / f"{app.work.repo}.git"


def objects_of(app):
    """All files that hold objects, with their sizes."""
    objects = repository_of(app) / "objects"
    return {str(path.relative_to(objects)): path.stat().st_size for path in objects.rglob("*") if path.is_file()}


def quarantines(app):
    return list((repository_of(app) / "objects").glob("tmp_objdir-*"))


def bomb(kind, filler):
    """(commit, pack): a small pack that unfolds to 1.2 GB. With a filler of more than a hundred objects git takes
    index-pack, else unpack-objects."""
    pack = Pack()
    for number in range(filler):
        pack.add("blob", f"filler {number}\n".encode())
    blob = pack.add_zeros_by_delta(1200 * MEGA) if kind == "delta" else pack.add_zeros(1200 * MEGA)
    return pack.add_commit({"bomb": blob}), pack.to_bytes()


@pytest.mark.parametrize("filler", [0, 150], ids=["unpack-objects", "index-pack"])
@pytest.mark.parametrize("kind", ["delta", "zeros"])
def test_a_bomb_is_refused_within_seconds_and_takes_no_memory(platform, kind, filler):
    app = platform.deploy(web_app("1"))
    commit, pack = bomb(kind, filler)
    assert len(pack) < 1.5 * MEGA
    before = objects_of(app)
    client = start_raw_push(platform, app)
    with GitMemory(platform) as memory:
        began = time.monotonic()
        out, err = client.communicate(push_request(commit, pack, before=app.ref()), timeout=60)
        took = time.monotonic() - began
    assert b"unpack" in out and b"ok refs/heads/main" not in out, out
    assert b"git needs more memory for it than the 512M that a push may use" in err, err
    assert err.count(b"\n") == 1, "one line explains it"
    assert b"push_memory" in err
    assert took < 5, f"{took} s"
    assert memory.most <= 512 * MEGA, f"{memory.most / MEGA} MB"
    assert not receivers(platform)
    assert objects_of(app) == before and not quarantines(app)
    app.push({"VERSION": "2"})
    assert app.version() == "2"


def test_memory_of_a_push_is_a_setting(make_platform):
    platform = make_platform(settings='[limits]\npush_memory = "64M"\n').start()
    app = platform.deploy(web_app("1"))
    result = app.push({"large": b"x" * 70 * MEGA}, code=1)
    assert "than the 64M that a push may use" in result.err, result.err
    app.work.git("reset", "--quiet", "--hard", app.ref())
    app.push({"VERSION": "2", "large": os.urandom(30 * MEGA)})
    assert app.version() == "2"


def test_a_pack_over_the_limit_is_refused_and_explained(make_platform):
    platform = make_platform(settings='[limits]\npush_bytes = "1M"\n').start()
    app = platform.deploy(web_app("1"))
    before = objects_of(app)
    result = app.push({"large": os.urandom(MEGA + 1)}, code=1)
    assert "it brings more than 1M" in result.err and "push_bytes" in result.err, result.err
    assert objects_of(app) == before and not quarantines(app)


def test_a_push_that_does_not_arrive_is_ended(make_platform):
    platform = make_platform(settings='[limits]\npush_timeout = "3s"\npushes = 1\n').start()
    app = platform.deploy(web_app("1"))
    before = objects_of(app)
    pack = Pack()
    for number in range(200):
        pack.add("blob", os.urandom(2000))
    commit = pack.add_commit({"file": pack.add("blob", b"x")})
    data = pack.to_bytes()
    request = push_request(commit, data, before=app.ref())
    client = start_raw_push(platform, app)
    began = time.monotonic()
    send(client, request[: -len(data) // 2])
    wait_until(lambda: quarantines(app), what="the quarantine of the push")
    for byte in request[-len(data) // 2 :]:
        if client.poll() is not None:
            break
        send(client, bytes([byte]))
        with contextlib.suppress(subprocess.TimeoutExpired):
            client.wait(0.2)
    took = time.monotonic() - began
    out, err = client.communicate(timeout=10)
    assert 2.9 < took < 10
    assert b"took longer than 3.0 s to arrive" in err and b"push_timeout" in err, err
    wait_until(lambda: not receivers(platform), what="the end of receive-pack")
    wait_until(lambda: not [p for p in platform.processes("index-pack")], what="the end of index-pack")
    assert not quarantines(app) and objects_of(app) == before
    # Its slot is free, and the time that a deployment takes is not the time of the push.
    app.push(web_app("2", pushrod_toml="[build]\ncommand = 'sleep 4'\n"))
    assert app.version() == "2"


def test_a_key_has_a_few_pushes_on_their_way(make_platform):
    platform = make_platform(settings="[limits]\npushes = 2\n").start()
    app = platform.deploy(web_app("1"))
    other = platform.make_key("other")
    platform.pushrod("key", "add", "other", f"{other}.pub")
    clients = [start_raw_push(platform, app) for _ in range(2)]
    wait_until(lambda: len(receivers(platform)) == 2, what="two pushes")
    result = app.push({"VERSION": "2"}, code=None)
    assert result.code != 0
    assert 'key "admin" already has 2 pushes in progress' in result.err and "pushes" in result.err, result.err
    assert len(receivers(platform)) == 2
    # Another key has its own, and can still fetch; so can this one.
    platform.git("ls-remote", platform.url(app.work.repo))
    app.work.git("push", "origin", "HEAD:refs/heads/main", env=platform.git_login(other))
    assert app.version() == "2"
    # One that is killed is no longer on its way.
    os.kill(receivers(platform)[0].pid, signal.SIGKILL)
    app.push({"VERSION": "3"})
    assert app.version() == "3"
    for client in clients:
        client.kill()
        client.communicate()


def status_of(pid):
    """(oom_score_adj, soft limit of data) of a process."""
    limits = open(f"/proc/{pid}/limits").read().splitlines()
    soft = next(line for line in limits if line.startswith("Max data size")).split()[3]
    return int(open(f"/proc/{pid}/oom_score_adj").read()), soft


def test_git_is_confined_and_a_deployment_is_not(platform):
    app = platform.deploy(web_app("1"))
    client = start_raw_push(platform, app)
    wait_until(lambda: receivers(platform), what="receive-pack")
    assert status_of(receivers(platform)[0].pid) == (1000, str(496 * MEGA))
    client.kill()
    client.communicate()
    wait_until(lambda: not receivers(platform), what="the end of receive-pack")
    fetch = platform.start_ssh(f"git-upload-pack '{app.work.repo}'", stdin=subprocess.PIPE)
    wait_until(lambda: platform.processes("upload-pack"), what="upload-pack")
    uploader = next(p for p in platform.processes("upload-pack") if "git" in p.argv[0])
    assert status_of(uploader.pid) == (1000, str(496 * MEGA))
    fetch.kill()
    fetch.communicate()

    push = app.start_push(web_app("2", pushrod_toml=HELD_BUILD))
    app.await_build()
    hook = next(p for p in platform.processes("proc-receive"))
    ours = status_of(platform.daemon_pid())
    assert status_of(hook.pid) == (ours[0], "unlimited")
    build = next(p for p in platform.processes() if "bwrap" in p.argv[0])
    assert status_of(build.pid)[1] == "unlimited"
    # Nobody watches any more: the push has arrived.
    assert not platform.processes("gate --key")
    app.release_build()
    finish(push)
    assert app.version() == "2"
