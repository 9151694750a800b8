"""Databases of attached services in archives, clones and backups: out with the app, and back, all or nothing."""

import json
import subprocess

import pytest

pytest.register_assert_rewrite("crash")

from crash import Hook, await_converged, killed_at  # noqa: E402
from harness import run_command, wait_until, web_app  # noqa: E402
from test_archives import assert_nothing_left, entry, export, import_app, members, move, rebuilt, start_import  # noqa: E402
from test_attachments import app_mariadb, app_sql, in_app  # noqa: E402
from test_backups import add_target  # noqa: E402
from test_services import service  # noqa: E402

DECLARED = '[services]\ndb = "postgres"\n'
CLIENT = (
    'c=$(command -v valkey-cli || command -v redis-cli); exec $c -s "$REDIS_SOCKET" --user "$REDIS_USERNAME" '
    '-a "$REDIS_PASSWORD" --no-auth-warning "$@"'
)


def app_redis(app, *words):
    """Runs a command of Redis as the app."""
    return in_app(app, "sh", "-c", CLIENT, "sh", *words).out.strip()


def shop(platform, name=None):
    """An app with a declared PostgreSQL and a Redis that was attached by hand, with something in both and in /data."""
    app = platform.deploy(web_app("1", pushrod_toml=DECLARED), name=name)
    platform.pushrod("service", "create", "redis", f"{app.name}-cache")
    platform.pushrod("service", "attach", f"{app.name}-cache", app.name)
    app_sql(app, "CREATE TABLE orders (id int); INSERT INTO orders SELECT generate_series(1, 1000)")
    assert app_redis(app, "SET", "k", "before") == "OK"
    (app.data / "file").write_text("before")
    return app


def content(app):
    """What is in its database, its cache and /data."""
    return (app_sql(app, "SELECT count(*) FROM orders").out.strip(), app_redis(app, "GET", "k"),
            (app.platform.root / "data" / app.name / "file").read_text())  # fmt: skip


BEFORE, AFTER = ("1000", "before", "before"), ("1001", "after", "after")


def change(app):
    """Other content."""
    app_sql(app, "DELETE FROM orders; INSERT INTO orders SELECT generate_series(1, 1001)")
    app_redis(app, "SET", "k", "after")
    (app.data / "file").write_text("after")


def service_names(platform):
    return {one["service"] for one in platform.json("service", "list")}


def named(platform, app, name):
    """The same app under another name or on another platform."""
    return type(app)(platform, name, app.work)


def test_one_pipe_moves_an_app_with_its_databases(make_platform):
    old, new = make_platform().start(), make_platform().start()
    app = shop(old)
    move(app, new)
    there = named(new, app, app.name)
    assert content(there) == BEFORE
    assert service_names(new) == {f"{app.name}-db", f"{app.name}-cache"}
    # They are two apps from now on, and what is declared is known by its name.
    change(there)
    assert content(there) == AFTER and content(app) == BEFORE
    copy = new.make_repo(repo=app.name)
    copy.git("pull", "--quiet", "origin", "main")
    copy.commit({"VERSION": "2\n"})
    assert "service" not in copy.push().err.replace("/services", "")
    assert content(there) == AFTER
    for platform in (old, new):
        assert_nothing_left(platform)


def limits(platform, name):
    view = service(platform, name)
    return view["memory_limit"], view["disk_limit"], view["cpu_limit"]


def test_limits_of_services_go_with_the_app(own_platform):
    platform = own_platform
    app = shop(platform)
    own, given = f"{app.name}-db", (200 << 20, 3 << 30, 0.5)
    platform.pushrod("service", "limit", own, "--memory", "200M", "--disk", "3G", "--cpu", "0.5")
    assert limits(platform, own) == given
    archive = export(platform, app.name)
    assert json.loads(members(archive)["pushrod-app.json"][1])["version"] == 3
    import_app(platform, archive, "copy")
    platform.pushrod("app", "clone", app.name, "clone")
    add_target(platform)
    platform.pushrod("backup", "create", app.name)
    platform.pushrod("service", "limit", own, "--disk", "4G")
    platform.pushrod("backup", "restore", app.name, "then")
    for name in ("copy", "clone", "then"):
        assert limits(platform, f"{name}-db") == given, name
        assert limits(platform, f"{name}-cache") == limits(platform, f"{app.name}-cache")
    # A restore in place keeps what the operator has set since.
    platform.pushrod("backup", "restore", app.name)
    assert limits(platform, own)[1] == 4 << 30

    def older(entries):
        described = json.loads(entries[0][1])
        described["version"] = 2
        for one in described["services"]:
            one.pop("disk", None), one.pop("cpu_percent", None)
        entries[0] = entry("pushrod-app.json", json.dumps(described).encode())

    import_app(platform, rebuilt(archive, older), "older")
    assert limits(platform, "older-db") == (200 << 20, None, None)
    assert content(named(platform, app, "older")) == BEFORE


def mariadb_content(app):
    return app_mariadb(app, "SELECT COUNT(*), MAX(v) FROM orders").out.split()[-2:]


def test_an_app_with_mariadb_moves_is_backed_up_and_restored(make_platform):
    old, new = make_platform().start(), make_platform().start()
    app = old.deploy(web_app("1", pushrod_toml='[services]\ndb = "mariadb"\n'))
    app_mariadb(app, "CREATE TABLE orders (v VARCHAR(20) CHARACTER SET utf8mb4); "
                     "INSERT INTO orders SELECT CONCAT('é-', seq) FROM seq_1_to_999")  # fmt: skip
    then = ["999", "é-999"]
    assert mariadb_content(app) == then
    move(app, new)
    there = named(new, app, app.name)
    assert mariadb_content(there) == then and service_names(new) == {f"{app.name}-db"}
    # They are two databases from now on.
    app_mariadb(there, "INSERT INTO orders VALUES ('é-999x')")
    assert mariadb_content(there) == ["1000", "é-999x"] and mariadb_content(app) == then
    add_target(new)
    new.pushrod("backup", "create", app.name)
    assert "1 database restored into a scratch service" in new.pushrod("backup", "verify", app.name).out
    app_mariadb(there, "DROP TABLE orders")
    new.pushrod("backup", "restore", app.name, "copy")
    assert mariadb_content(named(new, app, "copy")) == ["1000", "é-999x"]
    new.pushrod("backup", "restore", app.name)
    assert mariadb_content(there) == ["1000", "é-999x"]
    for platform in (old, new):
        assert_nothing_left(platform)


def test_a_clone_gets_services_of_its_own(own_platform):
    platform = own_platform
    app = shop(platform)
    platform.pushrod("service", "create", "redis", "full-cache")  # the name is taken
    platform.pushrod("app", "clone", app.name, "full", "--with-data")
    full = named(platform, app, "full")
    assert content(full) == BEFORE
    assert {"full-db", "full-cache-2"} <= service_names(platform)
    platform.pushrod("app", "clone", app.name, "bare")
    bare = named(platform, app, "bare")
    assert app_sql(bare, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").out.strip() == "0"
    assert app_redis(bare, "GET", "k") == ""
    change(full)
    assert content(app) == BEFORE and content(full) == AFTER
    assert_nothing_left(platform)


def test_of_a_shared_service_only_the_apps_own_database_goes_with_it(own_platform):
    platform = own_platform
    platform.pushrod("service", "create", "postgres", "main")
    first, second = platform.deploy(), platform.deploy()
    for app in (first, second):
        platform.pushrod("service", "attach", "main", app.name, "--as", "REPORTS")
    for app in (first, second):
        in_app(app, "sh", "-c", f'psql -Xc "CREATE TABLE of_{app.name.replace("-", "_")} (v int)" "$REPORTS_URL"')
    archive = export(platform, first.name)
    dump = members(archive)["services/main.dump"][1]
    assert f"of_{first.name.replace('-', '_')}".encode() in dump and second.name.replace("-", "_").encode() not in dump
    import_app(platform, archive, "copy")
    copy = named(platform, first, "copy")
    assert in_app(copy, "sh", "-c", 'psql -XAtc "SELECT tablename FROM pg_tables WHERE schemaname = \'public\'" "$REPORTS_URL"').out.strip() == f"of_{first.name.replace('-', '_')}"  # fmt: skip
    assert service(platform, "copy-main")["apps"][0]["prefix"] == "REPORTS"


def test_an_archive_of_the_older_format_is_imported(own_platform):
    platform = own_platform
    app = platform.deploy(web_app("1"))
    (app.data / "file").write_text("old")
    archive = export(platform, app.name)
    described = json.loads(members(archive)["pushrod-app.json"][1])
    assert described["version"] == 1 and "services" not in described, "older programs read it"
    import_app(platform, archive, "copy")
    assert platform.http("copy.localhost").text == "1" and (platform.root / "data" / "copy" / "file").read_text() == "old"
    # One of an app with a database, as the older format had it: the database is new and empty.
    shopping = shop(platform)

    def older(entries):
        described = json.loads(entries[0][1])
        described["version"] = 1
        del described["services"]
        entries[:] = [(m, c) for m, c in entries if not m.name.startswith("services/")]
        entries[0] = entry("pushrod-app.json", json.dumps(described).encode())

    import_app(platform, rebuilt(export(platform, shopping.name), older), "older")
    assert app_sql(named(platform, app, "older"), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").out.strip() == "0"


def damaged(archive, label, what):
    """The archive with another dump."""

    def damage(entries):
        for at, (member, dump) in enumerate(entries):
            if member.name == f"services/{label}.dump":
                entries[at] = entry(member.name, {"half": dump[: len(dump) // 2], "nothing": b"", "garbage": b"x" * 9000}[what])

    return rebuilt(archive, damage)


def test_an_archive_with_a_damaged_dump_leaves_nothing(own_platform):
    platform = own_platform
    app = shop(platform)
    archive = export(platform, app.name)
    before = service_names(platform)
    for label in ("db", "cache"):
        for what in ("half", "nothing", "garbage"):
            code, out, err = start_import(platform, damaged(archive, label, what), "copy")
            assert code != 0 and "failed" in err, (label, what, out, err)
            assert "copy" not in platform.app_names() and service_names(platform) == before, (label, what)
            assert not (platform.root / "services" / "copy-db").exists()
            assert_nothing_left(platform)
    without = rebuilt(archive, lambda entries: entries.__setitem__(slice(None), [e for e in entries if e[0].name != "services/db.dump"]))
    code, out, err = start_import(platform, without, "copy")
    assert code == 1 and "services/db.dump is missing in it" in err, out + err
    link = rebuilt(without, lambda entries: entries.insert(-1, entry("services/db.dump", b"", type=b"2", linkname="/etc/passwd")))
    code, out, err = start_import(platform, link, "copy")
    assert code == 1 and "services/db.dump is missing in it" in err, out + err
    # What fails after the databases are there takes them away again.
    app.push({"Procfile": 'web: test -z "$DIES" && exec python3 web.py; exit 3\n'})
    platform.pushrod("config", "set", app.name, "--no-restart", "DIES=1")
    code, out, err = start_import(platform, export(platform, app.name), "copy")
    assert code == 1 and "app copy was not imported" in err, out + err
    wait_until(lambda: service_names(platform) == before, 30, "the services to be gone")
    assert_nothing_left(platform)


@pytest.mark.parametrize(("call", "first", "every"), [("vfork", 9, 17), ("fdatasync", 5, 19), ("renameat2", 1, 1)])
def test_an_import_with_databases_killed_at_any_step_leaves_nothing_or_all(own_platform, call, first, every):
    platform = own_platform
    app = shop(platform)
    archive_file = platform.directory / "app.tar"
    archive_file.write_bytes(export(platform, app.name))
    before, outcomes = service_names(platform), set()
    for count in range(first, 400, every):
        argv = killed_at(call, count, [platform.binary, "--root", platform.root, "app", "import", "copy"])
        with open(archive_file, "rb") as archive:
            result = subprocess.run(argv, env=platform.server_env, stdin=archive, capture_output=True, timeout=90,
                                    check=False)  # fmt: skip
        # The next command settles it, as the daemon does.
        run_command([platform.binary, "--root", platform.root, "app", "import", "other"], env=platform.server_env,
                    input="", code=1)  # fmt: skip
        is_there = "copy" in platform.app_names()
        outcomes.add(is_there)
        if is_there:
            wait_until(lambda: platform.http("copy.localhost").status == 200, what="the copy")
            assert content(named(platform, app, "copy")) == BEFORE
        if result.returncode == 0:
            break
        assert result.returncode in (-9, 137), result.stderr
        if is_there:
            platform.pushrod("app", "destroy", "copy", "--yes")
            for name in service_names(platform) - before:
                wait_until(lambda: not service(platform, name)["apps"], 30, "the accounts to be closed")  # noqa: B023
                platform.pushrod("service", "destroy", name, "--yes")
        wait_until(lambda: service_names(platform) == before, 30, f"the services of {call} {count} to be gone")
        assert_nothing_left(platform)
    assert outcomes == {False, True}
    assert content(app) == BEFORE


def whole_state(app):
    """Code, settings and content."""
    return app.version(), app.get("/env").json().get("COLOUR"), *content(app)


THEN, NOW = ("1", "blue", *BEFORE), ("2", "red", *AFTER)


def change_all(app):
    app.push({"VERSION": "2\n"})
    app.platform.pushrod("config", "set", app.name, "COLOUR=red")
    change(app)


def backed_up_and_changed(platform):
    """An app with a backup, whose state is another one now; the backup's id."""
    app = shop(platform)
    platform.pushrod("config", "set", app.name, "COLOUR=blue")
    add_target(platform)
    platform.pushrod("backup", "create", app.name)
    change_all(app)
    assert whole_state(app) == NOW
    return app, platform.json("backup", "list", app.name)[0]["backup"]


def nothing_aside(platform):
    return not list((platform.root / "data").glob(".restore*"))


def test_a_backup_takes_the_place_of_an_app_with_its_databases(own_platform):
    platform = own_platform
    app, _ = backed_up_and_changed(platform)
    said = platform.pushrod("backup", "restore", app.name).out
    assert "Exchanging /data and databases" in said
    assert whole_state(app) == THEN and nothing_aside(platform)
    aside = platform.json("backup", "list", app.name)[0]["backup"]
    platform.pushrod("backup", "restore", app.name, "--backup", aside)
    assert whole_state(app) == NOW
    # A service that the backup needs is gone.
    platform.pushrod("service", "detach", f"{app.name}-cache", app.name)
    refused = platform.pushrod("backup", "restore", app.name, code=1).err
    assert "a database of redis for REDIS_URL" in refused and "service attach NAME" in refused
    assert app_sql(app, "SELECT count(*) FROM orders").out.strip() == "1001"


def test_a_restore_in_place_touches_no_other_database_of_a_shared_service(own_platform):
    platform = own_platform
    platform.pushrod("service", "create", "postgres", "main")
    first, second = platform.deploy(), platform.deploy()
    for app in (first, second):
        platform.pushrod("service", "attach", "main", app.name)
        app_sql(app, "CREATE TABLE t (v text); INSERT INTO t VALUES ('before')")
    add_target(platform)
    platform.pushrod("backup", "create", first.name)
    for app in (first, second):
        app_sql(app, "UPDATE t SET v = 'after'")
    platform.pushrod("backup", "restore", first.name)
    assert app_sql(first, "SELECT v FROM t").out.strip() == "before"
    assert app_sql(second, "SELECT v FROM t").out.strip() == "after"
    # A database that two apps work on stays as it is.
    guest = platform.deploy()
    platform.pushrod("service", "attach", "main", guest.name, "--database", first.name.replace("-", "_"))
    app_sql(first, "UPDATE t SET v = 'shared'")
    assert "other apps work on it as well" in platform.pushrod("backup", "restore", first.name).out
    assert app_sql(first, "SELECT v FROM t").out.strip() == "shared"


def test_a_restore_in_place_that_fails_brings_the_databases_back(own_platform):
    platform = own_platform
    app = shop(platform)
    platform.pushrod("config", "set", app.name, "COLOUR=blue")
    # What runs on the restored data does not start, from now on.
    app.push({"Procfile": "web: test -e /data/new || test ! -e /data/fails || exit 3; exec python3 web.py\n"})
    (app.data / "fails").touch()
    add_target(platform)
    platform.pushrod("backup", "create", app.name)
    (app.data / "new").touch()
    change_all(app)
    refused = platform.pushrod("backup", "restore", app.name, code=1)
    assert f"app {app.name} is as it was" in refused.err
    assert whole_state(app) == NOW and nothing_aside(platform)


@pytest.mark.parametrize(("call", "first", "every"), [("vfork", 60, 17), ("renameat2", 1, 1), ("fdatasync", 12, 23)])
def test_a_restore_in_place_killed_at_any_step_leaves_the_old_or_the_new_state(own_platform, call, first, every):
    platform = own_platform
    app, backup = backed_up_and_changed(platform)
    outcomes = set()
    words = ["backup", "restore", app.name, "--backup", backup]
    for count in range(first, 400, every):
        argv = killed_at(call, count, [platform.binary, "--root", platform.root, *words])
        result = run_command(argv, env=platform.server_env, code=None, timeout=120)
        await_converged(app)
        state = whole_state(app)
        assert state in (THEN, NOW), (call, count)
        assert nothing_aside(platform), (call, count)
        outcomes.add(state)
        if result.code == 0:
            break
        assert result.code in (-9, 137), result
        if state == THEN:
            change_all(app)
    assert outcomes == {THEN, NOW}


def test_a_backup_has_the_databases_and_verify_restores_them(own_platform):
    platform = own_platform
    app = shop(platform)
    url, password = add_target(platform)
    platform.pushrod("backup", "create", app.name)
    assert "2 databases restored into a scratch service" in platform.pushrod("backup", "verify", app.name).out
    assert not [name for name in service_names(platform) if name.startswith("scratch")]
    change(app)
    platform.pushrod("backup", "restore", app.name, "then")
    assert content(named(platform, app, "then")) == BEFORE and content(app) == AFTER
    # A backup that restic holds to be whole, with a dump that is not.
    archive = damaged(export(platform, app.name), "db", "half")
    subprocess.run(
        ["restic", "-q", "backup", "--stdin", "--stdin-filename", "archive.tar", "--tag", f"pushrod,app={app.name},checked"],
        input=archive, check=True, timeout=60, env={**platform.server_env, "RESTIC_REPOSITORY": url, "RESTIC_PASSWORD": password},
    )  # fmt: skip
    refused = platform.pushrod("backup", "verify", app.name, code=1).err
    assert "the dump of db (postgres) cannot be restored" in refused
    assert not [name for name in service_names(platform) if name.startswith("scratch")]
    (sound,) = [one["backup"] for one in platform.json("backup", "list", app.name)][1:]
    assert "is sound" in platform.pushrod("backup", "verify", app.name, "--backup", sound).out


SNAPSHOT = DECLARED + """
[release]
snapshot = true
command = "test ! -e fails || { psql -c 'DROP TABLE orders'; rm /data/file; exit 3; }"
"""


def snapshots(app):
    """The releases that have one."""
    return [one["number"] for one in app.platform.json("releases", app.name) if one["snapshot"]]


def live(app):
    """The number of its live release."""
    return next(one["number"] for one in app.platform.json("releases", app.name) if one["live"])


def with_snapshots(platform):
    app = shop(platform)
    platform.pushrod("config", "set", app.name, "COLOUR=blue")
    app.push({"pushrod.toml": SNAPSHOT})
    return app


def test_a_failed_migration_brings_data_and_databases_back(own_platform):
    platform = own_platform
    app = with_snapshots(platform)
    change(app)
    before = snapshots(app)
    failed = app.push({"fails": "", "VERSION": "2\n"}, code=1).err
    assert "Taking a snapshot" in failed and "release command" in failed
    await_converged(app)
    assert whole_state(app) == ("1", "blue", *AFTER) and nothing_aside(platform)
    # And so does a release that is not healthy.
    app.work.git("rm", "-q", "fails")
    app.push({"Procfile": "web: rm /data/file; exit 3\n"}, code=1)
    await_converged(app)
    assert whole_state(app) == ("1", "blue", *AFTER) and nothing_aside(platform)
    assert snapshots(app) == before


def test_a_rollback_with_data_restores_code_settings_and_data_together(own_platform):
    platform = own_platform
    app = with_snapshots(platform)
    first = live(app)
    app.push({"VERSION": "2\n"})
    second = live(app)
    assert first in snapshots(app) and second not in snapshots(app)
    platform.pushrod("config", "set", app.name, "COLOUR=red")
    change(app)
    refused = platform.pushrod("rollback", app.name, str(second), "--with-data", code=1).err
    assert f"release {second} has no snapshot" in refused
    platform.pushrod("rollback", app.name, str(first), "--with-data")
    assert whole_state(app) == THEN and nothing_aside(platform)
    # There is a way back.
    left = max(snapshots(app))
    assert left > second
    platform.pushrod("rollback", app.name, str(left), "--with-data")
    assert whole_state(app) == NOW
    # A rollback alone leaves the data as it is.
    platform.pushrod("rollback", app.name, str(first))
    assert whole_state(app) == ("1", "blue", *AFTER)
    # A snapshot goes with its release and with the app.
    directory = platform.root / "data" / ".snapshots"
    assert [entry.name for entry in directory.iterdir()]
    platform.pushrod("app", "destroy", app.name, "--yes")
    assert not list(directory.iterdir())


def test_a_push_with_a_snapshot_killed_at_any_step_leaves_the_old_or_the_new_state(own_platform):
    platform = own_platform
    app = with_snapshots(platform)
    hook = Hook(platform)
    script = "psql -c 'INSERT INTO orders VALUES (0)' && echo after > /data/file && sleep 0.2"
    files = {"pushrod.toml": DECLARED + f'[release]\nsnapshot = true\ncommand = """{script}"""\n'}
    old, outcomes, version = whole_state(app), set(), 1
    for call, first, every in (("vfork", 12, 5), ("fdatasync", 8, 6), ("rename", 3, 5)):
        for count in range(first, 300, every):
            version += 1
            hook.kill_at(call, count)
            pushed = app.push({**files, "VERSION": f"{version}\n"}, code=None)
            hook.restore()
            await_converged(app)
            state = whole_state(app)
            new = (str(version), "blue", str(int(old[2]) + 1), "before", "after\n")
            assert state in (old, new), (call, count, pushed)
            assert nothing_aside(platform), (call, count)
            outcomes.add(state == new)
            old = state
            if pushed.code == 0:
                break
    assert outcomes == {False, True}
