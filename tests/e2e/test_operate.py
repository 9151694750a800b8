"""Living with an app: settings, releases and rollback, scale, stop and start; each a deployment without a gap."""

import json
import os
import sqlite3

import pytest
from harness import HELD_BUILD, Traffic, finish, start_command, wait_until, web_app

TWO_TYPES = 'web: python3 web.py\nworker: exec sleep 1000\n'


def setting(app, name):
    """What the app's processes have in their environment."""
    return app.get("/env").json().get(name)


def read_bytes(path):
    """A file's content; empty if it has just gone."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def pids(app):
    """Instance → pid, of those that run."""
    return {p["instance"]: p["pid"] for p in app.processes() if p["state"] == "running"}


# Settings


def test_several_settings_are_one_release_and_reach_every_process(platform):
    app = platform.deploy()
    with Traffic(app) as traffic:
        platform.pushrod("config", "set", app.name, "GREETING=hello there", "COLOUR=blue")
        app.await_settled()
    traffic.assert_no_failure()
    assert (setting(app, "GREETING"), setting(app, "COLOUR")) == ("hello there", "blue")
    last = app.last_deployment()
    assert (last["number"], last["kind"], last["state"]) == (2, "config", "live")
    assert last["detail"] == "set COLOUR, GREETING"
    platform.pushrod("config", "unset", app.name, "COLOUR")
    assert (setting(app, "GREETING"), setting(app, "COLOUR")) == ("hello there", None)


def test_a_list_for_machines_has_the_values_as_they_are(platform):
    app = platform.create_app({})
    value = 'a "quoted" \\ line\n\x1b[1m\u202e' + "x" * 10_000
    platform.pushrod("config", "set", app.name, f"A={value}")
    listed = platform.json("config", "list", app.name)
    assert [(entry["name"], entry["value"]) for entry in listed] == [("A", value)]


def test_an_export_to_a_full_disk_says_so(platform):
    app = platform.create_app({})
    platform.pushrod("config", "set", app.name, "A=1")
    with open("/dev/full", "wb") as full:
        export = start_command([platform.binary, "--root", platform.root, "config", "export", app.name],
                               env=platform.server_env, stdout=full)  # fmt: skip
        _, said = export.communicate(timeout=20)
    assert export.returncode == 70 and b"No space left on device" in said


def test_a_push_keeps_the_settings(platform):
    app = platform.deploy()
    platform.pushrod("config", "set", app.name, "KEPT=yes")
    app.push({"VERSION": "2"})
    assert (app.version(), setting(app, "KEPT")) == ("2", "yes")


def test_settings_wait_for_the_next_release_when_asked_to(platform):
    app = platform.create_app(web_app())
    platform.pushrod("config", "set", app.name, "BEFORE=the first push")
    assert app.deployments() == []
    app.push()
    platform.pushrod("config", "set", app.name, "LATER=1", "--no-restart")
    assert (setting(app, "BEFORE"), setting(app, "LATER")) == ("the first push", None)
    assert [s["name"] for s in platform.json("config", "list", app.name) if s["pending"]] == ["LATER"]
    platform.pushrod("restart", app.name)
    assert setting(app, "LATER") == "1"
    assert not any(s["pending"] for s in platform.json("config", "list", app.name))


@pytest.mark.parametrize(
    "value",
    ["", "a\nb\n\nc", "$HOME `id` $(id) \\ ' \"", " blanks ", "größe ☃", "x" * 128_000, "a=b=c", "-"],
    ids=["empty", "lines", "shell", "blanks", "utf-8", "128 kB", "equals", "dash"],
)
def test_values_arrive_byte_for_byte(platform, value):  # fault 57
    app = platform.deploy()
    platform.pushrod("config", "set", app.name, "VALUE=-", input=value)
    assert setting(app, "VALUE") == value
    assert platform.pushrod("config", "get", app.name, "VALUE").out == value


def test_values_that_are_no_text_arrive_byte_for_byte(platform):  # fault 57
    app = platform.deploy()
    value = bytes(range(1, 256))
    platform.pushrod("config", "set", app.name, "VALUE=-", input=value)
    assert os.fsencode(setting(app, "VALUE")) == value


def test_ld_preload_reaches_the_app_and_nothing_outside_of_it(platform):  # fault 57
    app, other = platform.deploy(), platform.deploy()
    library = platform.directory / f"{app.name}.so"  # there for programs outside alone
    library.write_text("no library, as whatever loads it says")
    platform.pushrod("config", "set", app.name, f"LD_PRELOAD={library}")
    assert setting(app, "LD_PRELOAD") == str(library)
    assert setting(other, "LD_PRELOAD") is None
    complaints = [line for line in platform.pushrod("logs", app.name).out.splitlines() if "LD_PRELOAD" in line]
    assert complaints and all("cannot open shared object file" in line for line in complaints), complaints


@pytest.mark.parametrize("name", ["PORT", "PORT_9394", "PATH", "PWD", "INSTANCE", "1A", "A-B", "", "A B"])
def test_names_that_are_reserved_or_no_names_are_refused(platform, name):  # fault 57
    app = platform.deploy()
    result = platform.pushrod("config", "set", app.name, f"{name}=x", code=1)
    assert len(result.err.splitlines()) <= 2 and name in result.err
    assert len(app.deployments()) == 1


def test_settings_override_what_the_builder_and_the_platform_set_by_default(platform):
    shown = "echo $NODE_ENV/$LANG/$PYTHONUNBUFFERED/$npm_config_include/$HOME"
    app = platform.create_app(
        web_app(
            **{"package.json": "{}"},
            pushrod_toml=f'[build]\ncommand = "{shown}"\n[release]\ncommand = "{shown}"\n',
        )
    )
    assert "production/C.UTF-8/1/dev//tmp/home" in app.work.push().err, "defaults hold with a command of one's own"
    values = ["NODE_ENV=staging", "LANG=en_US.UTF-8", "PYTHONUNBUFFERED=", "npm_config_include=optional", "HOME=/data/h"]
    platform.pushrod("config", "set", app.name, *values)
    environment = app.get("/env").json()
    assert {value: f"{name}={environment[name]}" for value in values for name in [value.split("=")[0]]} == {
        value: value for value in values
    }
    result = app.push({"VERSION": "2"})
    assert "staging/en_US.UTF-8//optional//tmp/home" in result.err, "a build has no /data"
    assert "staging/en_US.UTF-8//optional//data/h" in result.err, "the release command has it"


def test_values_that_no_process_could_get_are_refused(platform):
    app = platform.deploy()
    for value, why in ((b"a\0b", "NUL"), (b"x" * 132_000, "128 kB")):
        result = platform.pushrod("config", "set", app.name, "A=-", input=value, code=1)
        assert why in result.err
    for number in range(5):
        platform.pushrod("config", "set", app.name, "--no-restart", f"A{number}=-", input="x" * 130_000)
    assert "too long" in platform.pushrod("config", "set", app.name, "B=-", input="x" * 130_000, code=1).err


def test_env_files_go_in_and_out(platform):
    app = platform.deploy()
    file = "# a comment\nPLAIN=one two # said\nexport QUOTED=\"a\\n\\$b\"\nSINGLE='x\\ny'\n\nEMPTY=\n"
    platform.ssh("config", "import", app.name, input=file)
    wanted = {"PLAIN": "one two", "QUOTED": "a\n$b", "SINGLE": "x\\ny", "EMPTY": ""}
    assert {name: setting(app, name) for name in wanted} == wanted
    exported = platform.ssh("config", "export", app.name).out
    copy = platform.deploy()
    platform.pushrod("config", "import", copy.name, "-", input=exported)
    assert {name: setting(copy, name) for name in wanted} == wanted


def test_a_bad_env_file_is_refused_by_line_and_changes_nothing(platform):
    app = platform.deploy()
    for file, line in (("A=1\nnonsense\n", 2), ("A=1\nA=2\n", 2), ("A=1\n\nPORT=2\n", 3), ("A='open\n\n", 1)):
        result = platform.pushrod("config", "import", app.name, "-", input=file, code=1)
        assert f"standard input:{line}:" in result.err
    assert platform.json("config", "list", app.name) == [] and len(app.deployments()) == 1


# In colours, with a backspace, in base64, and in a line that has no end for a while.
PRINTS_ITS_SECRET = r"""
[build]
command = '''
echo key is $API_TOKEN; env
half=${API_TOKEN%stein*}; rest=${API_TOKEN#"$half"}
printf 'coloured: \033[31m%s\033[0m%s\n' "$half" "$rest"
printf '%sx\b%s\n' "$half" "$rest"
printf 'base64: '; printf 'user:%s' "$API_TOKEN" | base64
printf 'half: %s' "$half"; sleep 0.1; printf '%s\n' "$rest"
'''
"""


def test_secrets_are_masked_and_nowhere_to_be_found(make_platform):
    platform = make_platform().start()
    secret = "kieselstein-4711"
    app = platform.create_app(web_app("1", pushrod_toml=PRINTS_ITS_SECRET))
    platform.ssh("config", "set", app.name, f"API_TOKEN={secret}", "MARKED=kiesel-plain", "--secret")
    platform.ssh("config", "set", app.name, "OPEN=for-all")
    pushed = app.push()
    assert "key is [redacted]" in pushed.err and "for-all" in pushed.err
    listed = platform.ssh("config", "list", app.name).out
    assert "********" in listed and "for-all" in listed
    assert setting(app, "API_TOKEN") == secret and setting(app, "MARKED") == "kiesel-plain"
    told = [pushed.text, listed, platform.pushrod("logs", app.name, "--deployment", "1").out]
    viewer = platform.make_key("viewer")
    platform.pushrod("key", "add", "viewer", f"{viewer}.pub", "--role", "view", "--app", app.name)
    log = platform.ssh("logs", app.name, "--deployment", "1", key=viewer).out
    assert "coloured: [redacted]" in log and "half: [redacted]" in log and "base64: dXNlcj[redacted]" in log
    told.append(log)
    assert platform.ssh("run", app.name, "--", "printenv", "API_TOKEN", secret, code=1).out.strip() == secret
    told.append(json.dumps(platform.json("config", "list", app.name)))
    told.append(json.dumps([app.deployments(), platform.json("releases", app.name)]))
    assert not [text for text in told if "kiesel" in text]
    # At rest: in no file but those that processes are started from.
    found = []
    for directory, _, names in os.walk(platform.root):
        for name in names:
            path = os.path.join(directory, name)
            if os.path.isfile(path) and not os.path.islink(path) and b"kiesel" in read_bytes(path):
                found.append(os.path.relpath(path, platform.root))
    assert found and all(path.startswith("run/services/") and path.endswith("/spec") for path in found)


def test_values_stand_in_no_list_of_processes_while_they_are_set(platform):
    waits = "web: while [ -e /data/hold ]; do sleep 0.02; done; exec python3 web.py\n"
    app = platform.deploy(web_app("1", Procfile=waits))
    (app.data / "hold").touch()
    change = platform.start_pushrod("config", "set", app.name, "API_TOKEN=kieselstein-4712")
    wait_until(lambda: app.instances("starting"), what="the new instance")
    commands = [process.command for process in platform.processes()]
    assert [command for command in commands if "API_TOKEN=*" in command]
    assert not [command for command in commands if "kiesel" in command]
    (app.data / "hold").unlink()
    assert finish(change, code=0)
    assert setting(app, "API_TOKEN") == "kieselstein-4712"


def test_a_failing_app_does_not_give_its_secrets_away(platform):
    app = platform.deploy()
    platform.pushrod("config", "set", app.name, "DB_PASSWORD=geheim-1234")
    result = app.push({"Procfile": 'web: echo "no database at $DB_PASSWORD"; exit 1\n'}, code=1)
    assert "no database at [redacted]" in result.err and "geheim" not in result.text


def test_settings_that_do_not_start_are_undone(platform):
    app = platform.deploy({**web_app(), "Procfile": 'web: test -z "$BROKEN" && exec python3 web.py\n'})
    platform.pushrod("config", "set", app.name, "GOOD=1")
    with Traffic(app) as traffic:
        platform.pushrod("config", "set", app.name, "BROKEN=1", code=1)
    traffic.assert_no_failure()
    assert app.last_deployment()["state"] == "failed"
    assert [s["name"] for s in platform.json("config", "list", app.name)] == ["GOOD"]
    assert setting(app, "GOOD") == "1"


def test_a_lost_or_foreign_key_file_is_reported_and_nothing_is_lost(make_platform):
    platform = make_platform().start()
    app = platform.deploy()
    platform.pushrod("config", "set", app.name, "A=1")
    key = platform.root / "settings.key"
    assert key.stat().st_mode & 0o777 == 0o600 and key.stat().st_size == 32
    content = key.read_bytes()
    key.write_bytes(bytes(32))
    result = platform.pushrod("config", "get", app.name, "A", code=1)
    assert "settings.key" in result.err and "1" != result.out
    app.get()
    key.write_bytes(content)
    assert platform.pushrod("config", "get", app.name, "A").out == "1"


def test_without_the_key_of_its_settings_one_app_stays_down_and_no_other(make_platform):
    platform = make_platform().start()
    poor, other = platform.deploy(web_app("poor")), platform.deploy(web_app("other"))
    platform.pushrod("config", "set", poor.name, "GREETING=hello")
    poor.await_settled()
    (platform.root / "settings.key").unlink()
    platform.pushrod("restart", other.name)
    result = platform.pushrod("restart", poor.name, code=1)
    assert "setting GREETING cannot be opened" in result.err and "or set it again" in result.err
    assert poor.version() == "poor", "what runs goes on"
    platform.stop()
    platform.start()
    assert other.version() == "other"
    said = (platform.directory / "up.log").read_text()
    assert f"preparing {poor.name}: setting GREETING cannot be opened" in said and "set it again" in said
    assert poor.get(status=503)
    platform.pushrod("config", "set", poor.name, "GREETING=again")
    assert poor.version() == "poor"


def test_values_are_bound_to_their_app_and_name(make_platform):
    platform = make_platform().start()
    app = platform.deploy()
    platform.pushrod("config", "set", app.name, "A=1", "B=2")
    with sqlite3.connect(platform.root / "pushrod.db") as database:
        database.execute("UPDATE app_settings SET sealed = (SELECT sealed FROM app_settings WHERE name = 'A')")
    assert platform.pushrod("config", "get", app.name, "A").out == "1"
    assert "cannot be opened" in platform.pushrod("config", "get", app.name, "B", code=1).err


# Releases


def test_a_rollback_brings_code_settings_and_processes_back(platform):
    app = platform.deploy({**web_app("1"), "Procfile": TWO_TYPES})
    platform.pushrod("config", "set", app.name, "STAGE=one")
    platform.pushrod("scale", app.name, "worker=2")
    first = app.ref()
    app.push({"VERSION": "2", "Procfile": "web: python3 web.py\n"})
    platform.pushrod("config", "set", app.name, "STAGE=two")
    assert (app.version(), setting(app, "STAGE")) == ("2", "two")
    with Traffic(app) as traffic:
        platform.pushrod("rollback", app.name, "3")
    traffic.assert_no_failure()
    assert (app.version(), setting(app, "STAGE"), app.ref()) == ("1", "one", first)
    app.await_settled()
    assert app.instances() == [f"{app.name}.6.web.1", f"{app.name}.6.worker.1", f"{app.name}.6.worker.2"]
    assert platform.pushrod("config", "get", app.name, "STAGE").out == "one"
    app.push({"VERSION": "3"})
    assert (app.version(), setting(app, "STAGE")) == ("3", "one")


def test_a_rollback_can_be_rolled_back(platform):
    app = platform.deploy(web_app("1"))
    app.push({"VERSION": "2"})
    platform.pushrod("restart", app.name)
    platform.pushrod("rollback", app.name)
    assert app.version() == "1"
    platform.pushrod("rollback", app.name, "2")
    assert app.version() == "2"
    assert app.checkouts() and len(app.checkouts()) <= 2


def test_a_rollback_to_a_release_of_the_same_commit_leaves_the_other_apps_of_the_branch(platform):
    files = {f"{path}/{name}": text for path in "ab" for name, text in web_app("1").items()}
    first = platform.create_app(files, path="a")
    second = platform.create_app(work=first.work, path="b")
    first.work.push()
    platform.pushrod("config", "set", first.name, "COLOUR=blue")
    platform.pushrod("rollback", first.name)
    assert "COLOUR" not in first.get("/env").json()
    assert [d["kind"] for d in second.deployments()] == ["push"]


def test_a_rollback_that_does_not_start_changes_nothing(platform):
    starts = 'web: test -e /data/broken && exit 1; exec python3 web.py\n'
    app = platform.deploy({**web_app("1"), "Procfile": starts})
    app.push({"VERSION": "2", "Procfile": "web: python3 web.py\n"})
    head = app.ref()
    (app.data / "broken").touch()
    with Traffic(app) as traffic:
        platform.pushrod("rollback", app.name, "1", code=1)
    traffic.assert_no_failure()
    assert (app.version(), app.ref()) == ("2", head)
    app.await_settled()
    assert (app.checkouts(), app.releases()) == ([2], [1])


def test_apps_of_one_branch_roll_back_together(platform):
    one = platform.create_app(web_app("1"))
    two = platform.create_app(repo=one.work.repo, work=one.work)
    one.push()
    one.push({"VERSION": "2"})
    platform.pushrod("rollback", one.name)
    assert (one.version(), two.version(), one.ref()) == ("1", "1", two.ref())


def test_what_is_not_kept_cannot_be_rolled_back_to(platform):
    app = platform.deploy(web_app("1"))
    for number, why in (("1", "live"), ("9", "not kept")):
        assert why in platform.pushrod("rollback", app.name, number, code=1).err
    assert "no release" in platform.pushrod("rollback", app.name, code=1).err


def test_releases_tell_what_changed(platform):
    app = platform.deploy({**web_app("1"), "Procfile": TWO_TYPES})
    platform.pushrod("config", "set", app.name, "A=1", "B=2")
    platform.pushrod("scale", app.name, "worker=3")
    app.push({"VERSION": "2"})
    listed = platform.json("releases", app.name)
    assert [(r["number"], r["kind"], r["live"]) for r in listed] == [
        (4, "push", True), (3, "scale", False), (2, "config", False), (1, "push", False)]  # fmt: skip
    assert listed[0]["processes"] == {"web": 1, "worker": 3}
    changes = {n: [c["what"] for c in platform.json("release", app.name, str(n))["changes"]] for n in (2, 3, 4)}
    assert changes == {2: ["setting A", "setting B"], 3: ["process worker"], 4: ["commit"]}
    assert "not kept" in platform.pushrod("release", app.name, "77", code=1).err


# Processes


def test_scaling_keeps_running_instances(platform):
    app = platform.deploy({**web_app(), "Procfile": TWO_TYPES})
    before = pids(app)
    with Traffic(app) as traffic:
        platform.pushrod("scale", app.name, "web=3", "worker=2")
        after = pids(app)
        assert before.items() <= after.items() and len(after) == 5
        platform.pushrod("scale", app.name, "web=1")
        app.await_settled()
    traffic.assert_no_failure()
    assert pids(app).items() >= before.items() and len(pids(app)) == 3
    assert [d["detail"] for d in app.deployments()[:2]] == ["web 3 to 1", "web 1 to 3, worker 1 to 2"]


def test_a_scale_outlives_pushes_and_restarts(platform):
    app = platform.deploy({**web_app(), "Procfile": TWO_TYPES})
    platform.pushrod("scale", app.name, "worker=0", "web=2")
    app.push({"VERSION": "2"})
    app.await_settled()
    assert [name.split(".", 2)[2] for name in app.instances()] == ["web.1", "web.2"]
    shown = platform.json("scale", app.name)
    assert shown == [
        {"type": "web", "count": 2, "scaled": True, "pending": False},
        {"type": "worker", "count": 0, "scaled": True, "pending": False},
    ]


def test_what_is_so_already_makes_no_release(platform):
    app = platform.deploy({**web_app(), "Procfile": TWO_TYPES})
    platform.pushrod("config", "set", app.name, "MODE=fast")
    platform.pushrod("scale", app.name, "worker=0")
    made = len(app.deployments())
    for words in (["config", "set", app.name, "MODE=fast"], ["scale", app.name, "worker=0"]):
        assert "already" in platform.pushrod(*words).out
    assert "nothing to restart" in platform.pushrod("restart", app.name, "worker", code=1).err
    assert "--json" in platform.pushrod("scale", app.name, "web=2", "--json", code=2).err
    assert len(app.deployments()) == made
    # The same number as in the app's files, but from now on whatever they say.
    platform.pushrod("scale", app.name, "web=1")
    assert platform.json("scale", app.name)[0] == {
        "type": "web", "count": 1, "scaled": True, "pending": False}  # fmt: skip


def test_a_rollback_skips_equal_releases_and_keeps_pending_settings(platform):
    app = platform.deploy()
    for value in ("1", "2", "2 ", "2"):
        platform.pushrod("config", "set", app.name, f"MODE={value}")
    platform.pushrod("restart", app.name)
    platform.pushrod("config", "set", app.name, "--no-restart", "LATER=1")
    platform.pushrod("rollback", app.name)
    assert setting(app, "MODE") == "2 "
    assert [s["name"] for s in platform.json("config", "list", app.name) if s["pending"]] == ["LATER"]
    platform.pushrod("restart", app.name)
    assert (setting(app, "MODE"), setting(app, "LATER")) == ("2 ", "1")


@pytest.mark.parametrize("word", ["web", "web=", "web=-1", "web=65", "web=x", "nope=1", "WEB=1"])
def test_what_is_no_scale_is_refused(platform, word):
    app = platform.deploy()
    result = platform.pushrod("scale", app.name, word, code=1)
    assert len(result.err.splitlines()) <= 2
    assert len(app.deployments()) == 1


def test_a_type_that_is_not_meant_to_run_is_scaled_to_none_before_the_first_push(make_platform):
    platform = make_platform(settings="[health]\nsettle = 1\nwatch = 0\n").start()
    app = platform.create_app({**web_app(), "Procfile": "web: python3 web.py\nconsole: bash\n"})
    result = app.work.push(code=1)
    assert f"scale {app.name} console=0" in result.err and "[processes.console] count = 0" in result.err
    assert "not deployed" in platform.pushrod("scale", app.name, code=1).err
    assert "is kept for the next release" in platform.pushrod("scale", app.name, "console=0").out
    assert platform.json("scale", app.name) == [{"type": "console", "count": 0, "scaled": True, "pending": True}]
    app.work.push()
    assert [name.split(".", 2)[2] for name in app.instances()] == ["web.1"]
    assert platform.json("scale", app.name)[0] == {
        "type": "console", "count": 0, "scaled": True, "pending": False}  # fmt: skip


def test_none_of_a_type_to_come_can_run_beside_a_change_of_others(platform):
    app = platform.deploy()
    platform.pushrod("scale", app.name, "migrate=0", "web=2")
    assert len(app.deployments()) == 2
    platform.pushrod("scale", app.name, "web=1")
    app.push({"Procfile": "web: python3 web.py\nmigrate: true\n"})
    assert {p["type"]: p["count"] for p in platform.json("scale", app.name)} == {"migrate": 0, "web": 1}


def test_a_manifest_adds_to_a_procfile(platform):
    files = web_app() | {"Procfile": "web: python3 web.py\nconsole: bash\n"}
    app = platform.deploy(files | {"pushrod.toml": "[processes.console]\ncount = 0\n"})
    assert [name.split(".", 2)[2] for name in app.instances()] == ["web.1"]


def test_a_scale_that_does_not_start_changes_nothing(platform):
    one_only = 'web: test "${INSTANCE##*.}" = 1 || exit 1; exec python3 web.py\n'
    app = platform.deploy({**web_app(), "Procfile": one_only})
    before = pids(app)
    with Traffic(app) as traffic:
        platform.pushrod("scale", app.name, "web=2", code=1)
    traffic.assert_no_failure()
    assert pids(app) == before and platform.json("scale", app.name)[0]["count"] == 1


def test_a_stopped_app_stays_stopped_until_it_is_started(platform):
    app = platform.deploy(web_app("1"))
    platform.pushrod("stop", app.name)
    wait_until(lambda: not app.processes(), what="the end of the instances")
    assert platform.http(app.host).status == 503
    (listed,) = [entry for entry in platform.json("app", "list") if entry["app"] == app.name]
    assert listed["state"] == "stopped"
    app.push({"VERSION": "2"})
    assert app.processes() == [] and platform.http(app.host).status == 503
    for verb in ("stop", "restart"):
        assert "stopped" in platform.pushrod(verb, app.name, code=1).err
    platform.pushrod("start", app.name)
    assert app.version() == "2"
    assert "not stopped" in platform.pushrod("start", app.name, code=1).err


def test_one_type_is_restarted_alone(platform):
    app = platform.deploy({**web_app(), "Procfile": TWO_TYPES})
    before = pids(app)
    with Traffic(app) as traffic:
        platform.pushrod("restart", app.name, "web")
        app.await_settled()
    traffic.assert_no_failure()
    worker = f"{app.name}.1.worker.1"
    assert set(pids(app)) == {worker, f"{app.name}.2.web.1"} and pids(app)[worker] == before[worker]
    # And all of them the next time, the one that went on included.
    platform.pushrod("restart", app.name)
    app.await_settled()
    assert set(pids(app)) == {f"{app.name}.3.worker.1", f"{app.name}.3.web.1"}


def test_a_change_waits_for_a_push_in_progress(platform):
    app = platform.create_app(web_app("1", pushrod_toml=HELD_BUILD))
    app.release_build()
    app.push()
    app.hold_build()
    push = app.start_push({"VERSION": "2"})
    app.await_build()
    change = platform.start_pushrod("config", "set", app.name, "A=1")
    wait_until(lambda: len(app.deployments()) == 3, what="the second change")
    app.release_build()
    assert finish(push).code == 0
    assert finish(change).code == 0
    assert (app.version(), setting(app, "A")) == ("2", "1")


def test_everything_works_over_ssh(platform):
    app = platform.deploy({**web_app("1"), "Procfile": TWO_TYPES})
    platform.ssh("config", "set", app.name, "TEXT=two words")
    assert setting(app, "TEXT") == "two words"
    platform.ssh("scale", app.name, "worker=2")
    platform.ssh("restart", app.name, "worker")
    platform.ssh("stop", app.name)
    platform.ssh("start", app.name)
    platform.ssh("rollback", app.name, "1")
    assert setting(app, "TEXT") is None
    assert [d["kind"] for d in app.deployments()] == [
        "rollback", "start", "stop", "restart", "scale", "config", "push"]  # fmt: skip
    gate_log = (platform.root / "logs" / "_pushrod" / "gate.log").read_text()
    assert "config set" in gate_log and "two words" not in gate_log
