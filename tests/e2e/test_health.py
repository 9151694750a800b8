"""health.settle: an instance that answers once and then ends is not healthy."""

import pytest

from harness import web_app

# A server that listens, answers, and ends {after} seconds after it began to listen.
DIES = """import os, threading
def listening():
    threading.Timer({after}, lambda: (print("cannot reach the database", flush=True), os._exit({code}))).start()
"""


def dying_app(version, after, code=1, **health):
    """web_app() that ends so many seconds after it began to listen."""
    files = web_app(version)
    files["web.py"] = DIES.format(after=after, code=code) + "listening()\n" + files["web.py"]
    rules = "".join(f"health.{key} = {value}\n" for key, value in health.items())
    files["Procfile"] = None
    files["pushrod.toml"] = f'[processes.web]\ncommand = "exec python3 web.py"\n{rules}'
    return files


@pytest.fixture
def settling_platform(make_platform):
    """One with the settings that a new user has, but for the watch."""
    return make_platform(settings="[health]\nwatch = 0\n").start()


def test_a_web_process_that_ends_soon_after_it_listened_is_refused(settling_platform):
    app = settling_platform.deploy(web_app("1"))
    result = app.push(dying_app("2", after=0.6), code=1)
    assert "cannot reach the database" in result.err and "exit code 1" in result.err
    assert app.version().startswith("1")


def test_one_answer_of_the_health_path_is_not_enough(settling_platform):
    app = settling_platform.deploy(web_app("1"))
    app.push(dying_app("2", after=0.6, path='"/"'), code=1)
    assert app.version().startswith("1")


def test_a_process_that_ends_with_success_is_not_healthy_either(settling_platform):
    app = settling_platform.deploy(web_app("1"))
    app.push(dying_app("2", after=0.6, code=0), code=1)
    assert app.version().startswith("1")


def test_a_worker_must_stay_up_as_well(settling_platform):
    app = settling_platform.create_app({"Procfile": "worker: sleep 0.6; echo no queue; exit 4\n"})
    result = app.work.push(code=1)
    assert "no queue" in result.err and "exit code 4" in result.err


def test_the_app_says_for_how_long_it_must_stay_up(settling_platform):
    app = settling_platform.create_app({"pushrod.toml": '[processes.worker]\ncommand = "sleep 1.4; exit 4"\n'
                                                        'health.settle = "3s"\n'})  # fmt: skip
    app.work.push(code=1)
    app.work.commit({"pushrod.toml": '[processes.worker]\ncommand = "sleep 1.4; exit 4"\nhealth.settle = 0\n'})
    app.work.push()


def test_a_check_that_fails_when_the_time_is_over_does_not_count(settling_platform):
    once = """import http.server, os
class Once(http.server.BaseHTTPRequestHandler):
    answers = iter([200])
    def do_GET(self):
        self.send_response(next(self.answers, 500)); self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Once).serve_forever()
"""
    toml = '[processes.web]\ncommand = "exec python3 once.py"\nhealth.path = "/"\nhealth.timeout = "2s"\n'
    app = settling_platform.create_app({"once.py": once, "pushrod.toml": toml})
    result = app.work.push(code=1)
    assert "answered 500" in result.err
