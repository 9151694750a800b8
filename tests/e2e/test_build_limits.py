"""What a build may use, and what it says when it reached a limit."""

import json
import socket
import threading

import pytest
from harness import wait_until, web_app


def build(command, **more):
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in more.items())
    return web_app(pushrod_toml=f"[build]\ncommand = {json.dumps(command)}\n{lines}")


@pytest.mark.parametrize("setting, command, said", [
    ('build_silence = "1s"', "echo begun; sleep 1111", "it printed nothing and wrote no files for 1"),
    ('build_disk = "20M"', "head -c 60000000 /dev/zero > big; sleep 1111", "it wrote more than 21.0 MB to the disk"),
    ("build_files = 300", "mkdir d; cd d; touch $(seq 1 900); sleep 1111", "it made more than 300 files and directories"),
])  # fmt: skip
def test_a_build_that_reaches_a_limit_says_which_and_how_to_raise_it(make_platform, setting, command, said):
    platform = make_platform(settings=f"[limits]\n{setting}\n").start()
    app = platform.create_app(build(command))
    result = app.work.push(code=1)
    assert "the build was stopped: " + said in result.err
    assert f"[limits] {setting.split()[0]} in server.toml" in result.err
    wait_until(lambda: not platform.processes("sleep 1111"), what="the end of the build")


def test_output_keeps_a_build_from_being_silent(make_platform):
    platform = make_platform(settings='[limits]\nbuild_silence = "2s"\n').start()
    app = platform.create_app(build("for i in 1 2 3 4 5 6; do echo $i; sleep 0.6; done"))
    app.work.push()
    assert app.version() == "1"


def test_files_that_grow_keep_a_build_from_being_silent(make_platform):
    """npm prints nothing while it downloads."""
    platform = make_platform(settings='[limits]\nbuild_silence = "2s"\n').start()
    grow = "for i in 1 2 3 4 5 6 7 8; do head -c 100000 /dev/zero >> big; sleep 0.8; done"
    app = platform.create_app(build(f"echo begun; {grow}"))
    app.work.push()
    refused = app.push({"pushrod.toml": f"[build]\ncommand = {json.dumps('echo begun; ' + grow + '; sleep 1111')}\n"}, code=1)
    assert "it printed nothing and wrote no files for 2" in refused.err
    wait_until(lambda: not platform.processes("sleep 1111"), what="the end of the build")


def test_a_build_without_a_network_reaches_nothing(platform):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        reach = f"python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}), 2)'"
        app = platform.create_app(build(f"if {reach} 2>/dev/null; then exit 3; fi; echo alone > VERSION",
                                        network=False))  # fmt: skip
        app.work.push()
        assert app.version() == "alone"
        assert "the build failed with exit code 3" in app.push(
            {"pushrod.toml": f"[build]\ncommand = {json.dumps(f'if {reach}; then exit 3; fi')}\n"}, code=1
        ).err


def test_builds_have_a_lower_priority_than_what_serves(platform):
    app = platform.create_app(build("nice > VERSION; cat /proc/self/autogroup >> VERSION || true"))
    app.work.push()
    text = app.version()
    assert text.startswith("10")
    assert "nice 10" in text or "autogroup" not in text
    assert platform.pushrod("run", app.name, "--", "nice").out == "0\n"


def test_a_registry_that_does_not_answer_is_asked_once_more(platform):
    """Its first answer is cut off in the middle, its second is whole."""
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                asked.append(1)
                client.recv(4096)
                client.close()

        threading.Thread(target=serve, daemon=True).start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/simple"
        requirements = f"--index-url {address}\n--retries 0\ngreet==1.0\n".replace("--retries 0\n", "")
        app = platform.create_app(web_app(requirements_txt=requirements))
        result = app.work.push(code=1)
        server.shutdown(socket.SHUT_RDWR)
    assert result.err.count("and a server did not answer: trying once more") == 1
    assert len(asked) >= 2
