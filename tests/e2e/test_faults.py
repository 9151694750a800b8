"""Hostile trees, files and protocols through real git and ssh; apps that crash, cling to life or are destroyed."""

import hashlib
import os
import threading
import time
import zlib

import pytest
from harness import Traffic, wait_until, web_app

# Trees that git's own commands refuse to make


def write_object(work, kind, content):
    """Writes a loose object as it is and returns its id; git itself would look at it first."""
    data = f"{kind} {len(content)}\0".encode() + content
    name = hashlib.sha1(data).hexdigest()
    path = work.directory / ".git" / "objects" / name[:2] / name[2:]
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(zlib.compress(data))
    return name


def blob(work, content):
    return write_object(work, "blob", content.encode())


def tree(work, *entries):
    """A tree object of (mode, name, object) entries, in this order, right or wrong. Returns its id."""
    lines = [f"{mode} {name}\0".encode() + bytes.fromhex(sha) for mode, name, sha in entries]
    return write_object(work, "tree", b"".join(lines))


def entries_of(work):
    """The entries of HEAD's tree, for tree()."""
    lines = work.git("ls-tree", "--format=%(objectmode) %(path) %(objectname)", "HEAD").out.splitlines()
    return [tuple(line.split()) for line in lines]


def commit_of(work, tree_id):
    return work.git("commit-tree", "-p", "HEAD", "-m", "made by hand", tree_id).out.strip()


def objects_of(app):
    """All files in the object store of the app's repo."""
    objects = app.platform.root / "repos" / f"{app.work.repo}.git" / "objects"
    return sorted(str(path) for path in objects.rglob("*") if path.is_file())


def test_a_tree_made_by_hand_that_is_right_is_deployed(platform):
    app = platform.deploy(web_app("1"))
    directory = tree(app.work, ("100644", "file", blob(app.work, "inside")))
    made = sorted([*entries_of(app.work), ("40000", "directory", directory)], key=lambda entry: entry[1])
    app.work.push(f"{commit_of(app.work, tree(app.work, *made))}:refs/heads/main")
    assert app.get("/read?path=/app/directory/file").text == "inside"


HOSTILE_NAMES = [".git", ".GIT", ".Git", "..", ".", "a/b", "git~1", ".git ", ".git\u200c", "../../x"]


@pytest.fixture(scope="module")
def app(shared_platform):
    """One live app for all tests of this file that must leave it as it is."""
    return shared_platform.deploy(web_app("as it was"))


@pytest.fixture
def unchanged(platform, app):
    """The app; the test must leave it, its branch and its object store as they are."""
    before = (app.ref(), objects_of(app), app.checkouts(), len(app.deployments()))
    yield app
    assert (app.ref(), objects_of(app), app.checkouts(), len(app.deployments())) == before
    assert app.version() == "as it was"


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=ascii)
def test_trees_with_names_that_lead_elsewhere_are_refused(platform, unchanged, name):
    work = unchanged.work
    hacked = platform.directory / "hacked"
    inner = tree(work, ("100644", "config", blob(work, f"[core]\n\tsshCommand = touch {hacked}\n")))
    outer = tree(work, ("40000", name, inner))
    result = work.push(f"{commit_of(work, outer)}:refs/heads/main", code=1)
    assert "remote:" in result.err and "Traceback" not in result.err
    assert not hacked.exists()


@pytest.mark.parametrize(
    "mode, name, content",
    [
        ("120000", ".gitmodules", "../../../ssh/authorized_keys"),
        ("100644", ".gitmodules", '[submodule "a"]\n\tpath = a\n\turl = -u./payload\n'),
        ("100644", ".gitmodules", '[submodule "../../x"]\n\tpath = a\r\n\turl = x\n'),
    ],
    ids=["symlinked .gitmodules", "option as url", "name that climbs"],
)
def test_a_hostile_gitmodules_is_refused(unchanged, mode, name, content):
    work = unchanged.work
    entries = sorted([*entries_of(work), (mode, name, blob(work, content))], key=lambda entry: entry[1])
    result = work.push(f"{commit_of(work, tree(work, *entries))}:refs/heads/main", code=1)
    assert "remote:" in result.err


def test_a_tree_of_a_billion_paths_is_refused_at_once(unchanged):
    work = unchanged.work
    level = blob(work, "x")
    for depth in range(9):
        kind = "40000" if depth else "100644"
        level = tree(work, *((kind, f"f{number}", level) for number in range(10)))
    began = time.monotonic()
    result = work.push(f"{commit_of(work, level)}:refs/heads/main", code=1)
    assert time.monotonic() - began < 40, "looking at them all would take hours"
    assert "tree_entries" in result.err


def test_a_tree_of_a_thousand_levels_is_refused(unchanged):
    work = unchanged.work
    level = tree(work, ("100644", "f", blob(work, "x")))
    for _ in range(1000):
        level = tree(work, ("40000", "d", level))
    result = work.push(f"{commit_of(work, level)}:refs/heads/main", code=1)
    assert "deep" in result.err


# Symlinks


def test_symlinks_lead_nowhere_outside_of_the_sandbox(platform):
    app = platform.create_app(web_app("1", pushrod_toml='[build]\ncommand = "echo built >> up || echo no way up"\n'))
    work = app.work.directory
    outside = platform.directory / "outside"
    outside.mkdir(exist_ok=True)
    keys = (platform.root / "ssh" / "authorized_keys").read_bytes()
    os.symlink("/etc/passwd", work / "passwd")
    os.symlink("../../../../ssh/authorized_keys", work / "up")
    os.symlink(outside, work / "directory")
    result = app.push()
    assert "no way up" in result.err
    assert "root:" not in app.get("/read?path=/app/passwd").text
    app.get("/read?path=/app/up", status=404)
    app.get("/list?path=/app/directory", status=404)
    # Where the last commit has a symlink, the next one has a directory: nothing is written through it.
    (work / "directory").unlink()
    app.push({"directory/file": "inside", "up": None})
    assert app.get("/read?path=/app/directory/file").text == "inside"
    assert os.listdir(outside) == []
    assert (platform.root / "ssh" / "authorized_keys").read_bytes() == keys


@pytest.mark.parametrize("name", ["Procfile", "pushrod.toml", "requirements.txt", "package.json", ".build.sh"])
def test_a_symlink_in_place_of_a_file_that_pushrod_reads_is_not_followed(platform, name):
    app = platform.deploy(web_app("1"))
    secret = platform.directory / "secret"
    secret.write_text("web: echo the-secret-of-the-host\n")
    secret.chmod(0o700)
    (app.work.directory / name).unlink(missing_ok=True)
    os.symlink(secret, app.work.directory / name)
    result = app.push(code=None)
    assert "the-secret-of-the-host" not in result.text + platform.pushrod("logs", app.name).text
    if result.code == 0:  # what is not followed may as well not be there
        assert app.version() == "1"
    else:
        assert name in result.err and app.version() == "1"


def test_pushrod_toml_as_a_submodule_or_of_50_megabytes_is_refused(platform):
    app = platform.deploy(web_app("1"))
    result = app.push({"pushrod.toml": "#" * 50_000_000}, code=1)
    assert "pushrod.toml" in result.err and len(result.err) < 4000
    app.work.git("rm", "--quiet", "pushrod.toml")
    app.work.git("update-index", "--add", "--cacheinfo", f"160000,{app.ref()},pushrod.toml")
    app.work.git("commit", "--quiet", "-m", "a submodule")
    result = app.work.push(code=1)
    assert "pushrod.toml" in result.err
    assert app.version() == "1"


# The protocol

GARBAGE = {
    "nothing": b"",
    "text": b"GET / HTTP/1.1\r\n\r\n",
    "no length": b"zzzz",
    "a length below four": b"0003",
    "a line cut off": b"00ff0000",
    "the longest line": b"fff0" + b"x" * 65_516,
    "too long a line": b"ffff" + b"x" * 65_531,
    "zeroes": b"\0" * 100_000,
    "many flushes": b"0000" * 10_000,
    "a command without a pack": b"007e" + b"0" * 40 + b" " + b"1" * 40 + b" refs/heads/main\0" + b" " * 24 + b"0000",
}


@pytest.mark.parametrize("service", ["git-receive-pack", "git-upload-pack"])
@pytest.mark.parametrize("garbage", GARBAGE, ids=str)
def test_garbage_in_gits_protocol_ends_the_connection_and_nothing_else(platform, unchanged, service, garbage):
    result = platform.ssh(f"{service} '{unchanged.name}'", input=GARBAGE[garbage].ljust(1), code=None, timeout=20)
    assert "terminate called" not in result.text and "Aborted" not in result.text
    assert len(result.err) < 5000


def test_ten_thousand_push_options_are_refused_in_a_few_lines(unchanged):
    options = [f"ci.variable=a;b\t$(id){number}" for number in range(10_000)]
    unchanged.work.commit({"VERSION": "2"})
    result = unchanged.work.push(options=options, code=1)
    unchanged.work.git("reset", "--quiet", "--hard", "HEAD~1")
    assert len(result.err.splitlines()) < 20 and "\t" not in result.err.replace("\t", "", 2)


# Apps that misbehave


def test_a_live_app_that_crashes_is_held_back_and_the_next_push_is_not(platform):
    app, neighbour = platform.deploy(web_app("1")), platform.deploy(web_app("neighbour"))

    def restarts():
        return app.processes()[0]["restarts"]

    def crash():
        seen = restarts()
        wait_until(lambda: platform.http(app.host).status == 200, what="the app")
        app.crash()
        wait_until(lambda: restarts() > seen, what="the crash")

    with Traffic(neighbour, clients=2, pause=0.01) as traffic:
        for _ in range(3):
            crash()
        wait_until(lambda: app.quick_deaths()[0] >= 3, what="it to be held back")
        app.push({"VERSION": "2"})
        assert app.version() == "2"
    traffic.assert_no_failure()
    app.await_settled()
    assert app.processes()[0]["restarts"] == 0 and app.quick_deaths() == (0, 0)


def test_requests_in_flight_are_finished_by_an_app_that_then_has_to_be_killed(platform):
    # It ignores SIGTERM, and writes down what it is asked before it answers.
    stubborn = web_app()["web.py"].replace("signal.signal(signal.SIGTERM,", "(lambda *_: None)(0,")
    note = "def do_GET(self):\n        print(self.path, file=open('/tmp/requests', 'a'))"
    stubborn = stubborn.replace("def do_GET(self):", note)
    assert "lambda *_: None" in stubborn and "/tmp/requests" in stubborn
    toml = '[processes.web]\ncommand = "trap \'\' TERM; python3 web.py"\nstop_timeout = "300ms"\n'
    app = platform.deploy(web_app("old", pushrod_toml=toml) | {"web.py": stubborn})
    pid = app.processes()[0]["pid"]
    answers = []
    slow = threading.Thread(target=lambda: answers.append(platform.http(app.host, "/slow?ms=1500")))
    slow.start()
    wait_until(lambda: "slow" in app.get("/read?path=/tmp/requests").text, what="the request to be there")
    app.push({"VERSION": "new"})
    assert app.version() == "new"
    slow.join()
    assert (answers[0].status, answers[0].text) == (200, "old")
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 10, "SIGKILL at the deadline")
    app.await_settled()


def test_a_stopping_app_can_finish_its_answers(platform):
    # Its requests take longer than the old instance may drain; but it finishes them on SIGTERM.
    patient = web_app()["web.py"].replace("daemon_threads = True", "daemon_threads = False")
    patient = patient.replace("time.sleep(int(", "os.path.exists('/data/go') or self.wait_for_go(), time.sleep(int(")
    patient = patient.replace(
        "    def get_slow(self):",
        "    def wait_for_go(self):\n"
        "        open('/data/asked', 'w').close()\n"
        "        while not os.path.exists('/data/go'):\n"
        "            time.sleep(0.01)\n\n"
        "    def get_slow(self):",
    )
    assert "wait_for_go()" in patient and "daemon_threads = False" in patient
    toml = '[processes.web]\ncommand = "exec python3 web.py"\ndrain_timeout = "100ms"\nstop_timeout = "60s"\n'
    app = platform.deploy(web_app("old", pushrod_toml=toml) | {"web.py": patient})
    answers = []
    slow = threading.Thread(target=lambda: answers.append(platform.http(app.host, "/slow?ms=1")))
    slow.start()
    wait_until((app.data / "asked").exists, what="the request to be there")
    app.push({"VERSION": "new"})
    log = platform.root / "logs" / app.name / "instances" / "1.web.1" / "current"
    wait_until(lambda: "version old ends" in log.read_text(), what="SIGTERM")
    for _ in range(2):  # the daemon has looked at it since: it removes what it does not know
        (platform.root / "run" / "services" / "stranger.1.web.1").mkdir()
        wait_until(lambda: not platform.service_directory("stranger.1.web.1").exists(), what="a look of the daemon")
    (app.data / "go").touch()
    slow.join()
    assert (answers[0].status, answers[0].text) == (200, "old")
    app.await_settled()


def test_a_second_daemon_on_one_root_is_refused(platform):
    result = platform.pushrod("serve", code=1)
    assert "daemon" in result.err and "already" in result.err
    assert platform.daemon_pid()


def test_an_app_that_is_destroyed_while_it_serves_is_gone_for_clients_at_once(platform):
    app, neighbour = platform.deploy(web_app("1")), platform.deploy(web_app("neighbour"))
    with Traffic(neighbour, clients=1, pause=0.01) as other, Traffic(app, clients=2, pause=0.005) as traffic:
        platform.pushrod("app", "destroy", app.name, "--yes")
        returned = time.monotonic()
        traffic.await_requests(10)
    other.assert_no_failure()
    statuses = [request.status for request in traffic.requests()]
    assert set(statuses) <= {200, 502, 503, 404}
    assert {request.status for request in traffic.requests() if request.start > returned} == {404}
    app.await_no_traces()
    assert not platform.processes(f"/{app.name}")
