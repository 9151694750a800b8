"""git push -o dry-run: it says what would happen, and changes nothing."""

import os

import pytest
from harness import wait_until, web_app

MANIFEST = """[processes.web]
command = "python3 web.py"
count = 2
[processes.worker]
command = "sleep 1000"
[release]
command = "echo migrating"
[settings]
required = ["DATABASE_URL"]
"""


def files_of(platform):
    """Every file and directory of the root that tells something, with its size; and the database's content."""
    found = {}
    for name in ("repos", "checkouts", "releases", "cache", "trash", "data", "run/services"):
        for directory, _, files in os.walk(platform.root / name):
            found[directory] = None
            for file in files:
                path = os.path.join(directory, file)
                found[path] = os.lstat(path).st_size
    return found, (platform.root / "pushrod.db").read_bytes()


def logs_of(platform, app):
    return sorted(str(path) for path in (platform.root / "logs" / app.name).rglob("*"))


@pytest.fixture
def app(own_platform):
    return own_platform.deploy(web_app("1"))


def dry_run(app, *refspecs):
    result = app.work.push(*refspecs, options=["dry-run"], code=1)
    assert "Dry run: nothing was changed." in result.err and "pre-receive hook declined" in result.err
    return "\n".join(line.removeprefix("remote: ").rstrip() for line in result.err.splitlines())


def test_it_tells_what_would_change_and_changes_nothing(own_platform, app):
    app.await_settled()
    own_platform.pushrod("config", "set", app.name, "DATABASE_URL=x")
    app.await_settled()
    kept = own_platform.root / "repos" / f"{app.name}.git" / "refs" / "pushrod" / "keep" / app.name / "2"
    wait_until(kept.exists, what="the daemon to have tidied up after it")
    first = app.work.head()
    before, logs = files_of(own_platform), logs_of(own_platform, app)
    app.work.commit({"Procfile": None, "pushrod.toml": MANIFEST, "requirements.txt": ""}, "more of it")
    told = dry_run(app)
    new = app.work.head()
    assert f'{app.name} would run {new[:10]} "more of it"' in told
    assert f"{first[:10]}..{new[:10]}: 1 new commit" in told
    assert "builder    Python 3" in told
    assert "process    web × 2: python3 web.py" in told and "process    worker × 1: sleep 1000" in told
    assert "release    echo migrating" in told
    assert "changes    builder: none → python" in told
    assert "changes    process web: 1 → 2" in told and "changes    process worker: new" in told
    assert "would fail" not in told
    assert files_of(own_platform) == before and logs_of(own_platform, app) == logs
    assert app.ref() == first and app.version() == "1"
    assert len(app.deployments()) == 2 and own_platform.json("audit", app.name)[0]["action"] == "config"


def test_missing_settings_are_named_and_refuse_a_real_push_before_the_build(own_platform, app):
    app.work.commit({"Procfile": None, "pushrod.toml": MANIFEST + '[build]\ncommand = "touch /cache/built"\n'})
    told = dry_run(app)
    assert f"The push would fail: {app.name} requires settings that are not set: DATABASE_URL" in told
    result = app.work.push(code=1)
    assert "requires settings that are not set: DATABASE_URL" in result.err and "config set" in result.err
    assert not (app.build_cache / "built").exists() and app.version() == "1"
    own_platform.pushrod("config", "set", app.name, "DATABASE_URL=x")
    app.work.push()
    assert (app.build_cache / "built").exists()


def test_the_same_commit_and_a_first_one(own_platform, app):
    app.work.commit()
    assert "changes    commit: " in dry_run(app)
    fresh = own_platform.create_app(web_app("1"))
    told = dry_run(fresh)
    assert "changes    everything: it is not deployed yet" in told
    assert fresh.ref() is None and fresh.deployments() == []


def test_what_would_be_refused_is(own_platform, app):
    app.work.commit({"Procfile": "web python3 web.py\n"})
    assert "The push would fail: Procfile:1" in dry_run(app)
    app.work.commit({"Procfile": "web: python3 web.py\n", "pushrod.toml": "x" * 300_000})
    assert "pushrod.toml" in dry_run(app)
    assert "branch \"other\" of repo" in dry_run(app, "HEAD:refs/heads/other")


def test_each_app_of_a_branch_with_its_own_directory(own_platform):
    files = {f"services/{name}/{file}": text for name in ("a", "b") for file, text in web_app(name).items()}
    files["services/b/package.json"] = '{"scripts": {"start": "node x.js"}}'
    one = own_platform.create_app(files, path="services/a")
    two = own_platform.create_app(work=one.work, path="services/b")
    missing = own_platform.create_app(work=one.work, path="services/c")
    told = dry_run(one)
    assert f"{one.name} would run" in told and f"{two.name} would run" in told
    assert "builder    nothing to build" in told and "builder    Node" in told
    assert 'the commit has no directory "services/c"' in told and f"{missing.name} would run" in told


def test_a_deletion_and_a_forced_push(own_platform, app):
    app.push({"VERSION": "2"})
    app.work.git("reset", "--hard", "--quiet", "HEAD~1")
    app.work.commit({"VERSION": "3"})
    assert "1 new commit, 1 dropped" in dry_run(app, "+HEAD:refs/heads/main")
    result = app.work.push(":main", options=["dry-run", "confirm=main"], code=1)
    assert f"{app.name} would be stopped" in result.err and app.version() == "2"


def test_it_looks_below_the_apps_directory(own_platform):
    app = own_platform.create_app({"requirements.txt": "fastapi[standard]", "shop/main.py": "app = FastAPI()\n"})
    assert "web × 1: uvicorn --host 127.0.0.1 --port $PORT shop.main:app" in dry_run(app)
