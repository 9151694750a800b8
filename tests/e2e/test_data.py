"""/data: its files from outside, its size, its limit."""

import os
import subprocess

from harness import wait_until, web_app


def test_an_app_whose_data_is_over_the_limit_is_stopped(make_platform):
    platform = make_platform(settings='[limits]\ndata_bytes = "2M"\n').start()
    app = platform.deploy(web_app("1"))
    (app.data / "some").write_bytes(b"x" * 1_000_000)
    other = platform.deploy(web_app("1"))
    assert 1_000_000 <= platform.json("app", "info", app.name)["data_bytes"] < 1_100_000
    assert app.version() == "1"
    (app.data / "more").write_bytes(b"x" * 2_000_000)
    wait_until(lambda: platform.json("app", "info", app.name)["state"] == "stopped", 100, "the app to be stopped")
    assert "of [limits] data_bytes" in platform.pushrod("app", "info", app.name).out
    assert other.version() == "1"
    (app.data / "more").unlink()
    platform.pushrod("start", app.name)
    assert app.version() == "1"


def test_files_of_data_are_listed_read_written_and_removed(platform):
    app = platform.deploy(web_app("1"))
    content = os.urandom(300_000)
    argv = platform._ssh(("files", "put", app.name, "up/loads/photo.bin"), None)
    subprocess.run(argv, env=platform.client_env, input=content, check=True, capture_output=True, timeout=60)
    assert (app.data / "up" / "loads" / "photo.bin").read_bytes() == content
    assert [(one["name"], one["type"]) for one in platform.json("files", "ls", app.name)] == [("up", "directory")]
    listed = platform.json("files", "ls", app.name, "up/loads")
    assert [(one["name"], one["type"], one["bytes"]) for one in listed] == [("photo.bin", "file", 300_000)]
    argv = platform._ssh(("files", "get", app.name, "/data/up/loads/photo.bin"), None)
    got = subprocess.run(argv, env=platform.client_env, check=True, capture_output=True, timeout=60)
    assert got.stdout == content
    platform.pushrod("files", "put", app.name, "up/loads/photo.bin", input="new")
    assert (app.data / "up" / "loads" / "photo.bin").read_text() == "new"
    assert "is a directory" in platform.pushrod("files", "rm", app.name, "up", code=1).err
    platform.pushrod("files", "rm", app.name, "up/loads/photo.bin")
    assert not list((app.data / "up" / "loads").iterdir())
    platform.pushrod("files", "rm", app.name, "up", "--recursive")
    assert not list(app.data.iterdir())
    assert "does not exist" in platform.pushrod("files", "get", app.name, "up/a", code=1).err
    assert {"files put", "files rm"} <= {one["action"] for one in platform.json("audit", app.name)}


def test_links_that_an_app_has_planted_lead_nowhere(platform):
    app = platform.deploy(web_app("1"))
    outside = platform.directory / "outside-of-data"
    outside.mkdir(exist_ok=True)
    (outside / "secret").write_text("secret")
    (app.data / "way").symlink_to(outside)
    (app.data / "file").symlink_to(outside / "secret")
    for words in (["ls", app.name, "way/"], ["get", app.name, "way/secret"], ["get", app.name, "file"],
                  ["put", app.name, "way/new"], ["rm", app.name, "way/secret"],
                  ["get", app.name, "../../server.toml"], ["rm", app.name, "."]):  # fmt: skip
        refused = platform.pushrod("files", *words, code=None, input="x")
        assert "secret\n" not in refused.out and (refused.code == 1 or words[0] == "ls"), refused
    assert [one.name for one in outside.iterdir()] == ["secret"]
    platform.pushrod("files", "put", app.name, "file", input="own")
    assert (outside / "secret").read_text() == "secret" and (app.data / "file").read_text() == "own"
    platform.pushrod("files", "rm", app.name, "way")
    assert (outside / "secret").exists() and not (app.data / "way").is_symlink()
