"""Violations of the checker's rules, planted for a while: `with plant(platform): …`. PLANTED has the sentence of each."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys

import observe


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
