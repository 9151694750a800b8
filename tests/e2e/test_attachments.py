"""Apps that are attached to services: what they get, what they cannot see, and what a failure leaves."""

import threading

from attacks import attempt, deploy_hostile
from harness import wait_until, web_app
from test_services import kill_servers, mariadb, service, services, sql  # noqa: F401 (a fixture)

DECLARED = '[services]\ndb = "postgres"\n'


def in_app(app, *words, code=0):
    """Runs a command beside the app, with its environment."""
    return app.platform.pushrod("run", app.name, "--", *words, code=code, timeout=60)


def app_sql(app, statement, code=0):
    """Runs SQL as the app."""
    return in_app(app, "psql", "-XqAt", "-c", statement, code=code)


def attached(platform, name):
    return [entry["app"] for entry in service(platform, name)["apps"] if entry["state"] == "attached"]


def roles(platform, name):
    return set(sql(platform, name, "SELECT rolname FROM pg_roles WHERE rolcanlogin").split())


def databases(platform, name):
    return set(sql(platform, name, "SELECT datname FROM pg_database").split()) - {"postgres", "template0", "template1"}


def test_an_attached_app_has_a_database_of_its_own(services):  # noqa: F811
    platform = services
    app = platform.deploy()
    platform.pushrod("service", "create", "postgres", "db")
    platform.pushrod("service", "attach", "db", app.name)
    variables = app.get("/env").json()
    role = app.name.replace("-", "_")
    assert variables["PGUSER"] == variables["PGDATABASE"] == role
    assert variables["DATABASE_URL"].startswith(f"postgresql://{role}:{variables['PGPASSWORD']}@/{role}?host=/services/db")
    assert len(variables["PGPASSWORD"]) == 64
    app_sql(app, "CREATE TABLE t (v text); INSERT INTO t VALUES ('mine')")
    assert in_app(app, "sh", "-c", 'psql -XAtc "SELECT v FROM t" "$DATABASE_URL"').out.strip() == "mine"
    # The password is a secret like others.
    listed = {entry["name"]: entry for entry in platform.json("config", "list", app.name)}
    assert listed["DATABASE_URL"]["secret"] and listed["PGPASSWORD"]["secret"]
    assert "service detach db" in platform.pushrod("config", "unset", app.name, "PGHOST", code=1).err
    assert f"app {app.name} is attached to service db" in platform.pushrod("service", "destroy", "db", "--yes", code=1).err

    platform.pushrod("service", "detach", "db", app.name)
    assert "DATABASE_URL" not in app.get("/env").json()
    wait_until(lambda: role not in roles(platform, "db"), 60, "the account to be closed")
    assert app.get("/list?path=/services", status=404)
    # The data waits for it.
    platform.pushrod("service", "attach", "db", app.name)
    assert app_sql(app, "SELECT v FROM t").out.strip() == "mine"


def test_apps_that_share_an_instance_see_nothing_of_each_other(services):  # noqa: F811
    platform = services
    platform.pushrod("service", "create", "postgres", "db")
    victim, stranger = platform.deploy(), platform.deploy()
    hostile = deploy_hostile(platform)
    for app in (victim, hostile):
        platform.pushrod("service", "attach", "db", app.name)
    app_sql(victim, "CREATE TABLE secrets (v text); INSERT INTO secrets VALUES ('gold')")
    theirs = victim.get("/env").json()

    for database in (theirs["PGDATABASE"], "postgres", "template1"):
        refused = in_app(hostile, "psql", "-XAtc", "SELECT 1", "-d", database, code=None)
        assert refused.code != 0 and "permission denied for database" in refused.err, (database, refused)
    for statement in ("COPY (SELECT 1) TO PROGRAM 'id'", "SELECT pg_read_file('/data/pg_hba.conf')",
                      "CREATE ROLE other", f"SET ROLE {theirs['PGUSER']}", "ALTER SYSTEM SET jit = on"):  # fmt: skip
        said = app_sql(hostile, statement, code=1).err
        assert "ermission denied" in said or "must be superuser" in said, (statement, said)
    # Without the password the socket does not help, whatever name is given; the user id is the server's own.
    for user in ("postgres", theirs["PGUSER"]):
        refused = in_app(hostile, "psql", "-Xw", f"host=/services/db user={user} password=guess dbname={user}", "-c", "",
                         code=None)  # fmt: skip
        assert "password authentication failed" in refused.err, refused

    def look(needle):
        import os

        found = []
        for top in ("/services", "/proc", "/data", "/tmp", "/socket"):
            for directory, _, files in os.walk(top):
                for name in files:
                    path = os.path.join(directory, name)
                    if not name.startswith(("environ", "cmdline", "PG_VERSION", "pg_hba")):
                        continue
                    try:
                        with open(path, "rb") as file:
                            if needle.encode() in file.read():
                                found.append(path)
                    except OSError:
                        pass
        return found

    assert attempt(hostile, look, needle=theirs["PGPASSWORD"]) == []

    def replace_socket():
        import os

        os.unlink("/services/db/.s.PGSQL.5432")

    assert attempt(hostile, replace_socket) == "EROFS"
    # An app that is not attached has no way to the socket at all.
    assert stranger.get("/list?path=/services", status=404)
    assert app_sql(victim, "SELECT v FROM secrets").out.strip() == "gold"


def app_mariadb(app, statement, code=0):
    """Runs SQL as the app, whose client finds the socket by MYSQL_UNIX_PORT."""
    script = 'MYSQL_PWD=$MYSQL_PASSWORD exec mariadb -u "$MYSQL_USER" -BN -e "$1" "$MYSQL_DATABASE"'
    return in_app(app, "sh", "-c", script, "sh", statement, code=code)


def test_an_app_that_is_attached_to_mariadb_has_a_database_of_its_own_that_it_keeps(services):  # noqa: F811
    platform = services
    app = platform.deploy()
    platform.pushrod("service", "create", "mariadb", "db")
    platform.pushrod("service", "attach", "db", app.name)
    variables = app.get("/env").json()
    role = app.name.replace("-", "_")
    assert variables["MYSQL_USER"] == variables["DB_USERNAME"] == variables["MYSQL_DATABASE"] == role
    socket = "/services/db/mysqld.sock"
    url = f"mysql://{role}:{variables['MYSQL_PASSWORD']}@localhost/{role}"
    assert variables["DATABASE_URL"] == f"{url}?unix_socket={socket}"
    assert variables["MYSQL_URL"] == f"{url}?socketPath={socket}"
    app_mariadb(app, "CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('mine')")

    platform.pushrod("service", "detach", "db", app.name)
    locked = f"SELECT JSON_VALUE(Priv, '$.account_locked') FROM global_priv WHERE User = '{role}'"
    wait_until(lambda: mariadb(platform, "db", locked) == "1", 60, "the account to be closed")
    platform.pushrod("service", "attach", "db", app.name)
    assert app_mariadb(app, "SELECT v FROM t").out.strip() == "mine"


def test_apps_that_share_a_mariadb_see_nothing_of_each_other(services):  # noqa: F811
    platform = services
    platform.pushrod("service", "create", "mariadb", "db")
    victim, hostile = platform.deploy(name="shop-1"), platform.deploy(name="shopx1")
    for app in (victim, hostile):
        platform.pushrod("service", "attach", "db", app.name)
    app_mariadb(victim, "CREATE TABLE secrets (v TEXT); INSERT INTO secrets VALUES ('gold')")
    # "_" in a GRANT stands for any character, unless it is quoted.
    assert app_mariadb(hostile, "SHOW DATABASES").out.split() == ["information_schema", "shopx1"]
    for statement in ("SELECT * FROM shop_1.secrets", "SELECT * FROM mysql.global_priv", "CREATE DATABASE other",
                      "CREATE USER other", "SELECT 1 INTO OUTFILE '/data/x'", "SET GLOBAL general_log = 1", "SHUTDOWN",
                      "CREATE DEFINER = root@localhost PROCEDURE p() SELECT * FROM mysql.global_priv"):  # fmt: skip
        assert "denied" in app_mariadb(hostile, statement, code=1).err, statement
    assert app_mariadb(hostile, "SELECT IFNULL(LOAD_FILE('/etc/passwd'), 'nothing')").out.strip() == "nothing"
    assert app_mariadb(hostile, "SELECT DISTINCT USER FROM information_schema.PROCESSLIST").out.split() == ["shopx1"]
    for user in ("root", "shop_1", "mariadb.sys", ""):
        refused = in_app(hostile, "mariadb", f"-u{user}", "-pguess", "-e", "SELECT 1", code=None)
        assert refused.code != 0 and "Access denied" in refused.err, (user, refused)
        refused = in_app(hostile, "mariadb", f"-u{user}", "-e", "SELECT 1", code=None)
        assert refused.code != 0 and "Access denied" in refused.err, (user, refused)
    # Shared on purpose, it is one database.
    platform.pushrod("service", "detach", "db", hostile.name)
    wait_until(lambda: attached(platform, "db") == [victim.name], 60, "the end of the attachment")
    platform.pushrod("service", "attach", "db", hostile.name, "--database", "shop_1")
    assert app_mariadb(hostile, "SELECT v FROM secrets").out.strip() == "gold"


def test_redis_is_for_one_app(services):  # noqa: F811
    platform = services
    first, second = platform.deploy(), platform.deploy()
    platform.pushrod("service", "create", "redis", "cache")
    platform.pushrod("service", "attach", "cache", first.name)
    variables = first.get("/env").json()
    assert variables["REDIS_URL"].startswith("unix://")
    client = 'c=$(command -v valkey-cli || command -v redis-cli); exec $c -s "$REDIS_SOCKET" --user "$REDIS_USERNAME" -a "$REDIS_PASSWORD" --no-auth-warning "$@"'
    assert in_app(first, "sh", "-c", client, "sh", "SET", "a", "1").out.strip() == "OK"
    for command in (["CONFIG", "GET", "*"], ["ACL", "LIST"], ["SHUTDOWN"], ["MODULE", "LIST"]):
        answer = in_app(first, "sh", "-c", client, "sh", *command, code=None)
        assert "NOPERM" in answer.out + answer.err, command
    refused = platform.pushrod("service", "attach", "cache", second.name, code=1).err
    assert "one key space" in refused and "service create redis" in refused


def test_an_attachment_that_makes_the_app_unhealthy_is_undone(services):  # noqa: F811
    platform = services
    files = web_app()
    files["web.py"] = "import os, sys\nif 'DATABASE_URL' in os.environ: sys.exit('no database for me')\n" + files["web.py"]
    app = platform.deploy(files)
    platform.pushrod("service", "create", "postgres", "db")
    said = platform.pushrod("service", "attach", "db", app.name, code=1)
    assert "no database for me" in said.out + said.err
    app.get("/")
    assert platform.json("config", "list", app.name) == []
    role = app.name.replace("-", "_")
    wait_until(lambda: not service(platform, "db")["apps"], 30, "the attachment to be gone")
    assert role not in roles(platform, "db") and role not in databases(platform, "db")


def test_a_push_that_declares_a_service_gets_it(services):  # noqa: F811
    platform = services
    app = platform.create_app(web_app(pushrod_toml=DECLARED + '[release]\ncommand = "psql -XAtc \'CREATE TABLE made (v int)\'"\n'))
    name = f"{app.name}-db"
    dry = app.work.push(f"HEAD:refs/heads/{app.branch}", options=["dry-run"], code=None)
    assert f"db: {name} (postgres" in dry.err and "would be created" in dry.err, dry.err
    assert service(platform, name) is None
    pushed = app.work.push(f"HEAD:refs/heads/{app.branch}").err
    assert f"Creating service {name}" in pushed
    assert attached(platform, name) == [app.name]
    assert app_sql(app, "SELECT count(*) FROM made").out.strip() == "0"
    again = app.push({"VERSION": "2", "pushrod.toml": DECLARED}).err
    assert "service" not in again.lower().replace("/services", "")
    gone = app.push({"VERSION": "3", "pushrod.toml": ""}).err
    assert f"no longer names {name}" in gone and "stays attached" in gone
    assert attached(platform, name) == [app.name]
    asked = platform.pushrod("app", "destroy", app.name, code=1).err
    assert f"its services stay, with their data: {name}" in asked and "--with-services" in asked
    said = platform.pushrod("app", "destroy", app.name, "--yes").out
    assert f"Service {name} stays" in said
    assert service(platform, name)["state"] == "running"
    # Another app of that name does not get the data by accident.
    wait_until(lambda: not service(platform, name)["apps"], 30, "the account to be closed")
    other = platform.create_app(web_app(pushrod_toml=DECLARED), name=app.name)
    refused = other.work.push(f"HEAD:refs/heads/{other.branch}", code=1).err
    assert "was not made for this app" in refused and "service attach" in refused
    platform.pushrod("app", "destroy", other.name, "--yes")


def test_an_app_is_destroyed_with_its_services_on_demand(platform):
    platform.pushrod("service", "create", "redis", "shared")
    neighbour = platform.create_app(web_app())
    neighbour.push({})
    app = platform.create_app(web_app(pushrod_toml='[services]\ndb = { type = "redis" }\n'))
    app.work.push(f"HEAD:refs/heads/{app.branch}")
    name = f"{app.name}-db"
    asked = platform.pushrod("app", "destroy", app.name, "--with-services", code=1).err
    assert f"with the data of its services {name}" in asked and "--yes --with-services" in asked, asked
    assert attached(platform, name) == [app.name]
    said = platform.pushrod("app", "destroy", app.name, "--yes", "--with-services").out
    assert f"Deleted service {name}." in said, said
    assert service(platform, name) is None
    assert service(platform, "shared")["state"] == "running"
    platform.pushrod("service", "destroy", "shared", "--yes")


def test_a_first_push_that_fails_leaves_no_service(services):  # noqa: F811
    platform = services
    app = platform.create_app(web_app(pushrod_toml=DECLARED + '[processes]\nweb = "echo broken; exit 3"\n'))
    app.work.push(f"HEAD:refs/heads/{app.branch}", code=1)
    wait_until(lambda: service(platform, f"{app.name}-db") is None, 30, "the service to be gone")
    assert not (platform.root / "services" / f"{app.name}-db").exists()
    app.push({"pushrod.toml": DECLARED, "Procfile": "web: python3 web.py\n"})
    assert attached(platform, f"{app.name}-db") == [app.name]


def test_a_rollback_keeps_the_services_of_today(services):  # noqa: F811
    platform = services
    app = platform.deploy()
    platform.pushrod("service", "create", "postgres", "db")
    platform.pushrod("service", "attach", "db", app.name)
    app_sql(app, "CREATE TABLE kept (v int)")
    app.push({"VERSION": "2"})
    platform.pushrod("rollback", app.name, "1")
    assert app.version() == "1"
    assert app_sql(app, "SELECT count(*) FROM kept").out.strip() == "0"
    assert attached(platform, "db") == [app.name]


def test_a_setting_of_the_operators_is_not_overwritten(services):  # noqa: F811
    platform = services
    app = platform.deploy()
    platform.pushrod("config", "set", app.name, "DATABASE_URL=elsewhere")
    platform.pushrod("service", "create", "postgres", "db")
    refused = platform.pushrod("service", "attach", "db", app.name, code=1).err
    assert f"app {app.name} has a setting DATABASE_URL already" in refused
    platform.pushrod("service", "attach", "db", app.name, "--as", "REPORTS")
    variables = app.get("/env").json()
    assert variables["DATABASE_URL"] == "elsewhere" and "/services/db" in variables["REPORTS_URL"]
    assert "PGHOST" not in variables


def memcached(app, *lines):
    """What Memcached answers to the app."""
    script = (
        "import os, socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(os.environ['MEMCACHED_SOCKET']);"
        " s.sendall(sys.argv[1].encode()); s.shutdown(socket.SHUT_WR); print(s.makefile().read())"
    )
    return in_app(app, "python3", "-c", script, "".join(line + "\r\n" for line in lines), code=None)


def test_memcached_is_for_one_app_and_empty_for_the_next(services):  # noqa: F811
    platform = services
    first, second = platform.deploy(), platform.deploy()
    platform.pushrod("service", "create", "memcached", "cache")
    platform.pushrod("service", "attach", "cache", first.name)
    variables = first.get("/env").json()
    assert variables["MEMCACHED_URL"] == "unix:/services/cache/memcached.sock"
    assert "STORED" in memcached(first, "set k 0 0 5", "value").out
    assert "value" in memcached(first, "get k").out
    assert "value" in platform.pushrod("service", "console", "cache", input=b"get k\n").out
    refused = platform.pushrod("service", "attach", "cache", second.name, code=1).err
    assert f"service cache is attached to app {first.name}" in refused
    assert second.get("/list?path=/services", status=404)
    platform.pushrod("service", "detach", "cache", first.name)
    wait_until(lambda: service(platform, "cache")["apps"] == [], 60, "the end of the attachment")
    wait_until(lambda: service(platform, "cache")["state"] == "running", 30, "the cache")
    platform.pushrod("service", "attach", "cache", second.name)
    wait_until(lambda: memcached(second, "get k").out.split() == ["END"], 30, "an empty cache")


def test_an_app_goes_on_when_its_server_is_killed_under_load(services):  # noqa: F811
    platform = services
    app = platform.deploy()
    platform.pushrod("service", "create", "postgres", "db")
    platform.pushrod("service", "attach", "db", app.name)
    app_sql(app, "CREATE TABLE t (v int)")
    outcomes, stop = [], threading.Event()

    def load():
        while not stop.is_set():
            outcomes.append(app_sql(app, "INSERT INTO t VALUES (1)", code=None).code)

    client = threading.Thread(target=load)
    client.start()
    try:
        wait_until(lambda: len(outcomes) >= 2, 30, "the load")
        kill_servers(platform, "postgres")
        killed_at = len(outcomes)
        wait_until(lambda: outcomes[killed_at + 1 :].count(0) >= 2, 60, "requests to work again")
    finally:
        stop.set()
        client.join()
    assert int(app_sql(app, "SELECT count(*) FROM t").out) >= outcomes.count(0)
    assert service(platform, "db")["restarts"] >= 1


def test_a_deployer_of_the_app_uses_its_service_and_no_other(services):  # noqa: F811
    platform = services
    mine, theirs = platform.deploy(), platform.deploy()
    platform.pushrod("service", "create", "postgres", "shared")
    platform.pushrod("service", "attach", "shared", mine.name)
    key = platform.make_key("one")
    platform.pushrod("key", "add", "one", f"{key}.pub", "--app", mine.name)
    try:
        assert platform.ssh("service", "run", "shared", "--", "psql", "-XAtc", "SELECT 1", key=key).out.strip() == "1"
        platform.pushrod("service", "attach", "shared", theirs.name)
        assert [a["app"] for a in platform.ssh("service", "info", "shared", "--json", key=key).json()["apps"]] == [mine.name]
        # It would see the data of an app that is not its own.
        refused = platform.ssh("service", "run", "shared", "--", "psql", key=key, code=1).err
        assert "may see service shared, but not do that" in refused
    finally:
        platform.pushrod("key", "remove", "one")
