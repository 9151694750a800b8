"""Clients that attack: what they open stays open until it is closed. Addresses of 127/8 stand for hosts of their own."""

import contextlib
import socket


def connect(port, source="127.0.0.1", timeout=10.0):
    """A TCP connection to 127.0.0.1 from this address."""
    return socket.create_connection(("127.0.0.1", port), timeout, source_address=(source, 0))


@contextlib.contextmanager
def idle_connections(port, count, sources):
    """So many connections that say nothing, from these addresses in turn."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(connect(port, sources[i % len(sources)])) for i in range(count)]
