"""SIGKILL at exact system calls (strace injects it), and what must hold when things have converged again.

`Hook` replaces git's proc-receive, which deploys, by one that is killed at the n-th call of a kind. assert_whole() is
what every crash test ends with: the old or the new release serves, whole, and nothing else of the app is left.
"""

import contextlib
import itertools
import os
import signal
import socket
import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from harness import wait_until

# The calls by which a program changes something that others see, or starts and stops others.
CALLS = ("fdatasync", "fsync", "rename", "mkdir", "symlink", "unlink", "unlinkat", "vfork", "kill", "connect", "sendto")
FINAL = {"live", "failed", "cancelled", "superseded"}


def killed_at(call, count, argv):
    """argv, run such that it gets SIGKILL when it makes that call for the count-th time."""
    inject = f"inject={call}:signal=SIGKILL:when={count}"
    return ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject, "--", *map(str, argv)]


def counted(record, argv):
    """argv, run such that its calls are written to the file `record`; see calls_in()."""
    return ["strace", "-qq", "-o", str(record), "-e", "trace=" + ",".join(CALLS), "--", *map(str, argv)]


def calls_in(record):
    """How often each call was made."""
    return Counter(line.split("(")[0] for line in record.read_text().splitlines() if line.split("(")[0] in CALLS)


def kill_points(calls, rare=1):
    """(call, n) for every flush of the database, and for every `rare`-th of the others."""
    flushes = [("fdatasync", count) for count in range(1, calls["fdatasync"] + 1)]
    others = [(call, count) for call in CALLS[1:] for count in range(1, calls[call] + 1)]
    return flushes, others[::rare]


class Hook:
    """The proc-receive of a platform, to be run under strace."""

    def __init__(self, platform):
        self._path = platform.root / "run" / "hooks" / "proc-receive"
        self._record = platform.directory / "calls"
        # The program goes by the name that it is started with.
        self._program = platform.directory / "hooks" / "proc-receive"
        self._program.parent.mkdir(exist_ok=True)
        with contextlib.suppress(FileExistsError):
            self._program.symlink_to(platform.binary)

    def _replace(self, argv):
        fresh = self._path.with_name("fresh")
        fresh.write_text(f"#!/bin/sh\nexec {' '.join(argv)}\n")
        fresh.chmod(0o755)
        fresh.rename(self._path)

    def count_calls(self, push):
        """Runs push() and tells how often each call was made in it."""
        self._replace(counted(self._record, [self._program]))
        push()
        self.restore()
        calls = calls_in(self._record)
        assert calls["fdatasync"] and calls["vfork"], f"strace saw nothing: {self._record.read_text()}"
        return calls

    def kill_at(self, call, count):
        """Later pushes are killed there."""
        self._replace(killed_at(call, count, [self._program]))

    def restore(self):
        """Later pushes are not killed."""
        self._replace([str(self._program)])


# Processes


def kill(pid):
    """SIGKILL."""
    os.kill(pid, signal.SIGKILL)


def kill_if_there(pid):
    """SIGKILL; a process that is gone is all right."""
    with contextlib.suppress(ProcessLookupError):
        kill(pid)


def parent_of(pid):
    """The pid of its parent; None if it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def supervisor_pid(platform, service):
    """The pid of the s6-supervise of a service; service "blog.1.web.1/log" is its logger's."""
    pid = platform.service_pid(service)
    return pid and parent_of(pid)


def await_new_pid(platform, service, old, deadline=10):
    """Waits until a service runs as another process than before; returns its pid."""

    def new():
        pid = platform.service_pid(service)
        return pid if pid and pid != old else None

    return wait_until(new, deadline, f"{service} to be back")


@dataclass
class AppProcess:
    """A process in an instance's sandbox."""

    pid: int
    instance: str
    argv: list


def app_processes(app):
    """All processes that run as an instance of the app (by their environment), however they came to be."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdecimal():
            continue
        try:
            environment = Path(f"/proc/{entry}/environ").read_bytes().split(b"\0")
            argv = Path(f"/proc/{entry}/cmdline").read_bytes().decode().split("\0")
            mounts = Path(f"/proc/{entry}/mountinfo").read_text()
        except OSError:  # somebody else's, or gone
            continue
        instance = next((v[9:].decode() for v in environment if v.startswith(f"INSTANCE={app.name}.".encode())), None)
        if instance and str(app.platform.root) in mounts:
            found.append(AppProcess(int(entry), instance, argv))
    return found


def await_answer(app, deadline=20):
    """Waits until the router is there and sends requests to the app."""

    def answers():
        try:
            return app.platform.http(app.host).status == 200
        except OSError:
            return False

    wait_until(answers, deadline, f"{app.name} to answer")


def servers_running(app):
    """The instances whose web.py runs, one for each process."""
    return sorted(process.instance for process in app_processes(app) if "web.py" in process.argv)


# What must hold


def wake_daemon(platform):
    """Tells the daemon to look, as whatever changes something does."""
    nobody_listens = contextlib.suppress(ConnectionRefusedError, FileNotFoundError)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as call, nobody_listens:
        call.sendto(b"look", str(platform.root / "run" / "serve.sock"))


def rows(platform, query, *values):
    """Asks the database."""
    file = f"file:{platform.root}/pushrod.db?mode=ro"
    with contextlib.closing(sqlite3.connect(file, uri=True, timeout=10)) as database:
        return database.execute(query, values).fetchall()


def await_no_deployment(app):
    """Waits until the daemon has settled what was interrupted."""
    wake_daemon(app.platform)
    unfinished = "SELECT id FROM deployment_groups WHERE ended IS NULL"

    def is_settled():
        try:
            return not rows(app.platform, unfinished)
        except sqlite3.OperationalError:  # nobody has rolled back yet what a killed transaction wrote
            return False

    wait_until(is_settled, 30, f"{app.name} to have no unfinished deployment")


def await_converged(app):
    """Waits until the daemon has also nothing left to do for the app, which is deployed."""
    await_no_deployment(app)

    def has_converged():
        wanted = {f"{app.name}.{release}.web.1" for release, state in instance_rows(app) if state == "serving"}
        if len(app.checkouts()) > 1 or len(instance_rows(app)) != len(wanted) or not service_names(app) >= wanted:
            return False
        return app.instances("running")

    wait_until(has_converged, 30, f"{app.name} to converge")


def service_names(app, directory="services"):
    """What lies in run/services (or run/scan) for the app."""
    names = os.listdir(app.platform.root / "run" / directory)
    return {name for name in names if name.lstrip(".").startswith(f"{app.name}.")}


def instance_rows(app):
    """(release, state) of each instance in the database."""
    query = "SELECT release, i.state FROM instances i JOIN apps a ON a.id = i.app_id WHERE a.name = ?"
    return rows(app.platform, query, app.name)


def assert_whole(app, commits):
    """One of the releases {version: commit} serves, whole (I1, I2, I5), and nothing of any other is left. Returns its
    version. The app has one process, web.py."""
    platform = app.platform
    version = app.version()
    assert version in commits
    assert app.ref() == commits[version], "the branch names what runs (I1)"
    assert app.get("/env").json()["GIT_COMMIT"] == commits[version]
    info = platform.json("app", "info", app.name)
    assert info["commit"] == commits[version]
    assert {deployment["state"] for deployment in app.deployments()} <= FINAL

    instance = f"{app.name}.{info['release']}.web.1"
    assert [(process["instance"], process["state"]) for process in app.processes()] == [(instance, "running")]
    assert instance_rows(app) == [(info["release"], "serving")]
    assert servers_running(app) == [instance], "one process per instance (I5)"
    for directory in ("services", "scan"):
        assert service_names(app, directory) == {instance}, f"in run/{directory}"

    known = {number for (number,) in rows(platform, "SELECT checkout FROM releases r JOIN apps a ON a.id = r.app_id "
                                          "WHERE a.name = ?", app.name)}  # fmt: skip
    assert len(app.checkouts()) == 1
    assert set(app.checkouts() + app.releases()) == known, "what is on disk is what the database knows"
    assert rows(platform, "PRAGMA integrity_check") == [("ok",)]
    assert rows(platform, "PRAGMA foreign_key_check") == []
    return version


def versions():
    """Ever new versions for pushes."""
    return (f"v{number}" for number in itertools.count(2))
