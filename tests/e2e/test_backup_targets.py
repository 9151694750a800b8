"""Backup targets on another machine: over SFTP, with a real sshd and Debian's sftp-server on loopback."""

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

pytest.register_assert_rewrite("test_backups")

from harness import Terminal, wait_until  # noqa: E402
from harness.commands import start_command  # noqa: E402
from harness.ports import PortBlock  # noqa: E402
from test_backups import findings, orders, shop  # noqa: E402

SFTP_SERVER = "/usr/lib/openssh/sftp-server"


def below(pid):
    """The processes below one."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [deeper for child in children for deeper in below(child)]


class Nas:
    """Another machine for backups: an sshd that offers SFTP, for the platform's user. Its clients find it by a
    configuration of the test's own, since ssh looks for one in the home directory of the account, not in $HOME."""

    def __init__(self, platform):
        self.platform, self.directory, self.ports = platform, platform.directory / "nas", PortBlock()
        self.port = self.ports.first
        self.known_hosts = self.directory / "known_hosts"
        self.directory.mkdir()
        self.environment = platform.client_env
        for name in ("host", "user"):
            self.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.directory / name)
        (self.directory / "authorized_keys").write_bytes((self.directory / "user.pub").read_bytes())
        self.known_hosts.touch()
        (self.directory / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1:{self.port}\nHostKey {self.directory}/host\nPidFile none\nUsePAM no\n"
            f"AuthorizedKeysFile {self.directory}/authorized_keys\nPasswordAuthentication no\nStrictModes no\n"
            f"KbdInteractiveAuthentication no\nSubsystem sftp {SFTP_SERVER}\n"
        )
        (self.directory / "ssh_config").write_text(
            f"Host nas.test\nHostName 127.0.0.1\nPort {self.port}\nIdentityFile {self.directory}/user\n"
            f"IdentitiesOnly yes\nUserKnownHostsFile {self.known_hosts}\n"
        )
        programs = self.directory / "bin"
        programs.mkdir()
        (programs / "ssh").write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {self.directory}/ssh_config "$@"\n')
        (programs / "ssh").chmod(0o755)
        self.path = f"{programs}:{os.environ['PATH']}"
        self.url = f"sftp:{platform.user}@nas.test:{self.directory}/repository"
        self.sshd = None
        self.start()

    def run(self, *argv):
        subprocess.run([str(word) for word in argv], env=self.environment, check=True, stdin=subprocess.DEVNULL)

    def start(self):
        log = open(self.directory / "sshd.log", "ab")
        self.sshd = start_command(["/usr/sbin/sshd", "-D", "-e", "-f", self.directory / "sshd_config"],
                                  env=self.environment, stdout=log, stderr=log)  # fmt: skip
        log.close()
        wait_until(lambda: self.platform.accepts(self.port), 10, "the other machine's sshd")

    def be_known(self):
        """As the administrator's first connection does."""
        key = (self.directory / "host.pub").read_text().split()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {key[0]} {key[1]}\n")

    def cut(self):
        """Ends all connections, as when a cable is pulled; true if there were any."""
        found = below(self.sshd.pid)
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(found)

    def stop(self):
        if self.sshd is None:
            return
        self.cut()
        self.sshd.terminate()
        self.sshd.wait(10)
        self.sshd = None

    def bytes(self):
        """What lies there."""
        return sum(path.stat().st_size for path in (self.directory / "repository").rglob("*") if path.is_file())


@pytest.fixture
def nas(make_platform, monkeypatch):
    """The other machine, of a platform that is started here."""
    platform = make_platform()
    machine = Nas(platform)
    try:
        monkeypatch.setenv("PATH", machine.path)
        platform.start()
        yield machine
    finally:
        machine.stop()
        machine.ports.release()


def add(nas):
    """Its password."""
    nas.be_known()
    said = nas.platform.pushrod("backup", "target", "add", "nas", nas.url).out
    assert "Backup target nas is ready" in said
    return next(line.strip() for line in said.splitlines() if line.startswith("  ") and "-" in line)


def test_backups_go_to_another_machine_and_come_back_from_it(nas, make_platform):
    platform = nas.platform
    app = shop(platform)
    # A host that is not known is not asked about, with and without a terminal: no answer could come. restic may end before
    # it has passed on what ssh says.
    words = [platform.binary, "--root", platform.root, "backup", "target", "add", "nas", nas.url]
    terminal = Terminal(words, platform.server_env)
    terminal.await_text("the target cannot be used")
    assert terminal.wait() == 1
    assert "the target cannot be used" in platform.pushrod(*words[3:], code=1).err
    password = add(nas)
    assert "read back" in platform.pushrod("backup", "create", app.name).out
    (app.data / "file").write_text("changed")
    assert "read back" in platform.pushrod("backup", "create", app.name).out
    newest, oldest = platform.json("backup", "list", app.name)
    assert newest["target"] == "nas"
    assert "1 SQLite database" in platform.pushrod("backup", "verify", app.name).out
    platform.pushrod("backup", "restore", app.name, "then", "--backup", oldest["backup"])
    assert (platform.root / "data" / "then" / "file").read_text() == "as it was" and orders(platform, "then") == 100
    platform.pushrod("app", "destroy", "then", "--yes")
    assert "Removed 1 backup" in platform.pushrod("backup", "prune", app.name, "--keep", "1").out
    assert [one["backup"] for one in platform.json("backup", "list", app.name)] == [newest["backup"]]
    assert not any(b"s3cret-value" in path.read_bytes() for path in nas.directory.glob("repository/data/*/*"))
    # The machine is lost, and comes back on another one.
    platform.pushrod("backup", "create", "--all")
    platform.stop()
    new = make_platform()
    settings = (new.root / "server.toml").read_text()
    shutil.rmtree(new.root)
    assert "restore its 1 app" in new.pushrod("restore", nas.url, input=f"RESTIC_PASSWORD={password}\n").out
    (new.root / "server.toml").write_text(settings)  # this machine has other ports
    new.start()
    new.pushrod("backup", "restore", "--all")
    assert app.name in new.app_names() and new.http(app.host).status == 200
    assert (new.root / "data" / app.name / "file").read_text() == "changed" and orders(new, app.name) == 100


def test_a_target_that_is_away_is_told_and_used_again(nas):
    platform = nas.platform
    app = shop(platform)
    add(nas)
    platform.pushrod("backup", "create", app.name)
    nas.stop()
    failed = platform.pushrod("backup", "create", app.name, code=None)
    assert failed.code != 0 and "Connection refused" in failed.err, failed.err
    assert "Connection refused" in platform.json("app", "info", app.name)["backup"]["problem"]
    assert not findings(platform)[f"backup of {app.name}"]["good"]
    assert app.version() == "1"
    nas.start()
    platform.pushrod("backup", "create", app.name)
    assert platform.json("app", "info", app.name)["backup"]["problem"] is None
    assert len(platform.json("backup", "list", app.name)) == 2


@pytest.mark.parametrize("doing", ["create", "restore"])
def test_a_connection_that_is_cut_leaves_nothing_half_done(nas, doing):
    platform = nas.platform
    app = shop(platform)
    add(nas)
    (app.data / "large").write_bytes(os.urandom(100 << 20))
    if doing == "restore":
        platform.pushrod("backup", "create", app.name)
        (app.data / "file").write_text("changed")
        going = platform.start_pushrod("backup", "restore", app.name, "then")
        wait_until(lambda: list((platform.root / "transfers").rglob("large")), 40, "the restore to read")
    else:
        before = nas.bytes()
        going = platform.start_pushrod("backup", "create", app.name)
        wait_until(lambda: nas.bytes() > before + (8 << 20), 20, "the backup to write")
    assert nas.cut()
    try:
        _, err = going.communicate(timeout=60)
        assert going.returncode != 0 and err.strip(), err
    except subprocess.TimeoutExpired:  # restic tries again for a quarter of an hour from 0.17 on
        going.send_signal(signal.SIGINT)
        going.communicate(timeout=60)
        assert going.returncode != 0
    assert "then" not in platform.app_names()
    made = platform.json("backup", "list", app.name)
    assert len(made) == (1 if doing == "restore" else 0), "a half one counts"
    wait_until(lambda: not list((platform.root / "transfers").glob("*")), 60, "the end of what it unpacked")
    # The next one works, with whatever the first has left there.
    assert "read back" in platform.pushrod("backup", "create", app.name).out
    platform.pushrod("backup", "restore", app.name, "then")
    assert (platform.root / "data" / "then" / "large").read_bytes() == (app.data / "large").read_bytes()
