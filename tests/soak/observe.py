"""What is there: processes by kind, rows of the database, HAProxy's runtime state, refs. Nothing here judges."""

import contextlib
import json
import os
import re
import socket
import sqlite3
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

OWN_SERVICES = {"daemon", "router", "sshd"}
HOOKS = ("pre-receive", "proc-receive")


@dataclass
class Process:
    """A process of the machine that belongs to a platform's root."""

    pid: int
    parent: int
    argv: list
    kind: str = ""  # see kind_of()
    subject: str = ""  # the instance or the service that it belongs to, where that can be told
    started: int = 0  # in ticks since boot: with the pid, this is one process only


def read_bytes(path):
    try:
        return Path(path).read_bytes()
    except OSError:  # gone, or it belongs to another user
        return b""


def stat_of(pid):
    """(parent, state letter, start time) of a process; None when it is gone."""
    text = read_bytes(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return (int(text[1]), text[0].decode(), int(text[19])) if len(text) > 19 else None


def kind_of(argv, environment):
    """What a process is, from its command line and environment: (kind, subject)."""
    program = os.path.basename(argv[0]) if argv else ""
    words = argv[1:]
    if environment.get("INSTANCE") and program not in ("bwrap", "run", "pushrod-shim", ".pushrod-shim", "s6-supervise"):
        return "app", environment["INSTANCE"]
    if program == "s6-svscan":
        return "scanner", ""
    if program == "s6-supervise":
        return ("logger-supervisor" if words[-1:] and words[-1].endswith("/log") else "supervisor"), (words or [""])[-1]
    if program == "s6-log":
        return "logger", ""
    if program.startswith("s6-"):
        return "tool", ""
    if program == "haproxy":
        return "router", ""
    if program.startswith("sshd"):
        return "sshd", ""
    if program.startswith("git") or "git-core" in argv[0:1]:
        return "git", ""
    if program == "bwrap":
        return "bwrap", ""
    if program in HOOKS:
        return "hook", ""
    if program == "pushrod":
        for verb, kind in (("serve", "daemon"), ("watch", "watchdog"), ("gate", "gate"), ("up", "up"), ("job", "job"), ("fallback", "command")):
            if verb in words[:3]:
                return kind, ""
        return "command", ""
    if program == "run":
        return "shim", (words or [""])[0]
    if program in ("pushrod-shim", ".pushrod-shim"):
        return "shim", ""
    return "other", ""


def processes(root):
    """All processes of this user that belong to the root: by command line, environment, directory or mounts. Those that
    have ended and wait for their parent are left out."""
    needle = os.fsencode(str(root))
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdecimal() or int(entry) == os.getpid():
            continue
        try:
            if os.stat(f"/proc/{entry}").st_uid != os.getuid():
                continue
        except OSError:
            continue
        command, variables = read_bytes(f"/proc/{entry}/cmdline"), read_bytes(f"/proc/{entry}/environ")
        texts = [command, variables]
        if needle not in command and needle not in variables:
            texts.append(read_bytes(f"/proc/{entry}/mountinfo"))
            with contextlib.suppress(OSError):
                texts.append(os.fsencode(os.readlink(f"/proc/{entry}/cwd")))
        if not any(needle in text for text in texts):
            continue
        stat = stat_of(entry)
        if not stat or stat[1] in "ZX":
            continue
        argv = [os.fsdecode(word) for word in command.split(b"\0") if word]
        environment = dict(
            os.fsdecode(v).split("=", 1) for v in variables.split(b"\0") if b"=" in v
        )
        kind, subject = kind_of(argv, environment)
        found[int(entry)] = Process(int(entry), stat[0], argv, kind, subject, stat[2])
    for process in found.values():  # what belongs to an instance by its parents
        above, steps = process, 0
        while not process.subject and above.parent in found and steps < 20:
            above, steps = found[above.parent], steps + 1
            if above.kind in ("supervisor", "logger-supervisor"):
                process.subject = above.subject
    return found


# The database


def rows(root, query, *values, deadline=10.0):
    """Asks the database. Only Pushrod rolls a killed transaction back, as soon as it looks: that is waited for."""
    end = time.monotonic() + deadline
    while True:
        try:
            with contextlib.closing(sqlite3.connect(f"file:{root}/pushrod.db?mode=ro", uri=True, timeout=10)) as database:
                return database.execute(query, values).fetchall()
        except sqlite3.OperationalError as error:
            if "readonly database" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.02)


@dataclass
class AppRow:
    """An app in the database."""

    id: int
    name: str
    repo: str
    branch: str
    live: int | None
    commit: str | None
    checkout: int | None
    stopped: bool
    counts: dict = field(default_factory=dict)  # by type: what is to run
    releases: set = field(default_factory=set)
    checkouts: set = field(default_factory=set)


def apps(root):
    """All apps."""
    found = []
    for row in rows(root, "SELECT a.id, a.name, r.name, a.branch, a.live, a.stopped FROM apps a JOIN repos r ON r.id = a.repo_id"):
        app = AppRow(row[0], row[1], row[2], row[3], row[4], None, None, bool(row[5]))
        for number, commit, checkout, table in rows(
            root, "SELECT number, commit_id, checkout, processes FROM releases WHERE app_id = ?", app.id
        ):
            app.releases.add(number)
            app.checkouts.add(checkout)
            if number == app.live:
                app.commit, app.checkout = commit, checkout
                for process in json.loads(table):
                    if process.get("count") is not None:
                        app.counts[process["type"]] = process["count"]
        app.counts.update(dict(rows(root, "SELECT type, count FROM app_counts WHERE app_id = ?", app.id)))
        found.append(app)
    return found


@dataclass
class InstanceRow:
    """An instance in the database."""

    app_id: int
    name: str  # of the service
    server: str  # its name in the router
    type: str
    port: int | None
    state: str


def instances(root):
    """All instances."""
    return [
        InstanceRow(row[0], ".".join(map(str, row[1:5])), ".".join(map(str, row[2:5])), row[3], row[5], row[6])
        for row in rows(root, "SELECT app_id, app, release, type, number, port, state FROM instances")
    ]


# The router


def ask_router(root, *commands):
    """What HAProxy's master answers; OSError when it does not."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(Path(root) / "run" / "router" / "master.sock"))
        connection.sendall((";".join(commands) + "\n").encode())
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while data := connection.recv(65536):
            answer += data
    return answer.decode(errors="replace")


@dataclass
class Server:
    """A server of the running worker."""

    backend: str
    name: str
    port: int
    admin: int
    operational: int


def router_servers(root):
    """The servers that the running worker knows, of apps."""
    lines = ask_router(root, "@1 show servers state").splitlines()
    heading = next(line for line in lines if line.startswith("# be_id"))[2:].split()
    found = []
    for line in lines[lines.index("# " + " ".join(heading)) + 1 :]:
        words = dict(zip(heading, line.split()))
        if words.get("be_name", "").startswith(("slot.", "sticky.")):
            found.append(Server(words["be_name"], words["srv_name"], int(words["srv_port"]),
                                int(words["srv_admin_state"]), int(words["srv_op_state"])))  # fmt: skip
    return found


def router_map(root, stem):
    """One of the running worker's maps, by the start of its file's name: {key: value}."""
    for line in ask_router(root, "@1 show map").splitlines():
        found = re.match(r"\d+ \(([^)]*)\)", line)
        if found and os.path.basename(found[1]).startswith(stem):
            entries = ask_router(root, f"@1 show map {found[1]}").splitlines()
            return {words[1]: words[2] for words in (entry.split(None, 2) for entry in entries) if len(words) == 3}
    return {}


def old_workers(root):
    """How many workers a reload has left behind."""
    answer = ask_router(root, "show proc")
    return len([line for line in answer.partition("# old workers")[2].splitlines() if " worker " in f" {line} "])


# git, ports


def refs(repository):
    """{ref: commit} of a bare repository."""
    argv = ["git", "-C", str(repository), "for-each-ref", "--format=%(refname) %(objectname)"]
    answer = subprocess.run(argv, capture_output=True, text=True, check=False)
    return dict(line.split() for line in answer.stdout.splitlines())


def listening(first, last):
    """The ports in a range on which a process listens."""
    ports = set()
    for name in ("tcp", "tcp6"):
        for line in read_bytes(f"/proc/net/{name}").decode().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and first <= int(words[1].rpartition(":")[2], 16) <= last:
                ports.add(int(words[1].rpartition(":")[2], 16))
    return ports
