"""Does the time of a refusal tell whether an app is there? Figures, not a test.

A key for one app asks for another one and for one that does not exist, in turn, over SSH and at the gate itself, where
less comes between. Prints medians, their difference, and z of the Mann-Whitney test: beyond 3 the two can be told apart.
"""

import argparse
import math
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "e2e"))

from harness import Platform  # noqa: E402 (needs the path)

COMMANDS = ["git-upload-pack '{}'", "git-receive-pack '{}'", "app info {}", "logs {}", "ps {}", "restart {}",
            "config set {} A=1", "app destroy {} --yes", "deployments {}", "audit {}"]  # fmt: skip


def z_of(first, second):
    """Of the Mann-Whitney U test, without ties."""
    ranked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks = sum(rank for rank, (_, which) in enumerate(ranked, 1) if which == 0)
    n, m = len(first), len(second)
    return (ranks - n * (n + m + 1) / 2) / math.sqrt(n * m * (n + m + 1) / 12)


def timed(argv, env):
    start = time.perf_counter()
    result = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return time.perf_counter() - start, result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=200, help="per command at the gate (default: 200)")
    parser.add_argument("--ssh-pairs", type=int, default=40, help="per command over SSH (default: 40; 0: none)")
    arguments = parser.parse_args()
    platform = Platform("time").start()
    try:
        for i in range(20):
            platform.create_app(name=f"other-{i}")
        there, missing = "hidden-one", "absent-two"
        hidden = platform.deploy(name=there)
        hidden.push({"VERSION": "2"})
        platform.create_app(name="mine")
        key = platform.make_key("eve")
        platform.pushrod("key", "add", "eve", f"{key}.pub", "--role", "admin", "--app", "mine")
        line = (platform.root / "ssh" / "authorized_keys").read_text().splitlines()[-1]
        number = line.split("--key ")[1].split('"')[0]
        gate = [str(platform.binary), "--root", str(platform.root), "gate", "--key", number]
        print("| door | command | there, forbidden | not there | difference | z |\n|---|---|---|---|---|---|")
        for door, pairs in (("gate", arguments.pairs), ("ssh", arguments.ssh_pairs)):
            for command in COMMANDS if pairs else ():
                times = {there: [], missing: []}
                texts = {}
                for i in range(2 * pairs):
                    name = (there, missing)[(i + i // 2) % 2]
                    asked = command.format(name)
                    if door == "gate":
                        connection = {"SSH_ORIGINAL_COMMAND": asked, "SSH_CONNECTION": "127.0.0.1 1 127.0.0.1 2"}
                        env = platform.server_env | connection
                        seconds, result = timed(gate, env)
                    else:
                        seconds, result = timed(platform._ssh([asked], key), platform.client_env)
                    times[name].append(1000 * seconds)
                    texts[name] = (result.returncode, result.stdout, result.stderr.replace(name.encode(), b"APP"))
                assert texts[there] == texts[missing], texts
                a, b = (statistics.median(times[name]) for name in (there, missing))
                print(f"| {door} | {command.format('APP')} | {a:.2f} ms | {b:.2f} ms | {a - b:+.3f} ms | "
                      f"{z_of(times[there], times[missing]):+.1f} |", flush=True)
    finally:
        platform.close()


if __name__ == "__main__":
    main()
