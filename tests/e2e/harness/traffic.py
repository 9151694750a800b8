"""Asking apps: answers, and clients that ask all the time."""

import http.client
import json
import threading
import time
from dataclasses import dataclass

from .commands import wait_until


@dataclass
class Response:
    """An answer, read to its end."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self):
        """The body as text."""
        return self.body.decode(errors="replace")

    def json(self):
        """The body, parsed."""
        return json.loads(self.body)


@dataclass
class Request:
    """What happened to one request of Traffic."""

    start: float  # time.monotonic()
    end: float
    status: int  # 0: none came
    text: str  # the body, or what went wrong


class Traffic:
    """Clients that ask an app all the time, as a context manager.

        with Traffic(app) as traffic:
            app.push(...)
        traffic.assert_no_failure()

    `clients` threads, each with one request at a time; `keep_alive`: over one connection each, else over a new one for
    each request. They end by themselves after `at_most` seconds.
    """

    def __init__(self, app, path="/", clients=4, keep_alive=True, pause=0.002, at_most=90.0):
        self._port, self._host, self._path = app.platform.ports.http, app.host, path
        self._keep_alive, self._pause = keep_alive, pause
        self._end = time.monotonic() + at_most
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._requests = []
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        self.await_requests(len(self._threads))
        return self

    def __exit__(self, *error):
        self._stop.set()
        for thread in self._threads:
            thread.join(40)
            assert not thread.is_alive(), "a request got no answer"

    def _ask(self):
        connection = None
        while not self._stop.is_set() and time.monotonic() < self._end:
            start = time.monotonic()
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
            try:
                connection.request("GET", self._path, headers={"Host": self._host})
                response = connection.getresponse()
                request = Request(start, 0, response.status, response.read().decode(errors="replace"))
            except (OSError, http.client.HTTPException) as error:
                request = Request(start, 0, 0, repr(error))
            request.end = time.monotonic()
            if not self._keep_alive or request.status == 0:
                connection.close()
                connection = None
            with self._lock:
                self._requests.append(request)
            self._stop.wait(self._pause)
        if connection:
            connection.close()

    def requests(self):
        """All requests so far, in the order of their ends."""
        with self._lock:
            return list(self._requests)

    def await_requests(self, more, deadline=20.0):
        """Waits until so many more requests have been answered."""
        wanted = len(self.requests()) + more
        wait_until(lambda: len(self.requests()) >= wanted, deadline, f"{more} more requests")

    def failures(self):
        """The requests that got no answer, or another one than 200."""
        return [request for request in self.requests() if request.status != 200]

    def versions(self, since=0.0):
        """The bodies that requests got which began after that time (time.monotonic())."""
        return {request.text for request in self.requests() if request.start >= since and request.status == 200}

    def assert_no_failure(self):
        """Every request so far was answered with 200."""
        requests, failures = self.requests(), self.failures()
        assert requests, "no request was made"
        begin = requests[0].start
        shown = [f"after {failure.start - begin:.3f} s: {failure.status} {failure.text[:200]!r}" for failure in failures]
        assert not failures, f"{len(failures)} of {len(requests)} requests failed:\n" + "\n".join(shown[:20])
