"""git push: a branch goes live whole, or nothing changes."""

import os
import signal
import time

import pytest
from harness import HELD_BUILD, Traffic, finish, wait_until, web_app


def state_of(app):
    """All that a failed push must leave as it was (I2)."""
    return {
        "ref": app.ref(),
        "instances": [(p["instance"], p["pid"], p["port"], p["restarts"]) for p in app.processes()],
        "checkouts": app.checkouts(),
        "releases": app.releases(),
        "info": app.platform.json("app", "info", app.name),
        "version": app.version(),
    }


def test_a_first_push_is_live_before_it_returns(platform):
    app = platform.create_app(web_app("first"))
    result = app.work.push()
    assert app.version() == "first"
    assert app.ref() == app.work.head()
    assert app.checkouts() == [1]
    assert "Release 1" in result.err and f"http://{app.host}:{platform.ports.http}" in result.err
    assert "new branch" in result.err


@pytest.mark.parametrize("keep_alive", [True, False], ids=["keep-alive", "a connection each"])
def test_no_request_fails_during_pushes(platform, keep_alive):
    app = platform.deploy(web_app("1"))
    with Traffic(app, keep_alive=keep_alive) as traffic:
        for version in ("2", "3"):
            app.push({"VERSION": version})
            returned = time.monotonic()
            traffic.await_requests(20)
            assert traffic.versions(since=returned) == {version}
        app.await_settled()
        traffic.await_requests(20)
    traffic.assert_no_failure()
    assert app.instances() == [f"{app.name}.3.web.1"]


def test_requests_in_flight_are_finished_by_the_old_version(platform):
    app = platform.deploy(web_app("old"))
    with Traffic(app, path="/slow?ms=1500", clients=2, pause=0.01) as slow:
        app.push({"VERSION": "new"})
        assert app.version() == "new"
        slow.await_requests(4)
    slow.assert_no_failure()


def test_a_commit_that_is_live_already_is_no_deployment(platform):
    app = platform.deploy()
    result = app.work.push()
    assert "up-to-date" in result.err
    assert [d["number"] for d in app.deployments()] == [1]


def test_an_app_that_ends_fails_the_push_at_once_and_shows_its_last_words(platform):
    app = platform.deploy(web_app("good"))
    app.await_settled()
    before = state_of(app)
    began = time.monotonic()
    result = app.push({"VERSION": "bad", "web.py": "print('no config: giving up', flush=True)\nraise SystemExit(3)\n"}, code=1)
    assert time.monotonic() - began < 15, "health.timeout is 30 s; nobody should wait for it"
    assert "no config: giving up" in result.err
    assert "exit code 3" in result.err
    assert "[remote rejected]" in result.err
    app.await_settled()
    assert state_of(app) == before


def test_a_first_push_that_fails_leaves_nothing(platform):
    app = platform.create_app(web_app(web_py="raise SystemExit(1)\n"))
    app.work.push(code=1)
    assert app.ref() is None
    assert app.processes() == []
    assert app.checkouts() == [] and app.releases() == []
    assert app.get(status=503)
    assert platform.json("app", "info", app.name)["release"] is None


def test_an_app_that_does_not_listen_fails_when_its_health_timeout_is_over(platform):
    toml = '[processes.web]\ncommand = "sleep 1000"\n[processes.web.health]\ntimeout = "1500ms"\n'
    app = platform.create_app({"pushrod.toml": toml})
    result = app.work.push(code=1)
    assert "not healthy after" in result.err and "$PORT" in result.err


def test_after_failures_the_next_push_goes_live_and_at_most_two_checkouts_are_there(platform):
    app = platform.deploy(web_app("1"))
    for _ in range(3):
        app.push({"web.py": "raise SystemExit(1)\n"}, code=1)
        assert len(app.checkouts()) <= 2
    app.push(web_app("2"))
    assert len(app.checkouts()) <= 2
    assert app.version() == "2"
    app.await_settled()
    assert [d["state"] for d in app.deployments()] == ["live", "failed", "failed", "failed", "live"]


def test_at_most_two_checkouts_are_there_while_pushes_follow_each_other(platform):
    app = platform.deploy(web_app("0"))
    for version in range(1, 5):
        push = app.start_push({"VERSION": str(version)})
        while push.poll() is None:
            assert len(app.checkouts()) <= 2
        finish(push, code=0)
        assert len(app.checkouts()) <= 2
    assert app.version() == "4"


# Branches


def test_two_apps_on_one_branch_go_live_together(platform):
    one = platform.create_app(web_app("1"))
    two = platform.create_app(work=one.work)
    one.work.push()
    assert (one.version(), two.version()) == ("1", "1")
    with Traffic(one, clients=2) as first, Traffic(two, clients=2) as second:
        one.push({"VERSION": "2"})
        returned = time.monotonic()
        first.await_requests(4)
        second.await_requests(4)
    for traffic in (first, second):
        traffic.assert_no_failure()
        assert traffic.versions(since=returned) == {"2"}


def test_two_apps_on_one_branch_go_live_only_together(platform):
    fails_in_two = "set -e; grep -q bad VERSION && [ $APP = {} ] && exit 4; exit 0\n"
    one = platform.create_app(web_app("good"))
    two = platform.create_app(work=one.work)
    one.push({"check.sh": fails_in_two.format(two.name), "Procfile": "web: ./check.sh && exec python3 web.py\n"})
    one.await_settled(), two.await_settled()
    before = state_of(one), state_of(two)
    result = one.push({"VERSION": "bad"}, code=1)
    assert two.name in result.err
    one.await_settled(), two.await_settled()
    assert (state_of(one), state_of(two)) == before


def test_two_branches_in_one_push_are_each_all_or_nothing(platform):
    production = platform.create_app(web_app("1"))
    staging = platform.create_app(work=production.work, branch="staging")
    production.work.push("HEAD:refs/heads/main", "HEAD:refs/heads/staging")
    assert (production.version(), staging.version()) == ("1", "1")

    work = production.work
    good = work.commit({"VERSION": "2"})
    work.commit({"web.py": "raise SystemExit(1)\n"})
    result = work.push(f"{good}:refs/heads/main", "HEAD:refs/heads/staging", code=1)
    assert (production.version(), staging.version()) == ("2", "1")
    assert production.ref() == good and staging.ref() != work.head()
    assert "[remote rejected]" in result.err and "main" in result.err


def test_an_atomic_push_of_two_branches_is_refused(platform):
    production = platform.create_app(web_app("1"))
    staging = platform.create_app(work=production.work, branch="staging")
    result = production.work.push(
        "HEAD:refs/heads/main", "HEAD:refs/heads/staging", arguments=["--atomic"], code=1
    )
    assert "without --atomic" in result.err
    assert production.ref() is None and staging.ref() is None


def test_an_app_may_be_a_directory_of_its_repo(platform):
    files = {f"sites/blog/{name}": content for name, content in web_app("blog").items()}
    app = platform.create_app(files | {"secret.txt": "of the root"}, path="sites/blog")
    app.work.push()
    assert app.version() == "blog"
    assert app.get("/list?path=/app").json() == sorted(web_app())


def test_a_commit_without_the_apps_directory_is_refused(platform):
    app = platform.create_app(web_app(), path="sites/blog")
    result = app.work.push(code=1)
    assert "sites/blog" in result.err
    assert app.ref() is None


def test_a_branch_without_an_app_is_refused_and_those_with_one_are_named(platform):
    app = platform.deploy()
    staging = platform.create_app(work=app.work, branch="staging")
    result = app.work.push("HEAD:refs/heads/topic", code=1)
    assert '"topic"' in result.err and "has no app" in result.err
    assert f"main ({app.name})" in result.err and f"staging ({staging.name})" in result.err


def test_refused_pushes_leave_no_objects_behind(platform):
    app = platform.deploy()
    commit = app.work.commit({"large": os.urandom(100_000)})
    app.work.push("HEAD:refs/heads/topic", code=1)
    repository = platform.root / "repos" / f"{app.name}.git"
    assert platform.git("-C", repository, "cat-file", "-e", commit, code=None).code != 0
    assert not list((repository / "objects").glob("tmp_objdir*"))


@pytest.mark.parametrize(
    "ref", ["refs/tags/v1", "refs/remotes/origin/main", "refs/foo/bar", "refs/pushrod/x", "refs/notes/commits"], ids=lambda ref: ref.replace("/", " ")
)
def test_only_branches_can_be_pushed(platform, ref):
    app = platform.deploy()
    result = app.work.push(f"HEAD:{ref}", code=1)
    assert "branch" in result.err or "hidden" in result.err
    refs = platform.git("-C", platform.root / "repos" / f"{app.name}.git", "for-each-ref", "--format=%(refname)").out
    # The daemon's own references keep the commits of releases.
    kept = f"refs/pushrod/keep/{app.name}/"
    assert [name for name in refs.split() if not name.startswith(kept)] == ["refs/heads/main"]


def refs_of(app):
    refs = app.platform.git("-C", app.platform.root / "repos" / f"{app.name}.git", "for-each-ref", "--format=%(refname)").out
    return [ref for ref in refs.split() if not ref.startswith("refs/pushrod/")]


def test_a_branch_without_an_app_does_not_refuse_the_others(platform):
    app = platform.deploy(web_app("1"))
    app.work.git("branch", "topic")
    app.work.commit({"VERSION": "2"})
    result = app.work.push("--all", code=1)
    assert app.version() == "2" and app.ref() == app.work.head()
    assert '[remote rejected] topic -> topic (branch "topic" of repo' in result.err
    assert "the rest of this push goes on" in result.err
    assert refs_of(app) == ["refs/heads/main"]


def test_tags_are_stored_with_a_branch_that_goes_live_and_are_in_a_clone(platform, tmp_path):
    app = platform.deploy(web_app("1"))
    app.work.commit({"VERSION": "2"})
    app.work.git("tag", "-a", "v2", "-m", "two")
    app.work.push("--follow-tags", "main")
    assert app.version() == "2" and refs_of(app) == ["refs/heads/main", "refs/tags/v2"]
    app.work.commit({"VERSION": "3"})
    app.work.git("tag", "v3")
    app.work.push("--atomic", "main", "v3", ":v2")
    assert app.version() == "3" and refs_of(app) == ["refs/heads/main", "refs/tags/v3"]
    clone = tmp_path / "clone"
    platform.git("clone", "--quiet", platform.url(app.work.repo), clone)
    assert platform.git("-C", clone, "tag").out.split() == ["v3"]


def test_tags_without_a_branch_are_refused_with_the_way_to_deploy_them(platform):
    app = platform.deploy(web_app("1"))
    app.work.git("tag", "-a", "v1", "-m", "one")
    result = app.work.push("--tags", code=1)
    assert "a tag deploys nothing" in result.err and "git push <remote> 'v1^{}:refs/heads/main'" in result.err
    app.work.commit({"web.py": "raise SystemExit(1)\n"})
    result = app.work.push("main", "v1", code=1)
    assert "[remote rejected] v1 -> v1 (not stored: no branch that was pushed with it went live)" in result.err
    assert refs_of(app) == ["refs/heads/main"] and app.version() == "1"


def test_a_mirror_push_deploys_and_refuses_only_what_is_no_deploy_branch(platform):
    app = platform.deploy(web_app("1"))
    app.work.commit({"VERSION": "2"})
    app.work.git("tag", "v2")
    for number in range(15):
        app.work.git("update-ref", f"refs/remotes/origin/topic{number}", "HEAD")
    result = app.work.push("--mirror", code=1)
    assert app.version() == "2" and refs_of(app) == ["refs/heads/main", "refs/tags/v2"]
    assert result.err.count("can be pushed here, and tags") == 1 and "… and 6 more" in result.err


def test_a_push_to_a_branch_without_an_app_names_the_way_to_the_one_with_an_app(platform):
    app = platform.create_app(web_app("1"))
    result = app.work.push("HEAD:refs/heads/master", code=1)
    assert "git push <remote> master:main" in result.err


def test_a_push_from_a_shallow_clone_explains_how_to_get_the_history(platform, tmp_path):
    app = platform.create_app(web_app("1"))
    app.work.commit({"VERSION": "2"})
    shallow = tmp_path / "shallow"
    platform.git("clone", "--quiet", "--depth=1", f"file://{app.work.directory}", shallow)
    result = platform.git("-C", shallow, "push", platform.url(app.work.repo), "HEAD:refs/heads/main", code=1)
    assert "shallow" in result.err and "git fetch --unshallow" in result.err
    platform.git("-C", shallow, "fetch", "--quiet", "--unshallow")
    platform.git("-C", shallow, "push", platform.url(app.work.repo), "HEAD:refs/heads/main")
    assert app.version() == "2"


def test_deleting_a_branch_wants_a_confirmation_and_then_leaves_no_checkout(platform):
    app = platform.deploy(web_app("1", Procfile="web: python3 web.py\nworker: sleep 1000\n"))
    result = app.work.push("--delete", "main", code=1)
    assert app.name in result.err
    assert "git push -o" in result.err and "confirm=main" in result.err
    assert app.version() == "1"

    app.work.push("--delete", "main", options=["confirm=main"])
    assert app.ref() is None
    response = app.get(status=503)
    assert len(response.text) < 1000
    wait_until(lambda: not app.processes() and not app.checkouts(), what="zero instances and checkouts")
    assert not platform.processes(f"{app.name}.1.")

    app.push({"VERSION": "2"})
    assert app.version() == "2"


def test_a_confirmation_of_another_branch_confirms_nothing(platform):
    app = platform.deploy(web_app("1"))
    platform.create_app(work=app.work, branch="staging")
    app.work.push("--delete", "main", options=["confirm=staging"], code=1)
    assert app.version() == "1"


def test_unknown_push_options_are_refused(platform):
    app = platform.create_app(web_app("1"))
    result = app.work.push(options=["ci.skip"], code=1)
    assert '"ci.skip"' in result.err and "confirm=BRANCH" in result.err
    assert app.ref() is None


def test_a_push_that_is_no_fast_forward_needs_force_and_is_a_deployment_then(platform):
    app = platform.deploy(web_app("1"))
    app.push({"VERSION": "2"})
    app.work.git("reset", "--quiet", "--hard", "HEAD~1")
    app.push({"VERSION": "other"}, code=1)
    assert app.version() == "2"
    app.push({"VERSION": "another"}, arguments=["--force"])
    assert app.version() == "another"
    assert app.ref() == app.work.head()
    assert app.last_deployment()["state"] == "live"


def test_what_was_pushed_can_be_cloned_and_fetched(platform):
    app = platform.deploy(web_app("1"))
    clone = platform.directory / "clone" / app.name
    platform.git("clone", "--quiet", platform.url(app.name), clone)
    assert (clone / "VERSION").read_text() == "1\n"
    app.push({"VERSION": "2"})
    platform.git("fetch", "--quiet", "origin", cwd=clone)
    assert platform.git("rev-parse", "origin/main", cwd=clone).out.strip() == app.ref()


@pytest.mark.parametrize("version", [0, 1, 2])
def test_every_version_of_gits_protocol_is_spoken(platform, version):
    app = platform.deploy()
    app.work.commit({"VERSION": "2"})
    app.work.git("-c", f"protocol.version={version}", "push", "origin", "HEAD:main")
    clone = platform.directory / "clone" / app.name
    platform.git("-c", f"protocol.version={version}", "clone", "--quiet", "--depth=1", platform.url(app.name), clone)
    assert (clone / "VERSION").read_text() == app.version() == "2"


def test_a_shallow_clone_can_push_and_an_address_may_end_in_git(platform):
    app = platform.deploy(web_app("1"))
    app.push({"VERSION": "2"})
    clone = platform.directory / "clone" / app.name
    platform.git("clone", "--quiet", "--depth=1", platform.url(app.name) + ".git", clone)
    (clone / "VERSION").write_text("3")
    platform.git("commit", "--quiet", "-am", "from a shallow clone", cwd=clone)
    platform.git("push", "--quiet", "origin", "main", cwd=clone)
    assert app.version() == "3"


def test_pushes_to_many_apps_at_once_all_go_live(platform):
    shared = platform.create_app(web_app("main"))
    apps = [shared] + [platform.create_app(web_app(str(number))) for number in range(3)]
    staging = platform.create_app(work=shared.work, branch="staging")
    pushes = [app.work.start_push() for app in apps] + [shared.work.start_push("HEAD:refs/heads/staging")]
    for push in pushes:
        finish(push, code=0)
    assert [app.version() for app in apps] == ["main", "0", "1", "2"]
    assert staging.version() == "main"


def test_branches_with_long_and_odd_names_that_git_allows_are_deployed(platform):
    branch = "feature/ä'b;$(id)&x"
    app = platform.deploy(web_app("odd"), branch=branch)
    assert app.version() == "odd"
    assert app.ref() == app.work.head()
    app.work.push("--delete", branch, options=[f"confirm={branch}"])
    assert app.ref() is None


# Clients that go away, wait, or hurry


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
