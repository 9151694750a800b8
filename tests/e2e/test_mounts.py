"""Directories of the machine in the sandboxes of apps: offered by name in server.toml, asked for in pushrod.toml."""

import os
import shutil

import pytest

pytest.register_assert_rewrite("test_backups")

from harness import wait_until, web_app  # noqa: E402
from test_backups import add_target, findings  # noqa: E402

ASKS = '[mounts]\n"/srv/media" = "media"\n'


def offer(platform, *apps, path=None, writable=True, name="media"):
    """Has server.toml offer it to these apps; the directory on the host."""
    directory = platform.directory / "media" if path is None else path
    if path is None:
        directory.mkdir(mode=0o755, exist_ok=True)
    names = ", ".join(f'"{app}"' for app in apps)
    platform.write_settings(
        f'[mounts.{name}]\npath = "{directory}"\napps = [{names}]\nread_only = {"false" if writable else "true"}\n'
    )
    return directory


def write(app, path, text="x", status=200):
    return app.get(f"/write?path={path}&text={text}", status=status).text


def read(app, path, status=200):
    return app.get(f"/read?path={path}", status=status).text


def in_app(app, script, code=0):
    return app.platform.pushrod("run", app.name, "--", "sh", "-c", script, code=code)


def test_an_app_that_is_allowed_writes_and_reads_a_directory_of_the_machine(own_platform):
    platform = own_platform
    media = offer(platform, "shop", "reader")
    (media / "there").write_text("of the machine")
    app = platform.create_app(
        web_app("1", pushrod_toml=ASKS + '[release]\ncommand = "cat /srv/media/there > /srv/media/released"\n'), name="shop"
    )
    said = app.work.push(options=["dry-run"], code=1).err
    assert f"mount      /srv/media: {media} of this machine, writable" in said
    app.work.push()
    assert read(app, "/srv/media/there") == "of the machine"
    assert write(app, "/srv/media/new", "made") == "written" and (media / "new").read_text() == "made"
    assert (media / "released").read_text() == "of the machine"
    assert in_app(app, "cat /srv/media/new; echo job > /srv/media/job").out == "made"
    assert (media / "job").read_text() == "job\n"
    # Nothing else of the machine came with it, and other apps have nothing of it.
    assert app.get("/list?path=/srv").json() == ["media"]
    assert "Read-only file system" in write(app, "/srv/beside", status=403)
    other = platform.deploy(name="other")
    assert "No such file" in read(other, "/srv/media/new", status=404)
    # Another app may see it, and asks for no more.
    asks = '[mounts]\n"/mnt" = { name = "media", read_only = true }\n'
    reader = platform.deploy(web_app("1", pushrod_toml=asks), name="reader")
    assert read(reader, "/mnt/new") == "made"
    assert "Read-only file system" in write(reader, "/mnt/new", status=403)
    assert platform.json("releases", "reader")[0]["mounts"] == {"/mnt": "media"}
    assert "mount      /mnt: media" in platform.pushrod("release", "reader", "1").out
    found = findings(platform)["mount media"]
    assert found["good"] and found["found"] == f"{media}, for shop, reader"
    # It survives a new start of everything.
    platform.kill_all()
    platform.start()
    wait_until(lambda: platform.http(app.host, "/read?path=/srv/media/new").text == "made", what="the app")
    # What lies there is not the app's: it stays.
    platform.pushrod("app", "destroy", "shop", "--yes")
    assert (media / "new").read_text() == "made"


def test_read_only_is_read_only(own_platform):
    platform = own_platform
    media = offer(platform, "shop", writable=False)
    (media / "sub").mkdir()
    (media / "sub" / "file").write_text("kept")
    app = platform.deploy(web_app("1", pushrod_toml=ASKS), name="shop")
    assert read(app, "/srv/media/sub/file") == "kept"
    for script in ("echo x > sub/file", "rm sub/file", "mkdir new", "mv sub other", "touch sub/file", "chmod 777 sub",
                   "ln -s / link", "ln sub/file sub/second"):  # fmt: skip
        refused = in_app(app, f"cd /srv/media && {script}", code=None)
        assert refused.code != 0 and "Read-only file system" in refused.err, script
    assert (media / "sub" / "file").read_text() == "kept" and os.listdir(media) == ["sub"]
    assert findings(platform)["mount media"]["found"] == f"{media}, read-only, for shop"


def test_an_app_that_is_not_allowed_gets_one_clear_line(own_platform):
    platform = own_platform
    app = platform.create_app(web_app("1", pushrod_toml=ASKS + '[services]\ndb = "redis"\n'), name="shop")
    for apps in ((), ("other",)):
        if apps:
            offer(platform, *apps)
        for options, code in (([], 1), (["dry-run"], 1)):
            said = app.work.push(options=options, code=code).err
            assert 'shop may not mount "media" ([mounts] in pushrod.toml)' in said
            assert 'in server.toml: [mounts.media] with apps = ["shop"]' in said
    assert not platform.json("service", "list"), "nothing was made for it"
    offer(platform, "shop")
    app.work.push(options=["dry-run"], code=1)
    app.push({"VERSION": "2\n"})
    write(app, "/srv/media/file", "there")
    # A right that is taken back ends with the next restart, which changes nothing.
    offer(platform, "other")
    refused = platform.pushrod("restart", "shop", code=1)
    assert refused.out.count('shop may not mount "media"') == 1 and refused.err == ""
    assert app.version() == "2"
    # Under another name it is another app.
    offer(platform, "shop")
    assert 'store may not mount "media"' in platform.pushrod("app", "rename", "shop", "store", code=1).out
    offer(platform, "shop", "store")
    platform.pushrod("app", "rename", "shop", "store")
    assert platform.http("store.localhost", "/read?path=/srv/media/file").text == "there"


def test_an_app_that_wakes_has_it_also_when_it_was_offered_after_the_daemons_start(own_platform):
    platform = own_platform
    media = offer(platform, "shop")
    (media / "file").write_text("there")
    sleepy = '[processes.web]\ncommand = "python3 web.py"\nsleep_after = "1s"\n'
    app = platform.deploy(web_app("1", pushrod_toml=ASKS + sleepy), name="shop")
    wait_until(lambda: platform.json("app", "info", "shop")["traffic"] == "asleep", 30, "sleep")
    assert read(app, "/srv/media/file") == "there"


def test_builds_do_not_see_it(own_platform):
    platform = own_platform
    media = offer(platform, "shop")
    (media / "secret").write_text("s")
    build = '[build]\ncommand = "ls -d /srv /srv/media >seen 2>&1 || true; ls /media /mnt >>seen 2>&1 || true"\n'
    app = platform.deploy(web_app("1", pushrod_toml=ASKS + build), name="shop")
    seen = read(app, "/app/seen")
    assert "cannot access '/srv'" in seen and "secret" not in seen
    assert read(app, "/srv/media/secret") == "s"


def test_a_directory_that_is_gone_is_told_and_comes_back(own_platform):
    platform = own_platform
    media = offer(platform, "shop")
    app = platform.deploy(web_app("1", pushrod_toml=ASKS), name="shop")
    aside = media.with_name("aside")
    media.rename(aside)
    reason = f'"media" cannot be mounted: {media} does not exist'
    assert reason in app.push({"VERSION": "2\n"}, code=1).err
    assert reason in platform.pushrod("restart", "shop", code=1).out
    assert reason in platform.pushrod("run", "shop", "--", "true", code=None).err
    assert app.version() == "1"
    found = findings(platform)["mount media"]
    assert not found["good"] and found["found"] == f"{media} does not exist" and "shop" in found["lost"]
    # A link in its place is not followed.
    (platform.directory / "elsewhere").mkdir()
    media.symlink_to(platform.directory / "elsewhere")
    assert f"{media} is a symbolic link" in app.work.push(code=1).err
    media.unlink()
    # A tree that starts without it leaves the others alone, and the app comes back with the directory.
    other = platform.deploy(name="other")
    platform.kill_all()
    platform.start()
    wait_until(lambda: platform.http(other.host).status == 200, what="the other app")
    assert platform.http(app.host).status == 503
    aside.rename(media)
    wait_until(lambda: platform.http(app.host).text == "1", 40, "the app")


@pytest.mark.parametrize("where", ["root", "repos", "above"])
def test_pushrods_own_files_are_never_mounted(own_platform, where):
    platform = own_platform
    path = {"root": platform.root, "repos": platform.root / "repos", "above": platform.root.parent}[where]
    offer(platform, "shop", path=path)
    app = platform.create_app(web_app("1", pushrod_toml=ASKS), name="shop")
    assert f"{path} holds Pushrod's own files, or lies among them" in app.work.push(code=1).err


def test_a_hostile_tree_does_not_choose_where_it_is_mounted(own_platform):
    platform = own_platform
    media = offer(platform, "shop")
    app = platform.create_app(web_app("1"), name="shop")
    for path in ("/app/media", "/app", "/data/media", "/tmp/x", "/etc", "/srv/../app", "/srv/media/../../app"):
        said = app.push({"pushrod.toml": f'[mounts]\n"{path}" = "media"\n'}, code=1).err
        assert "is not a place for a mount" in said and "/srv, /mnt or /media" in said, path
    # Links of the app's own, where it has something: none is on the way of a mount.
    os.symlink("/srv/media", app.work.directory / "media")
    app.work.git("add", "media")
    app.push({"pushrod.toml": ASKS, "Procfile": "web: ln -s /app /data/media; exec python3 web.py\n"})
    write(app, "/app/media/through", "linked")
    assert (media / "through").read_text() == "linked"


def test_mounts_go_neither_into_archives_nor_into_copies(own_platform):
    platform = own_platform
    media = offer(platform, "shop")
    app = platform.deploy(web_app("1", pushrod_toml=ASKS), name="shop")
    write(app, "/srv/media/file", "shared")
    failed = platform.pushrod("app", "clone", "shop", "copy", "--with-data", code=None)
    assert failed.code != 0 and 'copy may not mount "media"' in failed.out + failed.err
    assert platform.app_names() == {"shop"}
    offer(platform, "shop", "copy", "then")
    platform.pushrod("app", "clone", "shop", "copy", "--with-data")
    assert platform.http("copy.localhost", "/read?path=/srv/media/file").text == "shared"
    add_target(platform)
    platform.pushrod("backup", "create", "shop")
    shutil.rmtree(media)
    media.mkdir()
    platform.pushrod("backup", "restore", "shop", "then")
    assert platform.http("then.localhost", "/read?path=/srv/media/file").status == 404
    assert platform.http("then.localhost", "/list?path=/srv/media").json() == []
