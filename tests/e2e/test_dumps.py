"""service export and import: a dump, and back, all or nothing."""

import pytest
from crash import calls_in, counted, killed_at
from harness import run_command, wait_until
from test_services import KEEPING, call_daemon, mariadb, redis, service, services, sql  # noqa: F401 (a fixture)


# Of everything that a database of MariaDB holds.
MARIADB_CONTENT = """
CREATE TABLE parent (id INT PRIMARY KEY); INSERT INTO parent VALUES (1);
CREATE TABLE t (v TEXT, n INT DEFAULT 1, FOREIGN KEY (n) REFERENCES parent (id)); INSERT INTO t (v) VALUES ('before');
CREATE VIEW seen AS SELECT v FROM t;
CREATE TRIGGER twice BEFORE INSERT ON t FOR EACH ROW SET NEW.v = CONCAT(NEW.v, NEW.v);
CREATE FUNCTION answer() RETURNS INT DETERMINISTIC RETURN 42;
CREATE EVENT daily ON SCHEDULE EVERY 1 DAY DO INSERT INTO parent VALUES (2);
"""


def dump(platform, name, path):
    """service export NAME > path"""
    with open(path, "wb") as file:
        export = platform.start_client(
            [platform.binary, "--root", platform.root, "service", "export", name], env=platform.server_env, stdout=file
        )
        _, said = export.communicate(timeout=60)
    assert export.returncode == 0, said


def load(platform, name, path, code=0):
    """service import NAME < path"""
    command = f'exec "$0" --root "$1" service import {name} < "{path}"'
    return run_command(["sh", "-c", command, platform.binary, platform.root], env=platform.server_env, code=code)


@pytest.fixture
def dumped(services, tmp_path):  # noqa: F811
    """A function that makes a service of a type with some content, and its dump."""

    def make(kind):
        platform = services
        platform.pushrod("service", "create", kind, "db")
        if kind == "postgres":
            sql(platform, "db", "CREATE DATABASE shop")
            sql(platform, "db", "CREATE TABLE t (v text)", database="shop")
            sql(platform, "db", "INSERT INTO t VALUES ('before')", database="shop")
        elif kind == "mariadb":
            mariadb(platform, "db", "CREATE DATABASE shop")
            mariadb(platform, "db", MARIADB_CONTENT, database="shop")
        else:
            redis(platform, "db", "SET", "k", "before")
        path = tmp_path / "dump"
        dump(platform, "db", path)
        return platform, path

    return make


def content(platform, kind):
    if kind == "postgres":
        return sql(platform, "db", "SELECT v FROM t", database="shop")
    if kind == "mariadb":
        return mariadb(platform, "db", "SELECT v FROM t", database="shop")
    return redis(platform, "db", "GET", "k")


def change(platform, kind):
    if kind == "postgres":
        sql(platform, "db", "UPDATE t SET v = 'after'", database="shop")
    elif kind == "mariadb":
        mariadb(platform, "db", "UPDATE t SET v = 'after'; CREATE TABLE more (v INT); DROP VIEW seen;"
                " CREATE VIEW other AS SELECT 1; DROP TRIGGER twice; DROP FUNCTION answer", database="shop")  # fmt: skip
    else:
        redis(platform, "db", "SET", "k", "after")
        redis(platform, "db", "SET", "more", "after")


@pytest.mark.parametrize("kind", KEEPING)
def test_an_import_brings_back_what_was_exported(dumped, kind):
    platform, path = dumped(kind)
    change(platform, kind)
    load(platform, "db", path)
    assert content(platform, kind) == "before"
    if kind == "redis":
        assert redis(platform, "db", "GET", "more") == ""
    if kind == "mariadb":
        assert_all_of_mariadb_is_back(platform)
    # And it stays.
    platform.pushrod("service", "restart", "db")
    assert content(platform, kind) == "before"


def assert_all_of_mariadb_is_back(platform):
    ask = "SELECT v FROM seen; SELECT answer(); INSERT INTO t (v) VALUES ('x'); SELECT v FROM t WHERE v LIKE 'x%';"
    ask += " DELETE FROM t WHERE v LIKE 'x%'"
    assert mariadb(platform, "db", ask, database="shop").split() == ["before", "42", "xx"]
    assert set(mariadb(platform, "db", "SHOW TABLES", database="shop").split()) == {"parent", "seen", "t"}
    assert "daily" in mariadb(platform, "db", "SHOW EVENTS", database="shop")
    assert ".." not in mariadb(platform, "db", "SHOW DATABASES")
    refused = mariadb(platform, "db", "INSERT INTO t (v, n) VALUES ('y', 7)", database="shop", code=1)
    assert refused == ""  # the foreign key


@pytest.mark.parametrize("kind", KEEPING)
@pytest.mark.parametrize("part", ["half", "nothing", "garbage"])
def test_an_import_that_fails_changes_nothing(dumped, kind, part):
    platform, path = dumped(kind)
    change(platform, kind)
    whole = path.read_bytes()
    path.write_bytes({"half": whole[: len(whole) // 2], "nothing": b"", "garbage": b"x" * 10_000}[part])
    said = load(platform, "db", path, code=None)
    assert said.code != 0 and "failed" in said.err, said
    assert content(platform, kind) == "after"
    assert service(platform, "db")["state"] == "running"
    if kind == "postgres":
        assert ".." not in sql(platform, "db", "SELECT string_agg(datname, ' ') FROM pg_database")
    if kind == "mariadb":
        assert ".." not in mariadb(platform, "db", "SHOW DATABASES")
    assert not (platform.root / "services" / "db" / "data.new").exists()


def test_of_several_databases_one_must_be_named(services):  # noqa: F811
    services.pushrod("service", "create", "postgres", "db")
    assert "no databases yet" in services.pushrod("service", "export", "db", code=1).err
    sql(services, "db", "CREATE DATABASE a")
    sql(services, "db", "CREATE DATABASE b")
    assert "choose one with --database: a, b" in services.pushrod("service", "export", "db", code=1).err


def test_half_of_a_dump_that_ends_between_statements_is_refused(dumped):
    platform, path = dumped("mariadb")
    change(platform, "mariadb")
    text = path.read_bytes()
    path.write_bytes(text[: text.index(b"-- Dump completed")])
    said = load(platform, "db", path, code=None)
    assert said.code != 0 and "the dump is not complete" in said.err, said
    assert content(platform, "mariadb") == "after"


def test_an_import_into_mariadb_that_is_killed_leaves_the_old_or_the_new_database(dumped):
    platform, path = dumped("mariadb")
    record = platform.directory / "calls"
    command = ["sh", "-c", f'exec "$0" --root "$1" service import db < "{path}"', platform.binary, platform.root]
    run_command(counted(record, command), env=platform.server_env)
    starts = calls_in(record)["vfork"]
    outcomes = set()
    for count in range(1, starts + 1):
        change(platform, "mariadb")
        run_command(killed_at("vfork", count, command), env=platform.server_env, code=None)
        call_daemon(platform)
        names = platform.root / "services" / "db"
        wait_until(lambda: not list(names.glob("*.unfinished")), 30, f"the end of an import that was killed at {count}")
        outcomes.add(content(platform, "mariadb"))
        if content(platform, "mariadb") == "before":
            assert_all_of_mariadb_is_back(platform)
        run_command(command, env=platform.server_env)
    assert outcomes == {"before", "after"}


def test_a_cache_that_keeps_nothing_has_no_dump(services):  # noqa: F811
    services.pushrod("service", "create", "memcached", "cache")
    for verb in ("export", "import"):
        said = run_command(
            ["sh", "-c", f'"$0" --root "$1" service {verb} cache < /dev/null | cat; exit 0', services.binary, services.root],
            env=services.server_env,
        )
        assert "Memcached keeps nothing" in said.err
