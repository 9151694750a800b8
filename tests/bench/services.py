"""What services cost, as ratios and differences inside one run. Started like bench.py (script/bench --services).

The server by hand is the same program with the same settings on a copy of the same kind, outside of a sandbox, on a socket.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "e2e"))

from bench import Report, SETTINGS, pss, spread, timed  # noqa: E402 (needs the path)
from harness import Platform, web_app  # noqa: E402

PUSHES = 5
TRANSACTIONS_SECONDS = 10
ROUNDS = 3
DECLARED = '[services]\ndb = "postgres"\n'


def programs():
    """The directory of the newest PostgreSQL."""
    versions = sorted(Path("/usr/lib/postgresql").iterdir(), key=lambda path: int(path.name))
    return versions[-1] / "bin"


def first_push(platform, files):
    """Seconds from the first push of a new app to its first answer."""
    app = platform.create_app(files)

    def push():
        app.work.push(f"HEAD:refs/heads/{app.branch}")
        app.get("/")

    return timed(push), app


def measure_first_push(platform, report):
    """With a database and without, alternating; the very first one also makes the template."""
    first, _ = first_push(platform, web_app(pushrod_toml=DECLARED))
    without, with_database = [], []
    for _ in range(PUSHES):
        without.append(first_push(platform, web_app())[0])
        with_database.append(first_push(platform, web_app(pushrod_toml=DECLARED))[0])
    more = statistics.median(with_database) - statistics.median(without)
    report.add("first push with postgres - without", "<= 6 s", "3 s", f"{more:.2f} s; {spread(with_database)}, {spread(without)}")
    report.add("the same, of the first service of a machine", "-", "-", f"{first - statistics.median(without):.2f} s")


def measure_attach(platform, report):
    """What attaching takes beyond a restart of the app."""
    app = platform.deploy()
    platform.pushrod("service", "create", "postgres", "bench")
    restarts, attaches = [], []
    for _ in range(PUSHES):
        restarts.append(timed(lambda: platform.pushrod("restart", app.name)))
        attaches.append(timed(lambda: platform.pushrod("service", "attach", "bench", app.name)))
        platform.pushrod("service", "detach", "bench", app.name)
    more = statistics.median(attaches) - statistics.median(restarts)
    report.add("attach - restart of the app", "<= 0.5 s", "0.2 s", f"{more:.2f} s; {spread(attaches)}, {spread(restarts)}")
    restarts = [timed(lambda: platform.pushrod("service", "restart", "bench")) for _ in range(PUSHES)]
    report.add("restart of an idle postgres", "-", "-", spread(restarts))
    return app


def transactions(output):
    """tps of pgbench."""
    return float(next(line for line in output.splitlines() if line.startswith("tps =")).split()[2])


def measure_transactions(platform, app, report):
    """pgbench inside of the attached app ÷ pgbench against a server by hand, in turn."""
    platform.pushrod("service", "attach", "bench", app.name)
    run = str(programs() / "pgbench")
    options = ["-T", str(TRANSACTIONS_SECONDS), "-c", "4", "-j", "2"]
    in_app = ["run", app.name, "--", run]
    platform.pushrod(*in_app, "-i", "-q", "-s", "5", timeout=120)
    pid = next(p.pid for p in platform.processes() if p.argv and p.argv[0].endswith("/postgres"))
    argv = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[3:-1]
    directory = Path(tempfile.mkdtemp(prefix="byhand."))
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PGHOST": str(directory), "PGDATABASE": "postgres"}
    subprocess.run([programs() / "initdb", "-D", directory / "data", "-A", "trust", "-U", "postgres"], check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    settings = [word for word in argv if not word.startswith(("unix_socket_dir", "hba_file"))]
    settings = [f"-c{word}" for word in settings if word != "-c"]
    server = subprocess.Popen([programs() / "postgres", "-D", directory / "data", "-k", directory, *settings],
                              stderr=subprocess.DEVNULL, env=environment)  # fmt: skip
    try:
        while subprocess.run([programs() / "pg_isready", "-q", "-h", directory], check=False).returncode:
            time.sleep(0.1)
        by_hand = [run, "-U", "postgres", *options]
        subprocess.run([run, "-U", "postgres", "-i", "-q", "-s", "5"], env=environment, check=True, capture_output=True)
        attached, hand = [], []
        for _ in range(ROUNDS):
            attached.append(transactions(platform.pushrod(*in_app, *options, timeout=120).out))
            done = subprocess.run(by_hand, env=environment, check=True, capture_output=True, text=True)
            hand.append(transactions(done.stdout))
        value = statistics.median(attached) / statistics.median(hand)
        report.add("transactions/s attached / by hand", ">= 0.95", "1.0",
                   f"{value:.2f} ({statistics.median(attached):.0f} / {statistics.median(hand):.0f})")  # fmt: skip
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(directory)


def measure_memory(platform, report):
    """PSS of idle servers, and of what Pushrod runs for each: two shims, two s6-supervise and a logger."""
    platform.pushrod("service", "create", "redis", "cache")
    platform.pushrod("service", "restart", "bench")
    time.sleep(2)
    for name, program in (("bench", "postgres"), ("cache", ("redis-server", "valkey-server"))):
        keeper = platform.service_pid(f"service.{name}")
        own, server = 0, 0
        for process in platform.processes():
            status = Path(f"/proc/{process.pid}/status")
            below = keeper == process.pid or is_below(process.pid, keeper)
            if not status.exists():
                continue
            is_shim = "pushrod-shim" in process.command
            if below and not is_shim:
                server += pss(process.pid)
            elif below or f"service.{name}" in process.command or f"_services/{name}" in process.command:
                own += pss(process.pid)
        report.add(f"PSS of idle {name}", "22 MB, 8 MB", "-", f"{server / 1024:.1f} MB")
        report.add(f"PSS beyond the server, {name}", "<= 1 MB", "0.6 MB", f"{own / 1024:.2f} MB")


def is_below(pid, ancestor):
    """Whether the process descends from the other."""
    while pid > 1:
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            return False
        if pid == ancestor:
            return True
    return False


def main():
    report = Report()
    platform = Platform("bench", settings="")
    try:
        (platform.root / "server.toml").write_text(SETTINGS)
        platform.start()
        measure_first_push(platform, report)
        app = measure_attach(platform, report)
        measure_transactions(platform, app, report)
        measure_memory(platform, report)
    finally:
        platform.close()
    report.print()


if __name__ == "__main__":
    main()
