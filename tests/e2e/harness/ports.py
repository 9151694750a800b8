"""Ports for a platform that nobody else on the machine has."""

import itertools
import os
import socket


class PortBlock:
    """A hundred ports below the ephemeral ones that no other platform on this machine has.

    The claim is an abstract socket's name, so that it ends with the process that made it. All ports are free.
    """

    FIRST, LAST, SIZE = 11_000, 31_000, 100
    _start = itertools.count(os.getpid() * 7)

    def __init__(self):
        count = (self.LAST - self.FIRST) // self.SIZE
        start = next(self._start)
        for index in range(count):
            self.first = self.FIRST + (start + index) % count * self.SIZE
            self._claim = socket.socket(socket.AF_UNIX)
            try:
                self._claim.bind(f"\0pushrod-e2e-ports-{self.first}")
                if not self.taken():
                    return
            except OSError:
                pass
            self._claim.close()
        raise RuntimeError("no free ports are left")

    @property
    def http(self):
        """Where the router listens."""
        return self.first

    @property
    def ssh(self):
        """Where sshd listens."""
        return self.first + 1

    @property
    def https(self):
        """Where the router listens for TLS, in tests that want it."""
        return self.first + 2

    @property
    def apps(self):
        """First and last port of the apps."""
        return self.first + 3, self.others - 1

    @property
    def others(self):
        """The first of five ports for servers of a test."""
        return self.first + self.SIZE - 5

    def taken(self):
        """The ports of the block on which somebody listens."""
        taken = []
        for port in range(self.first, self.first + self.SIZE):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    taken.append(port)
        return taken

    def release(self):
        """Others may have them."""
        self._claim.close()
