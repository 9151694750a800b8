"""Which refs of a push are deployed, stored or refused, and what a branch and its apps have to do with each other."""

import os
import time

import pytest
from harness import Traffic, finish, wait_until, web_app


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
    assert "the rest of the push continues" in result.err
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
