"""Run by test_full_disk.py, with a small file system as TMPDIR: what services do when it fills."""

import contextlib
import os

import pytest
from harness import finish, run_command, wait_until
from test_backups import add_target
from test_services import mariadb, service, sql
from test_upgrades import database_row

MEGA = 1 << 20
LEFT = 48 * MEGA  # what must stay free
SETTINGS = f'[retention]\nfree_space = "{LEFT >> 20}M"\n'


def free(path):
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


@pytest.fixture
def small(make_platform):
    """A platform with a database of 60 MB, and a function that leaves so much of the disk free."""
    platform = make_platform(settings=SETTINGS).start()
    platform.pushrod("service", "create", "postgres", "db")
    sql(platform, "db", "CREATE DATABASE shop")
    sql(platform, "db", "CREATE TABLE t AS SELECT g, md5(g::text) || repeat(md5(g::text), 29) AS v"
        " FROM generate_series(1, 60000) g", database="shop")  # fmt: skip
    sql(platform, "db", "CHECKPOINT")
    ballast = platform.directory / "ballast"

    def leave(bytes):
        ballast.unlink(missing_ok=True)
        if bytes is None:
            return
        with open(ballast, "wb") as file:
            while (rest := free(platform.directory) - bytes) > 0:
                with contextlib.suppress(OSError):  # a server writes meanwhile
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, rest)

    yield platform, leave
    leave(None)
    platform.close()


def assert_goes_on(platform, databases=("shop",)):
    assert service(platform, "db")["state"] == "running" and service(platform, "db")["restarts"] == 0
    assert sql(platform, "db", "SELECT count(*) FROM t", database="shop") == "60000"
    found = sql(platform, "db", "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'")
    assert set(found.split()) == set(databases)
    sql(platform, "db", "CREATE TABLE other (v int); DROP TABLE other", database="shop")
    assert not list((platform.root / "services").glob("scratch*")) and not list((platform.root / "services" / "db").glob("data.*"))
    assert not list((platform.root / "transfers").glob("*"))


def assert_one_line(result, *words):
    assert result.code == 1, result
    lines = [line for line in result.err.splitlines() if line and not line.startswith("  ")]
    assert len(lines) == 1 and all(word in result.err for word in words), result.err


def test_an_export_to_a_full_disk_is_known_to_be_incomplete(small, tmp_path):
    platform, leave = small
    script = 'exec "$0" --root "$1" service export db > "$2"'
    leave(MEGA)
    result = run_command(["sh", "-c", script, platform.binary, platform.root, tmp_path / "dump"], env=platform.server_env, code=None)
    assert result.code != 0 and "is not complete" in result.err and "do not use" in result.err
    (tmp_path / "dump").unlink()
    assert_goes_on(platform)


def test_an_import_that_would_fill_the_disk_is_given_up(small, tmp_path):
    platform, leave = small
    exports = 'exec "$0" --root "$1" service export db > "$2"'
    imports = 'exec "$0" --root "$1" service import db < "$2"'
    words = [platform.binary, platform.root, tmp_path / "dump"]
    run_command(["sh", "-c", exports, *words], env=platform.server_env)
    leave(LEFT + 40 * MEGA)
    assert_one_line(run_command(["sh", "-c", imports, *words], env=platform.server_env, code=None),
                    "not enough disk space", "free_space")  # fmt: skip
    assert_goes_on(platform)
    leave(None)
    run_command(["sh", "-c", imports, *words], env=platform.server_env)
    assert_goes_on(platform)


def test_a_backup_whose_dump_would_fill_the_disk_is_given_up(small):
    platform, leave = small
    add_target(platform)
    leave(LEFT - MEGA)
    assert_one_line(platform.pushrod("backup", "create", "db", code=None), "not enough disk space", "dump of service db")
    assert_goes_on(platform)
    assert platform.json("backup", "list", "db") == []


def test_an_upgrade_and_a_restore_without_room_leave_the_service_as_it_was(small):
    platform, leave = small
    add_target(platform)
    platform.pushrod("backup", "create", "db", timeout=120)
    version = service(platform, "db")["version"]
    needed = service(platform, "db")["disk"]
    leave(needed)
    assert_one_line(platform.pushrod("service", "upgrade", "db", "--to", version, code=None), "not enough disk space")
    assert_goes_on(platform)
    # It begins, and something else fills the disk meanwhile.
    for words in (["service", "upgrade", "db", "--to", version], ["backup", "restore", "db"]):
        leave(LEFT + needed + 40 * MEGA)
        process = platform.start_pushrod(*words)
        wait_until(lambda: database_row(platform, "SELECT 1 FROM services WHERE upgrade <> ''"), 60, "its begin")
        leave(LEFT // 2)
        assert_one_line(finish(process, timeout=120), "not enough disk space", "free_space")
        assert_goes_on(platform)


def test_an_import_into_mariadb_that_would_fill_the_disk_is_given_up(small, tmp_path):
    platform, leave = small
    platform.pushrod("service", "create", "mariadb", "maria")
    mariadb(platform, "maria", "CREATE DATABASE shop")
    mariadb(platform, "maria", "CREATE TABLE t AS SELECT seq, REPEAT(MD5(seq), 30) AS v FROM seq_1_to_60000", database="shop")
    words = [platform.binary, platform.root, tmp_path / "dump"]
    run_command(["sh", "-c", 'exec "$0" --root "$1" service export maria > "$2"', *words], env=platform.server_env)
    leave(LEFT + 40 * MEGA)
    result = run_command(["sh", "-c", 'exec "$0" --root "$1" service import maria < "$2"', *words], env=platform.server_env, code=None)
    assert_one_line(result, "not enough disk space", "free_space")
    assert mariadb(platform, "maria", "SELECT COUNT(*) FROM t", database="shop") == "60000"
    assert mariadb(platform, "maria", "SHOW DATABASES LIKE '%..%'") == ""
