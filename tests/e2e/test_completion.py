"""Completion in real shells: bash, zsh and fish, each at a terminal of its own."""

import os
import time

import pytest
from harness import Terminal, run_command


@pytest.fixture
def shell_env(platform):
    """The environment of a shell that finds pushrod on its PATH and the platform's root."""
    path = f"{platform.binary.parent}:{os.environ['PATH']}"
    return platform.server_env | {"PATH": path, "PUSHROD_ROOT": str(platform.root), "TERM": "dumb"}


SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(pushrod completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'autoload -U compinit; compinit -u -D; eval "$(pushrod completion zsh)"'),
}


@pytest.fixture(params=SHELLS)
def terminal(request, platform, shell_env):
    """bash or zsh, with the completion that `pushrod completion` prints."""
    argv, prepare = SHELLS[request.param]
    terminal = Terminal(argv, shell_env, directory=platform.directory)
    # The echo of what is typed must not look like what is awaited.
    terminal.type(f"PS1='> '; {prepare}; echo rea''dy\n")
    terminal.await_text("ready")
    yield terminal
    terminal.close()


def complete(terminal, begun, result):
    """Types the words and a tab; then the line, run by echo, must be `result`."""
    terminal.type(f"{begun}\t")
    terminal.type("\x01echo said: \r")  # to the beginning of the line
    terminal.await_text(f"said: {result}")


def test_a_tab_completes_verbs_options_and_names(platform, terminal):
    app = platform.create_app(name=platform.unique_name("completed") + "-app")
    key = f"completed@{app.name}"
    platform.pushrod("key", "add", key, f"{platform.make_key(key)}.pub")
    terminal.await_text("> ")
    complete(terminal, "pushrod ap", "pushrod app")
    complete(terminal, "pushrod app inf", "pushrod app info")
    complete(terminal, f"pushrod app info {app.name[:-1]}", f"pushrod app info {app.name}")
    complete(terminal, f"pushrod logs {app.name} --sin", f"pushrod logs {app.name} --since")
    complete(terminal, f"pushrod key add x --app={app.name[:-1]}", f"pushrod key add x --app={app.name}")
    complete(terminal, f"pushrod key remove {key[:-1]}", f"pushrod key remove {key}")
    platform.pushrod("config", "set", app.name, "COLOUR=red")
    complete(terminal, f"pushrod config get {app.name} COL", f"pushrod config get {app.name} COLOUR")
    (platform.directory / "a-public-key.pub").touch()
    complete(terminal, "pushrod key add x a-pub", "pushrod key add x a-public-key.pub")


def test_fish_completes_too(platform, shell_env):
    app = platform.create_app(name=platform.unique_name("fishy"))

    def offered(line):
        script = f"pushrod completion fish | source; complete --do-complete '{line}'"
        out = run_command(["fish", "--no-config", "--command", script], env=shell_env).out
        return [candidate.split("\t")[0] for candidate in out.splitlines()]

    assert "app" in offered("pushrod a")
    assert offered("pushrod app inf") == ["info"]
    assert app.name in offered("pushrod app info ")
    assert offered("pushrod completion ") == ["bash", "fish", "zsh"]
    assert "--since" in offered(f"pushrod logs {app.name} --s")


def test_it_is_quick(platform, shell_env):
    """The time of one completion, the best of several: below 20 ms where nothing else slows the machine."""
    times = []
    for _ in range(10):
        start = time.monotonic()
        run_command(["pushrod", "complete", "app", "info", ""], env=shell_env)
        times.append(time.monotonic() - start)
    assert min(times) < 0.2, times
