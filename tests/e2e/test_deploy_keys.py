"""Private repositories that builds fetch with the app's deploy key: submodules and dependencies. The second platform is
the server of these repositories."""

import json
import os
import signal
import subprocess

import pytest
from harness import HELD_BUILD, finish, wait_until, web_app


@pytest.fixture
def library(make_platform):
    """The repository `lib` on a server of its own, with a package in Python and Node.js."""
    server = make_platform().start()
    package = json.dumps({"name": "greet", "version": "1.0.0", "main": "index.js"})
    files = {"greet.py": "WORD = 'from a private repository'\n", "package.json": package,
             "index.js": "module.exports = 'from a private package'\n", **web_app("lib")}  # fmt: skip
    return server.deploy(files, name="lib", words=())


def url_of(library):
    return library.platform.url("lib")


def let_in(library, app):
    """Adds the app's deploy key to the server of the library."""
    key = app.platform.pushrod("key", "deploy", app.name).out
    assert key.startswith("ssh-ed25519 ")
    library.platform.pushrod("key", "add", app.name, "--app", "lib", input=key)
    return key.strip()


def add_submodule(app, library, path="vendor/lib"):
    """Commits the library's commit as a submodule of the app."""
    app.work.write({".gitmodules": f'[submodule "x"]\n\tpath = {path}\n\turl = {url_of(library)}\n'})
    app.work.git("add", ".gitmodules")
    app.work.git("update-index", "--add", "--cacheinfo", f"160000,{library.ref()},{path}")
    app.work.git("commit", "--quiet", "-m", "a submodule")
    (app.work.directory / path).mkdir(parents=True)  # without it, git takes the submodule for removed


def test_a_private_submodule_is_fetched_with_the_deploy_key_and_only_while_building(platform, library):
    app = platform.create_app(web_app(pushrod_toml="[build]\ncommand = \"python3 -c 'import sys; sys.path.append(\\\"vendor/lib\\\"); "
                                                   "import greet; print(greet.WORD)' > VERSION; env > build.env\"\n"))  # fmt: skip
    add_submodule(app, library)
    refused = app.work.push(code=1).err
    assert f"submodule vendor/lib could not be fetched from {url_of(library)}" in refused
    assert f"make a key, and let it read that repository: key deploy {app.name}" in refused

    key = platform.pushrod("key", "deploy", app.name).out.strip()
    refused = app.work.push(code=1).err
    assert f"let the deploy key of {app.name} read that repository, and push again: {key}" in refused
    assert not list((platform.root / "run" / "agents").iterdir())

    assert let_in(library, app) == key
    pushed = app.work.push().err
    assert "Fetching submodule vendor/lib" in pushed
    assert app.get().text.strip() == "from a private repository"
    # No program of the app sees the key or the agent.
    seen = platform.pushrod("run", app.name, "--", "sh", "-c", "env; ls -d /deploy-key; find vendor -name .git").out
    assert "GIT_SSH" not in seen and "deploy-key" not in seen and ".git" not in seen
    built = next((platform.root / "checkouts" / app.name).glob("*/**/build.env")).read_text()
    assert "IdentityAgent=/deploy-key/agent" in built
    # The server is known from now on.
    view = platform.json("key", "deploy", app.name)
    assert view["public_key"] == key and len(view["known_hosts"]) >= 1
    assert "Submodule vendor/lib: unchanged" in app.push({"other": "file"}).err

    # One that shows another key is not believed.
    platform.pushrod("key", "deploy", app.name, "--forget-hosts")
    assert platform.json("key", "deploy", app.name)["known_hosts"] == []
    # Another app with the same submodule needs a right of its own.
    other = platform.create_app(web_app(pushrod_toml='[build]\ncommand = "true"\n'))
    add_submodule(other, library)
    assert "could not be fetched" in other.work.push(code=1).err


def test_a_server_with_another_key_is_refused(platform, library):
    app = platform.create_app(web_app(pushrod_toml='[build]\ncommand = "true"\n'))
    add_submodule(app, library)
    let_in(library, app)
    app.work.push()
    server = library.platform
    server.stop()
    for file in (server.root / "ssh").glob("host_*"):
        file.unlink()
    server.start()
    refused = app.push({"other": "file"}, code=1, options=["no-cache"]).err
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in refused or "Host key verification failed" in refused
    platform.pushrod("key", "deploy", app.name, "--forget-hosts")
    app.work.push(options=["no-cache"])


def test_a_private_package_of_npm_is_installed_with_the_deploy_key(platform, library):
    url = f"git+{url_of(library)}.git"
    package = {"name": "app", "version": "1.0.0", "dependencies": {"greet": url}}
    lock = {"name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": True,
            "packages": {"": package, "node_modules/greet": {"version": "1.0.0", "resolved": f"{url}#{library.ref()}"}}}  # fmt: skip
    server = "require('http').createServer((q, a) => a.end(require('greet'))).listen(process.env.PORT, '127.0.0.1')"
    app = platform.create_app({"package.json": json.dumps(package), "package-lock.json": json.dumps(lock),
                               "server.js": server, "Procfile": "web: node server.js\n"})  # fmt: skip
    refused = app.work.push(code=1).err
    assert f"package-lock.json asks for {url_of(library)}.git, which the build may not read" in refused
    assert "npm error" not in refused, "it is asked before anything is installed"
    let_in(library, app)
    app.work.push()
    assert app.get().text == "from a private package"
    assert "Packages: unchanged" in app.push({"other": "file"}).err


def test_a_submodule_without_a_usable_address_is_refused(platform):
    app = platform.create_app(web_app())
    commit = app.work.commit({"a": "b"})
    app.work.git("update-index", "--add", "--cacheinfo", f"160000,{commit},lib")
    app.work.git("commit", "--quiet", "-m", "a clone in a clone")
    assert '"lib" is a git repository inside of the repository' in app.work.push(code=1).err
    app.work.write({".gitmodules": '[submodule "x"]\n\tpath = lib\n\turl = ../lib.git\n'})
    app.work.git("add", ".gitmodules")
    app.work.git("commit", "--quiet", "-m", "a relative address")
    assert 'submodule "lib" is at "../lib.git", from where Pushrod cannot fetch it' in app.work.push(code=1).err
    app.push({"pushrod.toml": "[build]\nsubmodules = false\n"})
    assert app.version() == "1"


def test_the_agent_ends_with_a_deployment_that_is_killed(platform):
    app = platform.create_app(web_app(pushrod_toml=HELD_BUILD))
    platform.pushrod("key", "deploy", app.name)
    push = app.start_push()
    app.await_build()

    def answers():
        directory = platform.root / "run" / "agents" / app.name
        asked = subprocess.run(["ssh-add", "-l"], env={**os.environ, "SSH_AUTH_SOCK": "agent"}, cwd=directory,
                               capture_output=True, check=False)  # fmt: skip
        return asked.returncode == 0

    assert answers()
    for hook in platform.processes("proc-receive"):
        os.kill(hook.pid, signal.SIGKILL)
    wait_until(lambda: not answers(), what="the agent's end")
    finish(push, code=None)
    app.release_build()
    app.work.push()
    assert app.version() == "1"
