"""Whole attacks of clients, and what another app's clients notice: figures, not a test.

Run like bench.py, with $PUSHROD_BIN. Attackers are of 127.0.0.1, where the router counts no
single address, and of one other address, which has a share. The neighbour's clients are of 127.0.0.1. The attackers have
the first processor for themselves, as if they were other machines, and all else has the last one; --together leaves
that to the kernel.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "e2e"))

from harness import APPS, Platform, web_app  # noqa: E402 (needs the path)
from hostile_clients import ATTACKS, Attack, connect, idle_connections, request  # noqa: E402

PATIENT = {
    "patient.py": (APPS / "patient.py").read_text(),
    "pushrod.toml": '[processes.web]\ncommand = "exec python3 patient.py"\nopen_files = 20000\n',
}


def ask(port, host):
    """Seconds that a request took over a connection of its own; None if it was not answered with 200."""
    start = time.perf_counter()
    try:
        with connect(port, timeout=5) as connection:
            connection.sendall(request(host, headers="Connection: close\r\n"))
            data = b""
            while more := connection.recv(4096):
                data += more
    except OSError:
        return None
    return time.perf_counter() - start if data.startswith(b"HTTP/1.1 200 ") else None


def measure(port, host, requests):
    """Answered, median and p99 in milliseconds."""
    times = []
    for _ in range(requests):
        times.append(ask(port, host))
        time.sleep(0.003)
    good = sorted(1000 * t for t in times if t is not None)
    if not good:
        return 0, float("inf"), float("inf")
    return len(good), statistics.median(good), good[min(len(good) - 1, int(len(good) * 0.99))]


def attack_router(platform, neighbour, count, requests, only, processors):
    port = platform.ports.http
    # Requests that hang count until the app has answered; so each attack has an app of its own.
    names = [name for name in ("slow-headers", "idle", "flood", *ATTACKS) if only in (None, name)]
    for source in ("127.0.0.1", "127.0.0.9"):
        for name in dict.fromkeys(names):
            victim = platform.deploy(PATIENT)
            before = measure(port, neighbour.host, requests)
            with Attack(name, port, victim.host, count, [source], processors) as attack:
                during = measure(port, neighbour.host, requests)
            platform.pushrod("app", "destroy", victim.name, "--yes")
            after = measure(port, neighbour.host, requests)
            calm = (before[2] + after[2]) / 2
            print(f"| {name} from {source} | {attack.report} | {during[0]} of {requests} | "
                  f"{during[1]:.1f} ms, {during[2]:.1f} ms | {calm:.1f} ms | {during[2] / calm:.2f} × |", flush=True)


def attack_ssh(platform):
    for sources in (["127.0.0.2"], [f"127.0.0.{i}" for i in range(2, 12)], [f"127.0.1.{i}" for i in range(1, 251)]):
        with idle_connections(platform.ports.ssh, 500, sources):
            good = sum(platform.ssh("app", "list", code=None).code == 0 for _ in range(10))
        print(f"| logins while 500 connections of {len(sources)} addresses are idle | {good} of 10 |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=9000, help="connections of an attack (default: 9000)")
    parser.add_argument("--requests", type=int, default=2000, help="of the neighbour's client (default: 2000)")
    parser.add_argument("--only", help="one attack: " + ", ".join([*ATTACKS, "flood", "ssh"]))
    parser.add_argument("--together", action="store_true", help="attackers and server share all processors")
    arguments = parser.parse_args()
    attackers_own = None
    if not arguments.together:
        all_processors = sorted(os.sched_getaffinity(0))
        attackers_own = {all_processors[0]}
        os.sched_setaffinity(0, {all_processors[-1]})  # and so the platform's
    platform = Platform("hostile").start()
    try:
        if arguments.only != "ssh":
            neighbour = platform.deploy(web_app("0"))
            print("| attack | attackers | answered | p50, p99 | p99 without it | ratio |\n|---|---|---|---|---|---|")
            attack_router(platform, neighbour, arguments.count, arguments.requests, arguments.only, attackers_own)
        if arguments.only in (None, "ssh"):
            attack_ssh(platform)
    finally:
        platform.close()


if __name__ == "__main__":
    main()
