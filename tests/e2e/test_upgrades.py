"""service upgrade and clone: the data of a service on another server."""

import sqlite3
import threading

import pytest
from crash import calls_in, counted, killed_at
from harness import run_command, wait_until
from test_attachments import app_sql, in_app
from test_services import call_daemon, mariadb, redis, service, services, sql  # noqa: F401 (a fixture)


def version_of(platform, name):
    return service(platform, name)["version"]


def fill(platform, kind):
    if kind == "postgres":
        sql(platform, "db", "CREATE DATABASE shop")
        sql(platform, "db", "CREATE TABLE t (v text); INSERT INTO t VALUES ('kept')", database="shop")
    elif kind == "mariadb":
        mariadb(platform, "db", "CREATE DATABASE shop; CREATE TABLE shop.t (v TEXT); INSERT INTO shop.t VALUES ('kept')")
    else:
        redis(platform, "db", "SET", "k", "kept")


def content(platform, kind, name="db", **options):
    if kind == "postgres":
        return sql(platform, name, "SELECT v FROM t", database="shop", **options)
    if kind == "mariadb":
        return mariadb(platform, name, "SELECT v FROM shop.t", **options)
    return redis(platform, name, "GET", "k")


def database_row(platform, statement, *values):
    with sqlite3.connect(platform.root / "pushrod.db", timeout=30) as connection:
        return connection.execute(statement, values).fetchall()


def test_an_upgrade_of_postgres_keeps_data_accounts_and_requests(services):  # noqa: F811
    platform = services
    app = platform.deploy()
    platform.pushrod("service", "create", "postgres", "db")
    platform.pushrod("service", "attach", "db", app.name)
    app_sql(app, "CREATE TABLE t (v text); INSERT INTO t VALUES ('mine')")
    version, before = version_of(platform, "db"), app.get("/env").json()
    answers, stop = [], threading.Event()

    def load():
        while not stop.is_set():
            answers.append(platform.http(app.host, "/").status)

    client = threading.Thread(target=load)
    client.start()
    try:
        # To the same version: all data anew.
        said = platform.pushrod("service", "upgrade", "db", "--to", version, timeout=120).out
    finally:
        stop.set()
        client.join()
    assert set(answers) == {200}
    assert f"runs on version {version}" in said
    assert app.get("/env").json() == before
    assert app_sql(app, "SELECT v FROM t").out.strip() == "mine"
    app_sql(app, "INSERT INTO t VALUES ('later')")
    assert (platform.root / "services" / "db" / "data.old").is_dir()
    assert "what was there before is kept (version" in platform.pushrod("service", "info", "db").out
    # And back, to what was there before.
    platform.pushrod("service", "upgrade", "db", "--back", timeout=120)
    assert app_sql(app, "SELECT v FROM t").out.split() == ["mine"]
    platform.pushrod("service", "upgrade", "db", "--back", timeout=120)
    assert app_sql(app, "SELECT v FROM t").out.split() == ["mine", "later"]
    platform.pushrod("service", "forget", "db")
    assert not (platform.root / "services" / "db" / "data.old").exists()
    assert "is kept" in platform.pushrod("service", "upgrade", "db", "--back", code=1).err
    assert "postgresql-99" in platform.pushrod("service", "upgrade", "db", "--to", "99", code=1).err


@pytest.mark.parametrize("kind", ["mariadb", "redis"])
def test_a_service_whose_version_is_gone_is_upgraded_to_the_one_that_is_there(services, kind):  # noqa: F811
    platform = services
    platform.pushrod("service", "create", kind, "db")
    fill(platform, kind)
    installed = version_of(platform, "db")
    older = installed.split("-")[0] + "-1" if kind == "redis" else "10.1"
    assert "already" in platform.pushrod("service", "upgrade", "db", "--to", installed, code=1).err
    # As after an upgrade of Debian.
    platform.pushrod("service", "stop", "db")
    database_row(platform, "UPDATE services SET version = ?, state = 'running' WHERE name = 'db'", older)
    call_daemon(platform)
    wait_until(lambda: service(platform, "db")["state"] == "not installed", 30, "it to be missed")
    assert f"service upgrade db --to {installed}" in service(platform, "db")["problem"]
    platform.pushrod("service", "upgrade", "db", "--to", installed, timeout=120)
    assert content(platform, kind) == "kept"
    assert version_of(platform, "db") == installed
    assert service(platform, "db")["former_version"] == older
    assert [entry["service"] for entry in platform.json("service", "list")] == ["db"]


def test_an_upgrade_that_fails_leaves_the_service_as_it_was(services):  # noqa: F811
    platform = services
    app = platform.deploy()
    platform.pushrod("service", "create", "postgres", "db")
    platform.pushrod("service", "attach", "db", app.name)
    # pg_restore has no search path, so the constraint does not find its table.
    app_sql(app, "CREATE TABLE bounds (v int); CREATE FUNCTION f(int) RETURNS bool LANGUAGE sql AS"
            " 'SELECT count(*) >= 0 FROM bounds'; CREATE TABLE t (v int CHECK (f(v))); INSERT INTO t VALUES (1)")  # fmt: skip
    said = platform.pushrod("service", "upgrade", "db", "--to", version_of(platform, "db"), code=None, timeout=120)
    assert said.code != 0 and "pg_restore" in said.err, said
    assert app_sql(app, "SELECT v FROM t").out.strip() == "1"
    app.get("/")
    assert [entry["service"] for entry in platform.json("service", "list")] == ["db"]
    assert not list((platform.root / "services" / "db").glob("data.*"))


def test_an_upgrade_that_is_killed_leaves_the_old_or_the_new_server(make_platform):
    platform = make_platform()
    platform.start()
    app = platform.deploy()
    platform.pushrod("service", "create", "postgres", "db")
    platform.pushrod("service", "attach", "db", app.name)
    app_sql(app, "CREATE TABLE t (v text); INSERT INTO t VALUES ('mine')")
    record = platform.directory / "calls"
    upgrade = [platform.binary, "--root", platform.root, "service", "upgrade", "db", "--to", version_of(platform, "db")]
    run_command(counted(record, upgrade), env=platform.server_env, timeout=120)
    calls = calls_in(record)
    outcomes = set()
    points = [(call, n) for call in ("fdatasync", "renameat2", "rename", "vfork") for n in range(1, calls.get(call, 0) + 1)]
    for call, count in points[:: max(1, len(points) // 12)]:
        former = app_sql(app, "SELECT pg_backend_pid()").code
        assert former == 0
        if service(platform, "db")["former_version"]:
            platform.pushrod("service", "forget", "db")
        run_command(killed_at(call, count, upgrade), env=platform.server_env, code=None, timeout=120)
        call_daemon(platform)
        wait_until(lambda: database_row(platform, "SELECT upgrade, state FROM services") == [("", "running")], 60,
                   f"the end of what was killed at {call} {count}")  # fmt: skip
        wait_until(lambda: app_sql(app, "SELECT v FROM t", code=None).out.strip() == "mine", 60, f"{call} {count}")
        outcomes.add(bool(service(platform, "db")["former_version"]))
        assert not (platform.root / "services" / "db" / "data.next").exists()
        app.get("/")
    assert outcomes == {True, False}
    platform.close()


@pytest.mark.parametrize("kind", ["postgres", "mariadb", "redis"])
def test_a_clone_holds_what_the_service_holds_and_goes_its_own_way(services, kind):  # noqa: F811
    platform = services
    platform.pushrod("service", "create", kind, "db")
    fill(platform, kind)
    platform.pushrod("service", "clone", "db", "copy")
    assert content(platform, kind, "copy") == "kept"
    platform.pushrod("service", "destroy", "db", "--yes")
    assert content(platform, kind, "copy") == "kept"
    if kind == "postgres":
        app = platform.deploy()
        platform.pushrod("service", "attach", "copy", app.name, "--database", "shop")
        assert app_sql(app, "SELECT v FROM t").out.strip() == "kept"
        in_app(app, "psql", "-XqAtc", "ALTER TABLE t ADD COLUMN more int")
