"""Services: databases that Pushrod runs beside apps."""

import contextlib
import os
import shutil
import signal
import socket
import stat

import pytest

pytest.register_assert_rewrite("crash")

from crash import calls_in, counted, killed_at  # noqa: E402
from harness import run_command, wait_until  # noqa: E402

KEEPING = ("postgres", "mariadb", "redis")
TYPES = (*KEEPING, "memcached")


def service(platform, name):
    """What `service info` says; None when there is none."""
    found = [entry for entry in platform.json("service", "list") if entry["service"] == name]
    return found[0] if found else None


def sql(platform, name, statement, database="postgres", **options):
    """Runs SQL as the administrator of a service."""
    words = ["psql", "-XqAt", "-d", database, "-c", statement]
    return platform.pushrod("service", "run", name, "--", *words, **options).out.strip()


def mariadb(platform, name, statement, database="mysql", **options):
    """Runs SQL as the administrator of a MariaDB."""
    words = ["mariadb", "-uroot", "-BN", "-e", statement, database]
    return platform.pushrod("service", "run", name, "--", *words, **options).out.strip()


def redis(platform, name, *words):
    """Runs a command of Redis as its administrator."""
    client = "valkey-cli" if shutil.which("valkey-cli") else "redis-cli"
    script = f'exec {client} -s $REDIS_SOCKET --user pushrod --no-auth-warning "$@"'
    return platform.pushrod("service", "run", name, "--", "sh", "-c", script, "sh", *words, code=None).out.strip()


def server_pids(platform, program):
    return [process.pid for process in platform.processes() if process.argv and program in process.argv[0]]


def call_daemon(platform):
    """Has the daemon look now: what was killed did not."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as call:
        call.sendto(b"look", str(platform.root / "run" / "serve.sock"))


def kill_servers(platform, program):
    """SIGKILL to all processes of these servers; with the first one, the others may end by themselves."""
    for pid in server_pids(platform, program):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def services(platform):
    """A platform whose services end with the test."""
    yield platform
    for entry in platform.json("service", "list"):
        for attachment in entry["apps"]:
            platform.pushrod("service", "detach", entry["service"], attachment["app"], code=None)
        platform.pushrod("service", "destroy", entry["service"], "--yes", code=None)


@pytest.mark.parametrize("kind", TYPES)
def test_a_service_runs_is_listed_and_is_destroyed_only_on_purpose(services, kind):
    platform = services
    said = platform.pushrod("service", "create", kind, "db", "--memory", "128M").out
    server = "valkey" if kind == "redis" and shutil.which("valkey-server") else kind
    assert f"Service db runs: {server}" in said
    assert service(platform, "db")["state"] == "running"
    assert service(platform, "db")["memory_limit"] == 128_000_000 or service(platform, "db")["memory_limit"] == 128 << 20
    for directory in ("", "data", "socket"):
        mode = os.stat(platform.root / "services" / "db" / directory).st_mode
        assert stat.S_IMODE(mode) == 0o700, directory
    refused = platform.pushrod("service", "destroy", "db", code=1).err
    assert "service destroy db --yes" in refused
    assert service(platform, "db")["state"] == "running"
    platform.pushrod("service", "destroy", "db", "--yes")
    assert service(platform, "db") is None
    assert not (platform.root / "services" / "db").exists()
    assert not server_pids(platform, kind)


@pytest.mark.parametrize("kind", TYPES)
def test_no_server_listens_on_tcp(services, kind):
    services.pushrod("service", "create", kind, "db")
    (pid, *_) = server_pids(services, kind)
    inodes = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    for table in ("tcp", "tcp6", "udp", "udp6"):
        with open(f"/proc/{pid}/net/{table}", encoding="ascii") as lines:
            taken = {f"socket:[{line.split()[9]}]" for line in list(lines)[1:]}
        assert not inodes & taken, table


def test_what_is_written_outlives_a_stop_a_killed_server_and_a_restart_of_the_tree(make_platform):
    platform = make_platform()
    platform.start()
    platform.pushrod("service", "create", "postgres", "db")
    platform.pushrod("service", "create", "mariadb", "maria")
    platform.pushrod("service", "create", "redis", "cache")
    sql(platform, "db", "CREATE TABLE kept (value text); INSERT INTO kept VALUES ('yes')")
    mariadb(platform, "maria", "CREATE TABLE kept (value text); INSERT INTO kept VALUES ('yes')")
    assert redis(platform, "cache", "SET", "kept", "yes") == "OK"

    def assert_kept():
        wait_until(lambda: {entry["state"] for entry in platform.json("service", "list")} == {"running"}, 30, "both run")
        # One that was killed a moment ago may still look as if it ran.
        wait_until(lambda: sql(platform, "db", "SELECT value FROM kept", code=None) == "yes", 30, "the database")
        wait_until(lambda: mariadb(platform, "maria", "SELECT value FROM kept", code=None) == "yes", 30, "MariaDB")
        wait_until(lambda: redis(platform, "cache", "GET", "kept") == "yes", 30, "the cache")

    for name in ("db", "maria", "cache"):
        platform.pushrod("service", "stop", name)
        assert service(platform, name)["state"] == "stopped"
    assert not any(server_pids(platform, kind) for kind in KEEPING)
    for name in ("db", "maria", "cache"):
        platform.pushrod("service", "start", name)
    assert_kept()
    for kind in KEEPING:
        kill_servers(platform, kind)
    assert_kept()
    platform.stop()
    platform.start()
    assert_kept()
    platform.kill_all()
    platform.start()
    assert_kept()
    platform.close()


def test_a_stopped_service_stays_stopped_after_a_restart_of_the_tree(make_platform):
    platform = make_platform()
    platform.start()
    platform.pushrod("service", "create", "redis", "cache")
    platform.pushrod("service", "stop", "cache")
    platform.stop()
    platform.start()
    assert service(platform, "cache")["state"] == "stopped"
    platform.close()


def test_a_name_that_is_taken_and_a_version_that_is_not_there_are_refused(services):
    services.pushrod("service", "create", "redis", "db")
    assert "a service named db already exists" in services.pushrod("service", "create", "redis", "db", code=1).err
    assert service(services, "db")["state"] == "running"
    said = services.pushrod("service", "create", "postgres", "old", "--version", "99", code=1).err
    assert "postgresql-99" in said and "systemctl mask" in said
    assert "use one of: postgres, mariadb, redis, memcached" in services.pushrod("service", "create", "mongo", code=1).err
    assert "did you mean db?" in services.pushrod("service", "info", "dc", code=1).err


@pytest.mark.parametrize("kind", TYPES)
def test_a_creation_that_is_killed_leaves_nothing_or_a_service_that_works(make_platform, kind):
    platform = make_platform()
    platform.start()
    create = [platform.binary, "--root", platform.root, "service", "create", kind, "db"]
    record = platform.directory / "calls"
    run_command(counted(record, create), env=platform.server_env)
    calls = calls_in(record)
    platform.pushrod("service", "destroy", "db", "--yes")
    outcomes = set()
    points = [(call, n) for call in ("fdatasync", "rename", "vfork") for n in range(1, calls[call] + 1)]
    for call, count in points[:: max(2, len(points) // 8)]:
        run_command(killed_at(call, count, create), env=platform.server_env, code=None)
        call_daemon(platform)

        def is_settled():
            found = service(platform, "db")
            if found:
                return found["state"] == "running"
            return not (platform.root / "services" / "db").exists() and not server_pids(platform, kind)

        wait_until(is_settled, 30, f"the end of what was killed at {call} {count}")
        outcomes.add(service(platform, "db") is not None)
        if service(platform, "db"):
            platform.pushrod("service", "destroy", "db", "--yes")
    assert False in outcomes
    # A destruction that is killed is finished.
    for count in (2, 3):
        platform.pushrod("service", "create", kind, "db")
        destroy = [platform.binary, "--root", platform.root, "service", "destroy", "db", "--yes"]
        run_command(killed_at("fdatasync", count, destroy), env=platform.server_env, code=None)
        call_daemon(platform)
        wait_until(lambda: service(platform, "db") is None or service(platform, "db")["state"] == "running", 30, "settled")
        platform.pushrod("service", "destroy", "db", "--yes", code=None)
    platform.close()


def test_logs_show_what_the_server_wrote(services):
    services.pushrod("service", "create", "postgres", "db")
    assert "database system is ready" in services.pushrod("service", "logs", "db").out


def test_doctor_lists_the_types_and_their_versions(services):
    found = {entry["name"]: entry for entry in services.pushrod("doctor", "--json", code=None).json()}
    for kind in TYPES:
        assert found[kind]["good"], found[kind]


def test_a_service_without_apps_is_for_administrators_of_the_machine(services):
    platform = services
    platform.pushrod("service", "create", "redis", "db")
    app = platform.create_app({})
    key = platform.make_key("deployer")
    platform.pushrod("key", "add", "deployer", f"{key}.pub", "--app", app.name)
    try:
        for verb in ("info", "logs", "restart", "stop"):
            assert "does not exist" in platform.ssh("service", verb, "db", key=key, code=1).err
        assert "for administrators" in platform.ssh("service", "create", "redis", key=key, code=1).err
        assert platform.ssh("service", "list", "--json", key=key).json() == []
    finally:
        platform.pushrod("key", "remove", "deployer")
