"""What the pusher reads: hints derived from the evidence, complete logs, headings at once, silent steps that speak."""

import re

from harness import HELD_BUILD, wait_until, web_app

QUICK_HEALTH = '[processes.web]\ncommand = "exec python3 web.py"\nhealth.timeout = "2s"\n'


def fail_to_push(platform, files):
    """Pushes files that do not go live; returns the app and what the pusher read."""
    app = platform.create_app(files)
    text = app.work.push(code=1).text
    return app, text


def hints(text):
    """The lines of complaint, without git's prefix."""
    return [line.split("!", 1)[1].strip() for line in text.splitlines() if re.match(r"remote:\s+!", line)]


def test_a_start_script_that_is_not_executable_is_explained(platform):
    files = web_app() | {"start": "#!/bin/sh\nexec python3 web.py\n", "Procfile": "web: ./start\n"}
    _, text = fail_to_push(platform, files)
    assert "./start is not executable: git update-index --chmod=+x start, then commit and push" in hints(text)
    assert "$PORT" not in text


def test_a_release_command_that_is_not_executable_is_explained(platform):
    files = web_app() | {"migrate": "#!/bin/sh\ntrue\n", "Procfile": "web: python3 web.py\nrelease: ./migrate\n"}
    app, text = fail_to_push(platform, files)
    assert "./migrate is not executable: git update-index --chmod=+x migrate, then commit and push" in hints(text)
    assert f"full output: logs {app.name} --deployment 1" in hints(text)


def test_a_script_with_windows_line_ends_is_explained(platform):
    files = web_app() | {"start.sh": "#!/bin/sh\r\nexec python3 web.py\r\n", "Procfile": "web: ./start.sh\n"}
    _, text = fail_to_push(platform, files)
    assert "start.sh has Windows line ends" in text


def test_a_missing_module_is_not_a_matter_of_ports(platform):
    _, text = fail_to_push(platform, {"app.py": "import flask_that_is_not_there\n", "Procfile": "web: python3 app.py\n"})
    assert 'the Python module "flask_that_is_not_there" is not installed' in text
    assert "$PORT" not in text


def test_an_error_that_nothing_explains_gets_no_hint(platform):
    files = {"app.py": "raise RuntimeError('of its own')\n", "Procfile": "web: python3 app.py\n"}
    app, text = fail_to_push(platform, files)
    assert hints(text)[0].endswith("ended with exit code 1")
    assert hints(text)[1] == f"full output: logs {app.name} --deployment 1"


def test_a_path_that_is_read_only_names_the_line_that_makes_it_writable(platform):
    files = {"app.py": "import os\nos.makedirs('tmp/pids')\n", "Procfile": "web: python3 app.py\n"}
    _, text = fail_to_push(platform, files)
    assert '[app] writable = ["tmp"]' in text
    assert "$DATA_DIR" in text


def test_the_address_that_it_listens_on_instead_is_named(platform):
    server = (
        "import http.server\ns = http.server.HTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)\n"
        "print('port', s.server_port, flush=True)\ns.serve_forever()\n"
    )
    app, text = fail_to_push(platform, {"web.py": server, "pushrod.toml": QUICK_HEALTH})
    port = re.search(r"port (\d+)", text)[1]
    assert f"it listens on 127.0.0.1:{port}, not on $PORT (" in text


def test_a_process_that_listens_on_nothing_is_diagnosed(platform):
    _, text = fail_to_push(platform, {"web.py": "import time\ntime.sleep(60)\n", "pushrod.toml": QUICK_HEALTH})
    assert "it does not listen on any port: a web process must listen on $PORT (" in text


def test_the_setting_that_is_missing_is_named(platform):
    files = {"app.py": "import os\nos.environ['SHOP_TOKEN']\n", "Procfile": "web: python3 app.py\n"}
    app, text = fail_to_push(platform, files)
    assert f"config set {app.name} SHOP_TOKEN=…" in text


def test_the_sockets_of_a_supervisor_do_not_hide_why_its_program_fails(platform):
    supervisor = (
        "import socket, time\ns = socket.socket(socket.AF_UNIX)\ns.bind('/tmp/rpc.sock')\ns.listen()\n"
        "print('Error: Config validation error: \"SHOP_TOKEN\" is required', flush=True)\ntime.sleep(60)\n"
    )
    app, text = fail_to_push(platform, {"web.py": supervisor, "pushrod.toml": QUICK_HEALTH})
    assert f"config set {app.name} SHOP_TOKEN=…" in text


def test_the_log_of_a_failed_start_is_complete_and_the_pusher_reads_the_essence(platform):
    program = (
        "print('Error: the first one', flush=True)\n"
        "for number in range(20_000): print('line', number)\nraise SystemExit(3)\n"
    )
    app, text = fail_to_push(platform, {"app.py": program, "Procfile": "web: python3 app.py\n"})
    shown = [line.removeprefix("remote:").strip() for line in text.splitlines()]
    assert "Error: the first one" in shown
    assert "line 19960" in shown and "line 19999" in shown and "line 19950" not in shown
    for log in (platform.pushrod("logs", app.name, "--deployment", "1"), platform.ssh("logs", app.name, "--deployment", "1")):
        lines = [line.strip() for line in log.out.splitlines()]
        assert [line for line in lines if line.startswith("line ")] == [f"line {number}" for number in range(20_000)]


def test_the_log_of_a_failed_start_shows_no_secret(platform):
    program = "import os\nfor _ in range(100): print('it is', os.environ['TOKEN'])\nraise SystemExit(3)\n"
    app = platform.create_app({"app.py": program, "Procfile": "web: python3 app.py\n"})
    platform.pushrod("config", "set", app.name, "--secret", "TOKEN=hunter22")
    assert "hunter22" not in app.work.push(code=1).text
    log = platform.pushrod("logs", app.name, "--deployment", "1").out
    assert log.count("it is [redacted]") == 100 and "hunter22" not in log


def test_an_error_far_above_the_end_of_a_build_is_repeated(platform):
    script = "echo 'error: could not compile'; for n in $(seq 100); do echo line $n; done; exit 1"
    _, text = fail_to_push(platform, web_app(pushrod_toml=f'[build]\ncommand = "{script}"\n'))
    assert "… the first line that looks like an error, 100 lines above: error: could not compile" in text


def test_a_silent_build_says_what_it_waits_for(platform):
    app = platform.create_app(web_app(pushrod_toml=HELD_BUILD))
    push = app.work.start_push()
    app.await_build()
    log = platform.root / "logs" / app.name / "deployments" / "1.log"
    wait_until(lambda: "-----> Building" in log.read_text(), what="the heading, before the step ends")
    wait_until(lambda: "still building (10" in log.read_text(), deadline=30, what="a word after ten seconds")
    app.release_build()
    text = app.work.finish_push(push).text
    assert re.search(r"-----> Building .*\n(remote: .*\n)*?remote:\s+still building \(1\d\.\d s\)", text), text
    assert re.search(r"still building .*\n(remote: .*\n)*remote:\s+done in", text), text
