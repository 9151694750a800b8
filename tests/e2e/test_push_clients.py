"""Clients that push go away, wait for each other, or hurry."""

import os
import signal

import pytest

pytest.register_assert_rewrite("crash")

from crash import assert_whole, await_converged  # noqa: E402
from harness import HELD_BUILD, finish, start_command, wait_until, web_app  # noqa: E402


def pkt(line):
    return b"%04x%s" % (len(line) + 4, line)


def read_pkt(stream):
    length = int(stream.read(4), 16)
    return stream.read(length - 4) if length else None


def push_by_hand(app, commit, capabilities):
    """Speaks git's push protocol (gitprotocol-pack(5)) as an older client did; returns the lines of the report."""
    process = app.platform.start_ssh(f"git-receive-pack '{app.work.repo}'", stdin=-1)
    offered = read_pkt(process.stdout)
    assert b"report-status" in offered
    while read_pkt(process.stdout) is not None:
        pass
    old, new = app.ref() or "0" * 40, commit
    command = f"{old} {new} refs/heads/{app.branch}".encode() + b"\0 " + capabilities
    process.stdin.write(pkt(command) + b"0000")
    revisions = f"{new}\n" + (f"^{old}\n" if app.ref() else "")
    pack = os.popen(f"cd {app.work.directory} && printf '{revisions}' | git pack-objects --revs --stdout -q", "r")
    process.stdin.write(pack.buffer.read())
    process.stdin.flush()
    report = []
    while (line := read_pkt(process.stdout)) is not None:
        report.append(line)
    finish(process, code=0)
    return report


def test_a_client_older_than_report_status_v2_can_push(platform):
    app = platform.deploy(web_app("1"))
    app.work.commit({"VERSION": "2"})
    assert push_by_hand(app, app.work.head(), b"report-status agent=git/1.5") == [b"unpack ok\n", b"ok refs/heads/main\n"]
    assert app.version() == "2"
    app.work.commit({"web.py": "raise SystemExit(1)\n"})
    report = push_by_hand(app, app.work.head(), b"report-status agent=git/1.5")
    assert report[0] == b"unpack ok\n" and report[1].startswith(b"ng refs/heads/main ")
    assert app.version() == "2"


def held_app(platform, version="1"):
    """An app whose builds wait for release_build()."""
    return platform.create_app(web_app(version, pushrod_toml=HELD_BUILD))


def test_a_deployment_outlives_its_client(platform):
    app = held_app(platform)
    push = app.start_push()
    app.await_build()
    os.killpg(push.pid, signal.SIGKILL)
    push.communicate()
    assert app.last_deployment()["state"] == "running"
    follower = platform.start_pushrod("logs", app.name, "--deployment", "1", "-f")
    app.release_build()
    wait_until(lambda: app.last_deployment()["state"] == "live", what="the deployment to go on")
    assert "is live" in finish(follower, code=0).out
    assert app.version() == "1"
    assert app.ref() == app.work.head()


def test_a_second_push_waits_and_names_the_first(platform):
    app = held_app(platform, "1")
    first = app.start_push()
    app.await_build()
    # Of a deployment that ends well the second one must be a descendant.
    app.work.commit({"VERSION": "2"})
    second = app.work.start_push()
    wait_until(lambda: len(app.deployments()) == 2, deadline=60, what="the second deployment")
    assert [d["state"] for d in app.deployments()] == ["waiting", "running"]
    app.release_build()
    finish(first, code=0)
    result = finish(second, code=0)
    assert "Waiting for" in result.err and "by admin" in result.err
    assert app.version() == "2"


def test_a_newer_push_supersedes_one_that_waits(platform):
    app = held_app(platform, "1")
    pushes = [app.start_push()]
    app.await_build()
    for version in ("2", "3"):
        pushes.append(app.start_push({"VERSION": version}))
        wait_until(lambda: len(app.deployments()) == len(pushes), deadline=60, what="the next deployment")
    app.release_build()
    finish(pushes[0], code=0)
    assert "superseded" in finish(pushes[1], code=1).err
    finish(pushes[2], code=0)
    assert [d["state"] for d in app.deployments()] == ["live", "superseded", "live"]
    assert app.version() == "3"


def test_a_push_based_on_something_else_than_what_went_live_meanwhile_is_refused(platform):
    app = held_app(platform, "1")
    app.release_build()
    app.work.push()
    app.hold_build()
    base = app.work.head()
    first = app.start_push({"VERSION": "2"})
    pushed = app.work.head()
    app.await_build()
    app.work.git("reset", "--quiet", "--hard", base)
    second = app.start_push({"VERSION": "3"})
    wait_until(lambda: len(app.deployments()) == 3, deadline=60, what="the second deployment")
    app.release_build()
    finish(first, code=0)
    assert "moved" in finish(second, code=1).err
    assert [d["state"] for d in app.deployments()] == ["failed", "live", "live"] and app.ref() == pushed
    assert app.version() == "2"


def test_pushes_to_many_branches_at_once_all_go_live(own_platform):
    platform = own_platform
    first = platform.create_app(web_app("0"))
    apps = [first] + [platform.create_app(work=first.work, branch=f"branch-{number}") for number in range(1, 20)]
    heads = [first.work.commit({"VERSION": str(number)}) for number in range(20)]
    pushes = [first.work.start_push(f"{head}:refs/heads/{app.branch}") for app, head in zip(apps, heads)]
    for push in pushes:
        finish(push, code=0)
    for number, (app, head) in enumerate(zip(apps, heads)):
        await_converged(app)
        assert_whole(app, {str(number): head})


def test_of_pushes_to_one_branch_at_once_the_branch_names_the_last_that_went_live(own_platform):
    platform = own_platform
    app = platform.deploy(web_app("0"))
    clones, heads = [], {}
    for number in range(1, 6):
        clone = platform.directory / "clones" / str(number)
        platform.git("clone", "--quiet", platform.url(app.name), clone)
        (clone / "VERSION").write_text(f"{number}\n")
        platform.git("commit", "--quiet", "--all", "-m", "a change", cwd=clone)
        clones.append(clone)
        heads[str(number)] = platform.git("rev-parse", "HEAD", cwd=clone).out.strip()
    pushes = [start_command(["git", "push", "origin", "HEAD:main"], env=platform.client_env, cwd=c) for c in clones]
    results = [finish(push) for push in pushes]
    await_converged(app)
    assert [result.code for result in results].count(0) == 1, "the others are based on what is not live any more"
    version = assert_whole(app, heads)
    assert results[int(version) - 1].code == 0
    states = [deployment["state"] for deployment in app.deployments()]
    assert states.count("live") == 2 and set(states) <= {"live", "failed", "superseded"}
