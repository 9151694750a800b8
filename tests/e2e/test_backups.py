"""Backups with restic: made, read back, verified, restored; the drill: a whole machine comes back."""

import shutil
import sqlite3

import pytest

pytest.register_assert_rewrite("crash")

from crash import await_converged, killed_at  # noqa: E402
from harness import run_command, wait_until, web_app  # noqa: E402


def add_target(platform, name="disk"):
    """A target in a directory beside the root; returns (its URL, its password)."""
    url = platform.directory / f"backups.{name}"
    said = platform.pushrod("backup", "target", "add", name, str(url)).out
    return str(url), next(line.strip() for line in said.splitlines() if line.startswith("  ") and "-" in line)


def shop(platform, name=None):
    """An app with data."""
    app = platform.deploy(web_app("1"), name=name)
    platform.pushrod("config", "set", app.name, "API_TOKEN=s3cret-value")
    database = sqlite3.connect(app.data / "shop.db")
    database.execute("CREATE TABLE orders (id INTEGER)")
    database.executemany("INSERT INTO orders VALUES (?)", [(n,) for n in range(100)])
    database.commit()
    database.close()
    (app.data / "file").write_text("as it was")
    return app


def orders(platform, name):
    database = sqlite3.connect(platform.root / "data" / name / "shop.db")
    try:
        return database.execute("SELECT count(*) FROM orders").fetchone()[0]
    finally:
        database.close()


def findings(platform):
    return {one["name"]: one for one in platform.pushrod("doctor", "--json", code=None).json()}


def test_a_backup_is_made_read_back_and_restored(own_platform):
    platform = own_platform
    app = shop(platform)
    assert "there is no backup target yet" in platform.pushrod("backup", "create", app.name, code=1).err
    url, password = add_target(platform)
    assert password not in platform.pushrod("backup", "target", "list").out
    assert "read back" in platform.pushrod("backup", "create", app.name).out
    (app.data / "file").write_text("changed")
    assert "read back" in platform.pushrod("backup", "create", app.name).out
    newest, oldest = platform.json("backup", "list", app.name)
    assert newest["app"] == app.name and newest["target"] == "disk"
    shown = platform.pushrod("backup", "show", app.name, "--json").json()
    assert shown["backup"] == newest["backup"] and shown["content"]["settings"] == {"API_TOKEN": True}
    assert "1 SQLite database" in platform.pushrod("backup", "verify", app.name).out
    # Under another name, beside the app.
    copy = platform.unique_name()
    platform.pushrod("backup", "restore", app.name, copy, "--backup", oldest["backup"])
    assert platform.http(f"{copy}.localhost", "/env").json()["API_TOKEN"] == "s3cret-value"
    assert (platform.root / "data" / copy / "file").read_text() == "as it was" and orders(platform, copy) == 100
    # After the app is gone.
    platform.pushrod("app", "destroy", app.name, "--yes")
    platform.pushrod("backup", "restore", app.name)
    assert app.version() == "1" and (app.data / "file").read_text() == "changed"
    info = platform.json("app", "info", app.name)
    assert info["backup"]["target"] == "disk" and info["backup"]["problem"] is None
    # Nothing in the target is readable without its password.
    assert not any(b"s3cret-value" in path.read_bytes() for path in platform.directory.glob("backups.disk/data/*/*"))
    assert "Removed 1 backup" in platform.pushrod("backup", "prune", app.name, "--keep", "1").out
    assert [one["backup"] for one in platform.json("backup", "list", app.name)] == [newest["backup"]]


def change_everything(app):
    """Other code, settings and data than in the backup."""
    app.push({"VERSION": "2\n"})
    app.platform.pushrod("config", "set", app.name, "API_TOKEN=other", "NEW=1")
    (app.data / "file").write_text("changed")
    (app.data / "new").write_text("new")


def state_of(app):
    environment = app.get("/env").json()
    return (app.version(), environment["API_TOKEN"], environment.get("NEW"), (app.data / "file").read_text(),
            (app.data / "new").exists())  # fmt: skip


OLD, NEW = ("1", "s3cret-value", None, "as it was", False), ("2", "other", "1", "changed", True)


def test_a_backup_takes_the_place_of_an_app_and_can_be_taken_back(own_platform):
    platform = own_platform
    app = shop(platform)
    add_target(platform)
    platform.pushrod("backup", "create", app.name)
    then = app.ref()
    change_everything(app)
    assert state_of(app) == NEW
    (backup,) = platform.json("backup", "list", app.name)
    said = platform.pushrod("backup", "restore", app.name).out
    assert state_of(app) == OLD and app.ref() == then and orders(platform, app.name) == 100
    assert app.last_deployment()["kind"] == "restore" and app.last_deployment()["state"] == "live"
    assert {one["name"] for one in platform.json("config", "list", app.name)} == {"API_TOKEN"}
    aside = platform.json("backup", "list", app.name)[0]["backup"]
    assert aside != backup["backup"] and aside in said
    platform.pushrod("backup", "restore", app.name, "--backup", aside)
    assert state_of(app) == NEW
    app.push({"VERSION": "3\n"})
    assert app.version() == "3"
    assert not list((platform.root / "data").glob(".restore*"))


def test_a_restore_that_fails_leaves_the_app_as_it_was(own_platform):
    platform = own_platform
    # What runs on the restored data does not start, from now on.
    app = shop(platform)
    app.push({"Procfile": 'web: test -e /data/new || test ! -e /data/fails || exit 3; exec python3 web.py\n'})
    (app.data / "fails").touch()
    add_target(platform)
    platform.pushrod("backup", "create", app.name)
    (app.data / "new").touch()
    change_everything(app)
    assert state_of(app) == NEW
    refused = platform.pushrod("backup", "restore", app.name, code=1)
    assert f"app {app.name} is as it was" in refused.err
    assert state_of(app) == NEW
    assert not list((platform.root / "data").glob(".restore*"))


def test_a_restore_killed_at_any_step_leaves_the_old_or_the_new_state(own_platform):
    platform = own_platform
    app = shop(platform)
    add_target(platform)
    platform.pushrod("backup", "create", app.name)
    (backup,) = platform.json("backup", "list", app.name)
    change_everything(app)
    outcomes = set()
    words = ["backup", "restore", app.name, "--backup", backup["backup"]]
    for call, first, every in (("renameat2", 1, 1), ("fdatasync", 10, 9), ("rename", 6, 16)):
        for count in range(first, 300, every):
            argv = killed_at(call, count, [platform.binary, "--root", platform.root, *words])
            result = run_command(argv, env=platform.server_env, code=None)
            await_converged(app)
            state = state_of(app)
            assert state in (OLD, NEW), (call, count)
            assert not list((platform.root / "data").glob(".restore*")), (call, count)
            outcomes.add(state)
            if state == OLD:
                change_everything(app)
            if result.code == 0:
                break
            assert result.code in (-9, 137), result
    assert outcomes == {OLD, NEW}


def test_verify_finds_a_damaged_backup_and_a_damaged_database(own_platform):
    platform = own_platform
    app = shop(platform)
    (app.data / "large").write_bytes(bytes(range(256)) * 20_000)
    add_target(platform)
    database = (app.data / "shop.db").read_bytes()
    (app.data / "shop.db").write_bytes(database[:4096] + b"\xff" * 100 + database[4196:])
    platform.pushrod("backup", "create", app.name)
    assert "SQLite databases are damaged" in platform.pushrod("backup", "verify", app.name, code=1).err
    (app.data / "shop.db").write_bytes(database)
    platform.pushrod("backup", "create", app.name)
    platform.pushrod("backup", "verify", app.name)
    for pack in platform.directory.glob("backups.disk/data/*/*"):
        content = bytearray(pack.read_bytes())
        content[len(content) // 3] ^= 0xFF
        pack.chmod(0o600)
        pack.write_bytes(content)
    shutil.rmtree(platform.root / "backup-cache")
    platform.pushrod("backup", "verify", app.name, code=1)
    copy = platform.unique_name()
    platform.pushrod("backup", "restore", app.name, copy, code=1)
    assert copy not in platform.app_names()


def test_two_runs_never_overlap_and_a_killed_one_leaves_nothing(own_platform):
    platform = own_platform
    app = shop(platform)
    held = "[backup]\nbefore = 'touch /data/begun; until [ -e /data/go ]; do sleep 0.05; done'\n"
    app.push({"pushrod.toml": held})
    add_target(platform)
    first = platform.start_pushrod("backup", "create", app.name)
    wait_until((app.data / "begun").exists, what="the backup")
    assert "in progress" in platform.pushrod("backup", "create", app.name, code=1).err
    first.kill()
    first.wait()
    wait_until(lambda: not platform.processes("sleep 0.05"), what="the end of its hook")
    (app.data / "go").touch()
    platform.pushrod("backup", "create", app.name)
    assert len(platform.json("backup", "list", app.name)) == 1
    app.push({"pushrod.toml": "[backup]\nbefore = 'echo no; exit 3'\n"})
    refused = platform.pushrod("backup", "create", app.name, code=1)
    assert "[backup] before failed with exit code 3" in refused.err
    assert "LAST RUN failed" in platform.pushrod("app", "info", app.name).out
    assert not findings(platform)[f"backup of {app.name}"]["good"]


def test_backups_are_made_by_the_clock(own_platform):
    platform = own_platform
    app = shop(platform)
    assert app.name in findings(platform)["backups"]["found"]
    add_target(platform)
    platform.pushrod("backup", "schedule", "--all", "--at", "* * * * *", "--keep", "1")
    assert platform.json("backup", "schedule")[0]["next"]
    wait_until(lambda: len(platform.json("backup", "list")) >= 2, 100, "the backups of the app and of the platform")
    platform.pushrod("backup", "schedule", "--all", "--none")
    assert platform.json("backup", "schedule") == []


def test_rights(platform):
    app = platform.deploy()
    name = platform.unique_name("key")
    key = platform.make_key(name)
    platform.pushrod("key", "add", name, f"{key}.pub", "--role", "admin", "--app", app.name)
    for words in (["target", "list"], ["target", "add", "x", "/x"], ["target", "remove", "x"], ["schedule"],
                  ["create", "--all"], ["restore", app.name]):  # fmt: skip
        assert "administrators of this machine" in platform.ssh("backup", *words, key=key, code=1).err
    platform.pushrod("key", "remove", name)


def test_the_drill(make_platform):
    """The machine is lost: its root is deleted. Everything comes back elsewhere, from the backups and the password."""
    old = make_platform().start()
    apps = [shop(old, "shop"), shop(old, "blog")]
    key = old.make_key("bob")
    old.pushrod("key", "add", "bob", f"{key}.pub", "--role", "deploy", "--app", "shop")
    url, password = add_target(old)
    old.pushrod("backup", "schedule", "--all")
    old.pushrod("backup", "create", "--all")
    host_key = (old.root / "ssh" / "host_ed25519_key.pub").read_text()
    old.stop()
    old.kill_all()
    shutil.rmtree(old.root)

    new = make_platform()
    settings = (new.root / "server.toml").read_text()
    shutil.rmtree(new.root)
    credentials = f"RESTIC_PASSWORD={password}\n"
    wrong = new.pushrod("restore", url, input="RESTIC_PASSWORD=wrong\n", code=None)
    assert wrong.code != 0 and "password" in wrong.err
    said = new.pushrod("restore", url, input=credentials).out
    assert "restore its 2 apps" in said
    (new.root / "server.toml").write_text(settings)  # this machine has other ports
    assert (new.root / "ssh" / "host_ed25519_key.pub").read_text() == host_key
    new.start()
    new.pushrod("backup", "restore", "--all")
    for app in apps:
        assert new.http(app.host).text == "1" and orders(new, app.name) == 100
        assert new.http(app.host, "/env").json()["API_TOKEN"] == "s3cret-value"
    keys = {one["key"]: one for one in new.json("key", "list")}
    assert keys["bob"]["role"] == "deploy" and keys["bob"]["apps"] == ["shop"]
    assert [one["target"] for one in new.json("backup", "schedule")] == ["disk"]
    assert "read back" in new.pushrod("backup", "create", "shop").out, "the target is known"
    old.root.mkdir(mode=0o700)
