"""Clients that never stop sending requests, and what may explain a failed one.

A request may fail only because of an *event* that concerns its app: a kill of the router, of one of the app's processes
or of the tree, or an operation that stops or renames the app. An event explains failures from its moment until the app
has recovered from it: it has answered `STABLE` requests in a row after it, over at least `STABLE_TIME`.
"""

import collections
import http.client
import threading
import time
from dataclasses import dataclass

STABLE = 20
STABLE_TIME = 1.0
TIMEOUT = 30.0
LONGEST_EXPLANATION = 120.0


@dataclass
class Failure:
    """A request that got another answer than 200."""

    app: str
    start: float  # time.monotonic()
    end: float
    what: str
    recovered: float  # since when the app had answered well before


class Events:
    """What may explain a failure, by app key; "*" concerns all apps."""

    def __init__(self):
        self._lock = threading.Lock()
        self._events = []  # (time, key, what)
        self._excused = {}  # key: how many operations that stop the app are going on

    def add(self, key, what, at=None):
        """An event of now, or one that became known later."""
        with self._lock:
            self._events.append((at or time.monotonic(), key, what))
            if len(self._events) > 20_000:
                del self._events[:10_000]

    def begin(self, key, what):
        """From now until end(), every failure of the app ("*": of every app) is explained."""
        self.add(key, what)
        with self._lock:
            self._excused[key] = self._excused.get(key, 0) + 1

    def end(self, key, what):
        with self._lock:
            self._excused[key] -= 1
        self.add(key, what + " (end)")

    def is_excused(self, key):
        with self._lock:
            return any(self._excused.get(concerned, 0) > 0 for concerned in (key, "*"))

    def latest(self, key, before):
        """(time, what) of the latest event that concerns the app, before that time; None if there was none."""
        with self._lock:
            found = [(at, what) for at, concerned, what in self._events if at <= before and concerned in (key, "*")]
        return max(found, default=None)


class Client(threading.Thread):
    """One client of one app; every other connection is kept for some requests."""

    def __init__(self, port, key, host, events, pause=0.05):
        super().__init__(daemon=True)
        self._port, self._key, self._host, self._events, self._pause = port, key, host, events, pause
        self._stop_it = threading.Event()
        self._lock = threading.Lock()
        self._failed = []
        self.requests = self.failures = 0
        self._row = collections.deque()  # when the latest successes in a row began
        self._recovered = time.monotonic()  # since when the app answers well; see is_explained()

    def run(self):
        connection, left = None, 0
        while not self._stop_it.wait(self._pause):
            start, host, excused = time.monotonic(), self._host(), self._events.is_excused(self._key)
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT)
                left = (self.requests % 2) * 20
            try:
                connection.request("GET", "/", headers={"Host": host})
                response = connection.getresponse()
                body = response.read()
                problem = "" if response.status == 200 else f"{response.status} {body[:80]!r}"
            except (OSError, http.client.HTTPException) as error:
                problem = repr(error)
            end = time.monotonic()
            left -= 1
            if problem or left <= 0:
                connection.close()
                connection = None
            self.requests += 1
            if problem:
                self.failures += 1
                excused = excused or self._events.is_excused(self._key)
                if not excused:
                    with self._lock:
                        self._failed.append(Failure(self._key, start, end, f"{host}: {problem}", self._recovered))
                self._row.clear()
            else:
                self._row.append(start)
                while len(self._row) > STABLE and end - self._row[1] >= STABLE_TIME:
                    self._row.popleft()
                if len(self._row) >= STABLE and end - self._row[0] >= STABLE_TIME:
                    self._recovered = self._row[0]

    def _is_explained(self, failure):
        event = self._events.latest(self._key, failure.end)
        return event is not None and event[0] >= failure.recovered and failure.end - event[0] < LONGEST_EXPLANATION

    def take_unexplained(self):
        """The failures since the last call that no event explains."""
        with self._lock:
            found, self._failed = self._failed, []
        return [failure for failure in found if not self._is_explained(failure)]

    def stop(self):
        self._stop_it.set()
        self.join(TIMEOUT + 5)
