"""The command line: names, lists, exit codes, and the same verbs over SSH."""

import json

import pytest
from harness import Platform, run_command, web_app

BAD_NAMES = [
    "-x", "--upload-pack=touch x", "..", "a/../b", "a;id", "$(id)", "a\nb", "a" * 300, "Ａpp", "аpp", "", " ", "App",
    "a.b", "a_b", "1a", "a-", ".", "/etc",
]  # fmt: skip


def snapshot(platform):
    """The names of all that is in the root, without locks and logs, which come and go."""
    return {
        path.relative_to(platform.root).parts[:3]
        for path in platform.root.rglob("*")
        if path.relative_to(platform.root).parts[0] not in ("run", "logs")
    }


@pytest.mark.parametrize("name", BAD_NAMES, ids=lambda name: ascii(name)[:20])
def test_bad_names_are_refused_in_one_line_and_nothing_is_made(own_platform_of_file, name):
    platform = own_platform_of_file
    before = snapshot(platform)
    for words in (["app", "create", "--", name], ["app", "create", "good", f"--repo={name}"], ["app", "info", "--", name],
                  ["app", "destroy", "--yes", "--", name]):  # fmt: skip
        result = platform.pushrod(*words, code=None)
        assert result.code in (1, 2), result
        assert result.out == ""
        assert result.err.startswith("pushrod: ") and len(result.err.splitlines()) <= 2, result
    assert snapshot(platform) == before


@pytest.mark.parametrize("branch", ["-u", "a..b", "a b", "a~1", "refs/heads/../x", "x.lock", "a" * 240, "@", "HEAD", ""],
                         ids=lambda branch: branch[:20])  # fmt: skip
def test_bad_branches_are_refused(own_platform_of_file, branch):
    platform = own_platform_of_file
    result = platform.pushrod("app", "create", "good", f"--branch={branch}", code=None)
    assert result.code in (1, 2) and "branch" in result.err
    assert platform.json("app", "list") == []


@pytest.mark.parametrize("path", ["..", "a/../b", "/etc", "a//b", "-x/..", "a\n", "x" * 5000], ids=lambda path: ascii(path)[:20])
def test_bad_paths_are_refused(own_platform_of_file, path):
    platform = own_platform_of_file
    assert platform.pushrod("app", "create", "good", f"--path={path}", code=None).code in (1, 2)
    assert platform.json("app", "list") == []


@pytest.fixture(scope="module")
def own_platform_of_file():
    """A root without a tree and without apps: what only parses needs neither."""
    platform = Platform("names")
    platform.pushrod("app", "list")
    yield platform
    platform.close()


def test_usage_errors_have_code_2_and_a_hint(platform):
    for words in ([], ["nonsense"], ["app"], ["app", "lst"], ["app", "info"], ["app", "list", "--nonsense"],
                  ["deployment", "x", "abc"], ["logs", "x", "-n", "many"], ["up", "--ssh", "a", "--no-ssh"]):  # fmt: skip
        result = platform.pushrod(*words, code=2)
        assert result.err.startswith("pushrod: ") and result.out == ""
    assert "did you mean list" in platform.pushrod("app", "lst", code=2).err
    assert "did you mean restart" in platform.pushrod("restrat", "x", code=2).err
    assert platform.ssh("app", "lst", code=2).err.startswith("pushrod: ")


def test_help_and_version(platform):
    overview = platform.pushrod("--help").out
    for verb in ("up", "doctor", "key", "app", "repo", "ps", "deployments", "deployment", "logs", "restart", "redeploy",
                 "cancel"):  # fmt: skip
        assert verb in overview
        assert platform.pushrod(verb, "--help").out
    assert platform.pushrod("--version").out.startswith("pushrod ")


def test_an_internal_error_has_exit_code_70(make_platform):
    platform = make_platform()
    (platform.root / "pushrod.db").write_bytes(b"this is no database" * 1000)
    result = platform.pushrod("app", "list", code=70)
    assert result.err.startswith("pushrod: ") and "pushrod.db" in result.err


def test_an_app_that_is_not_there_is_an_error_with_a_suggestion(platform):
    app = platform.create_app(name="blogs")
    result = platform.pushrod("app", "info", "blog", code=1)
    assert '"blog"' in result.err and "did you mean blogs" in result.err
    platform.pushrod("app", "destroy", app.name, "--yes")


def test_app_create_says_what_to_do_next_and_refuses_a_second_of_that_name(platform):
    name = platform.unique_name()
    result = platform.pushrod("app", "create", name)
    assert f"git push ssh://{platform.user}@" in result.out and f"/{name} main" in result.out
    assert f"http://{name}.localhost:{platform.ports.http}" in result.out
    assert "already" in platform.pushrod("app", "create", name, code=1).err
    assert "There" not in platform.pushrod("app", "list").out


def test_lists_have_the_promised_shape(platform):
    app = platform.deploy()
    staging = platform.create_app(work=app.work, branch="staging")
    listed = {entry["app"]: entry for entry in platform.json("app", "list")}
    assert listed[app.name] == {
        "app": app.name, "state": "running", "release": 1, "instances": 1, "repo": app.name, "branch": "main",
        "url": f"http://{app.host}:{platform.ports.http}", "running": 1, "traffic": "served",
    }  # fmt: skip
    assert (listed[staging.name]["state"], listed[staging.name]["release"]) == ("not deployed", None)

    (repo,) = [entry for entry in platform.json("repo", "list") if entry["repo"] == app.name]
    assert repo.keys() == {"repo", "url", "branches"}
    assert repo["branches"] == [
        {"branch": "main", "apps": [app.name]},
        {"branch": "staging", "apps": [staging.name]},
    ]

    (deployment,) = platform.json("deployments", app.name)
    assert deployment == platform.json("deployment", app.name, "1")
    assert deployment.keys() == {"app", "number", "kind", "state", "commit", "previous_commit", "detail", "author", "started",
                                 "ended", "error", "hint", "steps"}  # fmt: skip
    assert (deployment["kind"], deployment["state"], deployment["author"]) == ("push", "live", "admin")
    assert (deployment["commit"], deployment["previous_commit"]) == (app.ref(), None)
    assert deployment["started"] < deployment["ended"]
    steps = [step["step"] for step in deployment["steps"]]
    assert steps[0] in ("wait", "checkout") and steps[-1] == "switch"
    assert all(step["started"] <= step["ended"] for step in deployment["steps"])


def test_tables_are_for_people(platform):
    app = platform.deploy()
    for words, heading in ((["app", "list"], "APP"), (["repo", "list"], "REPO"), (["deployments", app.name], "NUMBER"),
                           (["ps"], "INSTANCE"), (["key", "list"], "KEY")):  # fmt: skip
        lines = platform.pushrod(*words).out.splitlines()
        assert lines[0].startswith(heading) and len(lines) > 1
    text = platform.pushrod("deployment", app.name, "1").out
    assert "live" in text and "checkout" in text and "by admin" in text


def test_deployment_says_why_it_failed(platform):
    app = platform.create_app(web_app(web_py="raise SystemExit(6)\n"))
    app.work.push(code=1)
    text = platform.pushrod("deployment", app.name, "1").out
    assert "failed" in text and "exit code 6" in text
    assert "no deployment 2" in platform.pushrod("deployment", app.name, "2", code=1).err


def test_every_verb_works_over_ssh(platform):
    app = platform.deploy(web_app("1"))
    for words in (["app", "list"], ["app", "info", app.name], ["repo", "list"], ["key", "list"], ["ps"],
                  ["ps", app.name], ["deployments", app.name], ["deployment", app.name, "1"]):  # fmt: skip
        assert platform.ssh(*words, "--json").json()
        assert platform.ssh(*words).out
    assert isinstance(platform.ssh("doctor", "--json", code=None).json(), list)
    assert "version 1 listens" in platform.ssh("logs", app.name).out
    assert json.loads(platform.ssh("logs", app.name, "--json").out.splitlines()[0])

    assert "live" in platform.ssh("restart", app.name).out
    assert "live" in platform.ssh("redeploy", app.name).out
    assert [d["author"] for d in app.deployments()] == ["admin"] * 3
    assert "in progress" in platform.ssh("cancel", app.name, code=1).err

    name = platform.unique_name()
    assert name in platform.ssh("app", "create", name, "--branch", "b", "--path", "p").out
    assert platform.json("app", "info", name)["path"] == "p"
    platform.ssh("app", "destroy", name, "--yes")
    platform.ssh("app", "info", name, code=1)


def test_a_local_deployment_names_the_user(platform):
    app = platform.deploy()
    platform.pushrod("restart", app.name)
    assert app.last_deployment()["author"] == f"local:{platform.user}"


def test_doctor_looks_at_everything(platform):
    result = platform.pushrod("doctor", "--json", code=None)
    findings = {finding["name"]: finding for finding in result.json()}
    assert all(f.keys() == {"name", "good", "required", "found", "lost", "remedy"} for f in findings.values())
    for name in ("git", "OpenSSH server", "s6", "HAProxy", "bubblewrap", "sandboxes"):
        assert findings[name]["good"] and findings[name]["lost"] == findings[name]["remedy"] == ""
    assert result.code == (0 if all(f["good"] or not f["required"] for f in findings.values()) else 1)
    text = platform.pushrod("doctor", code=None).out
    assert "Pushrod can run here." in text


def test_doctor_says_what_is_lost_without_a_tool(make_platform):
    platform = make_platform()
    empty = platform.directory / "bin"
    empty.mkdir()
    env = platform.server_env | {"PATH": str(empty)}
    result = run_command([platform.binary, "--root", platform.root, "doctor", "--json"], env=env, code=1)
    missing = [finding for finding in result.json() if not finding["good"] and finding["required"]]
    assert {"git", "bubblewrap"} <= {finding["name"] for finding in missing}
    assert all(finding["lost"] and finding["remedy"] for finding in missing)


@pytest.mark.parametrize(("tool", "says", "problem"), [
    ("git", "git version 2.20.1", "git: 2.20.1 (2.36 is needed)"),
    ("s6-svscan", "s6-svscan: usage: s6-svscan [ -S | -s ] [ -c maxservices ] [ dir ]", "(2.11 is needed)"),
    ("haproxy", "nothing", "(2.5 is needed)"),
])  # fmt: skip
def test_up_refuses_a_tool_that_is_too_old(make_platform, tool, says, problem):
    platform = make_platform()
    old = platform.directory / "bin" / tool
    old.parent.mkdir()
    old.write_text(f"#!/bin/sh\necho '{says}'\n")
    old.chmod(0o755)
    env = platform.server_env | {"PATH": f"{old.parent}:{platform.server_env['PATH']}"}
    result = run_command([platform.binary, "--root", platform.root, "up"], env=env, code=1)
    assert result.err.startswith(f"pushrod: Pushrod cannot run here: {'s6' if tool == 's6-svscan' else ''}")
    assert problem in result.err and "doctor" in result.err and result.err.count("\n") == 2
    assert not platform.processes()


def test_up_on_a_read_only_root_says_one_clear_line(make_platform):
    platform = make_platform()
    platform.pushrod("app", "list")
    argv = ["bwrap", "--dev-bind", "/", "/", "--ro-bind", platform.root, platform.root, "--",
            platform.binary, "--root", platform.root, "up"]  # fmt: skip
    result = run_command(argv, env=platform.server_env, code=70)
    assert "Read-only file system" in result.err and str(platform.root) in result.err
    assert result.err.count("\n") == 1 and not platform.processes()


def test_doctor_says_what_is_wrong_with_the_database_and_its_key(make_platform):
    platform = make_platform()

    def findings(code):
        found = platform.pushrod("doctor", "--json", code=code).json()
        return {f["name"]: f for f in found if f["name"] in ("database", "settings.key")}

    assert findings(None) == {}
    name = platform.unique_name()
    platform.pushrod("app", "create", name)
    platform.pushrod("config", "set", name, "A=1")
    assert all(finding["good"] for finding in findings(None).values()) and len(findings(None)) == 2
    key = platform.root / "settings.key"
    right = key.read_bytes()
    key.write_bytes(bytes(len(right)))
    assert "cannot be opened" in findings(1)["settings.key"]["found"]
    key.unlink()
    assert "not there" in findings(1)["settings.key"]["found"] and not key.exists()
    with open(platform.root / "pushrod.db", "r+b") as database:
        database.seek(4096)
        database.write(b"x" * 4096)
    assert "BROKEN" in platform.pushrod("doctor", code=1).out
    damaged = findings(1)["database"]
    assert damaged["found"] != "ok" and "backup" in damaged["remedy"]
