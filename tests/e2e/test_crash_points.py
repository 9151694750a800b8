"""SIGKILL to what deploys, at every step: the old or the new release serves, whole (I6)."""

import pytest

pytest.register_assert_rewrite("crash")

from crash import (  # noqa: E402
    Hook, assert_whole, await_answer, await_converged, await_no_deployment, kill_points, killed_at, servers_running,
    versions,
)  # fmt: skip
from harness import Traffic, run_command, wait_until, web_app  # noqa: E402


class Killed:
    """An app whose pushes are killed."""

    def __init__(self, platform):
        self.app = platform.deploy(web_app("v1"))
        self._hook = Hook(platform)
        self._versions = versions()
        self.commits = {}  # of all that may be live
        calls = self._hook.count_calls(lambda: self.app.push({"VERSION": "counted"}))
        self.flushes, self.others = kill_points(calls, rare=3)

    def push_killed_at(self, call, count):
        """Pushes a new version and returns it; the deployment is killed there, if it comes so far."""
        version = next(self._versions)
        self.commits[version] = self.app.work.commit({"VERSION": version})
        self.kill_next_at(call, count)
        result = self.app.work.finish_push(self.app.work.start_push(), code=None)
        assert result.code == 0 or "died of signal 9" in result.err, result
        return version

    def kill_next_at(self, call, count):
        """The next deployment is killed there."""
        self._hook.kill_at(call, count)

    def restore(self):
        """The next deployment is not killed."""
        self._hook.restore()

    def assert_push_works(self):
        """Nothing is in the way of the next one."""
        self.restore()
        version = next(self._versions)
        self.app.push({"VERSION": version})
        await_converged(self.app)
        assert_whole(self.app, {version: self.app.work.head()})


def test_the_daemon_settles_a_hook_that_was_killed_at_any_flush_of_the_database(own_platform):
    killed = Killed(own_platform)
    app, outcomes, now = killed.app, set(), "counted"
    killed.commits[now] = app.work.head()
    with Traffic(app, clients=2, pause=0.02, at_most=140) as traffic:
        for point in killed.flushes[::2]:
            new = killed.push_killed_at(*point)
            await_converged(app)
            before, now = now, assert_whole(app, {version: killed.commits[version] for version in (now, new)})
            outcomes.add((before == now, app.last_deployment()["state"]))
        killed.assert_push_works()
    traffic.assert_no_failure()
    assert outcomes >= {(True, "failed"), (False, "live")}, "some are killed before the commit point, some after it"


def test_the_next_push_settles_a_hook_that_was_killed_anywhere(own_platform):
    killed = Killed(own_platform)
    app = killed.app
    killed.commits["counted"] = app.work.head()
    with Traffic(app, clients=2, pause=0.02, at_most=140) as traffic:
        for number, point in enumerate(killed.flushes[1::3] + killed.others):
            killed.push_killed_at(*point)
            assert len(app.checkouts()) <= 2
            # All others are followed by the next one at once, which finds what this one left.
            if number % 8 == 0:
                await_converged(app)
                assert_whole(app, killed.commits)
        killed.assert_push_works()
    traffic.assert_no_failure()


@pytest.mark.parametrize("verb", ["restart", "redeploy"])
def test_a_command_killed_at_any_step_leaves_the_old_or_the_new_release(own_platform, verb):
    platform = own_platform
    app = platform.deploy(web_app("v1"))
    outcomes = set()

    def release():
        return platform.json("app", "info", app.name)["release"]

    with Traffic(app, clients=2, pause=0.02, at_most=140) as traffic:
        for call, every in (("fdatasync", 4), ("vfork", 1), ("rename", 3)):
            for count in range(1, 200, every):
                before = release()
                argv = killed_at(call, count, [platform.binary, "--root", platform.root, verb, app.name])
                result = run_command(argv, env=platform.server_env, code=None)
                await_converged(app)
                assert_whole(app, {"v1": app.work.head()})
                if result.code == 0:
                    break
                assert result.code == -9, result
                outcomes.add(release() > before)
    traffic.assert_no_failure()
    assert outcomes == {False, True}


def test_the_next_tree_settles_what_a_power_cut_interrupted_around_the_commit_point(own_platform):
    killed = Killed(own_platform)
    app, now = killed.app, "counted"
    killed.commits[now] = app.work.head()
    for point in killed.flushes[-16::4]:
        new = killed.push_killed_at(*point)
        own_platform.kill_all()
        own_platform.start()
        await_answer(app)
        await_converged(app)
        now = assert_whole(app, {version: killed.commits[version] for version in (now, new)})
    killed.assert_push_works()


def test_the_deletion_of_a_branch_that_is_killed_leaves_a_whole_app_or_none(own_platform):
    killed = Killed(own_platform)
    app, outcomes = killed.app, set()
    for point in killed.flushes[::4]:
        killed.kill_next_at(*point)
        result = app.work.finish_push(app.work.start_push("--delete", "main", options=["confirm=main"]), code=None)
        killed.restore()
        await_no_deployment(app)
        outcomes.add("there" if app.ref() else "gone")
        if app.ref():
            await_converged(app)
            assert_whole(app, {"counted": app.work.head()})
            continue
        wait_until(lambda: not app.processes() and not app.checkouts(), what="zero checkouts")
        assert app.get(status=503) and servers_running(app) == []
        if result.code == 0:
            break
        app.work.push()
    assert outcomes == {"there", "gone"}


def test_a_push_flushes_the_database_for_what_must_be_recorded_and_no_more(own_platform):
    app = own_platform.deploy(web_app("v1"))
    calls = Hook(own_platform).count_calls(lambda: app.push({"VERSION": "v2"}))
    # Begun, running, releases and instances, ready, committed, live: four flushes each. Health is recorded by a thread.
    assert calls["fdatasync"] <= 6 * 4
