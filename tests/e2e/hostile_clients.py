"""Clients that attack: a process of their own, which holds what it opened until it is ended.

An address of 127/8 stands for a host of its own. `Attack` is the test's side; run as a program this is the attacker.
"""

import base64
import contextlib
import os
import resource
import select
import socket
import subprocess
import sys
import time

SOURCES = ["127.0.0.1"]


def connect(port, source="127.0.0.1", timeout=10.0):
    """A TCP connection to 127.0.0.1 from this address."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24), 1)
    connection.settimeout(timeout)
    connection.bind((source, 0))
    connection.connect(("127.0.0.1", port))
    return connection


@contextlib.contextmanager
def idle_connections(port, count, sources):
    """So many connections that say nothing, from these addresses in turn."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(connect(port, sources[i % len(sources)])) for i in range(count)]


def request(host, path="/", headers="", method="GET"):
    """A whole head."""
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n".encode()


# What each connection of an attack says first, and what it says every second after that. None of them reads an answer.


def hanging_requests(host):
    return request(host, "/hang"), b""


def slow_headers(host):
    return request(host, "/")[:-2], b"X-Slow: 1\r\n"


def slow_bodies(host):
    return request(host, "/body", "Content-Length: 1000000\r\n", "POST"), b"x"


def slow_readers(host):
    return request(host, "/endless"), b""


def idle_websockets(host):
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    return request(host, "/ws", f"{upgrade}Sec-WebSocket-Key: {key}\r\n"), b""


def idle(host):
    return b"", b""


ATTACKS = {
    attack.__name__.replace("_", "-"): attack
    for attack in (hanging_requests, slow_headers, slow_bodies, slow_readers, idle_websockets, idle)
}


class Attack:
    """A running attack as a context manager: `count` connections, or a flood of as many at a time as it gets.
    `processors`: the only ones that the attacker may use."""

    def __init__(self, name, port, host, count, sources=SOURCES, processors=None):
        self._argv = [sys.executable, __file__, name, str(port), host, str(count), ",".join(sources)]
        self._processors = processors

    def __enter__(self):
        self._process = subprocess.Popen(self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self._processors:
            os.sched_setaffinity(self._process.pid, self._processors)
        assert self._process.stdout.readline() == "ready\n", "the attack did not begin"
        return self

    def __exit__(self, *error):
        self.report = self._process.communicate(timeout=60)[0].strip()


# The attacker


def is_over(seconds):
    """Waits so long, or until the test has ended the attack."""
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def hold(attack, port, host, count, sources):
    """Opens the connections, says every second what belongs to the attack, and counts those that were left open. Of what
    is closed a few hundred are opened again, as an attacker would."""
    first, more = attack(host)
    open_connections, refused = [], 0

    def fill(at_most):
        nonlocal refused
        for i in range(min(count - len(open_connections), at_most)):
            try:
                connection = connect(port, sources[i % len(sources)])
                connection.setblocking(False)
                if attack is slow_readers:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                if first:
                    connection.send(first)
                open_connections.append(connection)
            except OSError:
                refused += 1
                if refused % 100 == 0:
                    time.sleep(0.01)

    fill(count)
    print("ready", flush=True)
    most, ends = 0, False
    while not ends:
        ends = is_over(1.0)
        poll = select.poll()
        connections = {connection.fileno(): connection for connection in open_connections}
        for descriptor in connections:
            poll.register(descriptor, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        for descriptor, _ in poll.poll(0):
            connections.pop(descriptor).close()
            refused += 1
        open_connections = list(connections.values())
        most = max(most, len(open_connections))
        for connection in open_connections:
            with contextlib.suppress(OSError):
                if more:
                    connection.send(more)
        if not ends:
            fill(300)
    print(f"{most} held at a time, {refused} refused or closed")


def flood(port, sources):
    """Opens and closes connections as quickly as it can."""
    print("ready", flush=True)
    done, start = 0, time.monotonic()
    while not is_over(0):
        for i in range(50):
            with contextlib.suppress(OSError):
                connect(port, sources[i % len(sources)]).close()
            done += 1
    print(f"{done / (time.monotonic() - start):.0f} connections a second")


def main():
    name, port, host, count, sources = sys.argv[1:]
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    os.nice(19)  # it would run elsewhere
    if name == "flood":
        flood(int(port), sources.split(","))
    else:
        hold(ATTACKS[name], int(port), host, int(count), sources.split(","))


if __name__ == "__main__":
    main()
