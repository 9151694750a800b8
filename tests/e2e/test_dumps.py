"""service export and import: a dump, and back, all or nothing."""

import pytest
from harness import run_command
from test_services import redis, service, services, sql  # noqa: F401 (a fixture)


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
        else:
            redis(platform, "db", "SET", "k", "before")
        path = tmp_path / "dump"
        dump(platform, "db", path)
        return platform, path

    return make


def content(platform, kind):
    if kind == "postgres":
        return sql(platform, "db", "SELECT v FROM t", database="shop")
    return redis(platform, "db", "GET", "k")


def change(platform, kind):
    if kind == "postgres":
        sql(platform, "db", "UPDATE t SET v = 'after'", database="shop")
    else:
        redis(platform, "db", "SET", "k", "after")
        redis(platform, "db", "SET", "more", "after")


@pytest.mark.parametrize("kind", ["postgres", "redis"])
def test_an_import_brings_back_what_was_exported(dumped, kind):
    platform, path = dumped(kind)
    change(platform, kind)
    load(platform, "db", path)
    assert content(platform, kind) == "before"
    if kind == "redis":
        assert redis(platform, "db", "GET", "more") == ""
    # And it stays.
    platform.pushrod("service", "restart", "db")
    assert content(platform, kind) == "before"


@pytest.mark.parametrize("kind", ["postgres", "redis"])
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
    assert not (platform.root / "services" / "db" / "data.new").exists()


def test_of_several_databases_one_must_be_named(services):  # noqa: F811
    services.pushrod("service", "create", "postgres", "db")
    assert "no databases yet" in services.pushrod("service", "export", "db", code=1).err
    sql(services, "db", "CREATE DATABASE a")
    sql(services, "db", "CREATE DATABASE b")
    assert "choose one with --database: a, b" in services.pushrod("service", "export", "db", code=1).err
