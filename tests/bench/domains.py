"""What many apps, domains and certificates cost, as ratios inside one run. Started like bench.py (script/bench --domains).

The apps beside have no code: they answer with the router's page. One app on each of two platforms is asked and changed.
"""

import argparse
import http.client
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "e2e"))

from bench import Report, SETTINGS, pss, spread, timed  # noqa: E402 (needs the path)
from harness import Platform, Traffic, run_command, web_app  # noqa: E402
from speed import SERVER, node_app, wrk  # noqa: E402

CHANGES = 15


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apps", type=int, default=1000, help="that are beside (default: 1000), with two domains each")
    parser.add_argument("--changes", type=int, default=200, help="domains and certificates under traffic (default: 200)")
    parser.add_argument("--rounds", type=int, default=7, help="of requests (default: 7)")
    arguments = parser.parse_args()
    report = Report()
    few, many = Platform("few"), Platform("many")
    try:
        for platform in (few, many):
            https = f'[https]\nlisten = "127.0.0.1:{platform.ports.https}"\n'
            (platform.root / "server.toml").write_text(SETTINGS + https)
            platform.start()
        seconds = timed(lambda: add_apps(many, arguments.apps))
        print(f"    {arguments.apps} apps with two domains each, in {seconds:.0f} s", flush=True)
        apps = [platform.deploy(node_app(SERVER)) for platform in (few, many)]
        measure_domain(apps, report)
        measure_requests(apps, arguments.rounds, report)
        measure_changes(many, arguments.changes, report)
        router = sum(pss(process.pid) for process in many.processes("haproxy"))
        report.add(f"router's memory with them (PSS, {arguments.changes} certificates)", "≤ 150 MB", "80 MB",
                   f"{router / 1024:.0f} MB")
    finally:
        few.close()
        many.close()
    report.print()


def add_apps(platform, count):
    for number in range(count):
        name = f"beside-{number}"
        platform.pushrod("app", "create", name, "--repo", "beside", "--branch", f"b{number}")
        platform.pushrod("domain", "add", name, f"one-{number}.example.com", f"two-{number}.example.com")


def await_answer(platform, host):
    """Asks again and again, without a pause, until the host is known."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        connection = http.client.HTTPConnection("127.0.0.1", platform.ports.http, timeout=20)
        connection.request("GET", "/", headers={"Host": host})
        status = connection.getresponse().status
        connection.close()
        if status == 200:
            return
    raise AssertionError(f"{host} does not answer")


def measure_domain(apps, report):
    """The command begins a process and opens the database; the answer is there when it ends."""
    taken = [[], []]
    for number in range(CHANGES):
        for app, seconds in zip(apps, taken):
            host = f"new-{number}.example.org"

            def add(app=app, host=host):
                app.platform.pushrod("domain", "add", app.name, host)
                await_answer(app.platform, host)

            seconds.append(timed(add))
    report.add("from `domain add` until the domain answers, with all", "≤ 100 ms", "20 ms", spread(taken[1]))
    report.add("the same with one app", "report", "", spread(taken[0]))


def measure_requests(apps, rounds, report):
    results = [[], []]
    for _ in range(rounds):
        for app, result in zip(apps, results):
            result.append(wrk(app.platform, f"http://127.0.0.1:{app.platform.ports.http}/", 3, "-H", f"Host: {app.host}"))
    p99 = [statistics.median(one[1] for one in result) for result in results]
    speed = [statistics.median(one[0] for one in result) for result in results]
    report.add("p99 with all ÷ with one app", "≤ 1.1", "1.0", f"{p99[1] / p99[0]:.2f} ({p99[1]:.1f} ÷ {p99[0]:.1f} ms)")
    report.add("requests/s with all ÷ with one app", "report", "", f"{speed[1] / speed[0]:.2f}")


def measure_changes(platform, count, report):
    app = platform.deploy(web_app("0"))
    key, certificate = platform.home / "many.key", platform.home / "many.crt"

    def renew(number):
        host = f"tls-{number}.example.net"
        run_command(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                     "9", "-subj", "/CN=test", "-addext", f"subjectAltName=DNS:{host}", "-keyout", key, "-out",
                     certificate], env=platform.client_env)  # fmt: skip
        platform.pushrod("cert", "add", host, input=certificate.read_text() + key.read_text())

    domains, certificates = [], []
    with Traffic(app, clients=4, pause=0, at_most=60 + 4 * count) as traffic:
        for number in range(count):
            domains.append(timed(lambda number=number: platform.pushrod("domain", "add", app.name, f"tls-{number}.example.net")))
            certificates.append(timed(lambda number=number: renew(number)))
    requests, failures = traffic.requests(), traffic.failures()
    for failure in failures[:5]:
        print(f"    failed: {failure.status} {failure.text[:200]!r}")
    report.add(f"failed requests while {count} domains and {count} certificates are added", "0", "0",
               f"{len(failures)} of {len(requests)}")
    report.add("`domain add` meanwhile", "report", "", spread(domains))
    report.add("`cert add` meanwhile, with making the certificate", "report", "", spread(certificates))


if __name__ == "__main__":
    main()
