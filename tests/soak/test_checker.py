"""Each rule of the checker finds the violation that is planted for it, and nothing else is wrong before and after."""

import contextlib
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import observe  # noqa: E402
from checker import Checker  # noqa: E402
from clients import Client, Events  # noqa: E402
from harness import Platform, wait_until  # noqa: E402
from killer import HARMLESS, KINDS, Killer  # noqa: E402
from operations import ALONE, App, Lane, State  # noqa: E402
from planted import PLANTED, changed, without_daemon  # noqa: E402
from soak import plan_round  # noqa: E402


@pytest.fixture(scope="module")
def lane():
    """A running platform with one app, alpha: two instances of web, one of worker, two releases."""
    platform = Platform("checker")
    try:
        platform.start()
        lane = Lane(platform, Events(), "beta", [App("beta")])
        lane.set_up()
        platform.pushrod("scale", "beta", "web=2")
        lane.work.push(lane.work.commit(lane.files("second")) + ":refs/heads/main")
        yield lane
    finally:
        platform.close()


@pytest.fixture
def check(lane):
    """A checker of a platform at rest."""
    checker = Checker(lane.platform)
    assert checker.await_rest(30) == []
    return checker


@pytest.mark.parametrize("plant, sentence", PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_a_planted_violation_is_found(lane, check, plant, sentence):
    with without_daemon(lane.platform), plant(lane.platform):
        wait_until(lambda: any(sentence in found for found in check.violations()), 5, f"{sentence}: {check.violations()}")
    assert check.await_rest(30) == [], "and only then"


def test_an_app_that_answers_with_another_commit_is_found(lane, check):
    """All of a release is exchanged but the processes."""
    with without_daemon(lane.platform), changed(
        lane.platform, "UPDATE releases SET commit_id = (SELECT commit_id FROM releases WHERE number = 1) WHERE number = 3"
    ):
        found = check.violations()
    assert any("answers with commit" in sentence for sentence in found), found


def test_an_app_that_runs_twice_notes_it_itself(lane, tmp_path):
    """The program text that every app of the soak begins with."""
    script = (ALONE + "print('here', flush=True)\nimport time; time.sleep(1000)\n").replace("/data", str(tmp_path))
    argv, environment = [sys.executable, "-c", script], {"INSTANCE": "a.1.web.1"}
    first = subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE)
    try:
        assert first.stdout.readline() == b"here\n" and not (tmp_path / "twice").exists()
        second = subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE)
        try:
            assert second.stdout.readline() == b"here\n"
        finally:
            second.kill()
            second.communicate()
    finally:
        first.kill()
        first.communicate()
    assert "a.1.web.1" in (tmp_path / "twice").read_text()


def test_what_the_apps_noted_is_found(lane, check):
    twice = lane.platform.root / "data" / "beta" / "twice"
    twice.write_text("beta.1.web.1\n")
    try:
        assert any(sentence.startswith("never_twice") for sentence in check.violations())
    finally:
        twice.unlink()


def test_a_lost_acknowledged_change_is_found(lane, check):
    app = lane.apps[0]
    lane.accept(app)
    assert lane.settle(app) == []
    for change in ({"commit": "0" * 40}, {"web": 9}, {"colour": "red"}, {"name": "other"}, {"branch": "other"}):
        app.possible = [State(**vars(lane.actual(app)) | change)]
        assert lane.settle(app), change
    lane.accept(app)


class Requests:
    """An HTTP server of which a test says how it answers."""

    def __enter__(self):
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

        answers = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(answers.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.status = 200
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @contextlib.contextmanager
    def client(self, events):
        client = Client(self.server.server_address[1], "a", lambda: "a.localhost", events, pause=0.01)
        client.start()
        try:
            yield client
        finally:
            client.stop()

    def fail_for(self, client, failures=3):
        before = client.failures
        self.status = 502
        wait_until(lambda: client.failures >= before + failures, what="failures")
        self.status = 200

    @staticmethod
    def recover(client, seconds=1.5):
        before, start = client.requests, time.monotonic()
        wait_until(lambda: client.requests > before + 40 and time.monotonic() > start + seconds, what="requests")


def test_a_failed_request_needs_an_event_that_concerns_its_app():
    events = Events()
    with Requests() as server, server.client(events) as client:
        server.recover(client)
        server.fail_for(client)
        assert client.take_unexplained(), "without any event"
        events.add("b", "SIGKILL to another app")
        server.fail_for(client)
        assert client.take_unexplained(), "by an event of another app"
        for key in ("a", "*"):
            server.recover(client)
            client.take_unexplained()
            events.add(key, "SIGKILL")
            server.fail_for(client)
            assert not client.take_unexplained(), "by an event of this app, or of all"
        server.recover(client)
        client.take_unexplained()
        server.fail_for(client)
        assert client.take_unexplained(), "after it had recovered from the event"


@pytest.mark.parametrize("stopped", ["a", "*"])
def test_an_operation_that_stops_apps_explains_failures_until_its_end(stopped):
    events = Events()
    with Requests() as server, server.client(events) as client:
        events.begin(stopped, "stop")
        server.recover(client)
        server.fail_for(client)
        assert not client.take_unexplained()
        events.end(stopped, "start")
        server.recover(client)
        client.take_unexplained()
        server.fail_for(client)
        assert client.take_unexplained()


def test_a_seed_replays_operations_and_kills():
    plans = [plan_round("seed", number, 3) for number in range(1, 50)]
    assert plans == [plan_round("seed", number, 3) for number in range(1, 50)]
    assert plans != [plan_round("other", number, 3) for number in range(1, 50)]
    kinds = {kind for plan in plans for _, kind, _, _ in plan.kills}
    assert kinds >= set(KINDS) - {"scanner", "up", "tool"} and {"everything", "burst"} <= kinds
    calm = [plan for plan in plans if plan.calm]
    assert 5 < len(calm) < 25 and all(kind in HARMLESS for plan in calm for _, kind, _, _ in plan.kills)
    assert {kind for plan in plans for lane in plan.operations for kind, _ in lane} == set(Lane.OPERATIONS)


def test_a_kill_explains_only_what_it_can_break(lane):
    events = Events()
    killer = Killer(lane.platform.root, events, lambda name: name)
    victims = killer.victims()
    kinds = {"scanner", "supervisor", "own-supervisor", "logger", "logger-supervisor", "shim", "app", "daemon", "router", "worker", "sshd"}
    assert kinds <= set(victims), sorted(victims)
    for kind in kinds:
        before = len(events._events)
        killer._explain(victims[kind][-1], kind)
        explains = len(events._events) > before
        assert explains == (kind in ("supervisor", "shim", "app", "router", "worker")), kind


KILLED_IN_TRANSACTION = """
import os, signal, sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("CREATE TABLE t (value)")
database.commit()
database.execute("PRAGMA cache_size = 1")  # so that pages reach the file before the commit
database.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,)] * 1000)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_transaction_is_waited_for(tmp_path):
    file = tmp_path / "pushrod.db"
    subprocess.run([sys.executable, "-c", KILLED_IN_TRANSACTION, file], check=False)
    with pytest.raises(sqlite3.OperationalError, match="readonly database"):
        observe.rows(tmp_path, "SELECT count(*) FROM t", deadline=0)
    found = []
    reader = threading.Thread(target=lambda: found.extend(observe.rows(tmp_path, "SELECT count(*) FROM t", deadline=30)))
    reader.start()
    with contextlib.closing(sqlite3.connect(file)) as database:  # as Pushrod does when it starts anew
        database.execute("SELECT count(*) FROM t").fetchall()
    reader.join(30)
    assert found == [(0,)]
