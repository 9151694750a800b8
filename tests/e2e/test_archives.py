"""Whole apps as streams: export, import, clone; hostile archives; kills at every step."""

import io
import os
import sqlite3
import subprocess
import tarfile

import pytest

pytest.register_assert_rewrite("crash")

from crash import killed_at  # noqa: E402
from harness import run_command, wait_until, web_app  # noqa: E402


def export(platform, app, *words, code=0):
    """The archive of an app, as bytes."""
    argv = [platform.binary, "--root", platform.root, "app", "export", app, *words]
    result = subprocess.run(argv, env=platform.server_env, capture_output=True, timeout=60, check=False)
    assert result.returncode == code, result.stderr.decode()
    return result.stdout


def start_import(platform, archive, *words):
    """`app import` with the archive; (exit code, output, complaints)."""
    argv = [platform.binary, "--root", platform.root, "app", "import", *words]
    result = subprocess.run(argv, env=platform.server_env, input=archive, capture_output=True, timeout=120, check=False)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def import_app(platform, archive, *words):
    """The same; it must succeed."""
    code, out, err = start_import(platform, archive, *words)
    assert code == 0, out + err
    return out


def refusal(platform, archive, *words):
    """Why an archive is refused, in one line; nothing may be left of it."""
    before = platform.app_names()
    code, out, err = start_import(platform, archive, *words)
    assert code == 1, out + err
    assert platform.app_names() == before
    assert_nothing_left(platform)
    return err.splitlines()[0]


def assert_nothing_left(platform):
    for directory in (platform.root / "transfers", platform.root / "run" / "transfers"):
        assert not directory.exists() or not os.listdir(directory)
    assert not list((platform.root / "run" / "locks").glob("transfer.*"))


def members(archive):
    """Name → TarInfo and content."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: (member, tar.extractfile(member).read() if member.isreg() else b"") for member in tar}


def rebuilt(archive, change):
    """The archive with a changed list of (TarInfo, content)."""
    entries = list(members(archive).values())
    change(entries)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member, content in entries:
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def entry(name, content=b"x", **attributes):
    """One for rebuilt()."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    for key, value in attributes.items():
        setattr(member, key, value)
    return member, content


def whole_app(platform, **files):
    """An app with something of everything."""
    app = platform.deploy(web_app("1", **files))
    platform.pushrod("config", "set", app.name, "COLOUR=blue", "API_TOKEN=s3cret-value")
    platform.pushrod("domain", "add", app.name, f"{app.name}.example.com/shop", "--strip-prefix", "--hsts", "1d")
    platform.pushrod("scale", app.name, "web=2")
    (app.data / "sub").mkdir()
    (app.data / "sub" / "file").write_text("data")
    (app.data / "link").symlink_to("/data/sub/file")
    return app


def move(app, new):
    """ssh old app export | ssh new app import; what that prints."""
    source = app.platform.start_ssh("app", "export", app.name, stdout=subprocess.PIPE)
    moved = subprocess.run(
        new._ssh(("app", "import"), None), env=new.client_env, stdin=source.stdout, capture_output=True, timeout=100,
        check=False,
    )  # fmt: skip
    assert source.wait(20) == 0 and moved.returncode == 0, moved.stderr.decode() + moved.stdout.decode()
    return moved.stdout.decode()


def test_one_pipe_moves_a_whole_app(make_platform):
    old, new = make_platform().start(), make_platform().start()
    app = whole_app(old)
    assert f"App {app.name} is here" in move(app, new)
    assert new.http(app.host).text == "1"
    assert new.http(f"{app.name}.example.com", "/shop/").status == 200
    environment = new.http(app.host, "/env").json()
    assert environment["COLOUR"] == "blue" and environment["API_TOKEN"] == "s3cret-value"
    settings = {one["name"]: one for one in new.json("config", "list", app.name)}
    assert settings["API_TOKEN"]["secret"] and not settings["COLOUR"]["secret"]
    data = new.root / "data" / app.name
    assert (data / "sub" / "file").read_text() == "data" and os.readlink(data / "link") == "/data/sub/file"
    assert len(new.json("ps", app.name)) == 2, "the scale came with it"
    # The code came with its history, and the next push works as on the old server.
    work = new.make_repo(repo=app.name)
    work.git("pull", "--quiet", "origin", "main")
    assert work.head() == app.work.head()
    work.commit({"VERSION": "2\n"})
    work.push()
    assert new.http(app.host).text == "2" and old.http(app.host).text == "1"
    assert {one["action"] for one in new.json("audit", app.name)} >= {"app import"}
    assert {one["action"] for one in old.json("audit", app.name)} >= {"app export"}
    assert_nothing_left(old)
    assert_nothing_left(new)


def test_a_certificate_goes_with_its_domain_and_leaves_with_a_failed_import(make_platform):
    old, new = make_platform(), make_platform()
    for platform in (old, new):
        platform.write_settings(f'[https]\nlisten = "127.0.0.1:{platform.ports.https}"\n')
        platform.start()
    app = old.deploy(web_app("1", Procfile='web: test -z "$DIES" && exec python3 web.py; exit 3\n'))
    host = f"{app.name}.example.com"
    old.pushrod("domain", "add", app.name, host)
    key, crt = old.home / "tls.key", old.home / "tls.crt"
    run_command(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9",
                 "-subj", "/CN=test", "-addext", f"subjectAltName=DNS:{host}", "-keyout", key, "-out", crt],
                env=old.client_env)  # fmt: skip
    old.pushrod("cert", "add", host, input=crt.read_text() + key.read_text())
    archive = export(old, app.name)
    old.pushrod("config", "set", app.name, "--no-restart", "DIES=1")
    refusal(new, export(old, app.name))
    assert new.json("cert", "list") == [] and new.json("domain", "list") == []
    assert not list((new.root / "certificates").glob("*.pem"))
    import_app(new, archive)
    (certificate,) = new.json("cert", "list")
    assert certificate["host"] == host and certificate["source"] == "operator" and certificate["apps"] == [app.name]
    argv = ["curl", "-sS", "--cacert", crt, "--resolve", f"{host}:{new.ports.https}:127.0.0.1",
            f"https://{host}:{new.ports.https}/"]  # fmt: skip
    assert subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout == "1"


def test_an_import_leaves_the_disk_its_free_space(make_platform):
    old = make_platform().start()
    app = whole_app(old)
    with open(app.data / "large", "wb") as large:
        for _ in range(64):
            large.write(os.urandom(1 << 20))
    new = make_platform(settings=f'[retention]\nfree_space = "{1 << 20}G"\n').start()
    assert "not enough disk space for the archive" in refusal(new, export(old, app.name))


def test_export_is_for_admins_of_the_app_and_import_for_those_of_the_machine(platform):
    app = platform.deploy()
    for role in ("deploy", "admin"):
        name = platform.unique_name("key")
        key = platform.make_key(name)
        platform.pushrod("key", "add", name, f"{key}.pub", "--role", role, "--app", app.name)
        code = 0 if role == "admin" else 1
        argv = platform._ssh(("app", "export", app.name), key)
        exported = subprocess.run(argv, env=platform.client_env, capture_output=True, timeout=60, check=False)
        assert exported.returncode == code, exported.stderr
        assert "administrators of this machine" in platform.ssh("app", "import", "x", key=key, code=1, input="").err
        refused = platform.ssh("app", "clone", app.name, platform.unique_name(), key=key, code=1)
        assert "administrators of this machine" in refused.err
        platform.pushrod("key", "remove", name)


def test_sqlite_is_copied_by_sqlite_while_the_app_writes(platform):
    app = platform.deploy()
    database = sqlite3.connect(app.data / "shop.db")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE orders (id INTEGER)")
    database.executemany("INSERT INTO orders VALUES (?)", [(n,) for n in range(1000)])
    database.commit()
    assert (app.data / "shop.db-wal").stat().st_size > 0, "not in the database's file yet"
    (app.data / "planted.db-wal").symlink_to(platform.root / "pushrod.db")
    (app.data / "planted.db").write_bytes((app.data / "shop.db").read_bytes()[:4096])
    before = (platform.root / "pushrod.db").read_bytes()[:100]
    archive = export(platform, app.name)
    database.close()
    found = members(archive)
    assert "data/shop.db-wal" not in found and "data/shop.db-shm" not in found
    name = platform.unique_name()
    import_app(platform, archive, name)
    copy = sqlite3.connect(platform.root / "data" / name / "shop.db")
    assert copy.execute("SELECT count(*), sum(id) FROM orders").fetchone() == (1000, 499500)
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert (platform.root / "pushrod.db").read_bytes()[:16] == before[:16]


def test_a_clone_has_settings_and_code_but_no_domains(platform):
    app = whole_app(platform)
    copy = platform.unique_name()
    platform.pushrod("app", "clone", app.name, copy)
    assert platform.http(f"{copy}.localhost").text == "1"
    assert platform.http(f"{copy}.localhost", "/env").json()["COLOUR"] == "blue"
    assert not list((platform.root / "data" / copy).iterdir())
    assert [one for one in platform.json("domain", "list", copy) if not one["own"]] == []
    with_data = platform.unique_name()
    platform.pushrod("app", "clone", app.name, with_data, "--with-data")
    assert (platform.root / "data" / with_data / "sub" / "file").read_text() == "data"
    app.push({"VERSION": "2\n"})
    assert app.version() == "2" and platform.http(f"{copy}.localhost").text == "1", "the copy has a repo of its own"
    assert_nothing_left(platform)


def test_an_import_refuses_what_is_there_and_leaves_nothing_of_a_failed_one(platform):
    app = whole_app(platform)
    archive = export(platform, app.name)
    name = platform.unique_name()
    assert f"app {app.name} already exists" in refusal(platform, archive)
    assert f"belongs to app {app.name}" in refusal(platform, archive, name)
    import_app(platform, archive, name, "--no-domains")
    assert platform.http(f"{name}.localhost").text == "1"
    broken = platform.unique_name()
    app.push({"Procfile": "web: exit 3\n"}, code=1)
    platform.pushrod("config", "set", app.name, "--no-restart", "DIES=1")
    unhealthy = platform.deploy(web_app("1") | {"Procfile": 'web: test -z "$DIES" && exec python3 web.py; exit 3\n'})
    platform.pushrod("config", "set", unhealthy.name, "--no-restart", "DIES=1")
    code, out, err = start_import(platform, export(platform, unhealthy.name), broken)
    assert code == 1 and f"app {broken} was not imported" in err, out + err
    assert broken not in platform.app_names() and not (platform.root / "data" / broken).exists()
    assert not (platform.root / "repos" / f"{broken}.git").exists()
    assert_nothing_left(platform)


def test_stopped_and_undeployed_apps_stay_so(platform):
    stopped = platform.deploy()
    platform.pushrod("stop", stopped.name)
    name = platform.unique_name()
    import_app(platform, export(platform, stopped.name), name)
    assert platform.json("app", "info", name)["state"] == "stopped"
    platform.pushrod("start", name)
    assert platform.http(f"{name}.localhost").text == "1"
    empty = platform.create_app(web_app("1"))
    other = platform.unique_name()
    import_app(platform, export(platform, empty.name), other)
    assert platform.json("app", "info", other)["state"] == "not deployed"


HOSTILE = {
    "a path that leads out": entry("../../escaped"),
    "a path that leads out of data": entry("data/../../escaped"),
    "an absolute path": entry("/tmp/escaped"),
    "a device": entry("data/null", b"", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
    "a hard link out": entry("data/passwd", b"", type=tarfile.LNKTYPE, linkname="/etc/passwd"),
    "a name that comes twice": entry("pushrod-app.json"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_archive_is_refused(platform, what):
    app = platform.deploy()
    archive = export(platform, app.name)
    hostile = rebuilt(archive, lambda entries: entries.insert(-1, HOSTILE[what]))
    assert refusal(platform, hostile, platform.unique_name()).startswith("pushrod: the archive is refused: ")
    assert not list(platform.directory.rglob("escaped"))


def test_nothing_is_written_through_a_link_of_the_archive(platform):
    app = platform.deploy()
    outside = platform.directory / "outside"
    outside.mkdir(exist_ok=True)

    def plant(entries):
        entries[-1:-1] = [
            entry("data/way", b"", type=tarfile.SYMTYPE, linkname=str(outside)),
            entry("data/way/file"),
        ]

    archive = rebuilt(export(platform, app.name), plant)
    assert refusal(platform, archive, platform.unique_name()).startswith("pushrod: the archive is refused: ")
    assert not list(outside.iterdir())


def test_what_is_no_archive_or_was_cut_off_is_refused(platform):
    app = whole_app(platform)
    archive = export(platform, app.name)
    name = platform.unique_name()
    assert refusal(platform, b"", name).startswith("pushrod: the archive is refused: ")
    assert refusal(platform, b"hello, world\n" * 1000, name).startswith("pushrod: the archive is refused: ")
    end = members(archive)["end"][0].offset
    for part in (4096, end // 2, end // 2 // 512 * 512, end):
        assert refusal(platform, archive[:part], name).startswith("pushrod: the archive is refused: "), part
    without_end = rebuilt(archive, lambda entries: entries.pop())
    assert "it is not complete" in refusal(platform, without_end, name)

    def newer(entries):
        entries[0] = entry("pushrod-app.json", entries[0][1].replace(b'"version": 1', b'"version": 99'))

    assert "version 99 of the format" in refusal(platform, rebuilt(archive, newer), name)

    def other_commit(entries):
        text = entries[0][1].replace(app.work.head().encode(), b"1" * 40)
        entries[0] = entry("pushrod-app.json", text)

    assert "is not at the commit" in refusal(platform, rebuilt(archive, other_commit), name, "--no-domains")


def test_an_import_killed_at_any_step_leaves_nothing_or_the_whole_app(own_platform):
    platform = own_platform
    app = whole_app(platform)
    archive_file = platform.directory / "app.tar"
    archive_file.write_bytes(export(platform, app.name))
    name, outcomes = "copy", set()
    for call, every in (("fdatasync", 4), ("rename", 3), ("vfork", 4)):
        for count in range(1, 200, every):
            argv = killed_at(call, count, [platform.binary, "--root", platform.root, "app", "import", name,
                                           "--no-domains"])  # fmt: skip
            with open(archive_file, "rb") as archive:
                result = subprocess.run(argv, env=platform.server_env, stdin=archive, capture_output=True, timeout=60,
                                        check=False)  # fmt: skip
            # The next command settles it, as the daemon does.
            run_command([platform.binary, "--root", platform.root, "app", "import", "other"], env=platform.server_env,
                        input="", code=1)  # fmt: skip
            is_there = name in platform.app_names()
            outcomes.add(is_there)
            if is_there:
                wait_until(lambda: platform.http(f"{name}.localhost").status == 200, what="the copy")
                assert platform.http(f"{name}.localhost", "/env").json()["COLOUR"] == "blue"
                assert (platform.root / "data" / name / "sub" / "file").read_text() == "data"
                platform.pushrod("app", "destroy", name, "--yes")
            assert not (platform.root / "repos" / f"{name}.git").exists()
            assert not (platform.root / "data" / name).exists()
            assert_nothing_left(platform)
            if result.returncode == 0:
                break
            assert result.returncode in (-9, 137), result.stderr
    assert outcomes == {False, True}
    assert app.version() == "1"
