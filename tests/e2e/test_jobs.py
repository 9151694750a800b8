"""One-off commands: `run` and `shell`, here and over SSH, with and without a terminal, attached and detached."""

import hashlib
import os
import signal
import subprocess
import termios

import pytest
from harness import Terminal, finish, start_command, wait_until, web_app

WORKER = {"Procfile": "worker: exec sleep 1000\n"}


@pytest.fixture(scope="module")
def job_app(shared_platform):
    """An app that runs nothing but a sleeping worker; shared by the tests that only read it."""
    return shared_platform.deploy(WORKER, name="jobs")


def job_names(app):
    """The jobs that run, as `ps` shows them."""
    return [p["instance"] for p in app.processes() if p["process"] == "run"]


def await_no_job(app):
    """Waits until none runs and nothing of one is left."""
    wait_until(lambda: not job_names(app), what="the end of the jobs")
    directory = app.platform.root / "run" / "jobs"
    wait_until(lambda: not directory.is_dir() or not list(directory.iterdir()), what="the end of their sandboxes")


@pytest.fixture
def terminals():
    """A function that opens a terminal; all are closed at the end."""
    opened = []

    def open_terminal(argv, env, **options):
        opened.append(Terminal(argv, env, **options))
        return opened[-1]

    yield open_terminal
    for terminal in opened:
        terminal.close()


def ssh_t(platform, command):
    """ssh -t with this command."""
    return [*platform.ssh_argv(), "-t", "-p", str(platform.ports.ssh), f"{platform.user}@127.0.0.1", command]


# Words, environment, exit codes


def test_words_arrive_exactly_as_given_here_and_over_ssh(platform, job_app):
    script = "import sys; print(sys.argv[1:])"
    words = ["a  b", "", "$HOME", "'\"\\", "*", "-x", "--", "--detach", "ü"]
    here = platform.pushrod("run", job_app.name, "--", "python3", "-c", script, *words)
    assert here.out == f"{words}\n"
    there = platform.ssh("run", job_app.name, "--", "python3", "-c", script, *words)
    assert there.out == f"{words}\n"


def test_options_of_the_command_are_its_own_also_without_two_dashes(platform, job_app):
    assert platform.pushrod("run", job_app.name, "ls", "-d", "--", "/app").out == "/app\n"
    assert "coreutils" in platform.pushrod("run", job_app.name, "ls", "--version").out
    assert platform.pushrod("run", job_app.name, "echo", "--detach", "--stop", "x").out == "--detach --stop x\n"


def test_one_word_with_spaces_is_a_command_line(platform, job_app):
    assert platform.pushrod("run", job_app.name, "echo a b | tr a-z A-Z; exit 3", code=3).out == "A B\n"
    assert platform.ssh(f"run {job_app.name} 'echo $PROCESS && exit 4'", code=4).out == "run\n"


def test_it_has_what_an_instance_has(platform, job_app):
    result = platform.pushrod("run", job_app.name, "--", "sh", "-c", "env; pwd; touch /data/here; touch /app/x; ls /")
    lines = result.out.splitlines()
    assert "PROCESS=run" in lines and "APP=jobs" in lines and "RELEASE=1" in lines and "HOME=/tmp/home" in lines
    instance = next(line for line in lines if line.startswith("INSTANCE="))
    assert instance.startswith("INSTANCE=jobs.1.run.")
    assert "/app" in lines and "data" in lines
    assert not any("CANARY" in line or line.startswith("PORT=") for line in lines)
    assert "Read-only file system" in result.err
    assert (job_app.data / "here").exists()
    assert platform.pushrod("run", job_app.name, "hostname").out == "jobs\n"


@pytest.mark.parametrize("door", ["here", "ssh"])
def test_exit_codes_pass_through(platform, job_app, door):
    call = platform.pushrod if door == "here" else platform.ssh
    for command, code in [("exit 0", 0), ("exit 1", 1), ("exit 77", 77), ("exit 255", 255), ("kill -KILL $$", 137),
                          ("kill -TERM $$", 143)]:  # fmt: skip
        call("run", job_app.name, "--", "sh", "-c", command, code=code)
    assert "not found" in call("run", job_app.name, "--", "no-such-program", code=127).err
    call("run", job_app.name, "--", "/app", code=126)


def test_what_cannot_run_is_refused(platform, job_app):
    assert "missing command" in platform.pushrod("run", job_app.name, code=2).err
    assert "there is no app" in platform.ssh("run", "nobodys", "--", "ls", code=1).err
    never = platform.create_app(WORKER)
    assert "is not deployed" in platform.pushrod("run", never.name, "--", "ls", code=1).err
    assert "no running job" in platform.pushrod("run", job_app.name, "--stop", "run.999", code=1).err
    platform.pushrod("run", job_app.name, "--stop", "run.1", "ls", code=2)


# Streams


def test_streams_are_binary_apart_and_half_closed(platform, job_app):
    data = os.urandom(5 << 20)
    process = platform.start_ssh(
        "run", job_app.name, "--", "sh", "-c", "tee /dev/stderr; echo end >&2", stdin=subprocess.PIPE
    )
    out, err = process.communicate(data, timeout=60)
    assert process.returncode == 0
    assert hashlib.sha256(out).digest() == hashlib.sha256(data).digest()
    assert err == data + b"end\n"


def test_a_command_ends_when_its_output_is_no_longer_read(platform, job_app):
    argv = [platform.binary, "--root", platform.root, "run", job_app.name, "--", "yes"]
    process = start_command(argv, env=platform.server_env)
    assert process.stdout.read(4) == b"y\ny\n"
    process.stdout.close()
    assert process.wait(20) in (129, 141)
    process.stderr.close()
    await_no_job(job_app)


def test_a_shell_is_in_the_audit(platform, job_app):
    platform.pushrod("shell", job_app.name, input="exit 42\n", code=42)
    newest = platform.json("audit", job_app.name)[0]
    assert (newest["action"], newest["outcome"]) == ("shell", "failed: exit code 42")


# A terminal


def test_a_terminal_over_ssh(platform, job_app, terminals):
    terminal = terminals(ssh_t(platform, f"shell {job_app.name}"), platform.client_env)
    terminal.await_text("jobs:/app$ ")
    terminal.type("stty size; echo $TERM $PROCESS; tty\r")
    terminal.await_text("33 111")
    terminal.await_text("xterm run")
    terminal.type("until [ \"$(stty size)\" = '50 132' ]; do sleep 0.02; done; echo re''sized\r")
    terminal.resize(50, 132)
    terminal.await_text("resized")
    terminal.await_text("$ ")
    terminal.type("sleep 1008\r")
    wait_until(lambda: platform.processes("sleep 1008"), what="sleep to run")
    terminal.type("\x03")
    terminal.await_text("$ ")
    terminal.type("echo code $?\r")
    terminal.await_text("code 130")
    terminal.type("exit 42\r")
    assert terminal.wait() == 42
    await_no_job(job_app)


def test_a_terminal_here_is_put_back_and_never_handed_over(platform, job_app, terminals):
    argv = [platform.binary, "--root", platform.root, "run", job_app.name, "--", "sh", "-c",
            "ls -l /proc/self/fd/0; test -t 0 && test -t 1 && test -t 2 && echo terminals; read x; exit 9"]  # fmt: skip
    terminal = terminals(argv, platform.server_env)
    own = os.ttyname(terminal.theirs)
    terminal.await_text("terminals")
    assert f"{own}\r".encode() not in terminal.screen
    assert not termios.tcgetattr(terminal.theirs)[3] & termios.ICANON
    terminal.type("\r")
    assert terminal.wait() == 9
    assert termios.tcgetattr(terminal.theirs)[3] == terminal.modes[3]


def test_git_gets_no_terminal(platform, job_app, terminals):
    terminal = terminals(ssh_t(platform, f"git-upload-pack '{job_app.name}'"), platform.client_env)
    assert terminal.wait() == 1
    terminal.await_text("git cannot use a terminal")


# The end of a connection


@pytest.mark.parametrize("with_terminal", [True, False])
def test_it_ends_with_the_connection_and_leaves_nothing(platform, job_app, terminals, with_terminal):
    script = "trap '' HUP; (trap '' HUP TERM; while :; do sleep 0.05; done) & echo begun; while :; do sleep 0.05; done"
    if with_terminal:
        terminal = terminals(ssh_t(platform, f'run {job_app.name} -- sh -c "{script}"'), platform.client_env)
        terminal.await_text("begun")
        assert len(job_names(job_app)) == 1
        terminal.hang_up()
    else:
        client = platform.start_ssh("run", job_app.name, "--", "sh", "-c", script, stdin=subprocess.PIPE)
        assert client.stdout.readline() == b"begun\n"
        assert len(job_names(job_app)) == 1
        client.kill()
        client.communicate()
    await_no_job(job_app)
    assert not platform.processes("run/jobs/")


def test_a_killed_holder_takes_its_sandbox_with_it(platform, job_app):
    client = platform.start_pushrod("run", job_app.name, "--", "sh", "-c", "echo begun; sleep 1000 & sleep 1001")
    assert client.stdout.readline() == b"begun\n"
    client.kill()
    client.communicate()
    wait_until(lambda: not platform.processes("sleep 1001"), what="the end of its sandbox")
    await_no_job(job_app)


# Detached


def test_a_detached_job_goes_on_without_connection_and_daemon(make_platform):
    platform = make_platform().start()
    app = platform.deploy(WORKER)
    name = platform.ssh("run", app.name, "--detach", "--", "sh", "-c",
                        "echo out; echo err >&2; until [ -e /data/go ]; do sleep 0.02; done; echo done").out.strip()  # fmt: skip
    assert name == "run.1"
    assert job_names(app) == [f"{app.name}.1.run.1"]
    shown = next(p for p in app.processes() if p["process"] == "run")
    assert shown["state"] == "running" and shown["author"] == "admin" and "until" in shown["command"]
    os.kill(platform.daemon_pid(), signal.SIGKILL)
    (app.data / "go").touch()
    await_no_job(app)
    log = wait_until(lambda: platform.pushrod("logs", app.name, "--process", "run.1").out, what="its log")
    assert [line.split(" | ")[1] for line in log.splitlines()] == ["out", "err", "done",
                                                                      "pushrod: run.1 ended: exit code 0"]
    assert platform.pushrod("logs", app.name, "--process", "run").out == log


def test_all_processes_of_a_detached_job_are_stopped(platform, job_app):
    name = platform.ssh("run", job_app.name, "-d", "--", "sh", "-c",
                        "trap 'echo told; exit 5' TERM; sleep 1002 & wait").out.strip()  # fmt: skip
    wait_until(lambda: platform.processes("sleep 1002"), what="it to run")
    assert "has ended" in platform.ssh("run", job_app.name, "--stop", name).out
    assert not platform.processes("sleep 1002")
    await_no_job(job_app)
    log = wait_until(lambda: platform.pushrod("logs", job_app.name, "--process", name).out, what="its log")
    assert "told" in log and f"pushrod: {name} ended: exit code 5" in log


def test_a_detached_jobs_killed_holder_is_settled(platform, job_app):
    platform.pushrod("run", job_app.name, "--detach", "--", "sleep", "1003")
    shown = next(p for p in job_app.processes() if p["process"] == "run")
    os.kill(shown["pid"], signal.SIGKILL)
    wait_until(lambda: not platform.processes("sleep 1003"), what="the end of its sandbox")
    await_no_job(job_app)


def test_the_end_of_the_tree_ends_jobs(make_platform):
    platform = make_platform().start()
    app = platform.deploy(WORKER)
    platform.pushrod("run", app.name, "--detach", "--", "sleep", "1004")
    attached = platform.start_pushrod("run", app.name, "--", "sleep", "1005")
    wait_until(lambda: platform.processes("sleep 1005"), what="it to run")
    platform.stop()  # asserts that nothing is left
    assert finish(attached).code in (129, 143)


def test_destroying_an_app_ends_its_jobs(platform):
    app = platform.deploy(WORKER)
    other = platform.deploy(WORKER)
    platform.pushrod("run", app.name, "--detach", "--", "sleep", "1006")
    platform.pushrod("run", other.name, "--detach", "--", "sleep", "1007")
    platform.pushrod("app", "destroy", app.name, "--yes")
    assert not platform.processes("sleep 1006")
    assert platform.processes("sleep 1007")
    platform.pushrod("app", "destroy", other.name, "--yes")


def test_deployments_let_a_job_finish_on_its_own_code(make_platform):
    platform = make_platform(settings="[retention]\nreleases = 1\n").start()
    app = platform.deploy(web_app("1"))
    platform.pushrod("run", app.name, "--detach", "--", "sh", "-c",
                     "until [ -e /data/go ]; do sleep 0.02; done; cat /app/VERSION; cat web.py | head -n 1")  # fmt: skip
    for version in "234":
        app.push({"VERSION": version + "\n"})
    app.platform.pushrod("restart", app.name)
    wait_until(lambda: len([p for p in app.processes() if p["process"] == "web"]) == 1, what="old instances to go")
    assert 1 in app.releases()
    (app.data / "go").touch()
    await_no_job(app)
    log = wait_until(lambda: platform.pushrod("logs", app.name, "--process", "run").out, what="its log")
    assert log.splitlines()[0].endswith("| 1")
    app.push({"VERSION": "5\n"})
    wait_until(lambda: 1 not in app.releases(), what="its checkout to be pruned")


def test_twenty_jobs_at_once_have_names_of_their_own(platform, job_app):
    started = [platform.start_pushrod("run", job_app.name, "--", "sh", "-c", "echo $INSTANCE") for _ in range(20)]
    names = {finish(process, code=0).out for process in started}
    assert len(names) == 20
    await_no_job(job_app)
