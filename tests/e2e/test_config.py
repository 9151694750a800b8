"""The settings of an app: what is set reaches every process, and secrets stay secret."""

import json
import os
import sqlite3

import pytest
from harness import Traffic, finish, start_command, wait_until, web_app


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
    assert "setting GREETING cannot be opened" in result.out and "or set it again" in result.out
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


def test_settings_for_builds_or_for_processes_alone(platform):
    build = "[build]\ncommand = \"env > build.env\"\n\n[release]\ncommand = \"env > /data/released\"\n"
    app = platform.create_app(web_app(pushrod_toml=build))
    platform.pushrod("config", "set", app.name, "BUILD_WORD=one", "--build")
    platform.pushrod("config", "set", app.name, "RUN_WORD=two", "--run")
    platform.pushrod("config", "set", app.name, "ANY_WORD=three")
    app.work.push()

    def seen(text):
        names = [line.partition("=")[0] for line in text.splitlines()]
        return [name for name in ("ANY_WORD", "BUILD_WORD", "RUN_WORD") if name in names]

    def seen_everywhere(name):
        built = next((platform.root / "checkouts" / name).glob("*/**/build.env"))
        run = platform.pushrod("run", name, "--", "env").out
        return seen(built.read_text()), seen((platform.root / "data" / name / "released").read_text()), seen(run)

    run_time = ["ANY_WORD", "RUN_WORD"]
    assert seen_everywhere(app.name) == (["ANY_WORD", "BUILD_WORD"], run_time, run_time)
    assert sorted(set(app.get("/env").json()) & {"ANY_WORD", "BUILD_WORD", "RUN_WORD"}) == run_time
    listed = {one["name"]: one["scope"] for one in platform.json("config", "list", app.name)}
    assert listed == {"ANY_WORD": "both", "BUILD_WORD": "build", "RUN_WORD": "run"}
    shown = platform.pushrod("config", "list", app.name).out
    assert "builds only" in shown and "not in builds" in shown

    # What only builds see needs no restart.
    result = platform.pushrod("config", "set", app.name, "BUILD_WORD=four")
    assert f"Saved for the next build of {app.name}: set BUILD_WORD" in result.out and len(app.deployments()) == 1
    # A copy, and a release of before, have the same scopes.
    copy = platform.unique_name()
    platform.pushrod("app", "clone", app.name, copy)
    assert seen_everywhere(copy) == (["ANY_WORD", "BUILD_WORD"], run_time, run_time)
    platform.pushrod("config", "set", app.name, "BUILD_WORD=five", "--build", "--run")
    assert app.get("/env").json()["BUILD_WORD"] == "five"
    platform.pushrod("rollback", app.name, "1")
    assert "BUILD_WORD" not in app.get("/env").json()
    assert {one["name"]: one["scope"] for one in platform.json("config", "list", app.name)} == listed
