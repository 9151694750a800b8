"""Buildpacks as Heroku has them: detect, compile BUILD CACHE ENV, release, export, .profile.d."""

import functools
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from harness import web_app

DETECT = '#!/bin/bash\n[ -f "$1/web.py" ] || exit 1\necho Greeter\n'
COMPILE = """#!/bin/bash
set -e
[ "$1" = /app ] && [ -w /app ] && [ -n "$STACK" ]
echo "-----> Greeting $(cat "$3/NAME") on $STACK"
count=$(cat "$2/count" 2>/dev/null || echo 0)
echo $((count + 1)) > "$2/count"
echo "built $((count + 1))" > "$1/VERSION"
mkdir -p "$1/.profile.d"
echo 'export GREETING="hello from $HOME"' > "$1/.profile.d/greet.sh"
echo 'export COMPILED=yes' > "$(dirname "$(dirname "$0")")/export"
"""
SECOND = '#!/bin/bash\n[ "$COMPILED" = yes ] && echo Second\n'
RELEASE = "#!/bin/bash\nprintf '%s\\n' --- 'config_vars:' '  LEVEL: info' 'default_process_types:' '  web: python3 web.py'\n"


def pack(directory, detect=DETECT, compile_=COMPILE, release=RELEASE):
    return {f"{directory}/bin/detect": detect, f"{directory}/bin/compile": compile_, f"{directory}/bin/release": release}


def app_files():
    files = web_app()
    del files["Procfile"]
    return files


def test_buildpacks_build_say_what_to_run_and_set_the_environment(platform):
    second = pack("two", SECOND, '#!/bin/bash\n[ "$COMPILED" = yes ]\n', "#!/bin/bash\n")
    files = app_files() | pack("one") | second | {"pushrod.toml": '[build]\nbuildpacks = ["one", "two"]\n'}
    app = platform.create_app(files)
    platform.pushrod("config", "set", app.name, "NAME=world")
    output = app.work.push().err
    assert "Buildpack one: Greeter" in output and "Greeting world on heroku-" in output
    assert "Buildpack two: Second" in output
    assert app.version() == "built 1"
    environment = app.get("/env").json()
    assert environment["GREETING"] == "hello from /app" and environment["LEVEL"] == "info"
    greeting = platform.pushrod("run", app.name, "--", "bash", "-c", "echo $GREETING").out
    assert greeting == "hello from /app\n"
    app.push({"other": "1"})
    assert app.version() == "built 2", "its cache is kept"


def test_a_buildpack_comes_from_a_repository_at_a_commit(platform, tmp_path):
    git = lambda *words: subprocess.run(["git", "-C", tmp_path, *words], check=True, capture_output=True, text=True).stdout  # noqa: E731
    for name, text in pack("bin/..").items():
        file = tmp_path / name.replace("bin/../", "")
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
    git("init", "-q")
    git("add", ".")
    git("-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "pack")
    commit = git("rev-parse", "HEAD").strip()
    git("update-server-info")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/.git#{commit}"
    app = platform.create_app(app_files() | {".buildpacks": address + "\n"})
    platform.pushrod("config", "set", app.name, "NAME=world")
    app.work.push()
    server.shutdown()
    server.server_close()
    assert app.version() == "built 1"


def test_a_buildpack_that_does_not_fit_or_fails_fails_the_push(platform):
    files = app_files() | {"pushrod.toml": '[build]\nbuildpacks = ["one"]\n'}
    app = platform.create_app(files | pack("one", "#!/bin/bash\nexit 1\n"))
    assert "The buildpack one does not fit the app: its bin/detect says no" in app.work.push(code=1).err
    assert "the build failed with exit code 7" in app.push(pack("one", compile_="#!/bin/bash\nexit 7\n"), code=1).err
    assert app.ref() is None
