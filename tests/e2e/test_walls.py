"""What an app or a build that attacks from inside reaches of other apps and of Pushrod itself (faults 46 to 48).

Each attack is a function of this file, which the app apps/hostile.py runs beside its victim, another app.
"""

import contextlib
import inspect
import json
import os
import signal
import socket
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attacks import attempt, deploy_hostile, walls_of
from harness import Traffic, wait_until, web_app

PROCFILE = "web: python3 web.py\nworker: SECRET=of-the-victim exec sleep 100000\n"


@pytest.fixture(scope="module")
def hostile(shared_platform):
    """The app that attacks."""
    return deploy_hostile(shared_platform)


@pytest.fixture(scope="module")
def victim(shared_platform):
    """The app that is attacked."""
    return shared_platform.deploy(web_app("victim", Procfile=PROCFILE))


@pytest.fixture(scope="module")
def walls(shared_platform):
    """Which walls this kernel has."""
    return walls_of(shared_platform)


def port_of(app):
    return next(p["port"] for p in app.processes() if p["port"])


# 46: what belongs to others


def read_everything(paths):
    import os

    seen = {}
    for path in paths:
        try:
            seen[path] = os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(100).hex()
        except OSError as error:
            seen[path] = type(error).__name__
    return seen


def test_files_of_pushrod_and_of_other_apps_are_not_there(platform, hostile, victim):
    root = platform.root
    (victim.data / "letter").write_text("for the victim alone")
    paths = [root, root / "pushrod.db", root / "server.toml", root / "ssh", root / "repos", victim.data, root / "logs",
             victim.data / "letter", root / "run/router/haproxy.cfg", root / "ssh/host_ed25519_key", platform.home,
             platform.key, "/home", "/root", "/var/lib", "/etc/shadow", "/etc/ssh"]  # fmt: skip
    assert all(os.path.lexists(path) for path in paths[:10]), "the test looks for what is there"
    seen = attempt(hostile, read_everything, paths=[str(path) for path in paths])
    assert set(seen.values()) == {"FileNotFoundError"}, seen


def read_processes():
    import os

    seen = {}
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            seen[pid] = open(f"/proc/{pid}/environ", "rb").read().decode(errors="replace")
        except PermissionError:
            seen[pid] = "denied"
        except (FileNotFoundError, ProcessLookupError):
            continue
    return seen


def test_processes_and_environments_of_others_are_not_there(hostile, victim):
    assert victim.get("/env").json()["PORT"]
    seen = attempt(hostile, read_processes)
    assert seen.pop("1") == "denied", "init is ours"
    assert len(seen) == 1, "the app itself"
    assert f"PORT={port_of(hostile)}" in "".join(seen.values())
    assert "of-the-victim" not in str(seen)


def look_into_init():
    import os

    seen = []
    for name in ("root", "cwd", "exe", "fd/3", "mem", "environ", "maps"):
        try:
            seen.append(os.listdir(f"/proc/1/{name}") if name == "root" else open(f"/proc/1/{name}", "rb").read(1))
        except OSError as error:
            seen.append(type(error).__name__)
    return sorted(set(map(str, seen)))


def test_the_process_that_holds_the_lock_cannot_be_looked_into(hostile):
    assert attempt(hostile, look_into_init) == ["PermissionError"]


def test_only_the_router_has_the_sockets_of_clients(platform, hostile):
    def listeners(pid):
        """The tree's listening sockets that a process has."""
        links = [os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.name in ("60", "61")]
        return [link for link in links if link.startswith("socket:")]

    assert listeners(platform.up.pid) and listeners(platform.service_pid("router"))
    services = [path.name for path in (platform.root / "run" / "services").iterdir()]
    others = [name for name in services if name != "router"]
    assert {"daemon", "sshd"} < set(others) and any(name.startswith(hostile.name) for name in others)
    for name in others:
        for service in (name, f"{name}/log"):
            assert listeners(platform.service_pid(service)) == [], service


def send_signals(pids):
    """What comes of a signal to each, but for numbers that mean somebody in here."""
    import errno
    import os

    own = {int(task) for pid in os.listdir("/proc") if pid.isdecimal() for task in os.listdir(f"/proc/{pid}/task")}
    seen = {}
    for pid in set(pids) - own:
        try:
            os.kill(pid, 0)
            seen[pid] = "reached"
        except OSError as error:
            seen[pid] = errno.errorcode[error.errno]
    return seen


def test_signals_reach_no_process_outside(platform, hostile, victim):
    pids = [p["pid"] for p in victim.processes()] + [platform.daemon_pid(), platform.service_pid("router")]
    pids += [p["pid"] for p in hostile.processes()]
    for pid in pids:
        os.kill(pid, 0)
    seen = attempt(hostile, send_signals, pids=pids)
    assert set(seen.values()) == {"ESRCH"}, seen


# 47: other apps' ports


def bind_in_every_way(port):
    import errno
    import socket

    seen = {}
    ways = {
        "127.0.0.1": (socket.AF_INET, "127.0.0.1", 0, ()),
        "0.0.0.0": (socket.AF_INET, "0.0.0.0", 0, ()),
        "::": (socket.AF_INET6, "::", 0, ()),
        "127.0.0.2": (socket.AF_INET, "127.0.0.2", 0, ()),
        "SO_REUSEADDR": (socket.AF_INET, "127.0.0.1", 0, (socket.SO_REUSEADDR,)),
        "SO_REUSEPORT": (socket.AF_INET, "127.0.0.1", 0, (socket.SO_REUSEADDR, socket.SO_REUSEPORT)),
        "MPTCP": (socket.AF_INET, "127.0.0.1", 262, (socket.SO_REUSEPORT,)),
        "SCTP": (socket.AF_INET, "127.0.0.1", 132, ()),
        "SMC": (socket.AF_INET, "127.0.0.1", 256, ()),
    }
    for way, (family, host, protocol, options) in ways.items():
        try:
            with socket.socket(family, socket.SOCK_STREAM, protocol) as listener:
                for option in options:
                    listener.setsockopt(socket.SOL_SOCKET, option, 1)
                listener.bind((host, port))
                listener.listen()
                seen[way] = "listens"
        except OSError as error:
            seen[way] = errno.errorcode[error.errno]
    return seen


NO_PORT = {"127.0.0.1": "EACCES", "0.0.0.0": "EACCES", "::": "EACCES", "127.0.0.2": "EACCES", "SO_REUSEADDR": "EACCES",
           "SO_REUSEPORT": "EACCES", "MPTCP": "EPROTONOSUPPORT", "SCTP": "EPROTONOSUPPORT", "SMC": "EPROTONOSUPPORT"}  # fmt: skip


def test_an_app_cannot_listen_on_a_foreign_port(platform, hostile, victim, walls):
    leased = {instance["port"] for instance in platform.json("ps")}
    first, last = platform.ports.apps
    free = next(port for port in range(last, first, -1) if port not in leased)
    for port in (port_of(victim), free, platform.ports.http):
        seen = attempt(hostile, bind_in_every_way, port=port)
        if walls["ports of apps"]:
            assert seen == NO_PORT
        else:
            assert {seen[way] for way in ("MPTCP", "SCTP", "SMC")} == {"EPROTONOSUPPORT"}


def listen_as_a_server():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            server.accept()[0].sendall(b"own")
            return client.recv(3).decode()


def test_a_port_of_the_kernels_choice_is_free_to_use(hostile):
    assert attempt(hostile, listen_as_a_server) == "own"


def snatch(first, last, seconds):
    """Asks for every port but its own again and again, with SO_REUSEPORT, and answers on each that it gets."""
    import errno
    import os
    import socket
    import threading
    import time

    def answer(listener):
        while True:
            connection = listener.accept()[0]
            connection.recv(10_000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nsnatched")
            connection.close()

    seen = set()
    rounds = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rounds += 1
        for port in set(range(first, last + 1)) - {int(os.environ["PORT"])}:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            try:
                listener.bind(("127.0.0.1", port))
                listener.listen()
                threading.Thread(target=answer, args=[listener], daemon=True).start()
                seen.add("listens")
            except OSError as error:
                seen.add(errno.errorcode[error.errno])
                listener.close()
    return [rounds, sorted(seen)]


def test_the_port_of_an_app_that_restarts_or_is_redeployed_cannot_be_taken(own_platform):
    platform = own_platform
    victim = platform.deploy(web_app("victim"))
    hostile = deploy_hostile(platform)
    first, last = platform.ports.apps
    if not walls_of(platform)["ports of apps"]:
        # Nothing keeps a port from it then, and whoever has them all leaves none for a restart.
        assert attempt(hostile, bind_in_every_way, port=last)["127.0.0.1"] == "listens"
        return
    with ThreadPoolExecutor() as beside, Traffic(victim, clients=2, keep_alive=False) as traffic:
        attack = beside.submit(attempt, hostile, snatch, first=first, last=last, seconds=6)
        for _ in range(2):
            restarts = victim.processes()[0]["restarts"]
            os.kill(victim.processes()[0]["pid"], signal.SIGKILL)
            wait_until(lambda: victim.processes()[0]["restarts"] > restarts, what="the restart")
            traffic.await_requests(5)
        platform.pushrod("restart", victim.name)
        traffic.await_requests(5)
        rounds, errors = attack.result(60)
    assert rounds > 1
    assert errors == ["EACCES"]
    assert traffic.versions() == {"victim"}


def test_a_build_listens_on_no_port_of_an_app(platform, victim, walls):
    build = "import json, sys\n" + inspect.getsource(bind_in_every_way)
    build += f"print('seen', json.dumps(bind_in_every_way({port_of(victim)})))\n"
    toml = '[build]\ncommand = "python3 attack.py"\n'
    app = platform.create_app(web_app("1", pushrod_toml=toml) | {"attack.py": build})
    result = app.push()
    seen = json.loads(result.err.split("seen ")[1].split("\n")[0])
    if walls["ports of apps"]:
        assert seen == NO_PORT
    assert seen["MPTCP"] == "EPROTONOSUPPORT"


# 48: sockets


def connect_to_paths(paths):
    import errno
    import socket

    seen = {}
    for path in paths:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
                seen[path] = "connected"
        except OSError as error:
            seen[path] = errno.errorcode.get(error.errno, str(error))
    return seen


@contextlib.contextmanager
def listening_at(*paths):
    """Sockets at these paths that anybody outside can connect to."""
    with contextlib.ExitStack() as servers:
        for path in paths:
            server = servers.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(str(path))
            servers.callback(path.unlink)
            server.listen()
        yield


def test_sockets_outside_are_not_there(platform, hostile):
    router = platform.root / "run" / "router"
    ours = [str(router / name) for name in ("master.sock", "admin.sock", "current.sock", "second-try.sock")]
    assert all(os.path.exists(path) for path in ours)
    others = [platform.directory / "a.sock", Path(f"/tmp/pushrod-e2e-{uuid.uuid4()}.sock")]
    with listening_at(*others):
        others = [str(path) for path in others]
        assert set(connect_to_paths(others).values()) == {"connected"}
        well_known = ["/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock",
                      "/run/dbus/system_bus_socket"]  # fmt: skip
        seen = attempt(hostile, connect_to_paths, paths=ours + others + well_known)
    assert set(seen.values()) == {"ENOENT"}, seen


def connect_to_abstract(name):
    import socket

    with socket.socket(socket.AF_UNIX) as client:
        client.connect("\0" + name)
        return "connected"


def send_to_abstract(name):
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.sendto(b"x", "\0" + name)
        return "sent"


def use_own_abstract(name):
    import socket

    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("\0" + name)
        server.listen()
        client.connect("\0" + name)
        return "connected"


def test_abstract_sockets_of_others_are_out_of_reach(hostile, walls):
    name = f"pushrod-e2e-{uuid.uuid4()}"
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
        server.bind("\0" + name)
        server.listen()
        datagrams.bind(f"\0{name}-datagrams")
        seen = [
            attempt(hostile, connect_to_abstract, name=name),
            attempt(hostile, send_to_abstract, name=f"{name}-datagrams"),
        ]
    assert seen == (["EPERM", "EPERM"] if walls["abstract sockets"] else ["connected", "sent"])
    assert attempt(hostile, use_own_abstract, name=f"{name}-own") == "connected"


# And yet


def test_ordinary_programs_run_unharmed(platform):
    """Threads, child processes, an event loop and a package's installation."""
    python = """
import asyncio, concurrent.futures, json, multiprocessing, socket, subprocess, threading
def square(n): return n * n
if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool: assert pool.map(square, [1, 2]) == [1, 4]
    with concurrent.futures.ThreadPoolExecutor(8) as threads: assert list(threads.map(square, range(3))) == [0, 1, 4]
    assert subprocess.run(["sh", "-c", "echo a | cat"], capture_output=True).stdout == b"a\\n"
    async def main():
        process = await asyncio.create_subprocess_exec("true")
        assert await process.wait() == 0
    asyncio.run(main())
    assert socket.getaddrinfo("localhost", 80)
    print("python is well")
"""
    node = """
const { Worker, isMainThread } = require('worker_threads');
const { execFileSync, fork } = require('child_process');
const fs = require('fs'), http = require('http'), cluster = require('cluster');
if (!isMainThread) return;
new Worker(__filename).on('exit', () => fs.promises.writeFile('/tmp/x', 'x').then(() => {
  fs.readFileSync('/tmp/x'); execFileSync('true');
  const server = http.createServer((q, a) => a.end('x')).listen(0, '127.0.0.1', () =>
    http.get(server.address(), () => { console.log('node is well'); process.exit(0); }));
}));
"""
    toml = """
[build]
command = "python3 check.py; node check.js; npm ls; git --version; npm install --offline"
"""
    files = web_app("1", pushrod_toml=toml) | {
        "check.py": python, "check.js": node, "package.json": '{"name": "x", "version": "1.0.0"}',
    }  # fmt: skip
    result = platform.create_app(files).push()
    assert "python is well" in result.err and "node is well" in result.err
