"""What services may use: disk, memory, processors."""

import pytest

pytest.register_assert_rewrite("crash")

from harness import wait_until, web_app  # noqa: E402
from test_attachments import app_mariadb, app_sql, in_app  # noqa: E402
from test_services import mariadb, redis, service, services, sql  # noqa: E402, F401

MEGABYTES = {"postgres": 128, "mariadb": 256, "redis": 16}
CLIENT = ('c=$(command -v valkey-cli || command -v redis-cli); exec $c -s "$REDIS_SOCKET" --user "$REDIS_USERNAME" '
          '-a "$REDIS_PASSWORD" --no-auth-warning "$@"')  # fmt: skip

# A megabyte that Redis cannot compress.
RANDOM = ("math.randomseed(ARGV[1]) local t = {} for i = 1, 100000 do t[i] = string.char(math.random(0, 255)) end "
          "return redis.call('SET', KEYS[1], string.rep(table.concat(t), 10))")  # fmt: skip


def app_redis(app, *words):
    """Runs a command of Redis as the app."""
    return in_app(app, "sh", "-c", CLIENT, "sh", *words, code=None).out.strip()


def fill(app, kind, megabytes, table="big"):
    """Has the app write so much."""
    if kind == "postgres":
        app_sql(app, f"CREATE TABLE {table} AS SELECT g, repeat(md5(g::text), 30) AS v FROM generate_series(1, {megabytes * 950}) g")
    elif kind == "mariadb":
        app_mariadb(app, f"CREATE TABLE {table} AS SELECT seq, REPEAT(MD5(seq), 30) AS v FROM seq_1_to_{megabytes * 950}")
    else:
        for number in range(megabytes):
            said = app_redis(app, "EVAL", RANDOM, "1", f"{table}{number}", str(number))
            if "OOM" in said:
                return
            assert said == "OK"


def write(app, kind):
    """What the app is told when it writes a little; empty: it worked."""
    statement = "CREATE TABLE IF NOT EXISTS t (v int); INSERT INTO t VALUES (1)"
    if kind != "redis":
        result = app_sql(app, statement, code=None) if kind == "postgres" else app_mariadb(app, statement, code=None)
        return result.err.strip() if result.code != 0 else ""
    return app_redis(app, "SET", "k", "v").removeprefix("OK")


def make_room(platform, kind):
    """Deletes it as the operator does."""
    if kind == "postgres":
        sql(platform, "db", "DROP TABLE big", database=databases(platform)[0])
    elif kind == "mariadb":
        mariadb(platform, "db", f"DROP TABLE `{databases(platform)[0]}`.big")
    else:
        redis(platform, "db", "FLUSHALL")
        redis(platform, "db", "BGREWRITEAOF")


def databases(platform):
    return [one["database"] for one in service(platform, "db")["apps"]]


def is_read_only(platform):
    return service(platform, "db")["read_only"]


REFUSALS = {"postgres": "read-only transaction", "mariadb": "--read-only", "redis": "OOM command not allowed"}


@pytest.mark.parametrize("kind", MEGABYTES)
def test_a_service_over_its_disk_limit_is_read_only_until_there_is_room(make_platform, kind):
    platform = make_platform().start()
    app = platform.deploy()
    limit = MEGABYTES[kind]
    said = platform.pushrod("service", "create", kind, "db", "--disk", f"{limit}M").out
    assert "of disk" in said
    platform.pushrod("service", "attach", "db", app.name)
    wait_until(lambda: service(platform, "db")["disk"] < limit << 20, 5, "room")
    assert service(platform, "db")["disk_limit"] == limit << 20 and write(app, kind) == ""
    fill(app, kind, limit * 3 // 4 if kind != "redis" else limit + 3)
    wait_until(lambda: is_read_only(platform), 60, "the limit to be noticed")
    wait_until(lambda: REFUSALS[kind] in write(app, kind), 30, "writes to be refused")
    # It says so, with what to do, and serves reads.
    said = platform.pushrod("service", "info", "db").out
    assert "its limit is" in said and "it is read-only" in said and "service limit db --disk" in said
    found = {one["name"]: one for one in platform.pushrod("doctor", "--json", code=None).json()}
    assert not found["service db"]["good"] and "read-only" in found["service db"]["remedy"]
    assert service(platform, "db")["state"] == "running"
    assert write(app, kind) != ""
    # Still after a crash of everything.
    platform.kill_all()
    platform.start()
    wait_until(lambda: service(platform, "db")["state"] == "running", 60, "the server")
    wait_until(lambda: REFUSALS[kind] in write(app, kind), 30, "writes to be refused")
    make_room(platform, kind)
    wait_until(lambda: not is_read_only(platform), 60, "the room to be noticed")
    assert write(app, kind) == ""
    assert "read-only" not in platform.pushrod("service", "info", "db").out
    # Or it may have more.
    fill(app, kind, limit * 3 // 4 if kind != "redis" else limit + 3)
    wait_until(lambda: is_read_only(platform), 60, "the limit to be noticed")
    said = platform.pushrod("service", "limit", "db", "--disk", "2G").out
    assert "of disk" in said and not is_read_only(platform) and write(app, kind) == ""
    platform.close()


def test_a_database_that_grows_on_is_stopped_with_all_its_data(make_platform):
    platform = make_platform(settings='[limits]\nservice_disk = "128M"\n').start()
    app = platform.deploy()
    platform.pushrod("service", "create", "postgres", "db")
    platform.pushrod("service", "attach", "db", app.name)
    assert service(platform, "db")["disk_limit"] == 128 << 20
    insists = "SET default_transaction_read_only = off; CREATE TABLE more AS SELECT g, repeat(md5(g::text), 30)"
    app_sql(app, f"{insists} FROM generate_series(1, 200000) g")
    wait_until(lambda: service(platform, "db")["state"] == "stopped", 90, "the stop")
    said = platform.pushrod("service", "info", "db").out
    assert "it is stopped. Allow it more (service limit db --disk" in said and "service start db" in said
    # In its usual way: nothing is to be recovered at the next start.
    wait_until(lambda: "database system is shut down" in platform.pushrod("service", "logs", "db").out, 60, "its end")
    assert "service db: its data takes" in (platform.root / "logs" / "_pushrod" / "daemon" / "current").read_text()
    assert app_sql(app, "SELECT 1", code=None).code != 0
    platform.pushrod("service", "limit", "db", "--disk", "1G")
    platform.pushrod("service", "start", "db")
    assert app_sql(app, "SELECT count(*) FROM more").out.strip() == "200000"
    assert "not properly shut down" not in platform.pushrod("service", "logs", "db").out
    wait_until(lambda: not is_read_only(platform), 60, "the room to be noticed")
    assert write(app, "postgres") == ""
    platform.close()


def test_limits_are_declared_shown_and_changed(services):  # noqa: F811
    platform = services
    declared = '[services]\ndb = { type = "postgres", memory = "128M", disk = "1G", cpu = 0.5 }\n'
    app = platform.create_app(web_app(pushrod_toml=declared))
    app.work.push(f"HEAD:refs/heads/{app.branch}")
    name = f"{app.name}-db"
    shown = service(platform, name)
    assert (shown["memory_limit"], shown["disk_limit"], shown["cpu_limit"]) == (128 << 20, 1 << 30, 0.5)
    has_groups = (platform.root / "run" / "cgroup").exists()
    assert shown["cpu_limited"] == has_groups
    said = platform.pushrod("service", "info", name).out
    assert "0.5 of a processor" in said and ("not enforced here" in said) == (not has_groups)
    assert app_sql(app, "SHOW shared_buffers").out.strip() == "32MB"
    platform.pushrod("service", "limit", name, "--memory", "256M", "--cpu", "2")
    assert app_sql(app, "SHOW shared_buffers").out.strip() == "64MB"
    assert (service(platform, name)["memory_limit"], service(platform, name)["cpu_limit"]) == (256 << 20, 2)
    assert service(platform, name)["disk_limit"] == 1 << 30
    assert "too little" in platform.pushrod("service", "limit", name, "--disk", "1M", code=1).err
    assert "keeps nothing" in platform.pushrod("service", "create", "memcached", "m", "--disk", "1G", code=1).err
    assert "invalid number" in platform.pushrod("service", "limit", name, "--cpu", "much", code=None).err
    platform.pushrod("app", "destroy", app.name, "--yes", "--with-services")


def test_limits_stay_as_they_were_if_the_server_does_not_start_with_others(make_platform):
    platform = make_platform().start()
    platform.pushrod("service", "create", "postgres", "db", "--memory", "128M")
    version = min((platform.root / "services" / "db").rglob("PG_VERSION"), key=lambda path: len(path.parts))
    aside = version.with_name("aside")
    version.rename(aside)
    failed = platform.pushrod("service", "limit", "db", "--memory", "256M", code=None)
    assert failed.code != 0 and "service db ended" in failed.err
    assert service(platform, "db")["memory_limit"] == 128 << 20
    aside.rename(version)
    wait_until(lambda: service(platform, "db")["state"] == "running", 60, "the server")
    wait_until(lambda: platform.pushrod("service", "run", "db", "--", "psql", "-c", "SELECT 1", code=None).code == 0, 60, "an answer")
    assert "256M" not in platform.pushrod("service", "info", "db").out
    platform.close()
