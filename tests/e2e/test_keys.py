"""Keys and the gate: who may do what over SSH."""


import pytest
from harness import run_command, web_app


def public(key):
    """The public half of a private key's path."""
    return key.with_name(key.name + ".pub")


@pytest.fixture
def new_key(platform):
    """The path of a key pair that Pushrod does not know, and a name for it."""
    name = platform.unique_name("key")
    return name, platform.make_key(name)


def authorized(platform):
    return (platform.root / "ssh" / "authorized_keys").read_bytes()


def test_a_key_works_from_its_addition_until_its_removal(platform, new_key):
    name, key = new_key
    platform.ssh("app", "list", key=key, code=255)
    result = platform.pushrod("key", "add", name, public(key))
    assert name in result.out and "SHA256:" in result.out
    platform.ssh("app", "list", key=key)
    listed = {k["key"]: k for k in platform.json("key", "list")}
    assert listed[name].keys() == {"key", "fingerprint", "public_key", "role", "apps", "created"}
    assert (listed[name]["role"], listed[name]["apps"]) == ("admin", "all")
    assert listed[name]["fingerprint"] in result.out
    platform.pushrod("key", "remove", name)
    platform.ssh("app", "list", key=key, code=255)
    assert name not in [k["key"] for k in platform.json("key", "list")]


@pytest.mark.parametrize("words", [(), ("-",)], ids=["no file", "dash"])
def test_a_key_can_be_added_through_standard_input_and_over_ssh(platform, new_key, words):
    name, key = new_key
    platform.ssh("key", "add", name, *words, input=public(key).read_text())
    platform.ssh("app", "list", key=key)
    platform.ssh("key", "remove", name)


def test_over_ssh_no_file_of_the_server_is_read(platform, new_key):
    name, _ = new_key
    result = platform.ssh("key", "add", name, "/etc/passwd", code=1)
    assert "standard input" in result.err


def test_bad_public_keys_are_refused_and_nothing_changes(platform, new_key):
    name, key = new_key
    good = public(key).read_text().strip()
    private = key.read_text()
    before = authorized(platform)
    for text in ("", "nonsense", f'command="sh" {good}', f"{good}\n{good}", f"no-pty {good}", good[:60], private,
                 f"{good}\nssh-rsa AAAA", good.replace("ssh-ed25519", "ssh-rsa"), "\0" + good, "x" * 100_000):  # fmt: skip
        result = platform.pushrod("key", "add", name, "-", input=text, code=1)
        assert result.err.startswith("pushrod: "), text
        assert "PRIVATE" not in result.err or text == private
    assert authorized(platform) == before
    assert name not in [k["key"] for k in platform.json("key", "list")]


def test_neither_a_name_nor_a_key_can_be_added_twice(platform, new_key):
    name, key = new_key
    platform.pushrod("key", "add", name, public(key))
    before = authorized(platform)
    platform.pushrod("key", "add", name, public(platform.make_key(name + "-other")), code=1)
    result = platform.pushrod("key", "add", name + "-again", public(key), code=1)
    assert name in result.err
    assert authorized(platform) == before


def test_removing_a_key_that_is_not_there_says_so(platform):
    assert "nobody" in platform.pushrod("key", "remove", "nobody", code=1).err


def test_a_key_for_one_app_can_use_that_and_sees_nothing_else(platform, new_key):
    name, key = new_key
    mine = platform.deploy(web_app("mine"))
    other = platform.deploy(web_app("other"), name=platform.unique_name("somebody-elses"))
    platform.pushrod("key", "add", name, public(key), "--app", mine.name)
    assert [k["apps"] for k in platform.json("key", "list") if k["key"] == name] == [[mine.name]]

    assert [a["app"] for a in platform.ssh("app", "list", "--json", key=key).json()] == [mine.name]
    assert [r["repo"] for r in platform.ssh("repo", "list", "--json", key=key).json()] == [mine.name]
    assert {p["app"] for p in platform.ssh("ps", "--json", key=key).json()} == {mine.name}
    platform.ssh("restart", mine.name, key=key)

    env = platform.git_login(key)
    mine.work.commit({"VERSION": "by key"})
    platform.git("push", "origin", "HEAD:main", cwd=mine.work.directory, env=env)
    assert mine.version() == "by key"
    assert mine.last_deployment()["author"] == name

    missing = platform.unique_name("nowhere-to-be-found")

    def told(result, app):
        return result.code, result.text.replace(app, "APP")

    for words in (["app", "info"], ["logs"], ["deployments"], ["ps"], ["restart"], ["cancel"]):
        answers = [told(platform.ssh(*words, app, key=key, code=1), app) for app in (other.name, missing)]
        assert answers[0] == answers[1], "forbidden and missing look the same"
    for service in ("git-receive-pack", "git-upload-pack"):
        answers = [told(platform.ssh(f"{service} '{app}'", key=key, code=1), app) for app in (other.name, missing)]
        assert answers[0] == answers[1]
    for words in (["app", "create", missing], ["app", "destroy", mine.name, "--yes"], ["key", "list"],
                  ["key", "add", "x"], ["key", "remove", "admin"]):  # fmt: skip
        platform.ssh(*words, key=key, code=1)
    assert other.version() == "other"


def test_a_branch_that_also_runs_another_app_is_not_for_a_key_of_one(platform, new_key):
    name, key = new_key
    mine = platform.deploy(web_app("1"))
    other = platform.create_app(work=mine.work)
    platform.pushrod("key", "add", name, public(key), "--app", mine.name)
    env = platform.git_login(key)
    mine.work.commit({"VERSION": "2"})
    result = platform.git("push", "origin", "HEAD:main", cwd=mine.work.directory, env=env, code=1)
    assert other.name not in result.err
    assert mine.version() == "1"


# The gate


def test_the_gate_refuses_what_is_neither_git_nor_a_verb_and_writes_it_down(platform):
    asked = [
        "sh", "bash -i", "/bin/sh", "env", "git-shell", "git-receive-pack", "git-receive-pack 'a' --help",
        "git-receive-pack '--help'", "git-upload-pack '../etc'", "git-upload-archive 'a'", "git gc", "rsync --server .",
        "scp -t /tmp", "app list; id", "app list $(id)", "'unbalanced", 'app "list', "app list\\", "serve", "up",
        "gate --key 1", "app list --root /tmp", " --root /tmp app list", "x" * 70_000, "git-receive-pack 'a' 'b'",
        "PATH=x app list", "app\tlist", " -c id", "git-receive-pack \"a\n\"",
    ]  # fmt: skip
    for command in asked:
        result = platform.ssh(command, code=None)
        assert result.code in (1, 2), f"{command[:80]!r}: {result}"
        assert "uid=" not in result.text
        assert result.err.startswith("pushrod: ") and len(result.err.splitlines()) <= 3, result
    log = (platform.root / "logs" / "_pushrod" / "gate.log").read_text()
    assert "refused" in log and '"bash -i"' in log
    assert all(line.startswith("20") for line in log.splitlines()), "one line each, whatever was asked"


def test_without_a_command_there_is_no_shell(platform):
    argv = [*platform.ssh_argv(), "-p", str(platform.ports.ssh), f"{platform.user}@127.0.0.1"]
    result = run_command(argv, env=platform.client_env, code=1)
    assert "no login shell" in result.err


@pytest.mark.parametrize("command", ["", "git-upload-pack 'x'", "git-receive-pack 'x'", "bash", "scp -t /tmp"])
def test_a_terminal_is_for_our_own_commands_alone(platform, command):
    argv = [*platform.ssh_argv(), "-tt", "-p", str(platform.ports.ssh), f"{platform.user}@127.0.0.1", command]
    result = run_command([word for word in argv if word], env=platform.client_env, code=1)
    assert result.text.startswith("pushrod: "), result


@pytest.mark.parametrize("direction", ["out", "in"])
def test_nothing_is_forwarded(platform, direction):
    options = {"out": ["-W", f"127.0.0.1:{platform.ports.http}"], "in": ["-N", "-R", "0:127.0.0.1:22"]}[direction]
    argv = [*platform.ssh_argv(), "-o", "ExitOnForwardFailure=yes", *options, "-p", str(platform.ports.ssh),
            f"{platform.user}@127.0.0.1"]  # fmt: skip
    result = run_command(argv, env=platform.client_env, code=None, input="GET / HTTP/1.0\r\n\r\n", timeout=20)
    assert result.code != 0
    assert "HTTP/1" not in result.out


@pytest.mark.parametrize("program", ["sftp", "scp"])
def test_files_cannot_be_copied(platform, program):
    options = [*platform.ssh_argv()[1:], "-P", str(platform.ports.ssh)]
    copy = platform.directory / "copied"
    target = f"{platform.user}@127.0.0.1:{copy}"
    words = [target] if program == "sftp" else ["/etc/hostname", target]
    result = run_command([program, *options, *words], env=platform.client_env, code=None, timeout=20)
    assert result.code != 0
    assert not copy.exists()


def test_variables_of_the_client_do_not_arrive(platform):
    app = platform.create_app(web_app(pushrod_toml='[build]\ncommand = "env > /cache/environment"\n'))
    env = platform.git_login(None, "-o", "SetEnv=LD_PRELOAD=/x LEAK=1")
    platform.git("push", "origin", "HEAD:main", cwd=app.work.directory, env=env)
    environment = (app.build_cache / "environment").read_text()
    assert "LEAK" not in environment and "LD_PRELOAD" not in environment and "CANARY" not in environment
    assert "SSH_" not in environment and "GIT_DIR" not in environment and "PUSHROD" not in environment
