"""A running Pushrod on a root directory and ports of its own."""

import contextlib
import getpass
import http.client
import itertools
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from .app import App, WorkTree, web_app
from .commands import COMMAND_TIMEOUT, run_command, start_command, wait_until
from .ports import PortBlock
from .traffic import Response


def pushrod_binary() -> Path:
    """The program under test: $PUSHROD_BIN, with pushrod-shim beside it."""
    path = os.environ.get("PUSHROD_BIN")
    if not path:
        raise RuntimeError("PUSHROD_BIN does not say where the program is; script/test does that")
    return Path(path).resolve()


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
        """Starts `pushrod up` on its ports, and makes it and its clients known to each other."""
        self.launch("--http", f"127.0.0.1:{self.ports.http}", "--ssh", f"127.0.0.1:{self.ports.ssh}", *arguments)
        if not self.json("key", "list"):
            self.pushrod("key", "add", "admin", f"{self.key}.pub")
        host_key = (self.root / "ssh" / "host_ed25519_key.pub").read_text().split()
        (self.home / "known_hosts").write_text(f"[127.0.0.1]:{self.ports.ssh} {host_key[0]} {host_key[1]}\n")
        return self

    def launch(self, *arguments):
        """Starts `pushrod up` with these arguments and waits until HTTP and SSH answer and the daemon looks after
        things."""
        assert self.up is None, "it runs already"
        log = open(self.directory / "up.log", "ab")
        argv = [self.binary, "--root", self.root, "up", *arguments]
        self.up = start_command(argv, env=self.server_env, stdout=log, stderr=log)
        log.close()

        def is_ready():
            if self.up.poll() is not None:
                raise AssertionError(f"`up` ended with {self.up.returncode}:\n{self.evidence()}")
            return self.daemon_pid() and self.accepts(self.ports.http) and self.accepts(self.ports.ssh)

        wait_until(is_ready, 30, f"`pushrod up` to be ready\n{self.evidence()}")

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
        # Most tests deploy an app that works: they do not wait to see that it stays up, unless they want to.
        health = "" if "[health]" in more else "\n[health]\nsettle = 0\nwatch = 0\n"
        (self.root / "server.toml").write_text(f"[ports]\nfirst = {first}\nlast = {last}\n{more}{health}")

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
            **self.git_login(),
        }

    def git_login(self, key=None, *options):
        """What makes git log in with this key and these options of ssh; for git(env=…)."""
        return {"GIT_SSH_COMMAND": shlex.join([*self.ssh_argv(key), *options])}

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

    def create_app(self, files=(), *, name=None, repo=None, branch="main", path=None, work=None, words=()):
        """Makes an app, and a clone of its repo with one commit of these files (or takes the clone `work`). Nothing
        is pushed yet. `words`: further ones for `app create`."""
        name = name or self.unique_name()
        repo = repo or (work.repo if work else name)
        words = ["--repo", repo, "--branch", branch, *(["--path", path] if path else []), *words]
        self.pushrod("app", "create", name, *words)
        return App(self, name, work or self.make_repo(files, repo), branch)

    def deploy(self, files=None, **options):
        """Makes an app and pushes these files (default: the test app) to it; returns it, live."""
        app = self.create_app(web_app() if files is None else files, **options)
        app.work.push(f"HEAD:refs/heads/{app.branch}")
        return app

    # Its files

    def files_that_contain(self, secret):
        """The files in the root with these bytes. Those that come and go meanwhile are read while they exist."""
        options = ["--recursive", "--no-messages", "--text", "--files-with-matches", "--fixed-strings", "--exclude-dir=build"]
        found = run_command(["grep", *options, "-e", secret, self.root], env=self.client_env, code=None)
        return found.out.splitlines()

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
