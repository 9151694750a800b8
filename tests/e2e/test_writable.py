"""Paths of /app that may be written to: named by the app, or known from its framework; private to each instance."""

import json
import os
import signal

from attacks import attempt
from harness import APPS, Traffic, wait_until, web_app

WRITABLE = '[app]\nwritable = ["tmp", "views"]\n'


def app_files(version="1", toml=WRITABLE, **more):
    """The test app with something in views/ and nothing in tmp/."""
    return web_app(version, pushrod_toml=toml, Procfile="web: exec python3 web.py\n", **more) | {"views/a": "released\n"}


def write(app, path, text, status=200):
    """Lets an instance write a file."""
    return app.get(f"/write?path={path}&text={text}", status=status)


def answers(app):
    """Does it answer now?"""
    return app.platform.http(app.host, "/").status == 200


def code_of(app):
    """The tree of the live release on the host."""
    release = app.platform.json("app", "info", app.name)["release"]
    return app.platform.root / "checkouts" / app.name / str(release) / "tree"


def test_an_instance_writes_to_its_own_layer_alone(platform):
    app = platform.create_app(app_files())
    pushed = app.work.push()
    assert "Writable in /app, until the instance ends: tmp, views" in pushed.err
    write(app, "/app/tmp/x", "new")
    write(app, "/app/views/a", "changed")
    assert "Read-only file system" in write(app, "/app/x", "no", status=403).text
    assert [app.get(f"/read?path=/app/{path}").text for path in ("tmp/x", "views/a")] == ["new", "changed"]
    tree = code_of(app)
    assert (tree / "views/a").read_text() == "released\n"
    assert not list((tree / "tmp").iterdir())
    # Not seen by another instance of the same release, nor by a job of it.
    there = platform.pushrod("run", app.name, "--", "sh", "-c", "ls tmp; cat views/a; echo mine > tmp/y && cat tmp/y")
    assert there.out == "released\nmine\n"
    assert app.get("/list?path=/app/tmp").json() == ["x"]


def test_a_layer_ends_with_its_instance_however_it_ends(platform):
    app = platform.deploy(app_files())
    write(app, "/app/tmp/x", "new")
    platform.pushrod("restart", app.name)
    assert app.get("/list?path=/app/tmp").json() == []
    write(app, "/app/tmp/x", "new")
    (instance,) = app.instances("running")
    keeper = platform.service_pid(instance)
    os.kill(keeper, signal.SIGKILL)
    wait_until(lambda: platform.service_pid(instance) not in (keeper, None) and answers(app), what="the next start")
    assert app.get("/list?path=/app/tmp").json() == []


def test_the_release_command_and_cron_jobs_have_layers_too(platform):
    toml = WRITABLE + '[release]\ncommand = "echo x > tmp/made && cat tmp/made"\n'
    toml += '[[cron]]\nname = "clean"\nschedule = "0 0 1 1 *"\ncommand = "echo y > tmp/made && cat tmp/made"\n'
    app = platform.create_app(app_files(toml=toml))
    assert "remote:        x" in app.work.push().err
    assert app.get("/list?path=/app/tmp").json() == [], "what the release command wrote is gone"
    platform.pushrod("cron", "run", app.name, "clean")


def test_a_rollback_brings_back_what_was_writable(platform):
    app = platform.deploy(app_files())
    first = app.last_deployment()["number"]
    app.push(app_files("2", toml="[app]\nwritable = true\n"))
    write(app, "/app/x", "new")
    shown = platform.json("release", app.name, str(app.last_deployment()["number"]))
    assert shown["writable"] == ["."]
    assert {"what": "writable", "from": "tmp, views", "to": "."} in shown["changes"]
    platform.pushrod("rollback", app.name, str(first))
    write(app, "/app/tmp/x", "new")
    write(app, "/app/x", "no", status=403)


def test_all_of_app_is_writable_and_the_next_release_is_clean(platform):
    app = platform.deploy(app_files(toml="[app]\nwritable = true\n"))
    with Traffic(app) as traffic:
        write(app, "/app/VERSION", "lost")
        write(app, "/app/fresh", "new")
        assert (code_of(app) / "VERSION").read_text() == "1\n"
        app.push(app_files("2", toml="[app]\nwritable = true\n"))
    traffic.assert_no_failure()
    assert app.version() == "2"
    assert "fresh" not in app.get("/list?path=/app").json()


def test_a_framework_gets_what_it_needs(platform):
    files = app_files(toml='[build]\ncommand = "mkdir .next && echo built > .next/BUILD_ID"\n')
    files["package.json"] = json.dumps({"dependencies": {"next": "14"}})
    app = platform.create_app(files)
    app.work.commit()
    planned = app.work.push(options=["dry-run"], code=1)
    assert ".next" in planned.err
    assert "Writable in /app, until the instance ends: .next" in app.work.push().err
    write(app, "/app/.next/x", "new")
    assert app.get("/read?path=/app/.next/BUILD_ID").text == "built\n"


def test_a_path_that_leads_out_of_the_app_is_refused(platform):
    toml = '[app]\nwritable = ["log/x"]\n[build]\ncommand = "ln -s /etc log"\n'
    app = platform.create_app(app_files(toml=toml))
    refused = app.work.push(code=1)
    assert '[app] writable: "log/x" is a symlink to "/etc", which is not a part of the app' in refused.err
    toml = '[app]\n# relative\nwritable = ["/app/tmp"]\n'
    assert "pushrod.toml:3:" in app.push(app_files(toml=toml), code=1).err


def capabilities():
    status = open("/proc/self/status").read()
    return [line.split()[1] for line in status.splitlines() if line.startswith("Cap")]


def mount_something():
    import ctypes
    import os

    libc = ctypes.CDLL(None, use_errno=True)
    results = []
    for call in (lambda: libc.mount(b"none", b"/data", b"tmpfs", 0, None), lambda: libc.umount2(b"/app/tmp", 2),
                 lambda: libc.unshare(0x10000000), lambda: libc.unshare(0x20000)):  # fmt: skip
        results.append(os.strerror(ctypes.get_errno()) if call() != 0 else "done")
    return results


def test_an_app_with_writable_paths_has_no_capability(platform):
    files = {"hostile.py": (APPS / "hostile.py").read_text(), "Procfile": "web: exec python3 hostile.py\n"}
    app = platform.deploy(files | {"pushrod.toml": "[app]\nwritable = true\n"})
    assert set(attempt(app, capabilities)) == {"0" * 16}
    assert set(attempt(app, mount_something)) == {"Operation not permitted"}


VISITS = """
const fs = require("fs"), http = require("http");
fs.mkdirSync("var", { recursive: true });
http.createServer((request, response) => {
  fs.appendFileSync(PLACE, "x");
  response.end(fs.readFileSync(PLACE));
}).listen(process.env.PORT, "127.0.0.1");
"""


def test_code_of_node_that_writes_files_may_write_beside_itself(platform):
    package = json.dumps({"scripts": {"start": "node server.js"}})
    app = platform.create_app({"package.json": package, "server.js": VISITS.replace("PLACE", '"var/visits"')})
    pushed = app.work.push().err
    assert "Writable in /app, until the instance ends: all of it" in pushed
    assert "server.js writes files; in /app they are lost when the instance ends" in pushed
    assert [app.get("/").text for _ in range(2)] == ["x", "xx"]
    assert not (code_of(app) / "var").exists()
    asked = app.push({"pushrod.toml": '[app]\nwritable = ["var"]\n'}).err
    assert "are lost" not in asked, "an app that names the directory knows"
    assert app.get("/").text == "x"
    kept = VISITS.replace("PLACE", 'process.env.DATA_DIR + "/visits"').replace('"var"', "process.env.DATA_DIR")
    assert "Writable" not in app.push({"server.js": kept, "pushrod.toml": ""}).err
    assert app.get("/").text == "x"


def test_a_push_warns_about_a_database_of_sqlite_beside_the_code(platform):
    warning = "a database of SQLite beside the code is empty again in every instance"
    app = platform.create_app(web_app() | {"db.py": "URL = 'sqlite:///app.db'\n"})
    assert warning in app.work.push().err
    told = "URL = os.environ.get('DATABASE_URL', 'sqlite:///app.db')\n"
    assert warning not in app.push({"db.py": told}).err


def test_an_app_of_node_may_write_a_database_beside_its_code(platform):
    package = json.dumps({"dependencies": {"better-sqlite3": "11"}})
    toml = '[build]\ncommand = "true"\n'
    app = platform.create_app(app_files(toml=toml) | {"package.json": package, "db.js": "open('./app.db')\n"})
    pushed = app.work.push().err
    assert "Writable in /app, until the instance ends: all of it" in pushed
    assert "a database of SQLite beside the code is empty again in every instance" in pushed
    write(app, "/app/app.db", "rows")
