"""What is written down of every change: who, when, what, from where, and how it ended."""

import pytest
from harness import web_app


@pytest.fixture
def app(platform):
    return platform.deploy(web_app("1"))


def fingerprint(platform, name):
    return next(key["fingerprint"] for key in platform.json("key", "list") if key["key"] == name)


def test_a_push_is_written_down_with_key_address_and_commits(platform, app):
    first = app.work.head()
    app.push({"VERSION": "2"})
    newest = platform.json("audit", app.name)[0]
    assert newest.keys() == {"time", "who", "fingerprint", "address", "app", "action", "detail", "outcome"}
    assert (newest["who"], newest["action"], newest["outcome"]) == ("admin", "push", "done")
    assert newest["detail"] == f"main {first[:10]}..{app.work.head()[:10]}"
    assert newest["address"] == "127.0.0.1"
    assert newest["fingerprint"] == fingerprint(platform, "admin")


def test_a_change_on_the_server_is_local(platform, app):
    platform.pushrod("restart", app.name)
    newest = platform.json("audit", app.name)[0]
    assert (newest["who"], newest["action"], newest["address"]) == (f"local:{platform.user}", "restart", "local")
    assert newest["fingerprint"] is None


def test_a_failure_is_written_down_with_its_reason(platform, app):
    app.push({"web.py": "raise SystemExit(3)\n"}, code=1)
    newest = platform.json("audit", app.name)[0]
    assert newest["action"] == "push" and newest["outcome"].startswith("failed: ")
    assert "exit code 3" in newest["outcome"]


def test_it_outlives_the_app_and_the_key(platform, app):
    name = platform.unique_name("gone")
    key = platform.make_key(name)
    platform.pushrod("key", "add", name, f"{key}.pub", "--app", app.name)
    platform.ssh("restart", app.name, key=key)
    platform.pushrod("key", "remove", name)
    platform.pushrod("app", "destroy", app.name, "--yes")
    of_app = platform.json("audit", app.name)
    assert [entry["action"] for entry in of_app] == ["app destroy", "restart", "push", "app create"]
    assert of_app[1]["who"] == name
    everything = platform.json("audit", "-n", "100")
    assert {"key add", "key remove"} <= {entry["action"] for entry in everything if name in (entry["detail"] or "")}
    table = platform.ssh("audit", app.name).out
    assert "app destroy" in table and "127.0.0.1" in table


def test_a_key_for_apps_sees_what_happened_to_those(platform, app):
    other = platform.deploy(web_app("1"))
    name = platform.unique_name("limited")
    key = platform.make_key(name)
    platform.pushrod("key", "add", name, f"{key}.pub", "--role", "view", "--app", app.name)
    seen = platform.ssh("audit", "--json", "-n", "1000", key=key).json()
    assert {entry["app"] for entry in seen} == {app.name}
    assert other.name not in platform.ssh("audit", other.name, key=key, code=1).out
    env = platform.git_login(key)
    app.work.commit({"VERSION": "2"})
    platform.git("push", "origin", "HEAD:main", cwd=app.work.directory, env=env, code=128)
    after = [entry["action"] for entry in platform.json("audit", app.name)]
    # What is refused at the door is in the gate's log. That the app was made came before there was an app to see.
    assert after == [*(entry["action"] for entry in seen), "app create"]
