"""service attach --tcp: a port of 127.0.0.1 for clients that cannot use a socket."""

import os
import signal
import socket

import pytest

pytest.register_assert_rewrite("crash")

from crash import await_converged, await_new_pid, killed_at  # noqa: E402
from harness import run_command, wait_until, web_app  # noqa: E402
from test_attachments import app_sql, in_app  # noqa: E402
from test_services import service, services  # noqa: E402, F401


def is_open(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def port_of(platform, app, name="db"):
    return next(one["port"] for one in service(platform, name)["apps"] if one["app"] == app.name)


def forwarders(platform):
    return {name for name in os.listdir(platform.root / "run" / "services") if name.startswith("port.")}


def test_an_app_reaches_its_database_over_tcp_and_others_need_the_password(services):  # noqa: F811
    platform = services
    app, other = platform.deploy(), platform.deploy()
    platform.pushrod("service", "create", "postgres", "db")
    said = platform.pushrod("service", "attach", "db", app.name, "--tcp").out
    port = port_of(platform, app)
    assert f"127.0.0.1:{port} leads to service db: every app on this machine can reach that port" in said
    assert f"on 127.0.0.1:{port}" in platform.pushrod("service", "info", "db").out
    variables = app.get("/env").json()
    assert (variables["PGHOST"], variables["PGPORT"]) == ("127.0.0.1", str(port))
    assert variables["DATABASE_URL"].endswith(f"@127.0.0.1:{port}/{variables['PGDATABASE']}")
    assert variables["JDBC_DATABASE_URL"].startswith(f"jdbc:postgresql://127.0.0.1:{port}/{variables['PGDATABASE']}?user=")
    assert {one["name"] for one in platform.json("config", "list", app.name) if one["secret"]} >= {
        "DATABASE_URL", "PGPASSWORD", "JDBC_DATABASE_URL", "JDBC_DATABASE_PASSWORD"}  # fmt: skip
    app_sql(app, "CREATE TABLE t (v text); INSERT INTO t VALUES ('mine')")
    assert in_app(app, "sh", "-c", 'psql -XAtc "SELECT v FROM t" "$DATABASE_URL"').out.strip() == "mine"
    name = f"host=127.0.0.1 port={port} user={variables['PGUSER']} dbname={variables['PGDATABASE']}"
    refused = in_app(other, "psql", "-Xw", f"{name} password=guess", "-c", "", code=None)
    assert "password authentication failed" in refused.err
    # Nothing but this port, and on the loopback alone.
    with open("/proc/net/tcp", encoding="ascii") as lines:
        local = [line.split()[1] for line in list(lines)[1:] if line.split()[3] == "0A"]
    assert [one for one in local if one.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]
    platform.pushrod("service", "credentials", "db", "--rotate")
    assert port_of(platform, app) == port and app.get("/env").json()["PGPORT"] == str(port)
    assert app_sql(app, "SELECT v FROM t").out.strip() == "mine"
    platform.pushrod("service", "detach", "db", app.name)
    wait_until(lambda: not is_open(port) and not forwarders(platform), 60, "the port to be closed")
    assert "PGPORT" not in app.get("/env").json()


def test_a_push_that_declares_a_service_over_tcp_gets_a_port(services):  # noqa: F811
    platform = services
    declared = '[services]\ndb = { type = "postgres", tcp = true }\n'
    app = platform.create_app(web_app(pushrod_toml=declared))
    name = f"{app.name}-db"
    dry = app.work.push(f"HEAD:refs/heads/{app.branch}", options=["dry-run"], code=None).err
    assert f"db: {name} (postgres" in dry and "with a port of 127.0.0.1 that every app on this machine can reach" in dry
    # A push that fails leaves neither service nor port.
    app.work.commit({"Procfile": "web: echo broken; exit 3\n"})
    app.work.push(f"HEAD:refs/heads/{app.branch}", code=1)
    wait_until(lambda: service(platform, name) is None and not forwarders(platform), 60, "the service and its port to go")
    pushed = app.push({"Procfile": "web: python3 web.py\n"}).err
    port = port_of(platform, app, name)
    assert f"127.0.0.1:{port} leads to service {name}: every app on this machine can reach that port" in pushed
    variables = app.get("/env").json()
    assert (variables["PGHOST"], variables["PGPORT"]) == ("127.0.0.1", str(port))
    assert app_sql(app, "SELECT 1").out.strip() == "1"
    # What is attached stays as it is.
    again = app.push({"VERSION": "2"}).err
    assert "TCP" not in again and port_of(platform, app, name) == port
    said = app.push({"VERSION": "3", "pushrod.toml": '[services]\ndb = "postgres"\n'}).err
    assert f"is attached to {name} over TCP" in said and f"service detach {name} {app.name}" in said
    assert port_of(platform, app, name) == port
    platform.pushrod("service", "detach", name, app.name)
    app.push({"VERSION": "4"})
    assert port_of(platform, app, name) is None and app_sql(app, "SELECT 1").out.strip() == "1"
    refused = app.work.commit({"pushrod.toml": '[services]\nc = { type = "memcached", tcp = true }\n'})
    refused = app.work.push(f"HEAD:refs/heads/{app.branch}", code=1).err
    assert "Memcached has no passwords" in refused and "tcp = true" in refused
    platform.pushrod("app", "destroy", app.name, "--yes", "--with-services")


def test_a_copy_of_the_app_has_a_port_of_its_own(services):  # noqa: F811
    platform = services
    app = platform.deploy()
    platform.pushrod("service", "create", "postgres", "db")
    platform.pushrod("service", "attach", "db", app.name, "--tcp")
    copy = platform.unique_name()
    platform.pushrod("app", "clone", app.name, copy, "--with-data", timeout=120)
    theirs = platform.http(f"{copy}.localhost", "/env").json()
    assert theirs["PGHOST"] == "127.0.0.1" and theirs["PGPORT"] != app.get("/env").json()["PGPORT"]
    assert platform.pushrod("run", copy, "--", "psql", "-XAtc", "SELECT 1").out.strip() == "1"
    platform.pushrod("app", "destroy", copy, "--yes", "--with-services")


def test_other_types(services):  # noqa: F811
    platform = services
    for kind in ("mariadb", "redis", "memcached"):
        platform.pushrod("service", "create", kind, kind)
    app = platform.deploy()
    platform.pushrod("service", "attach", "mariadb", app.name, "--tcp")
    script = ('exec mariadb --protocol=tcp -h "$MYSQL_HOST" -P "$MYSQL_TCP_PORT" -u "$MYSQL_USER" '
              '-p"$MYSQL_PASSWORD" "$MYSQL_DATABASE" -BNe "SELECT 41 + 1"')  # fmt: skip
    assert in_app(app, "sh", "-c", script).out.strip() == "42"
    assert app.get("/env").json()["JDBC_DATABASE_URL"].startswith("jdbc:mariadb://127.0.0.1:")
    platform.pushrod("service", "attach", "redis", app.name, "--tcp")
    script = 'exec $(command -v valkey-cli || command -v redis-cli) --no-auth-warning -u "$REDIS_URL" PING'
    assert in_app(app, "sh", "-c", script).out.strip() == "PONG"
    refused = platform.pushrod("service", "attach", "memcached", app.name, "--tcp", code=1).err
    assert "Memcached has no passwords" in refused


def test_the_port_outlives_a_kill_and_a_restart_and_a_failed_attachment_leaves_none(make_platform):
    platform = make_platform().start()
    app = platform.deploy()
    platform.pushrod("service", "create", "postgres", "db")
    platform.pushrod("service", "attach", "db", app.name, "--tcp")
    port = port_of(platform, app)
    name = f"port.db.{port}"
    old = platform.service_pid(name)
    os.kill(old, signal.SIGKILL)
    await_new_pid(platform, name, old)
    wait_until(lambda: is_open(port), 20, "the port")
    assert app_sql(app, "SELECT 1").out.strip() == "1"
    platform.stop()
    assert not is_open(port)
    platform.start()
    wait_until(lambda: is_open(port), 20, "the port")
    wait_until(lambda: app_sql(app, "SELECT 1", code=None).out.strip() == "1", 30, "the database")
    assert port_of(platform, app) == port
    # The next release does not become healthy.
    other = platform.deploy()
    other.push({"Procfile": 'web: test -z "$PGPORT" || exit 3; exec python3 web.py\n'})
    platform.pushrod("service", "attach", "db", other.name, "--tcp", code=1)
    wait_until(lambda: forwarders(platform) == {name}, 60, "the other port to be closed")
    assert is_open(port)
    platform.close()


@pytest.mark.parametrize(("verb", "call", "every"), [("attach", "fdatasync", 4), ("attach", "vfork", 3), ("detach", "fdatasync", 6)])
def test_killed_at_any_step_the_port_is_open_or_gone(own_platform, verb, call, every):
    platform = own_platform
    app = platform.deploy()
    platform.pushrod("service", "create", "postgres", "db")
    words = ["service", verb, "db", app.name, *(["--tcp"] if verb == "attach" else [])]
    outcomes = set()
    for count in range(1, 200, every):
        if verb == "detach" and not forwarders(platform):
            platform.pushrod("service", "attach", "db", app.name, "--tcp")
        argv = killed_at(call, count, [platform.binary, "--root", platform.root, *words])
        result = run_command(argv, env=platform.server_env, code=None, timeout=60)
        await_converged(app)
        wait_until(lambda: all(one["state"] == "attached" for one in service(platform, "db")["apps"]), 30, "the end")
        ports = {f"port.db.{one['port']}" for one in service(platform, "db")["apps"]}
        wait_until(lambda: forwarders(platform) == ports, 30, f"{verb} killed at {call} {count}")
        if ports:
            wait_until(lambda: app_sql(app, "SELECT 1", code=None).out.strip() == "1", 30, "the database")
        assert bool(ports) == ("PGPORT" in app.get("/env").json())
        outcomes.add(bool(ports))
        if result.code == 0:
            break
        if verb == "attach" and ports:
            platform.pushrod("service", "detach", "db", app.name)
            wait_until(lambda: not forwarders(platform) and not service(platform, "db")["apps"], 60, "the detaching")
    assert outcomes == {True, False}
