"""Running commands to their end or beside the test, and waiting for what they bring about."""

import json
import os
import shlex
import signal
import subprocess
import time
from dataclasses import dataclass

COMMAND_TIMEOUT = 90.0


def wait_until(condition, deadline=20.0, what="the condition"):
    """Calls condition() until it returns something true, which is returned; AssertionError after the deadline."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not so after {deadline} s (last: {value!r})")
        time.sleep(0.02)


@dataclass
class Result:
    """How a command ended."""

    argv: list
    code: int
    out: str
    err: str

    @property
    def text(self):
        """All that it printed."""
        return self.out + self.err

    def json(self):
        """Its standard output, parsed."""
        return json.loads(self.out)

    def __str__(self):
        return f"{shlex.join(map(str, self.argv))}\nexit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class CommandFailed(AssertionError):
    """A command ended otherwise than the test wanted; the message holds all that it printed."""

    def __init__(self, result):
        super().__init__(str(result))
        self.result = result


def start_command(argv, *, env, cwd=None, **options):
    """A command that goes on beside the test, in a session of its own, with pipes for its output; see finish()."""
    return subprocess.Popen(
        [str(word) for word in argv], env=env, cwd=cwd, start_new_session=True,
        **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
    )  # fmt: skip


def finish(process, *, input=None, code=None, timeout=COMMAND_TIMEOUT):
    """Waits for a command of start_command(). `code`: what it must end with; None: anything."""
    try:
        out, err = process.communicate(input=input, timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(
            f"{process.args} did not end within {timeout} s\n{out.decode(errors='replace')}\n{err.decode(errors='replace')}"
        ) from None
    result = Result(process.args, process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))
    if code is not None and result.code != code:
        raise CommandFailed(result)
    return result


def run_command(argv, *, env, cwd=None, input=None, code=0, timeout=COMMAND_TIMEOUT):
    """Runs a command to its end."""
    if isinstance(input, str):
        input = input.encode()
    stdin = subprocess.DEVNULL if input is None else subprocess.PIPE
    return finish(start_command(argv, env=env, cwd=cwd, stdin=stdin), input=input, code=code, timeout=timeout)
