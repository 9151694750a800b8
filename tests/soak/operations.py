"""What users do to the apps, and what must be true of an app afterwards.

`Lane` is the apps of one branch. Its operations follow each other; lanes run beside each other. For each app it keeps
the states that are possible: one after an operation that was acknowledged, two after one that was killed or failed.
"""

import contextlib
import sqlite3
import time
from dataclasses import dataclass, replace

import observe
from harness import APPS, CommandFailed

ANY = None

# Each process holds a lock of its instance's name for as long as it lives, and writes down when another process does.
ALONE = """import fcntl, os
def alone():
    name = os.environ["INSTANCE"]
    os.makedirs("/data/alone", exist_ok=True)
    lock = open("/data/alone/" + name, "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with open("/data/twice", "a") as twice:
            print(name, file=twice)
    return lock
LOCK = alone()
"""
WEB = ALONE + (APPS / "web.py").read_text()
WORKER = ALONE + "import time\nprint('works', flush=True)\nwhile True: time.sleep(3600)\n"

SLOW_BUILD = '[build]\ncommand = "sleep 0.4"\n[release]\ncommand = "sleep 0.2"\n'
BAD = {
    "build": {"pushrod.toml": '[build]\ncommand = "sleep 0.2; exit 3"\n'},
    "release": {"pushrod.toml": '[release]\ncommand = "sleep 0.1; exit 4"\n'},
    "manifest": {"pushrod.toml": "[build\n"},
    "start": {"web.py": "import sys\nsys.exit(5)\n"},
}


@dataclass(frozen=True)
class State:
    """What can be told from outside about an app; ANY where an operation leaves it open."""

    commit: str | None = ANY
    web: int | None = ANY
    colour: str | None = ANY
    name: str = ""
    branch: str = "main"

    def fits(self, actual):
        """Is it this one?"""
        pairs = zip(vars(self).values(), vars(actual).values())
        return all(wanted is ANY or wanted == got for wanted, got in pairs)


class App:
    """An app of the soak, by a key that never changes."""

    def __init__(self, key, path=""):
        self.key, self.path, self.name, self.id = key, path, key, None
        self.possible = []

    def prefix(self):
        return f"{self.path}/" if self.path else ""


class Lane:
    """The apps of one branch of one repo, and their users."""

    OPERATIONS = {
        "push": 8, "bad-push": 4, "restart": 3, "scale": 4, "config": 4, "rollback": 2, "stop-start": 1, "rename": 1, "set": 1,
        "job": 2, "attached-job": 1, "redeploy": 1, "maintenance": 1, "recreate": 1,
    }  # fmt: skip

    def __init__(self, platform, events, repo, apps):
        self.platform, self.events, self.repo, self.apps = platform, events, repo, apps
        self.count, self.problems, self.log = 0, [], []
        self.failed = self.acknowledged = 0
        self.work = None

    # Setting up

    def set_up(self):
        for app in self.apps:
            words = ["--repo", self.repo, *(["--path", app.path] if app.path else [])]
            self.platform.pushrod("app", "create", app.name, *words)
        self.work = self.platform.make_repo(self.files("first"), self.repo)
        self.work.push()
        for app in self.apps:
            ((app.id,),) = observe.rows(self.platform.root, "SELECT id FROM apps WHERE name = ?", app.name)
            app.possible = [self.actual(app)]

    def files(self, version, more=None):
        files = {}
        for app in self.apps:
            procfile = "web: exec python3 web.py\n" + ("worker: exec python3 worker.py\n" if app.key == "beta" else "")
            own = {"web.py": WEB, "VERSION": version + "\n", "Procfile": procfile, "pushrod.toml": ""}
            if app.key == "beta":
                own["worker.py"] = WORKER
            for name, content in (own | (more or {})).items():
                files[app.prefix() + name] = content
        return files

    # What is

    def actual(self, app):
        """The app's state in the database, and what its process says of its settings."""
        row = next(row for row in observe.apps(self.platform.root) if row.id == app.id)
        names = dict(observe.rows(self.platform.root, "SELECT name, 1 FROM app_settings WHERE app_id = ?", app.id))
        colour = ""
        if "COLOUR" in names:
            colour = ANY  # unless the app says
            with contextlib.suppress(OSError, ValueError):
                colour = self.platform.http(f"{row.name}.localhost", "/env", timeout=10).json().get("COLOUR", "")
        return State(row.commit, row.counts.get("web"), colour, row.name, row.branch)

    def settle(self, app):
        """At rest: the actual state is one of the possible ones, and the only one from now on. Returns problems."""
        actual = self.actual(app)
        app.name = actual.name
        if not any(state.fits(actual) for state in app.possible):
            return [f"{app.key} is {actual}, and only these are possible: {app.possible}"]
        return []

    def accept(self, app):
        """From now on the actual state is the only possible one."""
        app.possible = [self.actual(app)]

    # Operations

    def run(self, kind, number, round_number):
        """One operation. Whatever becomes of it, `possible` of the apps is right afterwards."""
        self.count += 1
        app = self.apps[number % len(self.apps)]
        start = time.monotonic()
        try:
            acknowledged = getattr(self, "do_" + kind.replace("-", "_"))(app, number, f"r{round_number}n{number % 1000}")
        except (sqlite3.Error, OSError, StopIteration) as error:
            acknowledged = f"cannot look: {error!r}"
        self.log.append((start, time.monotonic(), self.repo, kind, app.key, acknowledged))
        del self.log[:-60]
        if acknowledged is True:
            self.acknowledged += 1
        else:
            self.failed += 1
            self.await_no_deployment()

    def await_no_deployment(self, deadline=20.0):
        """A killed operation's deployment may go on; the next one is to come after it."""
        end = time.monotonic() + deadline
        ids = ",".join(str(app.id) for app in self.apps)
        query = ("SELECT 1 FROM deployments d JOIN deployment_groups g ON g.id = d.group_id "
                 f"WHERE g.ended IS NULL AND d.app_id IN ({ids})")  # fmt: skip
        while time.monotonic() < end:
            with contextlib.suppress(sqlite3.Error):
                if not observe.rows(self.platform.root, query):
                    return
            time.sleep(0.05)

    def ask(self, number, *words):
        """A command by one of the two doors. True when it was acknowledged, else what it said."""
        door = self.platform.pushrod if number % 3 else self.platform.ssh
        try:
            result = door(*words, code=None, timeout=120)
        except AssertionError as error:
            self.problems.append(f"a command does not end: {error}")
            return "no end"
        return True if result.code == 0 else f"{result.code}: {result.text.strip()[-300:]}"

    def change(self, app, outcome, effect):
        """What is possible of an app after an operation with this effect."""
        after = [effect(state) for state in app.possible]
        app.possible = after if outcome is True else list(dict.fromkeys(app.possible + after))

    def start_from_what_runs(self):
        """A clone follows its branch, wherever a rollback or a killed push has left that."""
        row = next(row for row in observe.apps(self.platform.root) if row.id == self.apps[0].id)
        for app in self.apps:
            app.name = next(r.name for r in observe.apps(self.platform.root) if r.id == app.id)
        return row

    def push(self, files):
        row = self.start_from_what_runs()
        commit = self.work.commit(files)
        return commit, self.push_commit(commit, row.branch)

    def push_commit(self, commit, branch):
        try:
            process = self.work.start_push(f"{commit}:refs/heads/{branch}", arguments=("--force",))
            result = self.work.finish_push(process, code=None)
        except AssertionError as error:
            self.problems.append(f"a push does not end: {error}")
            return "no end"
        return True if result.code == 0 else f"{result.code}: {result.text.strip()[-300:]!r}"

    def do_push(self, app, number, version):
        more = {"pushrod.toml": SLOW_BUILD} if number % 2 else {}
        commit, outcome = self.push(self.files(version, more))
        for one in self.apps:
            self.change(one, outcome, lambda state: replace(state, commit=commit))
        return outcome

    def do_bad_push(self, app, number, version):
        kind = sorted(BAD)[number % len(BAD)]
        _, outcome = self.push(self.files(version, BAD[kind]))
        if outcome is True:
            self.problems.append(f"a bad push ({kind}) went live")
            return outcome
        return True if "remote rejected" in str(outcome) else outcome

    def do_restart(self, app, number, version):
        return self.ask(number, "restart", app.name)

    def do_redeploy(self, app, number, version):
        return self.ask(number, "redeploy", app.name)

    def do_scale(self, app, number, version):
        count = 1 + number % 3
        outcome = self.ask(number, "scale", app.name, f"web={count}")
        self.change(app, outcome, lambda state: replace(state, web=count))
        return outcome

    def do_config(self, app, number, version):
        outcome = self.ask(number, "config", "set", app.name, f"COLOUR={version}")
        self.change(app, outcome, lambda state: replace(state, colour=version))
        return outcome

    def do_rollback(self, app, number, version):
        outcome = self.ask(number, "rollback", app.name)
        for one in self.apps:  # those of the same branch go with it
            self.change(one, outcome, lambda state: replace(state, commit=ANY, web=ANY, colour=ANY))
        if outcome is True:
            for one in self.apps:
                self.accept(one)
        return outcome

    def do_stop_start(self, app, number, version):
        self.events.begin(app.key, "stop")
        outcome = self.ask(number, "stop", app.name)
        end = time.monotonic() + 90
        while (outcome := self.ask(1, "start", app.name)) is not True and "not stopped" not in outcome:
            if time.monotonic() > end:
                self.problems.append(f"{app.name} cannot be started: {outcome}")
                break
            time.sleep(0.1)
            self.await_no_deployment()
        self.events.end(app.key, "start")
        return True

    def insist(self, what, *words):
        """A command again and again, whatever is killed, until it is acknowledged. False when it never is."""
        end = time.monotonic() + 90
        while (outcome := self.ask(1, *words)) is not True:
            if time.monotonic() > end:
                self.problems.append(f"{what} is not possible: {outcome}")
                return False
            time.sleep(0.1)
            self.await_no_deployment()
        return True

    def do_maintenance(self, app, number, version):
        self.events.begin(app.key, "maintenance")
        self.ask(number, "maintenance", "on", app.name)
        self.insist(f"the end of the maintenance of {app.name}", "maintenance", "off", app.name)
        self.events.end(app.key, "maintenance")
        return True

    def do_recreate(self, app, number, version):
        """The app is destroyed and made anew, with other code."""
        if len(self.apps) > 1:
            return self.do_restart(app, number, version)
        self.start_from_what_runs()
        self.events.begin(app.key, "recreate")
        self.ask(number, "app", "destroy", app.name, "--yes")
        end = time.monotonic() + 90
        while time.monotonic() < end and observe.rows(self.platform.root, "SELECT 1 FROM apps WHERE id = ?", app.id):
            self.ask(1, "app", "destroy", app.name, "--yes")
            time.sleep(0.1)
        app.name = app.key
        while time.monotonic() < end and not (
            found := observe.rows(self.platform.root, "SELECT id FROM apps WHERE name = ?", app.name)
        ):
            self.ask(1, "app", "create", app.name, "--repo", self.repo)
            time.sleep(0.1)
        if not found:
            self.problems.append(f"{app.name} cannot be destroyed and made anew")
            return False
        ((app.id,),) = found
        commit = self.work.commit(self.files(version))
        while time.monotonic() < end and self.push_commit(commit, "main") is not True:
            time.sleep(0.1)
            self.await_no_deployment()
        self.accept(app)
        if app.possible[0].commit != commit:
            self.problems.append(f"{app.name} cannot be made anew: {app.possible[0]}")
        self.events.end(app.key, "recreate")
        return True

    def do_rename(self, app, number, version):
        new = app.key if app.name != app.key else app.key + "-2"
        self.events.begin(app.key, "rename")
        outcome = self.ask(number, "app", "rename", app.name, new)
        self.change(app, outcome, lambda state: replace(state, name=new))
        self.await_no_deployment()
        self.start_from_what_runs()
        self.events.end(app.key, "rename")
        return outcome

    def do_set(self, app, number, version):
        if len(self.apps) > 1:
            return self.do_restart(app, number, version)
        row = self.start_from_what_runs()
        branch = "other" if row.branch == "main" else "main"
        tip = observe.refs(self.platform.root / "repos" / f"{self.repo}.git").get(f"refs/heads/{branch}")
        outcome = self.ask(number, "app", "set", app.name, "--branch", branch)
        self.change(app, outcome, lambda state: replace(state, branch=branch, commit=tip or state.commit))
        return outcome

    def do_job(self, app, number, version):
        return self.ask(number, "run", "-d", app.name, "--", "sh", "-c", f"sleep {number % 3}; echo done")

    def do_attached_job(self, app, number, version):
        return self.ask(number, "run", app.name, "--", "sh", "-c", "sleep 0.3; echo done")


__all__ = ["ANY", "App", "CommandFailed", "Lane", "State"]
