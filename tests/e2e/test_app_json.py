"""An app.json of Heroku or Dokku is read as these platforms read it."""

import json

from harness import web_app

APP_JSON = {
    "name": "shop",
    "addons": ["heroku-postgresql"],
    "env": {
        "GREETING": {"value": "hello"},
        "SECRET_KEY_BASE": {"generator": "secret"},
        "API_KEY": {"description": "from the provider"},
    },
    "formation": {"web": {"quantity": 2}},
    "cron": [{"command": "true", "schedule": "@daily"}],
    "scripts": {"postdeploy": "echo seeded >> /data/log", "dokku": {"predeploy": "echo checked >> /data/log"}},
}


def test_an_app_json_gives_settings_counts_and_commands(platform):
    app = platform.create_app(web_app() | {"app.json": json.dumps(APP_JSON)})
    refused = app.work.push(code=1)
    assert f"{app.name} requires settings that are not set: API_KEY" in refused.err
    assert platform.json("config", "list", app.name) == []
    platform.pushrod("config", "set", app.name, "API_KEY=1")
    output = app.work.push().err
    assert "app.json: not used are addons" in output

    environment = app.get("/env").json()
    assert environment["GREETING"] == "hello" and environment["API_KEY"] == "1"
    secret = environment["SECRET_KEY_BASE"]
    assert len(secret) == 64 and int(secret, 16) >= 0
    names = {each["name"] for each in platform.json("config", "list", app.name)}
    assert names == {"API_KEY", "SECRET_KEY_BASE"}
    assert len(app.instances()) == 2
    assert [job["name"] for job in platform.json("cron", "list", app.name)] == ["true"]
    assert (app.data / "log").read_text() == "checked\nseeded\n"

    # It is made up once; what the first release alone does is not done again; a setting goes before a default.
    platform.pushrod("config", "set", app.name, "GREETING=changed")
    app.push({"VERSION": "2"})
    environment = app.get("/env").json()
    assert environment["SECRET_KEY_BASE"] == secret and environment["GREETING"] == "changed"
    assert (app.data / "log").read_text() == "checked\nseeded\nchecked\n"


def test_a_push_that_fails_leaves_no_secret_behind(platform):
    files = web_app(pushrod_toml='[release]\ncommand = "exit 3"\n')
    app = platform.create_app(files | {"app.json": json.dumps({"env": {"SECRET": {"generator": "secret"}}})})
    app.work.push(code=1)
    assert platform.json("config", "list", app.name) == []
