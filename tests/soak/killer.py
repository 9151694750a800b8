"""SIGKILL to processes of a platform: who is a victim, and which failed requests that explains."""

import os
import signal
import threading
import time
from collections import Counter

import observe

# How often each kind is aimed at. Where no process of the kind appears within WAIT seconds, one of another kind is hit.
WEIGHTS = {
    "hook": 10, "command": 8, "gate": 4, "git": 6, "daemon": 10, "watchdog": 4, "logger": 7, "logger-supervisor": 7, "supervisor": 8,
    "own-supervisor": 4, "router": 4, "worker": 4, "sshd": 4, "session": 4, "bwrap": 5, "build": 5, "shim": 5, "app": 4, "job": 6,
    "scanner": 1, "up": 1, "tool": 1,
}  # fmt: skip
KINDS = list(WEIGHTS)
# Their end is no reason for a request to fail.
HARMLESS = ("hook", "command", "gate", "git", "daemon", "watchdog", "logger", "logger-supervisor", "sshd", "session", "job")
WAIT = 0.4
ONLY_AIMED_AT = ("scanner", "up", "app", "shim", "supervisor", "router", "worker")


class Killer:
    """Kills processes of one root and counts them by kind. `key_of`: the key (clients.py) of an app by its name."""

    def __init__(self, root, events, key_of):
        self._root, self._events, self._key_of = root, events, key_of
        self.kills = Counter()
        self.log = []  # (time, kind, subject, pid) of the latest
        self._lock = threading.Lock()

    def victims(self):
        """Living processes by kind."""
        found = {}
        everything = observe.processes(self._root)
        for process in everything.values():
            found.setdefault(self._kind_of(process, everything), []).append(process)
        return found

    @staticmethod
    def _kind_of(process, everything):
        parent = everything.get(process.parent)
        if process.kind == "router":
            return "worker" if parent and parent.kind == "router" else "router"
        if process.kind == "sshd":
            return "session" if parent and parent.kind == "sshd" else "sshd"
        if process.kind == "supervisor" and process.subject in observe.OWN_SERVICES:
            return "own-supervisor"
        if process.kind == "shim" and not process.subject or process.kind == "other":
            return "build"
        return process.kind

    def _explain(self, process, kind):
        """Before the kill: what it may cause."""
        what = f"SIGKILL to {kind} {process.subject} ({process.pid})"
        if kind in ("router", "worker") or (kind == "own-supervisor" and process.subject == "router"):
            self._events.add("*", what)
        elif kind in ("supervisor", "shim", "app") and process.subject not in observe.OWN_SERVICES:
            self._events.add(self._key_of(process.subject.split(".")[0]), what)
        elif kind == "bwrap" and process.subject:  # of an instance that starts
            self._events.add(self._key_of(process.subject.split(".")[0]), what)
        elif kind == "build":  # it may be one of an instance that cannot be told yet
            self._events.add("*", what)

    def kill(self, process, kind):
        """SIGKILL, if it is still the same process."""
        self._explain(process, kind)
        stat = observe.stat_of(process.pid)
        if not stat or stat[2] != process.started or stat[1] in "ZX":
            return False
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        with self._lock:
            self.kills[kind] += 1
            self.log.append((time.monotonic(), kind, process.subject, process.pid, " ".join(process.argv)[:100]))
            del self.log[:-400]
        return True

    def strike(self, kind, choice, count=1, among=tuple(set(KINDS) - set(ONLY_AIMED_AT))):
        """Kills `count` processes of the kind, or of one of the kinds `among` if there is none, chosen by the number
        `choice`. Returns how many it killed."""
        end = time.monotonic() + WAIT
        while kind not in (found := self.victims()) and time.monotonic() < end:
            time.sleep(0.01)
        if kind not in found:
            others = sorted(set(found) & set(among))
            if not others:
                return 0
            kind = others[choice % len(others)]
        victims = sorted(found[kind], key=lambda process: (process.subject, process.pid))
        chosen = {(choice + n * 7) % len(victims) for n in range(count)}
        return sum([self.kill(victims[index], kind) for index in sorted(chosen)])

    def burst(self, choice, share):
        """Kills about every `share`-th process of all, whatever it is, but for s6-svscan."""
        killed = 0
        for kind, victims in sorted(self.victims().items()):
            for process in sorted(victims, key=lambda process: (process.subject, process.pid)):
                choice = (choice * 1103515245 + 12345) % (1 << 31)
                if kind not in ("scanner", "up") and (choice >> 8) % share == 0:
                    killed += self.kill(process, kind)
        return killed

    def all_at_once(self):
        """Kills everything until nothing is left, as a power cut would (the machine's memory stays, though)."""
        self._events.add("*", "SIGKILL to everything")
        killed, end = 0, time.monotonic() + 20
        while (found := observe.processes(self._root)) and time.monotonic() < end:
            for process in found.values():
                killed += self.kill(process, "all")
        return killed
