"""The console blocks of the documentation: reads them, replays them against a platform, and compares the output.

A block that is fenced as ```console is a transcript: a line that begins with "$ " is a command, "> " continues it, and
what follows is its whole output. The blocks of a page are one session, from top to bottom, in one shell.

What may vary: points in time, durations, process ids, ports of instances, and the hexadecimal names of commits and keys;
but a page has to use the same name for the same commit. A line "…" stands for any number of lines, and "…" in a line for
any text.

Comments in the page, which readers do not see:
  <!-- replay: … -->        commands, one a line, that are run at this place; each must succeed
  <!-- not replayed: … -->  before a block: the reason why it cannot be replayed
"""

import difflib
import os
import re
import select
import shlex
import subprocess
import time
from dataclasses import dataclass, field

COMMAND_LIMIT = 60  # seconds
_FENCE = re.compile(r"^```(\w*)$")
_MARK = "end-of-command"


# Reading a page


@dataclass
class Command:
    """A command, and the lines that it is said to print; None: not said."""

    text: str
    line: int
    output: list | None = None


@dataclass
class Block:
    """A fenced block of a page."""

    line: int
    language: str
    lines: list = field(default_factory=list)
    reason: str = ""  # why it is not replayed

    def is_transcript(self):
        """Does it look like one?"""
        return any(line.startswith("$ ") for line in self.lines)

    def commands(self):
        """What a transcript consists of."""
        found = []
        for number, line in enumerate(self.lines, self.line + 1):
            if line.startswith("$ "):
                found.append(Command(line[2:], number, []))
            elif line.startswith("> ") and found and not found[-1].output:
                found[-1].text += "\n" + line[2:]
            else:
                assert found, f"line {number}: output before any command"
                found[-1].output.append(line)
        return found


def read_page(text):
    """The blocks of a page and, as lists of Command, its hidden commands, in order."""
    parts, block, hidden, reason = [], None, None, ""
    for number, line in enumerate(text.splitlines(), 1):
        fence = _FENCE.match(line)
        if block:
            if line == "```":
                parts.append(block)
                block = None
            else:
                block.lines.append(line)
        elif hidden is not None:
            if line == "-->":
                parts.append(hidden)
                hidden = None
            else:
                hidden.append(Command(line, number))
        elif line == "<!-- replay:":
            hidden = []
        elif line.startswith("<!-- not replayed:"):
            reason = line.removeprefix("<!-- not replayed:").removesuffix("-->").strip()
            assert reason, f"line {number}: a block that is not replayed needs a reason"
        elif fence:
            block, reason = Block(number, fence[1], reason=reason), ""
        elif line:
            assert not reason, f"line {number}: no block follows the reason"
    assert block is None and hidden is None and not reason, "the last block has no end"
    return parts


# Comparing


class Names:
    """Gives each commit or key a number, in the order in which one side of a comparison names them."""

    def __init__(self):
        self._numbers = {}

    def number(self, name):
        """The same for the same name, also when it is cut off."""
        return self._numbers.setdefault(name[:7], len(self._numbers) + 1)


def neutral(line, names):
    """A line of output without what may vary."""
    line = line.rstrip()
    line = re.sub(r"SHA256:([\w+/]{43})", lambda match: f"‹key {names.number(match[1])}›", line)
    line = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+Z)?", "‹time›", line)
    line = re.sub(r"\b\d+(\.\d+)? (ms|s|min)\b", "‹duration›", line)
    line = re.sub(r"\b[0-9a-f]{7,40}\b", lambda match: f"‹commit {names.number(match[0])}›", line)
    # A row of ps: INSTANCE STATE PID PORT.
    line = re.sub(r"^(\S+\.\d+\.[a-z]\S*\.\d+ +\w+ +)\d+( +)(\d+|-)", _without_ids, line)
    line = re.sub(r"127\.0\.0\.1:(?!8080|2222)\d+", "127.0.0.1:‹port›", line)
    return re.sub(r"(?<=\S)(?<!^remote:) {2,}", "  ", line)  # the width of columns


def _without_ids(row):
    return f"{row[1]}‹pid›{row[2]}{'-' if row[3] == '-' else '‹port›'}"


def difference(expected, actual, expected_names, actual_names):
    """Empty if the lines that a command printed are what the page says, else what differs."""
    wanted = [neutral(line, expected_names) for line in expected]
    found = [neutral(line, actual_names) for line in actual]
    pattern = "".join(
        "(?:.*\n)+?" if line == "…" else re.escape(line).replace("…", ".*") + "\n" for line in wanted
    )  # fmt: skip
    if re.fullmatch(pattern, "".join(line + "\n" for line in found)):
        return ""
    return "\n".join(difflib.unified_diff(wanted, found, "the page", "the program", lineterm="", n=50))


# Replaying


class Session:
    """A shell of a person who follows a page, on a platform that is not started yet: `pushrod up` starts it."""

    def __init__(self, platform, source):
        """`source`: what the person has checked out, with examples/."""
        self._platform = platform
        home, tools = platform.home, platform.directory / "tools"
        checkout = home / "src" / "pushrod"
        (checkout / "build").mkdir(parents=True)
        for name in ("pushrod", "pushrod-shim"):
            (checkout / "build" / name).symlink_to(platform.binary.with_name(name))
        (checkout / "examples").symlink_to(source / "examples")
        (home / "pushrod").symlink_to(platform.root)
        (home / ".ssh").mkdir()
        for suffix in ("", ".pub"):
            os.rename(f"{platform.key}{suffix}", home / ".ssh" / f"id_ed25519{suffix}")
        platform.key = home / ".ssh" / "id_ed25519"
        (home / ".curlrc").write_text("silent\nshow-error\n")  # as on a terminal, but for the progress
        tools.mkdir()
        # ssh looks for its files in the home directory of the user database, not in this one.
        options = f"-F /dev/null -i {platform.key} -o UserKnownHostsFile={home}/.ssh/known_hosts " \
                  "-o StrictHostKeyChecking=accept-new -o LogLevel=ERROR"  # fmt: skip
        (tools / "ssh").write_text(f'#!/bin/sh\nexec /usr/bin/ssh {options} "$@"\n')
        (tools / "ssh").chmod(0o755)
        environment = {name: value for name, value in platform.client_env.items() if name != "GIT_SSH_COMMAND"}
        environment |= {"PATH": f"{tools}:{environment['PATH']}", "PUSHROD_ROOT": str(platform.root), "TZ": "UTC"}
        environment |= {"USER": platform.user, "LOGNAME": platform.user}
        self._shell = platform.start_client(
            ["bash", "--norc"], env=environment, cwd=checkout, stdin=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def run(self, command):
        """Runs a command of a page; returns its exit code and the lines that it printed, in the page's names."""
        if command.startswith("pushrod up "):
            self._platform.launch(*shlex.split(self._to_real(command))[2:])
            return 0, self._to_page((self._platform.directory / "up.log").read_text()).splitlines()
        text = f"{{\n{self._to_real(command)}\n}} </dev/null\nprintf '\\n{_MARK} %s\\n' $?\n"
        self._shell.stdin.write(text.encode())
        self._shell.stdin.flush()
        printed, end = "", time.monotonic() + COMMAND_LIMIT
        while not (match := re.search(rf"\n{_MARK} (\d+)\n\Z", printed)):
            ready, _, _ = select.select([self._shell.stdout], [], [], end - time.monotonic())
            assert ready, f"{command}: no end after {COMMAND_LIMIT} s; it printed:\n{printed}"
            chunk = os.read(self._shell.stdout.fileno(), 65536)
            assert chunk, f"{command}: the shell has ended; it printed:\n{printed}"
            printed += chunk.decode(errors="replace")
        return int(match[1]), self._to_page(printed[: match.start()]).splitlines()

    def _names(self):
        """What a page calls something, and what it is called here."""
        platform = self._platform
        return [("/home/deploy/pushrod", str(platform.root)), ("/home/deploy", str(platform.home)),
                ("8080", str(platform.ports.http)), ("2222", str(platform.ports.ssh)), ("deploy@", f"{platform.user}@")]  # fmt: skip

    def _to_real(self, text):
        for name, real in self._names():
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\d)", real, text)
        return text

    def _to_page(self, text):
        for name, real in self._names():
            text = re.sub(rf"(?<!\w){re.escape(real)}(?!\d)", name, text)
        return text


def replay(text, session):
    """Replays a page; returns what is false in it, a text for each command."""
    differences, expected_names, actual_names = [], Names(), Names()
    for part in read_page(text):
        if isinstance(part, Block) and (part.language != "console" or part.reason):
            continue
        for command in part.commands() if isinstance(part, Block) else part:
            code, output = session.run(command.text)
            if command.output is None:
                assert code == 0, f"line {command.line}: {command.text}: exit code {code}\n" + "\n".join(output)
                continue
            found = difference(command.output, output, expected_names, actual_names)
            if found:
                printed = "\n".join(output)
                differences.append(f"line {command.line}: $ {command.text}\n{found}\nIt printed:\n{printed}")
    return differences
