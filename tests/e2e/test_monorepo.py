"""Several apps in one repo: manifests that are chosen, and build roots above an app's path."""

import json

import pytest
from harness import APPS, web_app

# A package that builds itself, so that pip needs no network for it.
SHARED = {
    "libs/shared/pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    "libs/shared/backend.py": """
import pathlib, zipfile

def _wheel(directory, files):
    info = "shared-1.0.dist-info"
    files |= {f"{info}/METADATA": "Metadata-Version: 2.1\\nName: shared\\nVersion: 1.0\\n",
              f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}
    files[f"{info}/RECORD"] = "".join(f"{name},,\\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(f"{directory}/shared-1.0-py3-none-any.whl", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return "shared-1.0-py3-none-any.whl"

def get_requires_for_build_editable(config_settings=None):
    return []

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return _wheel(wheel_directory, {"shared.pth": str(pathlib.Path.cwd() / "src") + "\\n"})

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return _wheel(wheel_directory, {"shared.pth": str(pathlib.Path.cwd() / "src") + "\\n"})
""",
    "libs/shared/src/shared.py": "WORD = 'from the shared library'\n",
}

WEB = (APPS / "web.py").read_text()


def below(directory, files):
    """The files, in a directory."""
    return {f"{directory}/{name}": content for name, content in files.items()}


def npm_workspace():
    """A workspace with a lock file in its root, whose member `web` needs its sibling `greeting`."""
    packages = {
        "": {"name": "all", "private": True, "workspaces": ["packages/*"]},
        "packages/greeting": {"name": "greeting", "version": "1.0.0", "main": "index.js"},
        "packages/web": {
            "name": "web",
            "version": "1.0.0",
            "dependencies": {"greeting": "1.0.0"},
            "scripts": {"build": "node -p \"require('greeting')\" > VERSION", "start": "python3 web.py"},
        },
    }
    lock = {
        "name": "all",
        "lockfileVersion": 3,
        "requires": True,
        "packages": packages
        | {
            "node_modules/greeting": {"resolved": "packages/greeting", "link": True},
            "node_modules/web": {"resolved": "packages/web", "link": True},
        },
    }
    files = {f"{path}/package.json".lstrip("/"): json.dumps(package) for path, package in packages.items()}
    return files | {
        "package-lock.json": json.dumps(lock),
        "packages/greeting/index.js": "module.exports = 'hello from the workspace'\n",
        "packages/web/web.py": WEB,
    }


def test_a_workspace_is_built_with_the_lock_file_of_its_root(platform):
    files = npm_workspace() | {"packages/web/pushrod.toml": '[build]\nroot = "../.."\n'}
    app = platform.create_app(files, path="packages/web")
    result = app.work.push()
    assert "Installing packages (npm ci in /app)" in result.err and "Building (npm run build)" in result.err
    assert app.version() == "hello from the workspace"
    environment = app.get("/env").json()
    assert environment["PATH"].startswith("/app/packages/web/node_modules/.bin:")
    assert ":/app/node_modules/.bin:" in environment["PATH"]
    assert environment["PWD"] == "/app/packages/web"
    assert "build root ." in platform.pushrod("app", "info", app.name).out


def test_a_push_names_the_build_root_that_a_workspace_needs(platform):
    app = platform.create_app(npm_workspace(), path="packages/web")
    refused = app.work.push(code=1).err
    advice = f"app set {app.name} --build-root ."
    assert f"packages/web uses package.json, which it does not see: {advice}" in refused
    platform.pushrod(*advice.split())
    assert "does not see" not in app.push().err
    assert app.version() == "hello from the workspace"


def test_the_operator_may_choose_the_build_root(platform):
    files = npm_workspace()
    for root in (".", "../.."):
        app = platform.create_app(files, path="packages/web", words=["--build-root", root])
        app.work.push()
        assert app.version() == "hello from the workspace"
        assert platform.json("app", "info", app.name)["build_root"] == ""


def test_a_python_app_installs_a_package_beside_it(platform):
    files = SHARED | below("apps/web", web_app()) | {
        "apps/web/pushrod.toml": '[build]\nroot = "../.."\n',
        "apps/web/requirements.txt": "--no-index\n-e ../../libs/shared\n",
        "apps/web/Procfile": "web: python -c 'import shared; open(\"/data/word\", \"w\").write(shared.WORD)'"
        " && exec python web.py\n",
    }  # fmt: skip
    app = platform.create_app(files, path="apps/web")
    app.work.push()
    assert (app.data / "word").read_text() == "from the shared library"


def test_everything_of_an_app_runs_in_its_directory_below_the_root(platform):
    toml = """
    [build]
    root = ".."
    command = "pwd > BUILT; cat ../shared/word >> BUILT"
    [release]
    command = "pwd > /data/release; cat BUILT ../shared/word > /dev/null"
    """
    files = {"shared/word": "shared\n", "outer": "x"} | below("site", web_app(pushrod_toml=toml))
    files = below("apps", files)
    files["apps/site/Procfile"] = "web: cat BUILT ../shared/word > /data/web && exec python3 web.py\n"
    app = platform.create_app(files, path="apps/site")
    app.work.push()
    assert (app.data / "release").read_text() == "/app/site\n"
    assert (app.data / "web").read_text() == "/app/site\nshared\nshared\n"
    assert platform.pushrod("run", app.name, "--", "pwd").out == "/app/site\n"
    assert "apps" not in platform.pushrod("run", app.name, "--", "ls", "/app", "/app/..").out.split()


def test_a_rollback_brings_back_the_build_root(platform):
    files = {"word": "outer"} | below("site", web_app("1"))
    files["site/Procfile"] = "web: cp ../word /data/word || : ; pwd > /data/pwd; exec python3 web.py\n"
    app = platform.deploy(files, path="site")
    assert (app.data / "pwd").read_text() == "/app\n"
    app.push({"site/pushrod.toml": '[build]\nroot = ".."\n'})
    assert (app.data / "pwd").read_text() == "/app/site\n" and (app.data / "word").read_text() == "outer"
    platform.pushrod("rollback", app.name)
    assert (app.data / "pwd").read_text() == "/app\n"
    platform.pushrod("restart", app.name)
    assert (app.data / "pwd").read_text() == "/app\n"
    platform.pushrod("rollback", app.name, "2")
    assert (app.data / "pwd").read_text() == "/app/site\n"


@pytest.mark.parametrize(
    "root, complaint",
    [
        ("../..", 'site/pushrod.toml: build root "../.." is above the root of the repo'),
        ("../lib", 'site/pushrod.toml:2: "root" in [build]: "../lib" is not above the app\'s directory'),
    ],
)
def test_a_build_root_outside_of_the_repo_is_refused(platform, root, complaint):
    app = platform.create_app(below("site", web_app(pushrod_toml=f'[build]\nroot = "{root}"\n')), path="site")
    assert complaint in app.work.push(code=1).err


def test_a_dry_run_looks_at_the_build_root(platform):
    files = npm_workspace() | {"packages/web/pushrod.toml": '[build]\nroot = "../.."\n'}
    app = platform.create_app(files, path="packages/web")
    result = app.work.push(options=["dry-run"], code=1)
    assert "Node.js, npm ci in /app, npm run build" in result.err


def test_apps_of_one_branch_have_a_manifest_each(platform):
    files = web_app("shared") | {
        "deploy/front.toml": '[processes]\nweb = "exec python3 web.py"\n',
        "deploy/jobs.toml": '[processes]\nworker = "exec sleep 1000"\n',
        "pushrod.toml": "[processes]\nweb = 'false'\n",
    }
    front = platform.create_app(files, words=["--config", "deploy/front.toml"])
    jobs = platform.create_app(work=front.work, words=["--config", "deploy/jobs.toml"])
    assert "would run" in front.work.push(options=["dry-run"], code=1).err
    front.work.push()
    assert front.version() == "shared"
    assert jobs.instances("running") == [f"{jobs.name}.1.worker.1"]
    assert platform.json("app", "info", jobs.name)["config"] == "deploy/jobs.toml"


def test_a_manifest_that_is_not_there_is_refused_at_the_push(platform):
    app = platform.create_app(web_app(), words=["--config", "deploy/web.toml"])
    complaint = 'the commit has no file "deploy/web.toml", the manifest of the app (--config)'
    assert complaint in app.work.push(options=["dry-run"], code=1).err
    assert complaint in app.work.push(code=1).err
    app.push({"deploy/web.toml": ""})
    assert app.version() == "1"


@pytest.mark.parametrize(
    "words, complaint",
    [
        (["--config", "../x.toml"], 'contains the part ".."'),
        (["--config", "/x.toml"], 'begins with "/"'),
        (["--path", "a/b", "--build-root", "c"], 'build root "c" does not contain the app\'s path "a/b"'),
        (["--path", "a/b", "--build-root", "../../.."], "is above the root of the repo"),
        (["--build-root", ".."], "is above the root of the repo"),
    ],
)
def test_app_create_refuses_what_cannot_be(platform, words, complaint):
    assert complaint in platform.pushrod("app", "create", platform.unique_name(), *words, code=1).err
