"""Pushrod's figures, as ratios inside one run: real git, sshd, HAProxy, s6 and bubblewrap on this machine.

Run by script/bench, as an ordinary user. A benchmark, not a test: it prints what it measured beside what is wanted, and
ends with 0 whatever that is; it ends with 1 only when something could not be measured.
"""

import argparse
import http.client
import os
import re
import socket
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "e2e"))

from harness import (  # noqa: E402 (needs the path)
    Platform, Traffic, dying_app, finish, run_command, start_command, wait_until, web_app,
)  # fmt: skip

# Room for two releases of hundreds of apps, away from the ports of the tests. What a new release is watched for is not
# part of the work that is measured.
SETTINGS = "[ports]\nfirst = 31100\nlast = 32700\n[health]\nsettle = 0\nwatch = 0\n"


def main():
    arguments = parse_arguments()
    print(f"{os.cpu_count()} processors, {os.uname().release}; medians of {arguments.pushes} pushes")
    report = Report()
    quiet, crowded = Platform("quiet"), Platform("crowded")
    try:
        for platform in (quiet, crowded):
            (platform.root / "server.toml").write_text(SETTINGS)
            platform.start()
        measure_empty_tree(quiet, report)
        measure_push(quiet, arguments.pushes, report)
        measure_changes(quiet, arguments.pushes, report)
        measure_wake(quiet, report)
        measure_router(quiet, report)
        measure_traffic(quiet, arguments.traffic_pushes, report)
        measure_large_repository(quiet, arguments.pushes, arguments.files, report)
        measure_crowd(quiet, crowded, arguments.apps, arguments.pushes, report)
        measure_fallback(report)
    finally:
        quiet.close()
        crowded.close()
    report.print()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pushes", type=int, default=15, help="per figure (default: 15)")
    parser.add_argument("--traffic-pushes", type=int, default=100, help="under four clients, each way (default: 100)")
    parser.add_argument("--apps", type=int, default=200, help="that run beside (default: 200)")
    parser.add_argument("--files", type=int, default=20_000, help="of the large repository (default: 20000)")
    return parser.parse_args()


class Report:
    """The figures, printed as they come and once more as a table."""

    def __init__(self):
        self.rows = []

    def add(self, figure, must, aim, value):
        """One figure; value is text that holds what was measured."""
        self.rows.append((figure, must, aim, value))
        print(f"  {figure}: {value}", flush=True)

    def print(self):
        """The table, in Markdown."""
        print("\n| figure | must | aim | measured |\n|---|---|---|---|")
        for row in self.rows:
            print("| " + " | ".join(row) + " |")


def timed(action):
    """Seconds that the action took."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def spread(seconds):
    """Median, with the smallest and the largest, in milliseconds."""
    low, middle, high = (1000 * f(seconds) for f in (min, statistics.median, max))
    return f"{middle:.0f} ms ({low:.0f} to {high:.0f})"


def ratio(seconds, base):
    """Of the medians."""
    return statistics.median(seconds) / statistics.median(base)


# One push


class BareRepository:
    """A bare repository behind the same sshd, for a key that runs nothing but git."""

    def __init__(self, platform):
        self.platform = platform
        key = platform.make_key("bare")
        public = key.with_suffix(key.suffix + ".pub").read_text().strip()
        keys = platform.root / "ssh" / "authorized_keys"
        keys.write_text(keys.read_text() + f'restrict,command="git-shell -c \\"$SSH_ORIGINAL_COMMAND\\"" {public}\n')
        self.path = platform.directory / "bare.git"
        platform.git("init", "--quiet", "--bare", "--initial-branch=main", self.path)
        self.env = platform.client_env | platform.git_login(key)

    def push(self, work):
        """Pushes what the clone has."""
        url = f"ssh://{self.platform.user}@127.0.0.1:{self.platform.ports.ssh}{self.path}"
        run_command(["git", "push", "--quiet", url, "HEAD:refs/heads/main"], env=self.env, cwd=work.directory)


def await_quiet(app):
    """Waits until nothing of a deployment is left to do; with many files, until the next checkout is prepared."""
    app.await_settled()
    if not (app.work.directory / "files").is_dir():
        return
    spare = app.platform.root / "cache" / app.name / "spare" / "commit"
    wait_until(lambda: spare.is_file() and app.work.head() in spare.read_text(), 60, "the spare checkout")


def push_version(app, number):
    """Pushes a one-line change and sees that the new version answers when the push returns."""
    app.work.commit({"VERSION": f"{number}\n"})
    seconds = timed(lambda: app.work.push(arguments=["--quiet"]))
    if app.version().strip() != str(number):
        raise AssertionError(f"the push of version {number} returned, and {app.version()!r} answered")
    return seconds


def measure_push(platform, pushes, report):
    app = platform.deploy(web_app("0"))
    bare = BareRepository(platform)
    bare.push(app.work)
    ours, theirs = [], []
    for number in range(1, pushes + 1):
        await_quiet(app)
        ours.append(push_version(app, number))
        await_quiet(app)
        theirs.append(timed(lambda: bare.push(app.work)))
    report.add("push of a one-line change / bare git push", "≤ 1.4 ×", "1.25 ×",
               f"{ratio(ours, theirs):.2f} × ({spread(ours)} / {spread(theirs)})")
    report.add("new version answers before the push returns", "always", "", f"{pushes} of {pushes}")


# Changes without a push


def measure_changes(platform, pushes, report):
    """On the server, where such commands are as much at home as over SSH; and over SSH, where the connection, which a
    push has as well, is most of the time."""
    app = platform.deploy(web_app("0"))
    doors = {"on the server": platform.pushrod, "over SSH": platform.ssh}
    times = {"push": []} | {(change, door): [] for change in ("rollback", "config set") for door in doors}
    for number in range(1, pushes + 1):
        await_quiet(app)
        before = app.last_deployment()["number"]
        times["push"].append(push_version(app, number))
        for door, run in doors.items():
            now = app.last_deployment()["number"]
            await_quiet(app)
            times["rollback", door].append(timed(lambda: run("rollback", app.name, str(before))))
            if app.version().strip() != str(number - 1):
                raise AssertionError("the rollback returned, and the old version does not answer")
            await_quiet(app)
            times["config set", door].append(timed(lambda: run("config", "set", app.name, f"NUMBER={number}")))
            await_quiet(app)
            before = app.last_deployment()["number"]  # of the older version still, with one setting more
            platform.pushrod("rollback", app.name, str(now))
    for change, must, aim in (("rollback", "≤ 0.5 ×", "0.25 ×"), ("config set", "≤ 0.7 ×", "")):
        for door in doors:
            taken = times[change, door]
            wanted = (must, aim) if door == "on the server" else ("report", "")
            report.add(f"{change}, {door} / push of the same app", *wanted,
                       f"{ratio(taken, times['push']):.2f} × ({spread(taken)} / {spread(times['push'])})")


# Waking


def measure_wake(platform, report):
    manifest = '[processes.web]\ncommand = "python3 web.py"\nsleep_after = "1s"\n'
    app = platform.deploy(web_app("0", pushrod_toml=manifest))
    waits, starts = [], []
    for _ in range(8):
        wait_until(lambda: [p["state"] for p in app.processes()] == ["asleep"], 60, "the app to sleep")
        waits.append(timed(app.get))
        starts.append(own_start(app))
    extra = 1000 * (statistics.median(waits) - statistics.median(starts))
    report.add("a wake, beyond the app's own start", "≤ 100 ms", "50 ms",
               f"{extra:.0f} ms (request {spread(waits)}, own start {spread(starts)})")


def own_start(app):
    """Seconds from the start of the app's program, by itself, until it answers."""
    port = app.platform.ports.apps[1]
    start = time.perf_counter()
    process = start_command(["python3", "web.py"], cwd=app.work.directory,
                            env=app.platform.client_env | {"PORT": str(port)})
    try:
        wait_until_accepts(port)
        ask(port)
        return time.perf_counter() - start
    finally:
        process.kill()
        finish(process)


def wait_until_accepts(port):
    """Without a pause between the looks: it is timed."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError("the app does not listen")


def ask(port):
    """One request to 127.0.0.1."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/")
    connection.getresponse().read()
    connection.close()


# The router's own share


def measure_router(platform, report):
    """Four clients, each a connection per request, one after the other: through the router, then the app itself."""
    app = platform.deploy(web_app("0"))
    direct = app.processes()[0]["port"]
    for name, port in (("the app itself", direct), ("through the router", platform.ports.http)):
        result = run_command(["wrk", "-t1", "-c4", "-d5s", "--latency", "-H", f"Host: {app.host}",
                              f"http://127.0.0.1:{port}/"], env=platform.client_env)
        values = dict(re.findall(r"(50%|99%|Requests/sec:)\s+([\d.]+\w*)", result.out))
        report.add(f"four clients, {name}", "report", "",
                   f"{float(values['Requests/sec:']):.0f} requests/s, p50 {values['50%']}, p99 {values['99%']}")


# Under traffic


def measure_traffic(platform, pushes, report):
    app = platform.deploy(web_app("0"))
    for keep_alive in (True, False):
        with Traffic(app, clients=4, keep_alive=keep_alive, pause=0, at_most=60 + 2 * pushes) as traffic:
            for number in range(1, pushes + 1):
                push_version(app, number)
        requests, failures = traffic.requests(), traffic.failures()
        for failure in failures[:5]:
            print(f"    failed: {failure.status} {failure.text[:200]!r}")
        report.add(f"failed requests, {pushes} pushes, four clients, {'keep-alive' if keep_alive else 'no keep-alive'}",
                   "0", "0", f"{len(failures)} of {len(requests)}")


# Releases that do not stay up


def measure_fallback(report):
    """With the defaults of health.settle and health.watch."""
    platform = Platform("watching", settings="[health]\n").start()
    try:
        for seconds in (0.6, 3, 20):
            measure_death(platform.deploy(web_app("1")), seconds, report)
    finally:
        platform.close()


def measure_death(app, seconds, report):
    with Traffic(app, clients=4, pause=0, at_most=120) as traffic:
        app.work.commit(dying_app("2", seconds))
        went_live = app.work.finish_push(app.work.start_push(), code=None).code == 0
        if went_live:
            wait_until(lambda: app.last_deployment()["kind"] == "fallback" and app.last_deployment()["ended"], 60,
                       "the fallback")
        traffic.await_requests(100)
    answers, back = traffic.requests(), "it never went live"
    new = [request.end for request in answers if request.text == "2"]
    if new:
        back = f"back after {min(r.end for r in answers if r.end > max(new)) - max(new):.2f} s"
    report.add(f"failed requests, a release that dies {seconds} s after its start, four clients", "0", "0",
               f"{len(traffic.failures())} of {len(answers)}; {back}")


# A large repository


def measure_large_repository(platform, pushes, files, report):
    small = platform.deploy(web_app("0"))
    many = {f"files/{i % 200}/{i}.txt": f"file {i}\n" * 20 for i in range(files)}
    large = platform.deploy(web_app("0") | many)
    times = {small: [], large: []}
    for number in range(1, pushes + 1):
        for app in (small, large):
            await_quiet(app)
            times[app].append(push_version(app, number))
    report.add(f"push with {files} files, one changed / a small one", "≤ 2.5 ×", "1.5 ×",
               f"{ratio(times[large], times[small]):.2f} × ({spread(times[large])} / {spread(times[small])})")


# Beside many others


def measure_crowd(quiet, crowded, apps, pushes, report):
    repo = crowded.make_repo(web_app("0"), "crowd")
    for i in range(apps):
        crowded.pushrod("app", "create", f"crowd-{i}", "--repo", "crowd", "--branch", f"b{i}")
    start = time.perf_counter()
    # One connection; each branch is a deployment of its own.
    run_command(["git", "push", "--quiet", "origin", *(f"HEAD:refs/heads/b{i}" for i in range(apps))],
                env=crowded.client_env, cwd=repo.directory, timeout=1200)
    print(f"  ({apps} apps deployed in {time.perf_counter() - start:.0f} s)")

    times = {quiet: [], crowded: []}
    pairs = [(platform, platform.deploy(web_app("0"))) for platform in (quiet, crowded)]
    for number in range(1, pushes + 1):
        for platform, app in pairs:
            await_quiet(app)
            times[platform].append(push_version(app, number))
    report.add(f"push with {apps} other apps / with none", "≤ 1.3 ×", "1.1 ×",
               f"{ratio(times[crowded], times[quiet]):.2f} × ({spread(times[crowded])} / {spread(times[quiet])})")

    argv = [crowded.binary, "--root", crowded.root, "app", "list"]
    listing = [timed(lambda: run_command(argv, env=crowded.server_env)) for _ in range(40)]
    nothing = [timed(lambda: run_command(["/bin/true"], env=crowded.server_env)) for _ in range(40)]
    own = 1000 * (statistics.median(listing) - statistics.median(nothing))
    report.add(f"app list with {apps} apps", "≤ 20 ms", "8 ms", f"{own:.1f} ms more than /bin/true")

    kilobytes = sum(pss(process.pid) for process in crowded.processes() if is_ours_per_instance(process))
    instances = len(crowded.json("ps"))
    report.add(f"one instance beyond the app's own memory (PSS, of {instances})", "≤ 0.61 MB", "0.58 MB",
               f"{kilobytes / instances / 1000:.2f} MB")


# Memory


def pss(pid):
    """Proportional set size in kB; 0 for a process that has gone."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def is_ours_per_instance(process):
    """Supervisors, loggers, shims (outside and in the sandbox), bubblewrap and waiting shells: what we add to an app."""
    words = process.argv
    if not words:
        return False
    program = os.path.basename(words[0])
    own_services = ("daemon", "router", "sshd")
    if program == "s6-supervise":
        return words[1].split("/")[0] not in own_services
    if program == "s6-log":
        return os.path.basename(words[-1]) not in own_services
    return program in ("bwrap", "run", ".pushrod-shim", "sh")


def measure_empty_tree(platform, report):
    kilobytes = sum(pss(process.pid) for process in platform.processes())
    names = ", ".join(sorted({os.path.basename(p.argv[0]).rstrip(":") for p in platform.processes() if p.argv}))
    report.add("the tree with no app (PSS)", "≤ 25 MB", "20.3 MB", f"{kilobytes / 1000:.1f} MB ({names})")


if __name__ == "__main__":
    main()
