"""Code of an app that attacks from inside: other apps, Pushrod itself, and the kernel (faults 46 to 49).

Each attack is a function of this file, which the app apps/hostile.py runs beside its victim, another app.
"""

import inspect
import json
import os
import platform as machine
import signal
import socket
import textwrap
import threading
import uuid

import pytest
from harness import APPS, Traffic, wait_until, web_app

HOSTILE = (APPS / "hostile.py").read_text()
PROCFILE = "web: python3 web.py\nworker: SECRET=of-the-victim exec sleep 100000\n"


@pytest.fixture(scope="module")
def hostile(shared_platform):
    """The app that attacks."""
    return shared_platform.deploy({"hostile.py": HOSTILE, "Procfile": "web: exec python3 hostile.py\n"})


@pytest.fixture(scope="module")
def victim(shared_platform):
    """The app that is attacked."""
    return shared_platform.deploy(web_app("victim", Procfile=PROCFILE))


@pytest.fixture(scope="module")
def walls(shared_platform):
    """Which walls this kernel has, as doctor says: name → bool."""
    return {f["name"]: f["good"] for f in shared_platform.json("doctor")}


def attempt(app, attack, **arguments):
    """Runs the function inside the app; its result, or the name of the error that ended it."""
    source = textwrap.dedent(inspect.getsource(attack)).replace(attack.__name__, "attack", 1)
    headers = {"X-Arguments": json.dumps(arguments)}
    response = app.platform.http(app.host, "/", "POST", headers, source.encode())
    assert response.status == 200, response.text
    answer = response.json()
    return answer.get("error", answer.get("result"))


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


def send_signals(pids):
    import errno
    import os

    seen = []
    for pid in pids:
        try:
            os.kill(pid, 0)
            seen.append("reached")
        except OSError as error:
            seen.append(errno.errorcode[error.errno])
    return seen


def test_signals_reach_nobody_outside(platform, hostile, victim):
    pids = [p["pid"] for p in victim.processes()] + [platform.daemon_pid(), platform.service_pid("router")]
    own = [p["pid"] for p in hostile.processes()]
    for pid in pids + own:
        os.kill(pid, 0)
    assert set(attempt(hostile, send_signals, pids=[pid for pid in pids + own if pid > 500])) == {"ESRCH"}


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


def test_nobody_listens_on_a_port_that_is_not_theirs(platform, hostile, victim, walls):
    free = platform.ports.apps[1]
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


def test_the_port_of_an_app_that_restarts_or_is_deployed_anew_is_not_snatched(own_platform):
    platform = own_platform
    walls = {f["name"]: f["good"] for f in platform.json("doctor")}
    victim = platform.deploy(web_app("victim"))
    hostile = platform.deploy({"hostile.py": HOSTILE, "Procfile": "web: exec python3 hostile.py\n"})
    first, last = platform.ports.apps
    found = []
    attack = threading.Thread(
        target=lambda: found.append(attempt(hostile, snatch, first=first, last=last, seconds=6)), daemon=True
    )
    with Traffic(victim, clients=2, keep_alive=False) as traffic:
        attack.start()
        for _ in range(2):
            restarts = victim.processes()[0]["restarts"]
            os.kill(victim.processes()[0]["pid"], signal.SIGKILL)
            wait_until(lambda: victim.processes()[0]["restarts"] > restarts, what="the restart")
            traffic.await_requests(5)
        platform.pushrod("restart", victim.name)
        traffic.await_requests(5)
        attack.join(60)
    rounds, errors = found[0]
    assert rounds > 1
    if walls["ports of apps"]:
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


def test_admin_sockets_are_not_there(platform, hostile):
    router = platform.root / "run" / "router"
    ours = [str(router / name) for name in ("master.sock", "admin.sock", "current.sock")]
    assert all(os.path.exists(path) for path in ours)
    docker = ["/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/dbus/system_bus_socket"]
    assert set(attempt(hostile, connect_to_paths, paths=ours + docker).values()) == {"ENOENT"}


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


# 49: the kernel


def call_it(name, arguments):
    return call(name, *arguments)  # noqa: F821 (hostile.py's)


NEW_USER_NAMESPACE = 0x10000000
REFUSED_CALLS = {
    "keyctl": [0, -3, 0],
    "add_key": [0, 0, 0, 0, 0],
    "request_key": [0, 0, 0, 0],
    "ptrace": [16, 1, 0, 0],
    "process_vm_readv": [1, 0, 0, 0, 0, 0],
    "process_vm_writev": [1, 0, 0, 0, 0, 0],
    "pidfd_getfd": [0, 0, 0],
    "mount": [0, 0, 0, 0, 0],
    "umount2": [0, 0],
    "pivot_root": [0, 0],
    "chroot": [0],
    "open_tree": [0, 0, 0],
    "move_mount": [0, 0, 0, 0, 0],
    "fsopen": [0, 0],
    "fsmount": [0, 0, 0],
    "mount_setattr": [0, 0, 0, 0, 0],
    "open_by_handle_at": [0, 0, 0],
    "unshare": [NEW_USER_NAMESPACE],
    "clone": [NEW_USER_NAMESPACE | 17, 0, 0, 0, 0],
    "setns": [0, 0],
    "bpf": [0, 0, 0],
    "perf_event_open": [0, 0, -1, -1, 0],
    "userfaultfd": [1],
    "init_module": [0, 0, 0],
    "finit_module": [0, 0, 0],
    "delete_module": [0, 0],
    "kexec_load": [0, 0, 0, 0],
}


@pytest.mark.parametrize("name", REFUSED_CALLS)
def test_a_dangerous_system_call_is_refused(hostile, name):
    assert attempt(hostile, call_it, name=name, arguments=REFUSED_CALLS[name]) == "EPERM"


@pytest.mark.parametrize("name", ["clone3", "io_uring_setup"])
def test_a_system_call_that_programs_can_do_without_seems_not_to_exist(hostile, name):
    assert attempt(hostile, call_it, name=name, arguments=[0, 0]) == "ENOSYS"


def type_into_a_terminal(request):
    import fcntl
    import os

    terminal = os.openpty()[1]
    try:
        fcntl.ioctl(terminal, request, b"x")
    finally:
        os.close(terminal)


@pytest.mark.parametrize("number", [0x5412, 0x541C, 0x5423])
def test_nothing_is_typed_into_terminals(hostile, number):
    assert attempt(hostile, type_into_a_terminal, request=number) == "EPERM"
    # The kernel looks at 32 bits of it.
    assert attempt(hostile, call_it, name="ioctl", arguments=[0, 1 << 40 | number, 0]) == "EPERM"


def open_socket(family, kind, protocol):
    import socket

    socket.socket(family, kind, protocol).close()
    return "open"


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ((2, 1, 0), "open"),  # TCP
        ((10, 1, 6), "open"),
        ((10, 2, 17), "open"),  # UDP
        ((1, 5, 0), "open"),  # Unix
        ((16, 3, 0), "open"),  # the list of addresses
        ((16, 3, 4), "EPROTONOSUPPORT"),  # the list of everybody's sockets
        ((2, 5, 0), "ESOCKTNOSUPPORT"),  # SCTP by its type
        ((2, 3, 1), "ESOCKTNOSUPPORT"),  # raw
        ((17, 3, 0), "EAFNOSUPPORT"),  # packets
        ((38, 5, 0), "EAFNOSUPPORT"),  # the kernel's cryptography
        ((40, 1, 0), "EAFNOSUPPORT"),  # virtual machines
        ((43, 1, 0), "EAFNOSUPPORT"),  # SMC
    ],
)
def test_sockets_are_those_that_apps_need(hostile, arguments, expected):
    family, kind, protocol = arguments
    assert attempt(hostile, open_socket, family=family, kind=kind, protocol=protocol) == expected


def call_as_another_architecture(code):
    import ctypes
    import mmap
    import os

    memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(bytes.fromhex(code))
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    child = os.fork()
    if child == 0:
        ctypes.CFUNCTYPE(ctypes.c_int)(address)()
        os._exit(0)
    return os.waitpid(child, 0)[1]


def test_the_system_calls_of_another_architecture_are_no_way_around(hostile):
    if machine.machine() == "x86_64":
        getpid_of_i386 = "b814000000cd80c3"  # mov $20, %eax; int $0x80; ret
        assert attempt(hostile, call_as_another_architecture, code=getpid_of_i386) & 0x7F == signal.SIGSYS
        getpid_of_x32 = 0x40000000 + 39
        assert attempt(hostile, call_it, name=getpid_of_x32, arguments=[]) == "ENOSYS"


def run_bwrap():
    import subprocess

    return subprocess.run(["bwrap", "--unshare-user", "--ro-bind", "/", "/", "true"], capture_output=True).returncode


def test_nested_sandboxes_are_refused(hostile):
    assert attempt(hostile, run_bwrap) != 0


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
