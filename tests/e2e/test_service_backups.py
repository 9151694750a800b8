"""Backups of services by themselves: made, read back, verified, restored."""

import pytest

pytest.register_assert_rewrite("crash")

from crash import calls_in, counted, killed_at  # noqa: E402
from harness import run_command, wait_until  # noqa: E402
from test_attachments import app_sql  # noqa: E402
from test_backups import add_target, findings  # noqa: E402
from test_services import KEEPING, call_daemon, mariadb, redis, service, services, sql  # noqa: E402, F401
from test_upgrades import content, database_row, fill  # noqa: E402


def change(platform, kind, value):
    """Other content than fill() makes."""
    if kind == "postgres":
        sql(platform, "db", f"UPDATE t SET v = '{value}'", database="shop")
    elif kind == "mariadb":
        mariadb(platform, "db", f"UPDATE shop.t SET v = '{value}'")
    else:
        redis(platform, "db", "SET", "k", value)


def names(platform):
    return {one["service"] for one in platform.json("service", "list")}


@pytest.mark.parametrize("kind", KEEPING)
def test_a_service_is_backed_up_verified_and_restored_by_itself(own_platform, kind):
    platform = own_platform
    platform.pushrod("service", "create", kind, "db", "--memory", "128M", "--disk", "4G", "--cpu", "0.5")
    fill(platform, kind)
    add_target(platform)
    assert "backup    none; not scheduled" in platform.pushrod("service", "info", "db").out
    said = platform.pushrod("backup", "create", "db").out
    assert said.startswith("Backed up service db to disk: ") and "read back" in said
    (backup,) = platform.json("backup", "list", "db")
    assert (backup["app"], backup["service"]) == (None, "db")
    shown = platform.pushrod("backup", "show", "db", "--json").json()["content"]
    assert shown["type"] == kind and shown["databases"] == ([] if kind == "redis" else ["shop"])
    assert platform.json("service", "info", "db")["backup"]["target"] == "disk"
    said = platform.pushrod("backup", "verify", "db", timeout=120).out
    assert "1 database restored into a scratch service" in said
    # In its place, and back.
    change(platform, kind, "changed")
    said = platform.pushrod("backup", "restore", "db", timeout=120).out
    assert "service upgrade db --back" in said
    assert content(platform, kind) == "kept"
    platform.pushrod("service", "upgrade", "db", "--back", timeout=120)
    assert content(platform, kind) == "changed"
    # Under another name, and after it is gone.
    platform.pushrod("backup", "restore", "db", "copy", timeout=120)
    assert content(platform, kind, "copy") == "kept"
    assert "already exists" in platform.pushrod("backup", "restore", "db", "copy", code=1).err
    platform.pushrod("service", "destroy", "db", "--yes")
    assert len(platform.json("backup", "list", "db")) == 1
    platform.pushrod("backup", "restore", "db", timeout=120)
    assert content(platform, kind) == "kept"
    for name in ("db", "copy"):
        view = service(platform, name)
        assert (view["memory_limit"], view["disk_limit"], view["cpu_limit"]) == (128 << 20, 4 << 30, 0.5), name
    platform.pushrod("backup", "create", "db")
    assert "Removed 1 backup of service db" in platform.pushrod("backup", "prune", "db", "--keep", "1").out
    assert names(platform) == {"db", "copy"}


def test_a_restore_keeps_accounts_and_what_is_not_in_the_backup(own_platform):
    platform = own_platform
    shop, blog = platform.deploy(name="shop"), platform.deploy(name="blog")
    platform.pushrod("service", "create", "postgres", "main")
    platform.pushrod("service", "attach", "main", "shop")
    app_sql(shop, "CREATE TABLE t (v text); INSERT INTO t VALUES ('mine')")
    add_target(platform)
    platform.pushrod("backup", "create", "main")
    app_sql(shop, "UPDATE t SET v = 'later'")
    platform.pushrod("service", "attach", "main", "blog")
    app_sql(blog, "CREATE TABLE t (v text); INSERT INTO t VALUES ('new')")
    platform.pushrod("backup", "restore", "main", timeout=120)
    assert app_sql(shop, "SELECT v FROM t").out.strip() == "mine"
    assert app_sql(blog, "SELECT v FROM t").out.strip() == "new"
    # A database that is gone comes back for its app.
    sql(platform, "main", "DROP DATABASE shop WITH (FORCE)")
    assert app_sql(shop, "SELECT v FROM t", code=None).code != 0
    platform.pushrod("backup", "restore", "main", timeout=120)
    assert app_sql(shop, "SELECT v FROM t").out.strip() == "mine"
    app_sql(shop, "INSERT INTO t VALUES ('more'); CREATE TABLE other ()")
    assert app_sql(blog, "SELECT v FROM t").out.strip() == "new"
    # An app of the same name is meant first.
    platform.pushrod("service", "create", "redis", "shop")
    platform.pushrod("backup", "create", "shop")
    platform.pushrod("backup", "create", "shop", "--service")
    assert len(platform.json("backup", "list", "shop")) == 1
    assert platform.json("backup", "list", "shop", "--service")[0]["service"] == "shop"


def test_all_has_the_services_without_apps(own_platform):
    platform = own_platform
    app = platform.deploy(name="shop")
    for kind, name in (("postgres", "lone"), ("redis", "cache"), ("memcached", "memory"), ("redis", "attached")):
        platform.pushrod("service", "create", kind, name)
    platform.pushrod("service", "attach", "attached", app.name)
    redis(platform, "cache", "SET", "k", "kept")
    found = findings(platform)["backups"]
    assert not found["good"] and "service lone" in found["found"] and "service cache" in found["found"]
    assert "memory" not in found["found"] and "attached" not in found["found"]
    add_target(platform)
    assert "keeps nothing" in platform.pushrod("backup", "create", "memory", code=1).err
    platform.pushrod("backup", "schedule", "--all")
    platform.pushrod("backup", "create", "--all", timeout=120)
    made = {one["app"] or one["service"] or "" for one in platform.json("backup", "list")}
    assert made == {"", "shop", "lone", "cache"}
    assert findings(platform)["backups"]["good"]
    assert platform.json("service", "info", "cache")["backup"]["scheduled"] is True
    assert platform.json("service", "info", "attached")["backup"] is None
    platform.pushrod("backup", "verify", "--all", timeout=180)
    # One that does not run cannot be read, and the others have their turn.
    platform.pushrod("service", "stop", "lone")
    failed = platform.pushrod("backup", "create", "--all", code=1, timeout=120)
    assert "service lone: service lone does not run" in failed.err and "service cache" in failed.out
    assert "does not run" in platform.json("service", "info", "lone")["backup"]["problem"]
    assert not findings(platform)["backup of service lone"]["good"]
    platform.pushrod("service", "destroy", "cache", "--yes")
    said = platform.pushrod("backup", "restore", "--all", timeout=120).out
    assert "App shop is here already" in said and "Service lone is here already" in said
    assert redis(platform, "cache", "GET", "k") == "kept"
    # Its own schedule counts more.
    platform.pushrod("backup", "schedule", "attached", "--keep", "2")
    assert [one["service"] for one in platform.json("backup", "schedule")] == [None, "attached"]
    assert platform.json("service", "info", "attached")["backup"]["scheduled"] is True


def test_a_restore_that_fails_leaves_the_service_as_it_was(own_platform):
    platform = own_platform
    platform.pushrod("service", "create", "postgres", "db")
    fill(platform, "postgres")
    sql(platform, "db", "CREATE DATABASE blog")
    # pg_restore has no search path, so the constraint does not find its table.
    sql(platform, "db", "CREATE TABLE bounds (v int); CREATE FUNCTION f(int) RETURNS bool LANGUAGE sql AS"
        " 'SELECT count(*) >= 0 FROM bounds'; CREATE TABLE u (v int CHECK (f(v))); INSERT INTO u VALUES (1)",
        database="shop")  # fmt: skip
    add_target(platform)
    platform.pushrod("backup", "create", "db")
    assert "of database shop" in platform.pushrod("backup", "verify", "db", code=1, timeout=120).err
    sql(platform, "db", "DROP TABLE u", database="shop")
    change(platform, "postgres", "changed")
    said = platform.pushrod("backup", "restore", "db", code=None, timeout=120)
    assert said.code != 0 and "pg_restore" in said.err
    assert content(platform, "postgres") == "changed"
    platform.pushrod("backup", "restore", "db", "copy", code=None, timeout=120)
    assert names(platform) == {"db"}
    assert not list((platform.root / "services" / "db").glob("data.*"))


@pytest.mark.parametrize("kind", KEEPING)
def test_a_restore_that_is_killed_leaves_the_old_or_the_new_content(make_platform, kind):
    platform = make_platform().start()
    platform.pushrod("service", "create", kind, "db")
    fill(platform, kind)
    add_target(platform)
    platform.pushrod("backup", "create", "db")
    restore = [platform.binary, "--root", platform.root, "backup", "restore", "db"]
    record = platform.directory / "calls"
    change(platform, kind, "changed")
    run_command(counted(record, restore), env=platform.server_env, timeout=120)
    calls = calls_in(record)
    outcomes = set()
    points = [(call, n) for call in ("fdatasync", "rename", "vfork") for n in range(1, calls[call] + 1)]
    for call, count in points[:: max(1, len(points) // 10)]:
        change(platform, kind, "changed")
        run_command(killed_at(call, count, restore), env=platform.server_env, code=None, timeout=120)
        call_daemon(platform)
        wait_until(lambda: database_row(platform, "SELECT upgrade, state FROM services") == [("", "running")], 60,
                   f"the end of what was killed at {call} {count}")  # fmt: skip
        wait_until(lambda: service(platform, "db")["state"] == "running", 60, f"{call} {count}")
        outcomes.add(wait_until(lambda: content(platform, kind), 30, "an answer"))  # not while it begins to listen
        assert not (platform.root / "services" / "db" / "data.next").exists()
    assert outcomes == {"kept", "changed"}
    # A new one is there whole, or not at all.
    new = [*restore, "copy"]
    run_command(counted(record, new), env=platform.server_env, timeout=120)
    platform.pushrod("service", "destroy", "copy", "--yes")
    last = calls_in(record)["fdatasync"]
    for count in (last // 2, last - 1, last):
        run_command(killed_at("fdatasync", count, new), env=platform.server_env, code=None, timeout=120)
        call_daemon(platform)
        wait_until(lambda: "creating" not in str(database_row(platform, "SELECT state FROM services")), 60, "the end")
        if "copy" in names(platform):
            assert content(platform, kind, "copy") == "kept"
            platform.pushrod("service", "destroy", "copy", "--yes")
    platform.close()


def test_a_run_that_is_killed_does_not_count(own_platform):
    platform = own_platform
    platform.pushrod("service", "create", "redis", "db")
    fill(platform, "redis")
    add_target(platform)
    create = [platform.binary, "--root", platform.root, "backup", "create", "db"]
    record = platform.directory / "calls"
    run_command(counted(record, create), env=platform.server_env, timeout=120)
    last = calls_in(record)["vfork"]
    for count in range(1, last + 1, 2):
        run_command(killed_at("vfork", count, create), env=platform.server_env, code=None, timeout=120)
        assert len(platform.json("backup", "list", "db")) == 1
    platform.pushrod("backup", "create", "db")
    assert len(platform.json("backup", "list", "db")) == 2


def test_rights(platform, services):  # noqa: F811
    app = platform.deploy()
    platform.pushrod("service", "create", "redis", "mine")
    platform.pushrod("service", "create", "redis", "other")
    platform.pushrod("service", "attach", "mine", app.name)
    keys = {}
    for role in ("admin", "deploy"):
        name = platform.unique_name("key")
        keys[role] = (name, platform.make_key(name))
        platform.pushrod("key", "add", name, f"{keys[role][1]}.pub", "--role", role, "--app", app.name)
    url, _ = add_target(platform, platform.unique_name("disk"))
    try:
        platform.ssh("backup", "create", "mine", key=keys["admin"][1])
        assert len(platform.ssh("backup", "list", "mine", "--json", key=keys["admin"][1]).json()) == 1
        assert "may see service mine" in platform.ssh("backup", "create", "mine", key=keys["deploy"][1], code=1).err
        said = platform.ssh("backup", "create", "other", key=keys["admin"][1], code=1).err
        assert "does not exist" in said
        assert "administrators" in platform.ssh("backup", "restore", "mine", key=keys["admin"][1], code=1).err
    finally:
        platform.pushrod("backup", "target", "remove", platform.json("backup", "target", "list")[0]["target"])
        for name, _ in keys.values():
            platform.pushrod("key", "remove", name)
