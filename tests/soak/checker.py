"""Knows the invariants I1 to I6 (docs/design.md) and says where a system at rest breaks them.

`Checker.violations()` looks once. Each rule is a function that yields a sentence for each thing that is wrong. A system
that has work to do breaks some of these rules for a moment; `await_rest()` looks until no rule is broken, or the deadline
has passed, and then what is left are the violations.
"""

import contextlib
import http.client
import json
import os
import sqlite3
import time
from pathlib import Path

import observe

NUMBER_OF_WORKERS = 1


class Checker:
    """For one platform (tests/e2e/harness), whose tree is running."""

    def __init__(self, platform):
        self.platform, self.root = platform, Path(platform.root)
        self.held_up = (0.0, [])  # for how long the latest rest had to be waited for, and for what at last

    def violations(self):
        """All that is wrong now, as sentences."""
        found = []
        for rule in RULES:
            try:
                found += [f"{rule.__name__}: {sentence}" for sentence in rule(self)]
            except (OSError, sqlite3.Error, StopIteration, ValueError, http.client.HTTPException) as error:
                found.append(f"{rule.__name__}: cannot look: {error!r}")
        return found

    def await_rest(self, deadline=90.0, also=lambda: []):
        """The violations that are still there when the time is up. `also`: further ones, as sentences."""
        start = time.monotonic()
        while True:
            found = self.violations() + list(also())
            if not found or time.monotonic() > start + deadline:
                return found
            self.held_up = (time.monotonic() - start, found)
            time.sleep(0.1)

    # Shared looks

    def names(self, *parts):
        """The names in a directory of the root."""
        with contextlib.suppress(FileNotFoundError):
            return sorted(os.listdir(self.root.joinpath(*parts)))
        return []

    def get(self, host, path="/"):
        """(status, body) of one request to the router."""
        connection = http.client.HTTPConnection("127.0.0.1", self.platform.ports.http, timeout=10)
        try:
            connection.request("GET", path, headers={"Host": host})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def database_is_whole(check):
    """SQLite finds nothing wrong (I6)."""
    for query in ("PRAGMA integrity_check", "PRAGMA foreign_key_check"):
        answer = observe.rows(check.root, query)
        if answer not in ([], [("ok",)]):
            yield f"{query}: {answer[:3]}"


def nothing_is_unfinished(check):
    """No deployment, job or watch goes on; every instance is in its final state."""
    for group, state in observe.rows(check.root, "SELECT id, state FROM deployment_groups WHERE ended IS NULL"):
        yield f"deployment group {group} is {state}"
    for job, name in observe.rows(check.root, "SELECT id, name FROM jobs WHERE ended IS NULL"):
        yield f"job {job} ({name}) has not ended"
    for instance in observe.instances(check.root):
        if instance.state != "serving":
            yield f"instance {instance.name} is {instance.state}"


def refs_name_what_runs(check):
    """I1: a branch names the commit of every app that runs it; so all apps of a branch run the same commit (I2)."""
    for app in observe.apps(check.root):
        ref = observe.refs(check.root / "repos" / f"{app.repo}.git").get(f"refs/heads/{app.branch}")
        if app.live is not None and ref != app.commit:
            yield f"{app.name} runs {app.commit}, and {app.branch} of {app.repo} names {ref}"
        if app.live is None and ref:
            yield f"{app.name} runs nothing, and {app.branch} of {app.repo} names {ref}"


def instances_are_those_that_are_wanted(check):
    """Each app has as many instances of each type as it is to have, all of the live release or kept by it."""
    rows = observe.instances(check.root)
    for app in observe.apps(check.root):
        wanted = {} if app.live is None or app.stopped else {k: v for k, v in app.counts.items() if v > 0}
        actual = {}
        for instance in rows:
            if instance.app_id != app.id:
                continue
            actual[instance.type] = actual.get(instance.type, 0) + 1
            if not instance.name.startswith(app.name + "."):
                yield f"{instance.name} belongs to {app.name}"
        if actual != wanted:
            yield f"{app.name} is to have {wanted}, and has {actual}"


def processes_are_those_that_are_wanted(check):
    """One process tree per service, one sandbox per instance (I5), and no other process of this root."""
    found = observe.processes(check.root)
    names = {instance.name for instance in observe.instances(check.root)}
    services = names | observe.OWN_SERVICES
    scanners = [p for p in found.values() if p.kind == "scanner"]
    if len(scanners) != 1:
        yield f"{len(scanners)} processes s6-svscan"
        return
    supervised = {}  # pid of each s6-supervise: its service
    for process in found.values():
        if process.kind in ("supervisor", "logger-supervisor") and process.parent == scanners[0].pid:
            supervised[process.pid] = process.subject
    wanted = sorted(services | {f"{service}/log" for service in services})
    if sorted(supervised.values()) != wanted:
        extra, missing = list(supervised.values()), []
        for service in wanted:
            extra.remove(service) if service in extra else missing.append(service)
        yield f"supervised beyond what is wanted: {extra}; not supervised: {missing}"

    def service_of(process):
        """The service below whose s6-supervise it runs, and how deep."""
        depth = 0
        while process and depth < 30:
            depth += 1
            if process.parent in supervised:
                return supervised[process.parent], depth
            process = found.get(process.parent)
        return None, 0

    direct, apps, watchdogs = {}, {}, []
    for process in found.values():
        if process is scanners[0] or process.pid in supervised:
            continue
        service, depth = service_of(process)
        shown = f"process {process.pid} ({process.kind} {process.subject}: {' '.join(process.argv)[:120]})"
        if service is None:
            yield f"{shown} belongs to no service"
        elif depth == 1:
            direct.setdefault(service, []).append(process.pid)
        elif service == "router":
            if process.kind != "router":
                yield f"{shown} runs below the router"
        elif service == "sshd":
            yield f"{shown} runs below sshd"
        elif service == "daemon":
            if process.kind == "watchdog":
                watchdogs.append(process.pid)
            else:
                yield f"{shown} runs below the daemon"
        elif service.endswith("/log"):
            if service == "router/log" and process.kind == "shim":
                continue  # lets lines gather
            yield f"{shown} runs below a logger"
        if process.kind == "app":
            apps.setdefault(process.subject, []).append(process)
            if service != process.subject:
                yield f"{shown} runs below {service}"
        elif process.kind == "bwrap":
            yield f"{shown} is left"
    for service in wanted:
        pids = direct.get(service, [])
        if len(pids) != 1:
            yield f"{service} has {len(pids)} processes: {pids}"
    for name in names:
        if not apps.get(name):
            yield f"instance {name} has no process of the app"
    workers = [p for p in found.values() if p.kind == "router" and service_of(p)[1] == 2]
    if len(workers) != NUMBER_OF_WORKERS:
        yield f"HAProxy has {len(workers)} workers"
    if len(watchdogs) != 1:
        yield f"the daemon has {len(watchdogs)} watchdogs"


def services_on_disk_are_those_of_the_database(check):
    """run/services and run/scan hold the instances and Pushrod's own services, and nothing is left over there."""
    wanted = {instance.name for instance in observe.instances(check.root)} | observe.OWN_SERVICES
    for directory, more in (("services", set()), ("scan", {".s6-svscan"})):
        names = set(check.names("run", directory))
        if names != wanted | more:
            yield f"run/{directory}: left over {sorted(names - wanted - more)}, missing {sorted(wanted - names)}"
    for job in check.names("run", "jobs"):
        yield f"run/jobs/{job} is left"
    for lock in check.names("run", "locks"):
        if lock.startswith(("job.", "group.")):
            yield f"run/locks/{lock} is left"


def routes_are_those_of_the_database(check):
    """HAProxy's runtime state and its file have exactly the servers of the database, all of them ready."""
    names = {app.id: app for app in observe.apps(check.root)}
    wanted = set()
    for instance in observe.instances(check.root):
        if instance.port is not None and instance.state == "serving" and instance.type == "web":
            name = names[instance.app_id].name
            wanted.add((f"app.{name}", f"{name}.{instance.server}", instance.port))
    slots = observe.router_map(check.root, "slots.")
    app_of_slot = {slot.removeprefix("keep-"): app for app, slot in slots.items()}
    servers = observe.router_servers(check.root)
    backends = [(server.backend.removeprefix("keep-"), server.name, server.port) for server in servers]
    actual = {(app_of_slot.get(backend, backend), name, port) for backend, name, port in backends}
    if actual != wanted:
        yield f"the router knows {sorted(actual - wanted)} too much, and lacks {sorted(wanted - actual)}"
    for server in servers:
        if server.admin != 0 or server.operational != 2:
            yield f"server {server.backend}/{server.name} is in state {server.admin}/{server.operational}"
    written, backend = set(), ""
    for line in (check.root / "run" / "router" / "haproxy.cfg").read_text().splitlines():
        words = line.split()
        if line.startswith("backend "):
            backend = words[1]
        elif words[:1] == ["server"] and backend.startswith(("slot.", "sticky.")):
            written.add((app_of_slot.get(backend, backend), words[1], int(words[2].rpartition(":")[2])))
    if written != wanted:
        yield f"haproxy.cfg has {sorted(written - wanted)} too much, and lacks {sorted(wanted - written)}"
    domain = "localhost"
    hosts, hosts_wanted = observe.router_map(check.root, "hosts."), {f"{a.name}.{domain}/": f"app.{a.name}" for a in names.values()}
    if hosts != hosts_wanted:
        yield f"the router's hosts are {hosts}, and are to be {hosts_wanted}"
    modes = observe.router_map(check.root, "modes.")
    stopped = {f"app.{app.name}" for app in names.values() if app.stopped}
    if set(modes) != stopped:
        yield f"the router's modes are {modes}; stopped are {sorted(stopped)}"
    if left := observe.old_workers(check.root):
        yield f"{left} old workers of HAProxy are left"


def disk_is_that_of_the_database(check):
    """I4: one checkout per live app, at most two at any time; kept releases as the database knows them; no leftovers."""
    apps = observe.apps(check.root)
    for app in apps:
        in_use = {str(app.checkout)} if app.live is not None else set()
        kept = {str(number) for number in app.checkouts} - in_use
        for directory, wanted in (("checkouts", in_use), ("releases", kept)):
            names = set(check.names(directory, app.name))
            if names != wanted:
                yield f"{directory}/{app.name} has {sorted(names)}, and is to have {sorted(wanted)}"
    names = {app.name for app in apps}
    for directory in ("checkouts", "releases", "cache", "data", "logs"):
        for entry in check.names(directory):
            if entry not in names and entry != "_pushrod":
                yield f"{directory}/{entry} belongs to no app"
            elif (check.root / directory / entry).is_symlink():
                yield f"{directory}/{entry} is a symlink"
    for entry in check.names("trash"):
        yield f"trash/{entry} is left"
    repos = {app.repo for app in apps}
    for entry in check.names("repos"):
        if entry.removesuffix(".git") not in repos:
            yield f"repos/{entry} belongs to no app"
    for app in apps:
        known = {f"{n}.log" for (n,) in observe.rows(check.root, "SELECT number FROM deployments WHERE app_id = ?", app.id)}
        for entry in check.names("logs", app.name, "deployments"):
            if entry not in known:
                yield f"logs/{app.name}/deployments/{entry} belongs to no deployment"


def ports_are_those_of_the_database(check):
    """Leased ports are listened on, and no other port of the apps' range is."""
    leased = {instance.port for instance in observe.instances(check.root) if instance.port is not None}
    listening = observe.listening(*check.platform.ports.apps)
    if listening - leased:
        yield f"ports are listened on and not leased: {sorted(listening - leased)}"
    if leased - listening:
        yield f"ports are leased and not listened on: {sorted(leased - listening)}"


def apps_answer(check):
    """Each app answers with the code of its commit; a stopped one with 503; unknown names with 404 (I1, I2)."""
    states = observe.instances(check.root)
    for app in observe.apps(check.root):
        serves = not app.stopped and any(i.app_id == app.id and i.type == "web" for i in states)
        status, body = check.get(f"{app.name}.localhost", "/env")
        if status != (200 if serves else 503):
            yield f"{app.name} answers {status}"
        elif serves:
            environment = json.loads(body)
            if environment["GIT_COMMIT"] != app.commit:
                yield f"{app.name} answers with commit {environment['GIT_COMMIT']} and is to run {app.commit}"
            if environment["INSTANCE"] not in {i.name for i in states if i.app_id == app.id}:
                yield f"{app.name} answers from {environment['INSTANCE']}, which is no instance of it"
    status, _ = check.get("unknown.localhost")
    if status != 404:
        yield f"an unknown host answers {status}"


def never_twice(check):
    """I5, at any time so far: the soak's apps write into /data/twice when they find themselves running twice."""
    for app in check.names("data"):
        path = check.root / "data" / app / "twice"
        if path.exists():
            yield f"two processes of one instance of {app} ran: {path.read_text().split()[:5]}"


RULES = (
    database_is_whole, nothing_is_unfinished, refs_name_what_runs, instances_are_those_that_are_wanted,
    processes_are_those_that_are_wanted, services_on_disk_are_those_of_the_database, routes_are_those_of_the_database,
    disk_is_that_of_the_database, ports_are_those_of_the_database, apps_answer, never_twice,
)  # fmt: skip
