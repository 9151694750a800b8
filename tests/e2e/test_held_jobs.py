"""Jobs while an app's data is replaced, or its database moves to another server: nothing that they write is lost."""

import threading

from harness import finish, wait_until, web_app
from test_attachments import app_sql
from test_backups import add_target
from test_upgrades import database_row, version_of

DECLARED = '[services]\ndb = "postgres"\n'


def rows(app):
    return set(app_sql(app, "SELECT v FROM t").out.split())


def start_job(app, statement):
    return app.platform.start_pushrod("run", app.name, "--", "psql", "-XqAt", "-c", statement)


def with_request_in_flight(app, milliseconds):
    """Requests wait, and with them what replaces the data, until this one has its answer."""
    client = threading.Thread(target=lambda: app.platform.http(app.host, f"/slow?ms={milliseconds}", timeout=60))
    client.start()
    return client


def deployed(platform):
    app = platform.create_app(web_app(pushrod_toml=DECLARED))
    app.work.push(f"HEAD:refs/heads/{app.branch}")
    app_sql(app, "CREATE TABLE t (v text); INSERT INTO t VALUES ('kept')")
    return app


def test_a_move_to_another_server_waits_for_jobs_and_jobs_for_it(own_platform):
    platform = own_platform
    app = deployed(platform)
    name = f"{app.name}-db"
    early = start_job(app, "INSERT INTO t VALUES ('early'); SELECT pg_sleep(3)")
    wait_until(lambda: database_row(platform, "SELECT 1 FROM jobs WHERE ended IS NULL"), 20, "the job to run")
    client = with_request_in_flight(app, 6_000)
    upgrade = platform.start_pushrod("service", "upgrade", name, "--to", version_of(platform, name))
    wait_until(lambda: database_row(platform, "SELECT 1 FROM services WHERE upgrade <> ''"), 60, "requests to wait")
    late = start_job(app, "INSERT INTO t VALUES ('late')")
    detached = platform.start_pushrod("run", app.name, "-d", "--", "psql", "-XqAt", "-c", "INSERT INTO t VALUES ('detached')")
    assert finish(early, code=0, timeout=60).code == 0
    finish(upgrade, code=0, timeout=120)
    assert "Waiting: the app's data" in finish(late, code=0, timeout=60).err
    finish(detached, code=0, timeout=60)
    client.join()
    wait_until(lambda: rows(app) == {"kept", "early", "late", "detached"}, 30, "what the jobs wrote")


def test_a_restore_in_place_waits_for_jobs_and_jobs_for_it(own_platform):
    platform = own_platform
    app = deployed(platform)
    add_target(platform)
    platform.pushrod("backup", "create", app.name, timeout=120)
    app_sql(app, "UPDATE t SET v = 'changed'")
    client = with_request_in_flight(app, 10_000)
    restore = platform.start_pushrod("backup", "restore", app.name)
    wait_until(lambda: database_row(platform, "SELECT 1 FROM deployments WHERE holds = 1"), 60, "requests to wait")
    late = start_job(app, "INSERT INTO t VALUES ('late')")
    finish(restore, code=0, timeout=120)
    assert "Waiting: the app's data" in finish(late, code=0, timeout=60).err
    client.join()
    assert rows(app) == {"kept", "late"}
