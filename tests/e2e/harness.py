"""A whole Pushrod in a temporary directory, for tests from end to end.

`Platform` is a running tree: own root, own ports, own key. `WorkTree` is a developer's clone. `Traffic` asks an app
all the time. Everything waits for events with a deadline, and a failed command says what it printed.
"""

import contextlib
import getpass
import http.client
import itertools
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

APPS = Path(__file__).parent / "apps"
COMMAND_TIMEOUT = 90.0

# pushrod.toml of a build that says that it has begun, and goes on when it is told to (see App.await_build()).
HELD_BUILD = """[build]
command = "touch /cache/begun; echo building; until [ -e /cache/go ]; do sleep 0.02; done; rm -f /cache/begun"
"""


def pushrod_binary() -> Path:
    """The program under test: $PUSHROD_BIN, with pushrod-shim beside it."""
    path = os.environ.get("PUSHROD_BIN")
    if not path:
        raise RuntimeError("PUSHROD_BIN does not say where the program is; script/test does that")
    return Path(path).resolve()


def wait_until(condition, deadline=20.0, what="the condition"):
    """Calls condition() until it returns something true, which is returned; AssertionError after the deadline."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not so after {deadline} s (last: {value!r})")
        time.sleep(0.02)


# Commands


@dataclass
class Result:
    """How a command ended."""

    argv: list
    code: int
    out: str
    err: str

    @property
    def text(self):
        """All that it printed."""
        return self.out + self.err

    def json(self):
        """Its standard output, parsed."""
        return json.loads(self.out)

    def __str__(self):
        return f"{shlex.join(map(str, self.argv))}\nexit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class CommandFailed(AssertionError):
    """A command ended otherwise than the test wanted; the message holds all that it printed."""

    def __init__(self, result):
        super().__init__(str(result))
        self.result = result


def start_command(argv, *, env, cwd=None, **options):
    """A command that goes on beside the test, in a session of its own, with pipes for its output; see finish()."""
    return subprocess.Popen(
        [str(word) for word in argv], env=env, cwd=cwd, start_new_session=True,
        **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
    )  # fmt: skip


def finish(process, *, input=None, code=None, timeout=COMMAND_TIMEOUT):
    """Waits for a command of start_command(). `code`: what it must end with; None: anything."""
    try:
        out, err = process.communicate(input=input, timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(
            f"{process.args} did not end within {timeout} s\n{out.decode(errors='replace')}\n{err.decode(errors='replace')}"
        ) from None
    result = Result(process.args, process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))
    if code is not None and result.code != code:
        raise CommandFailed(result)
    return result


def run_command(argv, *, env, cwd=None, input=None, code=0, timeout=COMMAND_TIMEOUT):
    """Runs a command to its end."""
    if isinstance(input, str):
        input = input.encode()
    stdin = subprocess.DEVNULL if input is None else subprocess.PIPE
    return finish(start_command(argv, env=env, cwd=cwd, stdin=stdin), input=input, code=code, timeout=timeout)


# Ports


class PortBlock:
    """A hundred ports below the ephemeral ones that no other platform on this machine has.

    The claim is an abstract socket's name, so that it ends with the process that made it. All ports are free.
    """

    FIRST, LAST, SIZE = 11_000, 31_000, 100
    _start = itertools.count(os.getpid() * 7)

    def __init__(self):
        count = (self.LAST - self.FIRST) // self.SIZE
        start = next(self._start)
        for index in range(count):
            self.first = self.FIRST + (start + index) % count * self.SIZE
            self._claim = socket.socket(socket.AF_UNIX)
            try:
                self._claim.bind(f"\0pushrod-e2e-ports-{self.first}")
                if not self.taken():
                    return
            except OSError:
                pass
            self._claim.close()
        raise RuntimeError("no free ports are left")

    @property
    def http(self):
        """Where the router listens."""
        return self.first

    @property
    def ssh(self):
        """Where sshd listens."""
        return self.first + 1

    @property
    def apps(self):
        """First and last port of the apps."""
        return self.first + 2, self.first + self.SIZE - 1

    def taken(self):
        """The ports of the block on which somebody listens."""
        taken = []
        for port in range(self.first, self.first + self.SIZE):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    taken.append(port)
        return taken

    def release(self):
        """Others may have them."""
        self._claim.close()


# HTTP


@dataclass
class Response:
    """An answer, read to its end."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self):
        """The body as text."""
        return self.body.decode(errors="replace")

    def json(self):
        """The body, parsed."""
        return json.loads(self.body)


@dataclass
class Request:
    """What happened to one request of Traffic."""

    start: float  # time.monotonic()
    end: float
    status: int  # 0: none came
    text: str  # the body, or what went wrong


class Traffic:
    """Clients that ask an app all the time, as a context manager.

        with Traffic(app) as traffic:
            app.push(...)
        traffic.assert_no_failure()

    `clients` threads, each with one request at a time; `keep_alive`: over one connection each, else over a new one for
    each request. They end by themselves after `at_most` seconds.
    """

    def __init__(self, app, path="/", clients=4, keep_alive=True, pause=0.002, at_most=90.0):
        self._port, self._host, self._path = app.platform.ports.http, app.host, path
        self._keep_alive, self._pause = keep_alive, pause
        self._end = time.monotonic() + at_most
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._requests = []
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        self.await_requests(len(self._threads))
        return self

    def __exit__(self, *error):
        self._stop.set()
        for thread in self._threads:
            thread.join(40)
            assert not thread.is_alive(), "a request got no answer"

    def _ask(self):
        connection = None
        while not self._stop.is_set() and time.monotonic() < self._end:
            start = time.monotonic()
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
            try:
                connection.request("GET", self._path, headers={"Host": self._host})
                response = connection.getresponse()
                request = Request(start, 0, response.status, response.read().decode(errors="replace"))
            except (OSError, http.client.HTTPException) as error:
                request = Request(start, 0, 0, repr(error))
            request.end = time.monotonic()
            if not self._keep_alive or request.status == 0:
                connection.close()
                connection = None
            with self._lock:
                self._requests.append(request)
            self._stop.wait(self._pause)
        if connection:
            connection.close()

    def requests(self):
        """All requests so far, in the order of their ends."""
        with self._lock:
            return list(self._requests)

    def await_requests(self, more, deadline=20.0):
        """Waits until so many more requests have been answered."""
        wanted = len(self.requests()) + more
        wait_until(lambda: len(self.requests()) >= wanted, deadline, f"{more} more requests")

    def failures(self):
        """The requests that got no answer, or another one than 200."""
        return [request for request in self.requests() if request.status != 200]

    def versions(self, since=0.0):
        """The bodies that requests got which began after that time (time.monotonic())."""
        return {request.text for request in self.requests() if request.start >= since and request.status == 200}

    def assert_no_failure(self):
        """Every request so far was answered with 200."""
        requests, failures = self.requests(), self.failures()
        assert requests, "no request was made"
        begin = requests[0].start
        shown = [f"after {failure.start - begin:.3f} s: {failure.status} {failure.text[:200]!r}" for failure in failures]
        assert not failures, f"{len(failures)} of {len(requests)} requests failed:\n" + "\n".join(shown[:20])


# The developer's side


def web_app(version="1", **files):
    """The files of the test app (apps/web.py), which answers `version`. More files as keyword arguments, where "_"
    stands for ".": web_app("2", pushrod_toml="…"). There is a Procfile unless pushrod.toml names the processes."""
    app = {"web.py": (APPS / "web.py").read_text(), "VERSION": version + "\n"}
    if "[processes" not in files.get("pushrod_toml", ""):
        app["Procfile"] = "web: python3 web.py\n"
    return app | {name.replace("_", "."): content for name, content in files.items()}


class WorkTree:
    """A clone on the developer's side."""

    def __init__(self, platform, directory, repo):
        self.platform, self.directory, self.repo = platform, directory, repo

    def git(self, *args, **options):
        """Runs git in it; options as for run_command()."""
        return self.platform.git(*args, cwd=self.directory, **options)

    def write(self, files):
        """Writes files: name → text, bytes, or None to delete it. A name that ends in ".sh" becomes executable."""
        for name, content in files.items():
            path = self.directory / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            if name.endswith(".sh"):
                path.chmod(0o755)

    def commit(self, files=(), message="a change"):
        """Writes files, commits everything (even nothing) and returns the commit's id."""
        self.write(dict(files))
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.head()

    def head(self):
        """The id of the commit that is checked out."""
        return self.git("rev-parse", "HEAD").out.strip()

    def push(self, *refspecs, options=(), code=0, arguments=()):
        """git push over SSH. Without refspecs: HEAD to the branch main. `options` are push options."""
        return self.finish_push(self.start_push(*refspecs, options=options, arguments=arguments), code=code)

    def start_push(self, *refspecs, options=(), arguments=()):
        """The same, going on beside the test; see finish_push()."""
        words = [word for option in options for word in ("-o", option)]
        words += [*arguments, "origin", *(refspecs or ["HEAD:refs/heads/main"])]
        return self.platform.start_client(["git", "push", *words], env=self.platform.client_env, cwd=self.directory)

    def finish_push(self, process, code=0):
        """Waits for the end of start_push()."""
        return finish(process, code=code)


class App:
    """An app of a platform, with a clone of its repo."""

    def __init__(self, platform, name, work, branch="main"):
        self.platform, self.name, self.work, self.branch = platform, name, work, branch

    @property
    def host(self):
        """The host name that it answers under."""
        return f"{self.name}.localhost"

    def push(self, files=(), code=0, **options):
        """Commits the files and pushes them to the app's branch. Returns the Result of git push."""
        self.work.commit(files)
        return self.work.push(f"HEAD:refs/heads/{self.branch}", code=code, **options)

    def start_push(self, files=()):
        """The same, going on beside the test: end it with finish(process)."""
        self.work.commit(files)
        return self.work.start_push(f"HEAD:refs/heads/{self.branch}")

    def get(self, path="/", status=200, **options):
        """GETs a path through the router; the answer must have this status."""
        response = self.platform.http(self.host, path, **options)
        assert response.status == status, f"GET {path} of {self.name}: {response.status} {response.text!r}"
        return response

    def version(self):
        """What it answers at /."""
        return self.get().text

    def ref(self):
        """The commit of its branch in Pushrod's repo; None if the branch is not there."""
        result = self.platform.git(
            "-C", self.platform.root / "repos" / f"{self.work.repo}.git", "rev-parse", "--verify", "--quiet",
            f"refs/heads/{self.branch}", code=None,
        )  # fmt: skip
        return result.out.strip() or None

    def processes(self):
        """`ps --json` of it."""
        return self.platform.json("ps", self.name)

    def instances(self, *states):
        """The names of its instances, sorted; only those in one of these states if any are given."""
        return sorted(p["instance"] for p in self.processes() if not states or p["state"] in states)

    def deployments(self):
        """`deployments --json` of it, the newest first."""
        return self.platform.json("deployments", self.name)

    def last_deployment(self):
        """The newest of them."""
        return self.deployments()[0]

    def checkouts(self):
        """The release numbers under checkouts/ (I4: two at most)."""
        return numbers_in(self.platform.root / "checkouts" / self.name)

    def releases(self):
        """The release numbers that are kept under releases/."""
        return numbers_in(self.platform.root / "releases" / self.name)

    @property
    def data(self):
        """Its /data."""
        return self.platform.root / "data" / self.name

    @property
    def build_cache(self):
        """Its /cache while it builds."""
        return self.platform.root / "cache" / self.name / "build"

    def await_build(self):
        """Waits until a build with HELD_BUILD has begun."""
        wait_until((self.build_cache / "begun").exists, what=f"the build of {self.name}")

    def release_build(self):
        """Lets builds with HELD_BUILD go on, also later ones."""
        self.build_cache.mkdir(parents=True, exist_ok=True)
        (self.build_cache / "go").touch()

    def hold_build(self):
        """Holds later builds with HELD_BUILD again."""
        (self.build_cache / "go").unlink(missing_ok=True)

    def await_settled(self):
        """Waits until old instances are gone: what is left serves, and there is at most one checkout."""
        wait_until(
            lambda: all(p["state"] == "running" for p in self.processes()) and len(self.checkouts()) <= 1,
            what=f"{self.name} to settle",
        )


def numbers_in(directory):
    """The names in a directory that are numbers; the empty list if there is no directory."""
    names = os.listdir(directory) if directory.is_dir() else []
    return sorted(int(name) for name in names if name.isdecimal())


# The platform


@dataclass
class HostProcess:
    """A process of the machine that belongs to a platform."""

    pid: int
    argv: list = field(default_factory=list)

    @property
    def command(self):
        """Its command line, to look something up in."""
        return " ".join(self.argv)


class Platform:
    """Pushrod on a root directory and ports of its own. start() before anything else; close() at the end."""

    def __init__(self, name="p", settings=""):
        """`settings`: more of server.toml, after [ports]."""
        self.name = name
        # Short: the paths of sockets in it may have 107 bytes.
        self.directory = Path(tempfile.mkdtemp(prefix="e2e."))
        self.root = self.directory / "root"
        self.home = self.directory / "home"
        self.ports = PortBlock()
        self.user = getpass.getuser()
        self.binary = pushrod_binary()
        self.up = None
        self._clients = []
        self._names = itertools.count(1)
        self.home.mkdir()
        self.root.mkdir(mode=0o700)
        self.write_settings(settings)
        self.key = self.home / "key.admin"
        self.make_key("admin")

    # Its life

    def start(self, *arguments):
        """Starts `pushrod up` and waits until HTTP and SSH answer and the daemon looks after things."""
        assert self.up is None, "it runs already"
        log = open(self.directory / "up.log", "ab")
        argv = [self.binary, "--root", self.root, "up", "--http", f"127.0.0.1:{self.ports.http}",
                "--ssh", f"127.0.0.1:{self.ports.ssh}", *arguments]  # fmt: skip
        self.up = start_command(argv, env=self.server_env, stdout=log, stderr=log)
        log.close()

        def is_ready():
            if self.up.poll() is not None:
                raise AssertionError(f"`up` ended with {self.up.returncode}:\n{self.evidence()}")
            return self.daemon_pid() and self.accepts(self.ports.http) and self.accepts(self.ports.ssh)

        wait_until(is_ready, 30, f"`pushrod up` to be ready\n{self.evidence()}")
        if not self.json("key", "list"):
            self.pushrod("key", "add", "admin", f"{self.key}.pub")
        host_key = (self.root / "ssh" / "host_ed25519_key.pub").read_text().split()
        (self.home / "known_hosts").write_text(f"[127.0.0.1]:{self.ports.ssh} {host_key[0]} {host_key[1]}\n")
        return self

    def stop(self, deadline=40.0):
        """Stops the tree with SIGTERM and asserts that nothing of it is left: no process, no port."""
        if self.up is not None:
            up, self.up = self.up, None
            up.terminate()
            try:
                up.wait(deadline)
            except subprocess.TimeoutExpired:
                raise AssertionError(f"`up` did not end within {deadline} s of SIGTERM\n{self.evidence()}") from None
        self.assert_nothing_left()

    def assert_nothing_left(self, deadline=5.0):
        """No process of the root and no open port is left; what is, is killed by its pid before this fails."""
        end = time.monotonic() + deadline
        while self.processes() and time.monotonic() < end:
            time.sleep(0.02)
        left = self.processes()
        shown = [f"{process.pid}: {process.command}" for process in left]
        self.kill_all()
        assert not left, "processes are left:\n" + "\n".join(shown) + "\n" + self.evidence()
        assert not self.ports.taken(), f"ports are taken: {self.ports.taken()}"

    def kill_all(self):
        """SIGKILL to everything of this root, as a power cut would. start() works again afterwards."""

        def kill():
            processes = self.processes()
            for process in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
            return not processes

        if self.up is not None:
            self.up.kill()
            self.up.wait()
            self.up = None
        wait_until(kill, 20, "the end of all processes")

    def close(self):
        """Stops it and deletes its directory; the end of every platform."""
        try:
            self.end_clients()
            self.stop()
        finally:
            self.kill_all()
            self.ports.release()
            subprocess.run(["chmod", "-R", "u+rwX", self.directory], check=False, stderr=subprocess.DEVNULL)
            shutil.rmtree(self.directory, ignore_errors=True)

    # What it is made of

    def write_settings(self, more=""):
        """Writes server.toml: the ports, and what the test wants."""
        first, last = self.ports.apps
        (self.root / "server.toml").write_text(f"[ports]\nfirst = {first}\nlast = {last}\n{more}")

    def make_key(self, name):
        """Makes an SSH key pair (and does not add it); returns the private key's path."""
        path = self.home / f"key.{name}"
        run_command(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path], env=self.client_env)
        return path

    @property
    def server_env(self):
        """The environment of `up` and of local commands: with a variable that must leak nowhere."""
        names = ("PATH", "LANG", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS")
        kept = {name: os.environ[name] for name in names if name in os.environ}
        return kept | {"HOME": str(self.home), "USER": self.user, "LOGNAME": self.user, "CANARY": "must not leak"}

    @property
    def client_env(self):
        """The environment of git and ssh on the developer's side."""
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.home),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.com",
            "GIT_SSH_COMMAND": shlex.join(self.ssh_argv()),
        }

    def ssh_argv(self, key=None):
        """ssh with its options, up to the host."""
        return [
            "ssh", "-F", "/dev/null", "-i", str(key or self.key), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
            "-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={self.home}/known_hosts", "-o",
            "LogLevel=ERROR",
        ]  # fmt: skip

    # Its doors

    def pushrod(self, *words, code=0, input=None, timeout=COMMAND_TIMEOUT):
        """Runs `pushrod --root … words` on this machine."""
        argv = [self.binary, "--root", self.root, *words]
        return run_command(argv, env=self.server_env, input=input, code=code, timeout=timeout)

    def start_pushrod(self, *words):
        """The same, going on beside the test: end it with finish(process)."""
        return self.start_client([self.binary, "--root", self.root, *words], env=self.server_env)

    def json(self, *words):
        """Runs `pushrod words --json` and parses what it prints."""
        return self.pushrod(*words, "--json").json()

    def ssh(self, *words, key=None, code=0, input=None, timeout=COMMAND_TIMEOUT):
        """Runs `ssh … words` against the built-in server; a single word is sent as it is, several are quoted."""
        return run_command(self._ssh(words, key), env=self.client_env, input=input, code=code, timeout=timeout)

    def start_ssh(self, *words, key=None, **options):
        """The same, going on beside the test: end it with finish(process)."""
        return self.start_client(self._ssh(words, key), env=self.client_env, **options)

    def start_client(self, argv, **options):
        """start_command() for a command that end_clients() may have to end."""
        self._clients.append(start_command(argv, **options))
        return self._clients[-1]

    def end_clients(self):
        """Ends the commands that a failed test has left running beside it."""
        clients, self._clients = self._clients, []
        for client in clients:
            if client.poll() is None:
                os.killpg(client.pid, signal.SIGKILL)
                client.communicate()

    def _ssh(self, words, key):
        command = words[0] if len(words) == 1 else shlex.join(map(str, words))
        return [*self.ssh_argv(key), "-p", str(self.ports.ssh), f"{self.user}@127.0.0.1", command]

    def git(self, *args, cwd=None, code=0, input=None, env=()):
        """Runs git as a developer would."""
        environment = self.client_env | dict(env)
        return run_command(["git", *args], env=environment, cwd=cwd or self.directory, code=code, input=input)

    def url(self, repo):
        """The repo's address."""
        return f"ssh://{self.user}@127.0.0.1:{self.ports.ssh}/{repo}"

    def http(self, host, path="/", method="GET", headers=(), body=None, timeout=30.0):
        """One request to the router, over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports.http, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers={"Host": host, **dict(headers)})
            response = connection.getresponse()
            return Response(response.status, response.headers, response.read())
        finally:
            connection.close()

    def connect_http(self, timeout=10.0):
        """A bare connection to the router."""
        return socket.create_connection(("127.0.0.1", self.ports.http), timeout)

    def accepts(self, port):
        """Does anybody listen on this port of 127.0.0.1?"""
        with socket.socket() as probe:
            probe.settimeout(5)
            return probe.connect_ex(("127.0.0.1", port)) == 0

    # Apps

    def unique_name(self, stem="app"):
        """A name that no app of this platform has."""
        stem = re.sub("[^a-z0-9]+", "-", stem.lower()).strip("-")[:30].rstrip("-")
        return f"{stem}-{next(self._names)}"

    def make_repo(self, files=(), repo="app"):
        """A clone with one commit of these files, whose origin is the platform's repo."""
        directory = self.directory / "work" / f"{repo}.{next(self._names)}"
        directory.mkdir(parents=True)
        work = WorkTree(self, directory, repo)
        work.git("init", "--quiet", "--template=", "--initial-branch=main")
        work.git("remote", "add", "origin", self.url(repo))
        if files:
            work.commit(files, "the first version")
        return work

    def app_names(self):
        """The names of all apps that there are."""
        return {app["app"] for app in self.json("app", "list")}

    def create_app(self, files=(), *, name=None, repo=None, branch="main", path=None, work=None):
        """Makes an app, and a clone of its repo with one commit of these files (or takes the clone `work`). Nothing
        is pushed yet."""
        name = name or self.unique_name()
        repo = repo or (work.repo if work else name)
        words = ["--repo", repo, "--branch", branch, *(["--path", path] if path else [])]
        self.pushrod("app", "create", name, *words)
        return App(self, name, work or self.make_repo(files, repo), branch)

    def deploy(self, files=None, **options):
        """Makes an app and pushes these files (default: the test app) to it; returns it, live."""
        app = self.create_app(web_app() if files is None else files, **options)
        app.work.push(f"HEAD:refs/heads/{app.branch}")
        return app

    # Its processes

    def processes(self, pattern=""):
        """The processes of the machine that belong to this root (by command line, environment, directory or mounts),
        whose command line contains the pattern. Git and ssh of the developer's side are none of them."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdecimal() or int(entry) == os.getpid():
                continue
            try:
                ours = os.stat(f"/proc/{entry}").st_uid == os.getuid()
            except FileNotFoundError:
                continue
            process = self._inspect(int(entry)) if ours else None
            if process and pattern in process.command:
                found.append(process)
        return found

    def _inspect(self, pid):
        root = str(self.root).encode()
        texts = []
        for name in ("cmdline", "environ", "mountinfo"):
            try:
                texts.append(Path(f"/proc/{pid}/{name}").read_bytes())
            except OSError:  # somebody else's, or gone
                texts.append(b"")
        try:
            texts.append(os.fsencode(os.readlink(f"/proc/{pid}/cwd")))
        except OSError:
            pass
        if not any(root in text for text in texts):
            return None
        return HostProcess(pid, [os.fsdecode(word) for word in texts[0].split(b"\0") if word])

    def service_pid(self, service):
        """The pid of a service's process (router, sshd, daemon, or an instance's shim); None if it is down."""
        directory = self.root / "run" / "services" / service
        if not directory.is_dir():
            return None
        result = run_command(["s6-svstat", "-o", "pid", directory], env=self.server_env, code=None)
        pid = int(result.out.strip() or -1) if result.code == 0 else -1
        return pid if pid > 0 else None

    def daemon_pid(self):
        """The pid of `pushrod serve`."""
        return self.service_pid("daemon")

    def service_directory(self, service):
        """run/services/<service>."""
        return self.root / "run" / "services" / service

    def log(self, service):
        """All that a service of ours wrote: router, sshd, daemon."""
        directory = self.root / "logs" / "_pushrod" / service
        names = sorted(directory.glob("@*")) + [directory / "current"] if directory.is_dir() else []
        return "".join(path.read_text(errors="replace") for path in names if path.is_file())

    def evidence(self, lines=40):
        """The ends of all logs of Pushrod itself, to print beside a failure."""
        texts = {"up": self.directory / "up.log", "gate": self.root / "logs" / "_pushrod" / "gate.log"}
        parts = [(name, path.read_text(errors="replace")) for name, path in texts.items() if path.is_file()]
        parts += [(service, self.log(service)) for service in ("daemon", "router", "sshd")]
        return "\n".join(f"--- {name}\n" + "\n".join(text.splitlines()[-lines:]) for name, text in parts if text)
