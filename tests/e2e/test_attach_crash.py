"""service attach and detach, killed at any step: the app is attached whole, or not at all, and answers either way."""

import pytest

pytest.register_assert_rewrite("crash")

from crash import await_converged, killed_at  # noqa: E402
from harness import run_command, wait_until  # noqa: E402
from test_attachments import app_sql, roles  # noqa: E402
from test_services import service  # noqa: E402


def attachments(platform):
    return {(one["app"], one["state"]) for one in service(platform, "db")["apps"]}


def await_settled(app, role):
    """Waits until nothing is on its way; returns whether the app is attached. What belongs to that is there, all of it."""
    platform = app.platform
    await_converged(app)
    attached = {(app.name, "attached")}
    wait_until(lambda: attachments(platform) in (attached, set()), 30, "the attachment to be settled")
    is_attached = attachments(platform) == attached
    assert ("DATABASE_URL" in app.get("/env").json()) == is_attached
    assert {one["name"] for one in platform.json("config", "list", app.name) if one["name"].startswith("PG")} == (
        {"PGHOST", "PGUSER", "PGPASSWORD", "PGDATABASE"} if is_attached else set()
    )
    wait_until(lambda: (role in roles(platform, "db")) == is_attached, 30, "the account")
    if is_attached:
        assert app_sql(app, "SELECT 1").out.strip() == "1"
    return is_attached


@pytest.mark.parametrize(("verb", "call", "first", "every"), [
    ("attach", "fdatasync", 1, 3), ("attach", "vfork", 1, 2), ("detach", "fdatasync", 1, 3), ("detach", "rename", 1, 3),
])  # fmt: skip
def test_killed_at_any_step_it_is_as_before_or_as_wanted(own_platform, verb, call, first, every):
    platform = own_platform
    app = platform.deploy()
    role = app.name.replace("-", "_")
    platform.pushrod("service", "create", "postgres", "db")
    if verb == "detach":
        platform.pushrod("service", "attach", "db", app.name)
        app_sql(app, "CREATE TABLE kept (v int)")
    outcomes = set()
    for count in range(first, 200, every):
        argv = killed_at(call, count, [platform.binary, "--root", platform.root, "service", verb, "db", app.name])
        result = run_command(argv, env=platform.server_env, code=None, timeout=60)
        is_attached = await_settled(app, role)
        outcomes.add(is_attached)
        if result.code == 0:
            break
        assert result.code in (-9, 137), result
        if verb == "attach" and is_attached:
            platform.pushrod("service", "detach", "db", app.name)
            assert not await_settled(app, role)
        if verb == "detach" and not is_attached:
            platform.pushrod("service", "attach", "db", app.name)
            assert await_settled(app, role)
            app_sql(app, "SELECT * FROM kept")
    assert outcomes == {False, True}
