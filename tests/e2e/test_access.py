"""Who may do what: roles, apps, what looks like missing, and when a change of it counts."""

import pytest
from harness import web_app


class Person:
    """Somebody with a key of their own."""

    def __init__(self, platform, *words):
        self.platform = platform
        self.name = platform.unique_name("person")
        self.key = platform.make_key(self.name)
        platform.pushrod("key", "add", self.name, f"{self.key}.pub", *words)

    def ssh(self, *words, code=0):
        return self.platform.ssh(*words, key=self.key, code=code)

    def git(self, app, *words, code=0):
        env = self.platform.git_login(self.key)
        return self.platform.git(*words, cwd=app.work.directory, env=env, code=code)

    def push(self, app, version, code=0):
        app.work.commit({"VERSION": version})
        return self.git(app, "push", "origin", f"HEAD:{app.branch}", code=code)


@pytest.fixture
def app(platform):
    return platform.deploy(web_app("1"))


def test_a_key_with_the_role_view_reads_and_nothing_else(platform, app):
    anna = Person(platform, "--role", "view", "--app", app.name)
    for words in (["app", "info"], ["logs"], ["ps"], ["top"], ["deployments"], ["audit"]):
        anna.ssh(*words, app.name)
    for words in (["restart"], ["redeploy"], ["cancel"], ["app", "destroy", "--yes"]):
        refused = anna.ssh(*words, app.name, code=1)
        assert "role view" in refused.err and "key set" in refused.err
    assert "role view" in anna.push(app, "2", code=128).err
    assert "role view" in anna.git(app, "fetch", "origin", code=128).err, "to read is not to read the code"
    assert app.version() == "1"


def test_a_key_with_the_role_deploy_changes_and_does_not_destroy(platform, app):
    bob = Person(platform, "--role", "deploy", "--app", app.name)
    bob.push(app, "2")
    bob.git(app, "fetch", "origin")
    bob.ssh("restart", app.name)
    assert app.version() == "2"
    assert "role deploy" in bob.ssh("app", "destroy", app.name, "--yes", code=1).err
    for words in (["app", "create", "another"], ["key", "list"], ["doctor"]):
        assert "administrators of this machine" in bob.ssh(*words, code=1).err


def test_an_admin_of_some_apps_may_destroy_those(platform, app):
    other = platform.deploy(web_app("other"))
    carl = Person(platform, "--role", "admin", "--app", app.name)
    assert "there is no app" in carl.ssh("app", "destroy", other.name, "--yes", code=1).err
    assert "administrators of this machine" in carl.ssh("key", "list", code=1).err
    carl.ssh("app", "destroy", app.name, "--yes")
    assert app.name not in [a["app"] for a in platform.json("app", "list")]
    assert other.version() == "other"


@pytest.mark.parametrize("role", ["view", "deploy", "admin"])
def test_a_foreign_app_looks_like_a_missing_one(platform, app, role):
    missing = platform.unique_name("nowhere-to-be-found")
    mine = platform.create_app(name=platform.unique_name("something-of-mine"))
    person = Person(platform, "--role", role, "--app", mine.name)
    for words in (["app", "info"], ["logs"], ["restart"], ["audit"], ["app", "destroy", "--yes"]):
        answers = [person.ssh(*words, name, code=1) for name in (app.name, missing)]
        assert answers[0].out == answers[1].out == ""
        assert answers[0].err.replace(app.name, "APP") == answers[1].err.replace(missing, "APP")
    for service in ("git-receive-pack", "git-upload-pack"):
        answers = [person.ssh(f"{service} '{name}'", code=1) for name in (app.name, missing)]
        assert answers[0].err.replace(app.name, "APP") == answers[1].err.replace(missing, "APP")


def test_several_apps_and_a_role_for_all_apps(platform, app):
    other = platform.create_app()
    some = Person(platform, "--app", f"{app.name},{other.name}")
    assert {a["app"] for a in some.ssh("app", "list", "--json").json()} == {app.name, other.name}
    every = Person(platform, "--role", "view")
    later = platform.create_app()
    every.ssh("app", "info", later.name)
    keys = {key["key"]: key for key in platform.json("key", "list")}
    assert (keys[some.name]["role"], sorted(keys[some.name]["apps"])) == ("deploy", sorted([app.name, other.name]))
    assert (keys[every.name]["role"], keys[every.name]["apps"]) == ("view", "all")
    platform.pushrod("key", "add", "nobody", "-", "--app", "nowhere", input="", code=1)
    assert "use one of: admin" in platform.pushrod("key", "add", "nobody", "-", "--role", "boss", input="", code=2).err


def test_a_change_of_a_keys_rights_counts_from_the_next_connection(platform, app):
    dora = Person(platform, "--role", "view", "--app", app.name)
    dora.ssh("restart", app.name, code=1)
    platform.ssh("key", "set", dora.name, "--role", "deploy")
    dora.ssh("restart", app.name)
    other = platform.create_app()
    platform.pushrod("key", "set", dora.name, "--app", other.name)
    assert "there is no app" in dora.ssh("app", "info", app.name, code=1).err
    dora.ssh("app", "info", other.name)
    platform.pushrod("key", "set", dora.name, "--all-apps", "--role", "view")
    dora.ssh("app", "info", app.name)
    dora.ssh("restart", app.name, code=1)
    platform.pushrod("key", "remove", dora.name)
    dora.ssh("app", "list", code=255)
    assert "no key called" in platform.pushrod("key", "set", dora.name, "--role", "view", code=1).err


def test_a_rollback_that_would_change_a_foreign_app_does_not_name_it(platform, app):
    other = platform.create_app(work=app.work, name=platform.unique_name("hidden"))
    app.push({"VERSION": "2"})
    eve = Person(platform, "--role", "deploy", "--app", app.name)
    refused = eve.ssh("rollback", app.name, "1", code=1)
    assert "also takes back the other apps" in refused.err and other.name not in refused.text
    assert app.version() == "2"
    assert [entry["action"] for entry in platform.json("audit", other.name)][0] == "push"
