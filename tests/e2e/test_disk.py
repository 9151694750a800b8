"""A disk that is nearly full, and commits that must outlive garbage collection."""

from harness import wait_until, web_app

# More than any disk has.
FULL = '[retention]\nfree_space = "1000T"\n'


def repo_git(platform, app, *words, code=0):
    return platform.git("-C", platform.root / "repos" / f"{app.work.repo}.git", *words, code=code)


def kept_refs(platform, app):
    lines = repo_git(platform, app, "for-each-ref", "--format=%(refname) %(objectname)", "refs/pushrod/").out
    return dict(line.split() for line in lines.splitlines())


def test_a_nearly_full_disk_is_pruned_by_itself_and_pushes_are_refused(own_platform):
    platform = own_platform
    app = platform.deploy(web_app("1", pushrod_toml='[build]\ncommand = "echo x > /cache/kept"\n'))
    for version in "234":
        app.push({"VERSION": version})
    wait_until(lambda: len(app.releases()) == 3, what="the kept releases")
    platform.stop()
    platform.write_settings(FULL)
    platform.start()
    wait_until(lambda: app.releases() == [3], what="the releases that can go to be gone")
    wait_until(lambda: not app.build_cache.exists(), what="the build cache to be gone")
    said = "the disk is nearly full: removed release 1 of"
    wait_until(lambda: said in platform.log("daemon"), what="a word about it in the daemon's log")
    wait_until(lambda: app.version() == "4", what="the app to answer")

    before = app.ref()
    result = app.push({"VERSION": "5"}, code=1)
    assert "not enough disk space" in result.err and "[retention] free_space" in result.err
    assert app.ref() == before and app.version() == "4"
    assert repo_git(platform, app, "cat-file", "-e", app.work.head(), code=None).code != 0, "no object stays"
    platform.write_settings()
    app.work.push()
    assert app.version() == "5"


def test_prune_by_hand_says_what_it_freed(platform):
    app = platform.deploy(web_app("1"))
    other = platform.deploy(web_app("1"))
    for version in "234":
        app.push({"VERSION": version})
    app.await_settled()
    told = platform.pushrod("prune", app.name).out
    assert f"release 1 of {app.name}: " in told and f"release 2 of {app.name}: " in told
    assert "Freed " in told and " are free." in told
    assert app.releases() == [3] and app.checkouts() == [4] and app.version() == "4"
    assert platform.json("prune", app.name)["removed"] == []
    assert "There is nothing to remove" in platform.ssh("prune", app.name).out
    other.push({"VERSION": "2"})
    everything = platform.json("prune")
    assert everything.keys() == {"removed", "freed_bytes", "free_bytes"} and everything["free_bytes"] > 0
    assert other.version() == "2"


def test_a_kept_releases_commit_survives_a_forced_push_and_garbage_collection(platform):
    app = platform.deploy(web_app("1"))
    app.push({"VERSION": "2"})
    lost = app.work.head()
    app.work.git("reset", "--hard", "--quiet", "HEAD~1")
    app.work.commit({"VERSION": "3"})
    app.work.push("+HEAD:refs/heads/main")
    reference = f"refs/pushrod/keep/{app.name}/2"
    wait_until(lambda: kept_refs(platform, app).get(reference) == lost, what="the reference that keeps it")
    repo_git(platform, app, "gc", "--quiet", "--prune=now")
    repo_git(platform, app, "cat-file", "-e", f"{lost}^{{tree}}")

    assert "refs/pushrod" not in app.work.git("ls-remote", "origin").out
    app.work.git("fetch", "origin", f"{reference}:refs/heads/stolen", code=128)
    app.work.git("push", "origin", f"HEAD:{reference}", code=1)
    assert kept_refs(platform, app)[reference] == lost


def test_the_commit_of_a_forgotten_release_is_let_go(platform):
    app = platform.deploy(web_app("1"))
    first = app.work.head()
    for version in "234":
        app.push({"VERSION": version})
    wait_until(lambda: len(kept_refs(platform, app)) == 4, what="four kept commits")
    app.await_settled()
    platform.pushrod("prune", app.name)
    app.push({"VERSION": "5"})
    gone = f"refs/pushrod/keep/{app.name}/1"
    wait_until(lambda: gone not in kept_refs(platform, app), what="the reference of a forgotten release to be gone")
    assert first not in kept_refs(platform, app).values()


def test_the_log_of_a_forgotten_deployment_is_removed_after_the_daemon_was_killed(make_platform):
    platform = make_platform(settings="[retention]\ndeployments = 2\n").start()
    app = platform.deploy(web_app("1"))
    logs = platform.root / "logs" / app.name / "deployments"
    fails = {"pushrod.toml": '[build]\ncommand = "exit 3"\n'}
    for _ in range(3):
        app.push(fails, code=1)
    wait_until(lambda: not (logs / "2.log").exists(), what="deployment 2 to be forgotten")
    (logs / "2.log").touch()  # its row is gone: the daemon was killed between the two
    app.push(fails, code=1)
    wait_until(lambda: not (logs / "2.log").exists(), what="its log to be removed")
    assert (logs / "5.log").exists()
