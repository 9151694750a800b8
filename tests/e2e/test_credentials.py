"""service credentials --rotate: another account for each app, which comes and goes with a release."""

import pytest
from harness import wait_until, web_app
from test_attachments import app_sql, in_app, roles
from test_services import services  # noqa: F401 (a fixture)

# An app that runs with the first password that it has seen.
ONE_PASSWORD = """import os, sys
word, seen = os.environ.get('PGPASSWORD'), '/data/password'
if word and os.path.exists(seen) and open(seen).read() != word: sys.exit('not with this password')
if word: open(seen, 'w').write(word)
"""


def rotate(platform, name, *words, code=0):
    return platform.pushrod("service", "credentials", name, "--rotate", *words, code=code)


@pytest.mark.parametrize("kind", ["postgres", "mariadb", "redis"])
def test_new_credentials_come_with_a_release_and_the_old_ones_end(services, kind):  # noqa: F811
    platform = services
    app = platform.deploy()
    platform.pushrod("service", "create", kind, "db")
    platform.pushrod("service", "attach", "db", app.name)
    password = {"postgres": "PGPASSWORD", "mariadb": "MYSQL_PASSWORD", "redis": "REDIS_PASSWORD"}[kind]
    works = {
        "postgres": 'psql -XqAtw -c "SELECT 1" "$DATABASE_URL"',
        "mariadb": 'MYSQL_PWD=$MYSQL_PASSWORD mariadb -u "$MYSQL_USER" -BNe "SELECT 1" "$MYSQL_DATABASE"',
        "redis": 'test "$($(command -v valkey-cli || command -v redis-cli) -s "$REDIS_SOCKET" --user "$REDIS_USERNAME" -a "$REDIS_PASSWORD" --no-auth-warning ping)"'
        " = PONG",
    }[kind]
    if kind == "postgres":
        app_sql(app, "CREATE TABLE t (v text)")
    old = app.get("/env").json()
    for _ in range(3):
        rotate(platform, "db")
        new = app.get("/env").json()
        assert new[password] != old[password]
        in_app(app, "sh", "-c", works)
        with_old = " ".join(f"{name}='{old[name]}'" for name in old if name.startswith(("PG", "MYSQL", "REDIS", "DATABASE")))
        wait_until(lambda: in_app(app, "sh", "-c", f"export {with_old}; {works}", code=None).code != 0, 60,
                   "the end of the old credentials")  # fmt: skip
        old = new
    if kind == "postgres":
        # What one account makes, the next one may change.
        app_sql(app, "INSERT INTO t VALUES ('x'); ALTER TABLE t ADD COLUMN w int")
    accounts = platform.pushrod("service", "credentials", "db", "--json").json()
    assert [account["app"] for account in accounts] == [app.name]
    # At a time, an app has one of two accounts.
    assert accounts[0]["account"] == app.name.replace("-", "_") + "_2"


def test_new_credentials_are_undone_with_their_deployment(services):  # noqa: F811
    platform = services
    files = web_app()
    files["web.py"] = ONE_PASSWORD + files["web.py"]
    app = platform.deploy(files)
    platform.pushrod("service", "create", "postgres", "db")
    platform.pushrod("service", "attach", "db", app.name)
    before = app.get("/env").json()
    refused = rotate(platform, "db", "--app", app.name, code=None)
    assert refused.code != 0
    assert app.get("/env").json() == before
    role = app.name.replace("-", "_")
    wait_until(lambda: roles(platform, "db") - {"postgres"} == {role}, 60, "the new account to be closed")
    assert app_sql(app, "SELECT 1").out.strip() == "1"


def test_credentials_of_an_app_that_is_not_deployed_are_saved(services):  # noqa: F811
    platform = services
    app = platform.create_app(web_app())
    platform.pushrod("service", "create", "postgres", "db")
    platform.pushrod("service", "attach", "db", app.name)
    assert "with its first release" in rotate(platform, "db").out
    app.work.push(f"HEAD:refs/heads/{app.branch}")
    assert app_sql(app, "SELECT 1").out.strip() == "1"
    assert "has no accounts" in no_accounts(platform)


def no_accounts(platform):
    platform.pushrod("service", "create", "memcached", "cache")
    other = platform.deploy()
    platform.pushrod("service", "attach", "cache", other.name)
    return rotate(platform, "cache", code=1).err
