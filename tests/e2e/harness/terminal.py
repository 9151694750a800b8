"""A terminal with a person at it."""

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading

from .commands import wait_until


class Terminal:
    """A person at a terminal in which a command runs."""

    def __init__(self, argv, env, rows=33, columns=111, directory=None):
        self.ours, self.theirs = pty.openpty()
        self.resize(rows, columns)
        self.modes = termios.tcgetattr(self.theirs)
        self.screen = b""  # all that it showed
        self._awaited = 0  # how much of it await_text() is done with

        def sit_down():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [str(word) for word in argv], env={"TERM": "xterm"} | env, cwd=directory, stdin=self.theirs,
            stdout=self.theirs, stderr=self.theirs, preexec_fn=sit_down,
        )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with contextlib.suppress(OSError):
            while data := os.read(self.ours, 65536):
                self.screen += data

    def resize(self, rows, columns):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.ours, text.encode())

    def await_text(self, text):
        """Waits until it shows the text, after what was awaited before."""

        wanted = text.encode()
        try:
            wait_until(lambda: wanted in self.screen[self._awaited :], what=repr(text))
        except AssertionError as error:
            raise AssertionError(f"{error}\non the screen: {self.screen[self._awaited :]!r}") from None
        self._awaited = self.screen.index(wanted, self._awaited) + len(wanted)

    def wait(self):
        """How the command ended."""
        return self.process.wait(20)

    def hang_up(self):
        """The connection breaks: the command is killed."""
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.hang_up()
        os.close(self.ours)
        os.close(self.theirs)
