"""Each rule of the checker finds the violation that is planted for it, and nothing else is wrong before and after."""

import contextlib
import os
import shutil
import signal
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


@contextlib.contextmanager
def without_daemon(platform):
    """The daemon would repair what is planted."""
    found = sorted(observe.processes(platform.root).values(), key=lambda process: process.kind, reverse=True)
    pids = [process.pid for process in found if process.kind in ("watchdog", "daemon")]  # the watchdog first
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(pids):
            os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def changed(platform, *statements):
    """The database with these statements carried out."""
    copy = platform.directory / "database"
    shutil.copy(platform.root / "pushrod.db", copy)
    with contextlib.closing(sqlite3.connect(platform.root / "pushrod.db")) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()
    try:
        yield
    finally:
        with contextlib.closing(sqlite3.connect(copy)) as source, contextlib.closing(
            sqlite3.connect(platform.root / "pushrod.db")
        ) as target:
            source.backup(target)


@contextlib.contextmanager
def started(platform, *argv, **variables):
    """A stray process of this root."""
    process = subprocess.Popen(argv, env=platform.server_env | {"STRAY": str(platform.root)} | variables,
                               start_new_session=True)  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def made(path, directory=True):
    """A directory or file that does not belong there."""
    path.mkdir(parents=True) if directory else path.write_text("")
    try:
        yield
    finally:
        shutil.rmtree(path) if directory else path.unlink()


@contextlib.contextmanager
def moved(path):
    """What is there, elsewhere for a while."""
    path.rename(path.with_name("moved-away"))
    try:
        yield
    finally:
        path.with_name("moved-away").rename(path)


def a_stray_process(platform):
    return started(platform, "sleep", "1000")


def a_stray_process_of_an_instance(platform):
    return started(platform, "sleep", "1000", INSTANCE="beta.1.web.1")


def a_second_tree(platform):
    directory = platform.directory / "second"
    directory.mkdir(exist_ok=True)
    return started(platform, "s6-svscan", str(directory))


def a_stray_row(platform):
    return changed(platform, "INSERT INTO instances (app_id, release, type, number, port, state, since, app) "
                   "VALUES (1, 3, 'web', 9, 12345, 'serving', 0, 'beta')")  # fmt: skip


def an_instance_that_stays_stopping(platform):
    return changed(platform, "UPDATE instances SET state = 'stopping' WHERE type = 'worker'")


def a_missing_row(platform):
    return changed(platform, "DELETE FROM instances WHERE type = 'worker'")


def an_unfinished_deployment(platform):
    return changed(platform, "UPDATE deployment_groups SET state = 'running', ended = NULL WHERE id = 1")


def a_job_that_does_not_end(platform):
    return changed(platform, "INSERT INTO jobs (app_id, number, release, kind, name, author, started) "
                   "VALUES (1, 99, 1, 'run', 'run', 'x', 0)")  # fmt: skip


def another_count(platform):
    return changed(platform, "UPDATE app_counts SET count = 3")


def a_row_without_its_app(platform):
    return changed(platform, "PRAGMA foreign_keys = OFF", "INSERT INTO app_counts VALUES (77, 'web', 1)")


@contextlib.contextmanager
def a_moved_ref(platform):
    repository = platform.root / "repos" / "beta.git"
    before = observe.refs(repository)["refs/heads/main"]
    parent = subprocess.check_output(["git", "-C", repository, "rev-parse", "main~1"], text=True).strip()
    subprocess.check_call(["git", "-C", repository, "update-ref", "refs/heads/main", parent])
    try:
        yield
    finally:
        subprocess.check_call(["git", "-C", repository, "update-ref", "refs/heads/main", before])


def a_third_checkout(platform):
    return made(platform.root / "checkouts" / "beta" / "77")


def a_missing_checkout(platform):
    return moved(platform.root / "releases" / "beta" / "1")


def a_release_that_no_row_needs(platform):
    return made(platform.root / "releases" / "beta" / "77")


def a_directory_of_an_app_that_is_gone(platform):
    return made(platform.root / "data" / "gone")


def trash(platform):
    return made(platform.root / "trash" / "1.2.3")


def a_log_of_no_deployment(platform):
    return made(platform.root / "logs" / "beta" / "deployments" / "77.log", directory=False)


def a_left_service_directory(platform):
    return made(platform.root / "run" / "services" / "beta.77.web.1")


def an_unfinished_service_directory(platform):
    return made(platform.root / "run" / "services" / ".beta.77.web.1")


def a_left_job(platform):
    return made(platform.root / "run" / "jobs" / "beta.1.run.1")


def a_left_group_lock(platform):
    return made(platform.root / "run" / "locks" / "group.77", directory=False)


@contextlib.contextmanager
def a_missing_route(platform):
    server = observe.router_servers(platform.root)[0]
    name = f"{server.backend}/{server.name}"
    observe.ask_router(platform.root, f"@1 set server {name} state maint")
    try:
        yield
    finally:
        observe.ask_router(platform.root, f"@1 set server {name} state ready")


@contextlib.contextmanager
def a_route_that_the_file_lacks(platform):
    path = platform.root / "run" / "router" / "haproxy.cfg"
    text = path.read_text()
    lines = text.splitlines(keepends=True)
    lines.remove(next(line for line in lines if line.startswith("  server ") and "127.0.0.1" in line))
    path.write_text("".join(lines))
    try:
        yield
    finally:
        path.write_text(text)


def a_port_that_nothing_leases(platform):
    listen = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(1000)"
    return started(platform, sys.executable, "-c", listen, str(platform.ports.apps[1]))


@contextlib.contextmanager
def a_logger_without_its_service(platform):
    # The fault of an instance that stays "stopping": its supervisor is dead, its logger's lives.
    service = next(instance.name for instance in observe.instances(platform.root) if instance.type == "worker")
    link, scan = platform.root / "run" / "scan" / service, platform.root / "run" / "scan"
    found = [p for p in observe.processes(platform.root).values() if p.subject in (service, f"{service}/log")]
    scanner = next(p.pid for p in observe.processes(platform.root).values() if p.kind == "scanner")
    os.kill(scanner, signal.SIGSTOP)  # it would start the supervisor again
    try:
        os.kill(next(p.pid for p in found if p.kind == "supervisor"), signal.SIGKILL)
        link.unlink()
        subprocess.check_call(["s6-svscanctl", "-a", scan])
    finally:
        os.kill(scanner, signal.SIGCONT)
    try:
        yield
    finally:
        os.kill(next(p.pid for p in found if p.kind == "logger-supervisor"), signal.SIGKILL)
        link.symlink_to(platform.root / "run" / "services" / service)
        subprocess.check_call(["s6-svscanctl", "-a", scan])


PLANTED = [
    (a_stray_process, "belongs to no service"),
    (a_stray_process_of_an_instance, "belongs to no service"),
    (a_second_tree, "2 processes s6-svscan"),
    (a_stray_row, "is to have"),
    (an_instance_that_stays_stopping, "is stopping"),
    (a_missing_row, "supervised beyond what is wanted"),
    (an_unfinished_deployment, "deployment group 1 is running"),
    (a_job_that_does_not_end, "has not ended"),
    (another_count, "is to have {'web': 3"),
    (a_row_without_its_app, "foreign_key_check"),
    (a_moved_ref, "refs_name_what_runs"),
    (a_third_checkout, "checkouts/beta"),
    (a_missing_checkout, "releases/beta"),
    (a_release_that_no_row_needs, "releases/beta"),
    (a_directory_of_an_app_that_is_gone, "data/gone belongs to no app"),
    (trash, "trash/1.2.3 is left"),
    (a_log_of_no_deployment, "77.log"),
    (a_left_service_directory, "left over ['beta.77.web.1']"),
    (an_unfinished_service_directory, "left over ['.beta.77.web.1']"),
    (a_left_job, "run/jobs/beta.1.run.1"),
    (a_left_group_lock, "run/locks/group.77"),
    (a_missing_route, "is in state"),
    (a_route_that_the_file_lacks, "haproxy.cfg has [] too much, and lacks [('app.beta'"),
    (a_port_that_nothing_leases, "listened on and not leased"),
    (a_logger_without_its_service, "not supervised: ['beta."),
]


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
