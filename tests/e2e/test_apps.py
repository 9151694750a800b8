"""What an app may say of itself, what its processes get, and the life of an app: info, restart, destroy."""

import os
import stat

import pytest
from harness import APPS, HELD_BUILD, Traffic, finish, wait_until, web_app

WORKER_TOO = "web: python3 web.py\nworker: echo begins; exec sleep 1000\n"


def test_every_process_type_of_a_procfile_runs(platform):
    app = platform.deploy(web_app(Procfile=WORKER_TOO))
    assert app.instances("running") == [f"{app.name}.1.web.1", f"{app.name}.1.worker.1"]
    web, worker = sorted(app.processes(), key=lambda p: p["process"])
    assert web["port"] and worker["port"] is None
    assert platform.ports.apps[0] <= web["port"] <= platform.ports.apps[1]


def test_an_app_without_web_is_live_and_answers_503(platform):
    app = platform.deploy({"Procfile": "worker: exec sleep 1000\n"})
    assert app.instances("running") == [f"{app.name}.1.worker.1"]
    app.get(status=503)


def test_a_worker_that_ends_within_a_second_fails_the_push(platform):
    toml = """
        [processes.worker]
        command = "echo out of luck; sleep 0.3; exit 9"
        health.settle = "1s"
    """
    app = platform.create_app(web_app(pushrod_toml=toml + '[processes.web]\ncommand = "python3 web.py"\n'))
    result = app.work.push(code=1)
    assert "worker.1" in result.err and "exit code 9" in result.err and "out of luck" in result.err
    assert app.processes() == []


def test_files_of_windows_are_read(platform):
    files = web_app("windows", pushrod_toml="\ufeff[build]\r\ncommand = \"\"\"true\r\ntrue\"\"\"\r\n")
    app = platform.deploy(files | {"Procfile": "\ufeffweb: exec python3 web.py\r\n"})
    assert app.version() == "windows"
    platform.pushrod("config", "import", app.name, "-", input="\ufeffFIRST=1\r\nSECOND=two words\r\n")
    assert platform.pushrod("config", "get", app.name, "FIRST").out == "1"
    assert app.get("/env").json()["SECOND"] == "two words"


def test_utf_16_is_named(platform):
    app = platform.create_app(web_app() | {"Procfile": "web: python3 web.py\r\n".encode("utf-16")})
    assert "Procfile: is UTF-16, not UTF-8" in app.work.push(code=1).err


def test_pushrod_toml_says_how_many_and_how(platform):
    toml = """
    [processes.web]
    command = "python3 web.py"
    count = 2
    stop_timeout = "3s"
    drain_timeout = "1s"
    [processes]
    worker = "exec sleep 1000"
    """
    app = platform.deploy(web_app(pushrod_toml=toml))
    assert app.instances("running") == [f"{app.name}.1.{instance}" for instance in ("web.1", "web.2", "worker.1")]
    instances = {app.get("/env").json()["INSTANCE"] for _ in range(20)}
    assert instances == {f"{app.name}.1.web.1", f"{app.name}.1.web.2"}


def test_health_path_must_answer_with_success(platform):
    toml = '[processes.web]\ncommand = "python3 web.py"\nhealth.path = "{}"\nhealth.timeout = "2s"\n'
    app = platform.deploy(web_app("good", pushrod_toml=toml.format("/slow?ms=300")))
    assert app.version() == "good"
    result = app.push({"VERSION": "bad", "pushrod.toml": toml.format("/missing")}, code=1)
    assert "404" in result.err and "/missing" in result.err
    assert app.version() == "good"


@pytest.mark.parametrize(
    "files, complaint",
    [
        ({"pushrod.toml": "[process]\nweb = 'x'\n"}, "pushrod.toml:1"),
        ({"pushrod.toml": "[processes.web]\ncommand = 'x'\nstop_timout = 3\n"}, "pushrod.toml:3"),
        ({"pushrod.toml": "[processes]\nweb = ["}, "pushrod.toml:2"),
        ({"pushrod.toml": b"[processes]\nweb = '\xff'\n"}, "pushrod.toml:2"),
        ({"pushrod.toml": "[processes]\nweb = 'a'\nweb = 'b'\n"}, "pushrod.toml:3"),
        ({"pushrod.toml": "x = " + "[" * 10_000}, "pushrod.toml:1"),
        ({"Procfile": "web python3 web.py\n"}, "Procfile:1"),
        ({"Procfile": "web: a\nweb: b\n"}, "Procfile:2"),
        ({"Procfile": "web: a\n", "pushrod.toml": "[processes]\nworker = 'b'\n"}, "different processes"),
        ({"README": "nothing to run\n"}, "does not say what to run"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_wrong_is_refused_with_its_line(platform, files, complaint):
    app = platform.create_app(files)
    result = app.work.push(code=1)
    assert complaint in result.err
    assert app.ref() is None and app.checkouts() == []


def test_pushrod_toml_as_a_symlink_is_refused(platform):
    app = platform.create_app(web_app())
    os.symlink("/etc/passwd", app.work.directory / "pushrod.toml")
    result = app.push(code=1)
    assert "pushrod.toml" in result.err
    assert "root:" not in result.err


def test_the_release_command_runs_on_the_new_code_before_the_start(platform):
    toml = '[release]\ncommand = "cat VERSION >> /data/migrations; echo >> /data/migrations; env > /data/environment"\n'
    app = platform.deploy(web_app("1", pushrod_toml=toml))
    app.push({"VERSION": "2"})
    assert (app.data / "migrations").read_text().split() == ["1", "2"]
    environment = (app.data / "environment").read_text()
    assert "RELEASE=2\n" in environment and f"GIT_COMMIT={app.ref()}\n" in environment
    assert "CANARY" not in environment and "PORT=" not in environment
    steps = [step["step"] for step in app.last_deployment()["steps"]]
    assert steps.index("checkout") < steps.index("release") < steps.index("start") < steps.index("switch")


def test_a_release_command_that_fails_fails_the_push(platform):
    toml = '[release]\ncommand = "echo migrating; grep -q bad VERSION && { echo no such column; exit 5; } || true"\n'
    app = platform.deploy(web_app("good", pushrod_toml=toml))
    result = app.push({"VERSION": "bad"}, code=1)
    assert "no such column" in result.err and "exit code 5" in result.err
    assert app.version() == "good"


def test_the_environment_is_what_was_promised_and_nothing_more(platform):
    app = platform.deploy()
    environment = app.get("/env").json()
    port = int(environment.pop("PORT"))
    assert platform.ports.apps[0] <= port <= platform.ports.apps[1]
    assert environment.pop("PATH").split(":")[-3:] == ["/usr/local/bin", "/usr/bin", "/bin"]
    for name in ("PYTHONUNBUFFERED", "SHLVL", "_"):  # the last two are the shell's
        environment.pop(name, None)
    assert environment == {
        "APP": app.name,
        "RELEASE": "1",
        "PROCESS": "web",
        "INSTANCE": f"{app.name}.1.web.1",
        "GIT_COMMIT": app.ref(),
        "HOME": "/tmp/home",
        "XDG_CACHE_HOME": "/tmp/home/.cache",
        "XDG_CONFIG_HOME": "/tmp/home/.config",
        "XDG_DATA_HOME": "/tmp/home/.local/share",
        "XDG_STATE_HOME": "/tmp/home/.local/state",
        "XDG_RUNTIME_DIR": "/tmp/runtime",
        "DATA_DIR": "/data",
        "LANG": "C.UTF-8",
        "PWD": "/app",  # by the shell that runs the command
    }


def test_a_worker_gets_no_port(platform):
    app = platform.deploy(web_app(Procfile="web: python3 web.py\nworker: env > /data/environment; exec sleep 1000\n"))
    environment = (app.data / "environment").read_text()
    assert "PROCESS=worker\n" in environment
    assert "PORT=" not in environment and "CANARY" not in environment


def test_data_survives_deployments_and_the_code_cannot_be_written(platform):
    app = platform.deploy(web_app("1"))
    assert app.get("/write?path=/data/note&text=kept").text == "written"
    app.get("/write?path=/app/note&text=lost", status=403)
    app.get("/write?path=/usr/note&text=lost", status=403)
    app.get("/write?path=/note&text=lost", status=403)
    assert app.get("/write?path=/tmp/note&text=private").text == "written"
    app.push({"VERSION": "2"})
    assert app.get("/read?path=/data/note").text == "kept"
    app.get("/read?path=/tmp/note", status=404)


def test_an_app_sees_neither_other_apps_nor_pushrod(platform):
    other = platform.deploy()
    other.get("/write?path=/data/secret&text=other")
    app = platform.deploy()
    for path in (platform.root, other.data, platform.root / "pushrod.db", "/home", "/root", "/work"):
        app.get(f"/list?path={path}", status=404)
    assert app.get("/list?path=/data").json() == []
    names = app.get("/list?path=/").json()
    assert set(names) <= {"app", "bin", "data", "dev", "etc", "lib", "lib32", "lib64", "libx32", "opt", "proc", "run",
                          "sbin", "tmp", "usr", "var", ".pushrod-shim"}  # fmt: skip
    users = app.get("/read?path=/etc/passwd").text
    assert "root:" not in users and platform.user not in users


def test_an_app_sees_its_own_processes_only(platform):
    platform.deploy()
    app = platform.deploy()
    pids = [name for name in app.get("/list?path=/proc").json() if name.isdecimal()]
    commands = [app.get(f"/read?path=/proc/{pid}/cmdline").text.replace("\0", " ") for pid in pids]
    assert not [command for command in commands if "s6" in command or "haproxy" in command or "bwrap" in command]
    assert len([command for command in commands if command.startswith("python3")]) == 1


def test_app_info_says_what_runs(platform):
    app = platform.deploy(web_app(Procfile=WORKER_TOO))
    info = platform.json("app", "info", app.name)
    assert {name: info[name] for name in ("app", "repo", "branch", "path", "release", "commit", "builder")} == {
        "app": app.name, "repo": app.name, "branch": "main", "path": "", "release": 1, "commit": app.ref(),
        "builder": "none",
    }  # fmt: skip
    assert info["url"] == f"http://{app.host}:{platform.ports.http}"
    assert info["push"].endswith(f":{platform.ports.ssh}/{app.name}")
    assert info["processes"] == [
        {"type": "web", "command": "python3 web.py", "count": 1},
        {"type": "worker", "command": "echo begins; exec sleep 1000", "count": 1},
    ]
    text = platform.pushrod("app", "info", app.name).out
    assert app.name in text and "worker × 1" in text


# Restart, redeploy, cancel


def test_no_request_fails_during_a_restart(platform):
    app = platform.deploy(web_app("1"))
    with Traffic(app) as traffic:
        result = platform.pushrod("restart", app.name)
        traffic.await_requests(20)
        app.await_settled()
        traffic.await_requests(20)
    traffic.assert_no_failure()
    assert "live" in result.out
    assert app.instances() == [f"{app.name}.2.web.1"]
    assert app.get("/env").json()["RELEASE"] == "2"
    assert app.last_deployment()["kind"] == "restart"
    assert app.checkouts() == [1], "nothing was built"


def test_a_redeploy_builds_the_same_commit_again(platform):
    files = web_app("1", pushrod_toml='[build]\ncommand = "echo x >> /cache/builds"\n')
    app = platform.deploy(files)
    with Traffic(app) as traffic:
        platform.pushrod("redeploy", app.name)
        traffic.await_requests(10)
    traffic.assert_no_failure()
    assert (app.build_cache / "builds").read_text() == "x\nx\n"
    assert app.get("/env").json()["RELEASE"] == "2"
    assert app.last_deployment()["kind"] == "redeploy"
    assert app.ref() == app.work.head()


@pytest.mark.parametrize("verb", ["restart", "redeploy", "cancel"])
def test_what_is_not_deployed_cannot_be_changed(platform, verb):
    app = platform.create_app()
    result = platform.pushrod(verb, app.name, code=1)
    assert result.err.startswith("pushrod: ")
    assert app.deployments() == []


def test_a_deployment_can_be_cancelled_while_it_builds(platform):
    app = platform.create_app(web_app("1", pushrod_toml=HELD_BUILD))
    app.release_build()
    app.work.push()
    app.await_settled()
    app.hold_build()
    before = app.ref()
    push = app.start_push({"VERSION": "2"})
    app.await_build()
    assert platform.processes("touch /cache/begun")
    assert "Cancelling deployment 2" in platform.pushrod("cancel", app.name).out
    assert "cancelled" in finish(push, code=1).err
    assert app.last_deployment()["state"] == "cancelled"
    records = [(r["action"], r["detail"], r["outcome"]) for r in platform.json("audit", app.name)]
    assert ("cancel", "deployment 2", "done") in records
    assert not platform.processes("touch /cache/begun")
    assert (app.ref(), app.version(), app.checkouts()) == (before, "1", [1])


# Types that may not run twice


def test_a_worker_without_overlap_never_runs_twice(platform):
    toml = '[processes]\nweb = "python3 web.py"\n[processes.worker]\ncommand = "exec python3 worker.py"\noverlap = false\n'
    app = platform.deploy(web_app("1", pushrod_toml=toml, worker_py=(APPS / "worker.py").read_text()))
    with Traffic(app, clients=2) as traffic:
        app.push({"VERSION": "2"})
        platform.pushrod("restart", app.name)
    traffic.assert_no_failure()
    app.await_settled()
    history = (app.data / "worker.history").read_text().splitlines()
    assert history == [f"{app.name}.{release}.worker.1 alone" for release in (1, 2, 3)]


def test_a_worker_without_overlap_is_back_when_the_new_one_fails(platform):
    toml = '[processes.worker]\ncommand = "exec python3 worker.py"\noverlap = false\nhealth.settle = "1s"\n'
    app = platform.deploy({"pushrod.toml": toml, "worker.py": (APPS / "worker.py").read_text()})
    app.push({"worker.py": "raise SystemExit(1)\n"}, code=1)
    history = [f"{app.name}.1.worker.1 alone"] * 2
    wait_until(lambda: (app.data / "worker.history").read_text().splitlines() == history, what="the old worker")
    assert app.instances("running") == [f"{app.name}.1.worker.1"]


# The end of an app


def test_destroying_an_app_wants_a_yes_and_leaves_nothing(platform):
    app = platform.deploy(web_app(Procfile=WORKER_TOO))
    app.get("/write?path=/data/secret&text=old")
    result = platform.pushrod("app", "destroy", app.name, code=1)
    assert "--yes" in result.err and app.name in result.err
    assert app.version() == "1"

    assert app.name in platform.pushrod("app", "destroy", app.name, "--yes").out
    assert app.get(status=404)
    assert not platform.processes(f"{app.name}.1.")
    assert app.name not in [listed["app"] for listed in platform.json("app", "list")]
    app.await_no_traces()

    again = platform.deploy(web_app("new"), name=app.name)
    assert again.version() == "new"
    assert again.get("/list?path=/data").json() == []
    assert [d["number"] for d in again.deployments()] == [1]


def test_destroying_one_of_two_apps_keeps_the_repo(platform):
    one = platform.deploy(web_app("1"))
    two = platform.create_app(work=one.work)
    platform.pushrod("app", "destroy", one.name, "--yes")
    platform.pushrod("redeploy", two.name)
    assert two.version() == "1"


def test_an_app_that_is_destroyed_while_it_deploys_leaves_nothing(platform):
    app = platform.create_app(web_app(pushrod_toml=HELD_BUILD))
    push = app.start_push()
    app.await_build()
    platform.pushrod("app", "destroy", app.name, "--yes")
    finish(push, code=1)
    assert not platform.processes("touch /cache/begun")
    app.await_no_traces()


def test_files_of_the_root_are_closed_to_others(platform):
    platform.deploy()
    assert stat.S_IMODE(platform.root.stat().st_mode) == 0o700
    for name in ("pushrod.db", "ssh/authorized_keys", "ssh/host_ed25519_key"):
        assert stat.S_IMODE((platform.root / name).stat().st_mode) & 0o077 == 0, name
