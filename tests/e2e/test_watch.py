"""health.watch: a release that keeps ending soon after it went live falls back to the one before it."""

import os
import signal
import time

import pytest

from harness import Traffic, dying_app, wait_until, web_app

# A server of the test app that ends when it is told to: when /data/end is there.
ENDS = """import os, threading, time
def end_when_told():
    while not os.path.exists("/data/end"):
        time.sleep(0.02)
    print("cannot reach the database", flush=True)
    os._exit(1)
threading.Thread(target=end_when_told, daemon=True).start()
"""


def ending_app(version):
    """web_app() that ends as soon as tell_to_end() is called, and whenever it is started after that."""
    files = web_app(version)
    return files | {"web.py": ENDS + files["web.py"]}


def tell_to_end(app):
    """Ends what runs ending_app(), again and again."""
    (app.data / "end").touch()


@pytest.fixture
def watching_platform(make_platform):
    """One that does not wait before it switches, so that the watch is what finds a release that ends."""
    return make_platform(settings="[health]\nsettle = 0\n").start()


def await_live_fallback(app):
    """Waits until a fallback of the app is live, and returns how all of its fallbacks ended, the newest first."""

    def done():
        ended = [d["state"] for d in app.deployments() if d["kind"] == "fallback" and d["ended"]]
        return ended if ended[:1] == ["live"] else None

    return wait_until(done, 20, f"a fallback of {app.name} that is live")


def await_fallback(app):
    """Waits until the app's newest deployment is a fallback that is done; returns it."""

    def done():
        last = app.last_deployment()
        return last if last["kind"] == "fallback" and last["ended"] else None

    return wait_until(done, 20, f"the fallback of {app.name}")


@pytest.mark.parametrize("keep_alive", [True, False])
def test_a_release_that_ends_under_traffic_falls_back_without_a_failed_request(watching_platform, keep_alive):
    app = watching_platform.deploy(web_app("1"))
    before = app.ref()
    with Traffic(app, keep_alive=keep_alive) as traffic:
        app.push(ending_app("2"))
        traffic.await_requests(50)
        told = time.monotonic()
        tell_to_end(app)
        await_fallback(app)
        traffic.await_requests(100)
    traffic.assert_no_failure()
    answers = traffic.requests()
    last_new = max(request.end for request in answers if request.text == "2")
    first_old = min(request.end for request in answers if request.end > last_new)
    assert last_new > told - 1, "it did go live"
    assert first_old - last_new < 1.2, "a request waited long for the old release"
    assert {request.text for request in answers if request.start > last_new} == {"1"}
    assert app.ref() == before
    assert app.version() == "1"


@pytest.mark.parametrize("seconds", [0.6, 3])
def test_with_the_defaults_no_request_fails_of_a_release_that_dies_soon(make_platform, seconds):
    app = make_platform(settings="[health]\n").start().deploy(web_app("1"))
    with Traffic(app) as traffic:
        # One that dies while it must stay up fails its push; one that dies later is live until then.
        pushed = app.push(dying_app("2", seconds), code=1 if seconds < 1 else 0)
        if seconds < 1:
            assert "after its first successful check" in pushed.err
        else:
            await_fallback(app)
        traffic.await_requests(100)
    traffic.assert_no_failure()
    answers = traffic.requests()
    new = [request.end for request in answers if request.text == "2"]
    assert bool(new) == (seconds > 1)
    if new:
        # The router tries a connection that was refused again after a second; the routes are other ones by then.
        assert min(request.end for request in answers if request.end > max(new)) - max(new) < 1.2
    assert app.version() == "1"


def test_a_fallback_is_reported_everywhere(watching_platform):
    app = watching_platform.deploy(web_app("1"))
    app.push(ending_app("2"))
    tell_to_end(app)
    fallback = await_fallback(app)
    assert fallback["state"] == "live" and "exit code 1" in fallback["detail"] and fallback["author"] == "pushrod"
    log = watching_platform.pushrod("logs", app.name, "--deployment", fallback["number"]).out
    assert "cannot reach the database" in log
    info = watching_platform.json("app", "info", app.name)
    assert "release 2 to 1" in info["fallback"] and info["release"] == fallback["number"]
    assert "fell back" in watching_platform.pushrod("app", "info", app.name).out
    assert "fell back" in watching_platform.pushrod("app", "check", app.name).out
    result = app.push(web_app("3"))
    assert "fell back" in result.err
    assert watching_platform.json("app", "info", app.name)["fallback"] is None
    audit = watching_platform.json("audit", app.name)
    assert any(record["action"] == "fallback" and record["outcome"] == "done" for record in audit)


def test_settings_fall_back_with_their_release(watching_platform):
    files = web_app("1")
    files["web.py"] = ENDS.replace("threading.Thread", "if os.environ.get('BROKEN'): threading.Thread") + files["web.py"]
    app = watching_platform.deploy(files)
    watching_platform.pushrod("config", "set", app.name, "BROKEN=yes")
    tell_to_end(app)
    await_fallback(app)
    assert "BROKEN" not in watching_platform.pushrod("config", "list", app.name).out
    assert app.version() == "1"


def test_a_worker_that_keeps_ending_takes_all_types_back(watching_platform):
    toml = '[processes.web]\ncommand = "exec python3 web.py"\n[processes.worker]\ncommand = "{}"\n'
    app = watching_platform.deploy(web_app("1", pushrod_toml=toml.format("sleep 1000")))
    app.push(web_app("2", pushrod_toml=toml.format("while ! test -e /data/end; do sleep 0.05; done; exit 9")))
    tell_to_end(app)
    await_fallback(app)
    wait_until(lambda: app.version() == "1", what="the old release")
    assert watching_platform.json("app", "check", app.name)["ok"]


def test_apps_of_a_branch_fall_back_together(watching_platform):
    good = web_app("1")
    files = {f"a/{name}": text for name, text in good.items()} | {f"b/{name}": text for name, text in good.items()}
    first = watching_platform.create_app(files, path="a")
    second = watching_platform.create_app(repo=first.work.repo, path="b", work=first.work)
    first.push()
    bad = ending_app("2")
    first.push({f"a/{name}": text for name, text in web_app("2").items()}
               | {f"b/{name}": text for name, text in bad.items()})  # fmt: skip
    tell_to_end(second)
    await_fallback(first)
    wait_until(lambda: (first.version(), second.version()) == ("1", "1"), what="both to be back")


def test_the_next_push_ends_the_watch(watching_platform):
    app = watching_platform.deploy(web_app("1"))
    app.push(web_app("2"))
    assert app.instances("standby") == [f"{app.name}.1.web.1"]
    assert watching_platform.json("app", "info", app.name)["watched"] == 1
    app.push(web_app("3"))
    wait_until(lambda: app.instances() == [f"{app.name}.2.web.1", f"{app.name}.3.web.1"], what="the oldest to end")
    assert app.instances("standby") == [f"{app.name}.2.web.1"]


def test_a_watch_ends_by_itself(make_platform):
    platform = make_platform(settings='[health]\nsettle = 0\nwatch = "1s"\n').start()
    app = platform.deploy(web_app("1"))
    app.push(web_app("2"))
    wait_until(lambda: app.instances() == [f"{app.name}.2.web.1"], what="the end of the watch")
    assert platform.json("app", "info", app.name)["watched"] is None


def test_a_kill_from_outside_is_no_reason_to_fall_back(watching_platform):
    app = watching_platform.deploy(web_app("1"))
    app.push(web_app("2"))
    pid = next(p["pid"] for p in app.processes() if p["state"] == "running")
    children = (watching_platform.processes("web.py"))
    victim = next(process.pid for process in children if pid in ancestors(process.pid))
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: any(p["restarts"] for p in app.processes()), what="its restart")
    wait_until(lambda: app.instances("running"), what="it to run again")
    assert app.last_deployment()["kind"] == "push"


def ancestors(pid):
    """The pids of a process's ancestors."""
    found = []
    while pid > 1:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            pid = int(stat.read().rpartition(")")[2].split()[1])
        found.append(pid)
    return found


def test_a_daemon_that_is_killed_falls_back_when_it_is_there_again(watching_platform):
    app = watching_platform.deploy(web_app("1"))
    app.push(ending_app("2"))
    os.kill(watching_platform.daemon_pid(), signal.SIGKILL)
    tell_to_end(app)
    await_fallback(app)
    assert app.version() == "1"


TWO_TYPES = '[processes.web]\ncommand = "exec python3 web.py"\n[processes.worker]\ncommand = "exec sleep 1000"\n'


@pytest.fixture
def slow_fallback(make_platform):
    """An app whose second version falls back as soon as tell_to_end() is called, and takes a second for that: the worker
    of the first one is started again, and must stay up for so long."""
    platform = make_platform(settings='[health]\nsettle = "1s"\n').start()
    app = platform.deploy(web_app("1", pushrod_toml=TWO_TYPES))
    app.push(web_app("2", pushrod_toml=TWO_TYPES) | {"web.py": ending_app("2")["web.py"]})
    tell_to_end(app)
    wait_until(lambda: app.last_deployment()["kind"] == "fallback", what="the fallback to begin")
    return app


def test_a_fallback_goes_on_when_the_daemon_is_killed(slow_fallback):
    app = slow_fallback
    assert app.last_deployment()["ended"] is None
    os.kill(app.platform.daemon_pid(), signal.SIGKILL)
    fallback = await_fallback(app)
    assert (fallback["state"], fallback["number"]) == ("live", 3)
    assert app.version() == "1"
    log = app.platform.pushrod("logs", app.name, "--deployment", 3, "--follow").out
    assert f"Release 3 of {app.name} is live" in log


def test_a_fallback_whose_process_is_killed_is_begun_again(slow_fallback):
    app = slow_fallback
    [lock] = (app.platform.root / "run" / "locks").glob("group.*")
    os.kill(int(lock.read_text().split()[0]), signal.SIGKILL)
    assert await_live_fallback(app) == ["live", "failed"]
    assert app.version() == "1"


def test_a_fallback_goes_on_at_the_next_start_when_pushrod_is_stopped(slow_fallback):
    app = slow_fallback
    app.platform.stop()
    app.platform.start()
    # The one that had begun may end, or not; then there is another one.
    assert set(await_live_fallback(app)[1:]) <= {"failed"}
    assert app.version() == "1"


def test_a_daemon_that_is_killed_at_any_moment_falls_back_once(watching_platform):
    app = watching_platform.deploy(web_app("1"))
    for delay in (0, 0.01, 0.03, 0.06, 0.1, 0.2):
        app.push(ending_app("2"))
        tell_to_end(app)
        time.sleep(delay)  # not to wait for anything: to be at another point of the fallback each time
        os.kill(wait_until(watching_platform.daemon_pid, what="a daemon, after the kill before"), signal.SIGKILL)
        assert await_fallback(app)["state"] == "live", delay
        assert app.version() == "1"
        (app.data / "end").unlink()
    assert {d["state"] for d in app.deployments()} == {"live"}


def test_what_a_request_gets_is_what_everything_says(make_platform):
    """Every view agrees with the router while an app keeps ending."""
    platform = make_platform(settings="[health]\nsettle = 0\nwatch = 0\n").start()
    files = ending_app("1")
    files["web.py"] = files["web.py"].replace(
        'print("cannot', 'time.sleep(0.5); print("cannot')  # fmt: skip
    app = platform.deploy(files)
    tell_to_end(app)
    agreed = {200: 0, 503: 0}
    end = time.monotonic() + 60
    while min(agreed.values()) < 3 and time.monotonic() < end:
        before = platform.http(app.host).status
        check = platform.pushrod("app", "check", app.name, "--json", code=None)
        info = platform.json("app", "info", app.name)
        listed = next(entry for entry in platform.json("app", "list") if entry["app"] == app.name)
        [process] = app.processes()
        after = platform.http(app.host).status
        if before != after or before not in agreed:
            continue  # it changed while we asked
        answers = before == 200
        seen = (check.code == 0, info["traffic"] == "served", listed["traffic"] == "served",
                process["state"] == "running")  # fmt: skip
        if set(seen) != {answers}:
            # A whole cycle may have passed between both requests.
            assert platform.http(app.host).status in (200, 503)
            continue
        agreed[before] += 1
    assert min(agreed.values()) >= 3, agreed


def test_an_instance_that_is_held_back_is_crashing(make_platform):
    platform = make_platform(settings="[health]\nsettle = 0\nwatch = 0\n").start()
    app = platform.deploy({"Procfile": "worker: test -e /data/crash && exit 8; exec sleep 1000\n"})
    assert platform.json("app", "check", app.name)["ok"]
    (app.data / "crash").touch()
    os.kill(app.processes()[0]["pid"], signal.SIGTERM)
    shown = wait_until(lambda: next((p for p in app.processes() if p["state"] == "crashing"), None),
                       what="it to be held back", deadline=60)  # fmt: skip
    assert shown["pid"] is None and shown["up_for_ms"] is None and 0 < shown["retry_in_ms"] <= 60_000
    assert "retry in" in platform.pushrod("ps", app.name).out
    result = platform.pushrod("app", "check", app.name, code=1)
    assert "crashing" in result.out and "next start in" in result.out
