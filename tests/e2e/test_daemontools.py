"""Pushrod under daemontools: the run file that share/ ships, under a real svscan."""

import http.client
import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from harness import run_command, start_command, wait_until, web_app

RUN_FILE = Path(__file__).parents[2] / "share" / "daemontools" / "run"
INSTALLED = "/usr/local/bin/pushrod up --user deploy"


class Service:
    """A scan directory with one service, which runs a platform."""

    def __init__(self, platform):
        self.platform = platform
        self.scan = platform.directory / "service"
        self.directory = self.scan / "pushrod"
        self.directory.mkdir(parents=True)
        text = RUN_FILE.read_text()
        assert f"exec {INSTALLED}\n" in text
        here = (f"{platform.binary} --root {platform.root} up --user {platform.user} "
                f"--http 127.0.0.1:{platform.ports.http} --ssh 127.0.0.1:{platform.ports.ssh}")  # fmt: skip
        run = self.directory / "run"
        run.write_text(text.replace(INSTALLED, here, 1))
        run.chmod(0o755)
        with open(platform.directory / "up.log", "ab") as log:
            self.svscan = start_command(["svscan", self.scan], env=platform.server_env, stdout=log, stderr=log)

    def tell(self, *words):
        """svc …"""
        run_command(["svc", *words, self.directory], env=self.platform.server_env)

    def state(self):
        """What svstat says."""
        return run_command(["svstat", self.directory], env=self.platform.server_env).out

    def pid(self):
        """The pid of `pushrod up`, which is s6-svscan by then."""
        return int(self.state().split("(pid ")[1].split(")")[0])

    def await_ready(self):
        """Waits until HTTP and SSH answer and the daemon runs."""
        platform = self.platform
        wait_until(
            lambda: platform.daemon_pid() and platform.accepts(platform.ports.http)
            and platform.accepts(platform.ports.ssh), 30, "Pushrod to be ready",
        )  # fmt: skip

    def close(self):
        """Ends svscan first, since it would start what ends; then the service and its supervise."""
        self.svscan.terminate()
        self.svscan.wait(10)

        def is_supervised():
            argv = ["svok", self.directory]
            return subprocess.run(argv, env=self.platform.server_env, check=False).returncode == 0

        if is_supervised():
            self.tell("-dx")
            wait_until(lambda: not is_supervised(), 60, "supervise to end")


@pytest.fixture
def service(make_platform):
    """A platform under svscan, ready, with a key."""
    platform = make_platform()
    service = Service(platform)
    try:
        service.await_ready()
        platform.pushrod("key", "add", "admin", f"{platform.key}.pub")
        host_key = (platform.root / "ssh" / "host_ed25519_key.pub").read_text()
        (platform.home / "known_hosts").write_text(f"[127.0.0.1]:{platform.ports.ssh} {host_key}")
        yield service
    finally:
        service.close()


def test_svc_d_lets_requests_finish_and_ends_everything_and_svc_u_brings_it_back(service):
    platform = service.platform
    app = platform.deploy(web_app("1"))
    answers = []

    def ask():
        try:
            answers.append(app.get("/slow?ms=1500").text)
        except (OSError, http.client.HTTPException, AssertionError) as error:
            answers.append(repr(error))

    client = threading.Thread(target=ask)
    app.get("/say?text=listening")
    client.start()
    # The request is with the app once HAProxy has a connection to it.
    port = app.processes()[0]["port"]
    wait_until(lambda: is_connected(port), what="the request to reach the app")
    service.tell("-d")
    wait_until(lambda: ": down " in service.state(), 40, "the end of `pushrod up`")
    client.join(10)
    assert answers == ["1"]
    platform.assert_nothing_left()

    service.tell("-u")
    service.await_ready()
    wait_until(lambda: platform.http(app.host).status == 200, what="the app to be back")
    assert app.version() == "1"


def is_connected(port):
    """Has anybody an open connection to this port of 127.0.0.1?"""
    established, wanted = "01", f"0100007F:{port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as table:
        return any(words[2] == wanted and words[3] == established for words in map(str.split, table))


def test_a_killed_s6_svscan_is_replaced_and_nothing_runs_twice(service):
    platform = service.platform
    app = platform.deploy(web_app("1"))
    killed = service.pid()
    os.kill(killed, signal.SIGKILL)
    # Until the next one has ended what was left, the old processes answer.
    log = platform.directory / "up.log"
    wait_until(lambda: log.read_text().count("Pushrod is up") == 2, 30, "supervise to start it again")
    assert "of an earlier tree" in log.read_text()
    service.await_ready()
    wait_until(lambda: platform.http(app.host).status == 200, what="the app to be back")
    assert app.version() == "1"
    assert len([p for p in platform.processes("web.py") if p.argv[0].startswith("python")]) == 1
    assert len([p for p in platform.processes(" serve") if "gate" not in p.argv]) == 1


def test_up_cannot_become_another_user_without_root(make_platform):
    platform = make_platform()
    result = platform.pushrod("up", "--user", "root", code=1)
    assert "only root can become" in result.err
