"""What the clients of an app notice of another app's build: figures, not a test.

Run like bench.py, with $PUSHROD_BIN. Rounds without and with a build that keeps every processor and the disk busy follow
each other, so that both have the same other load.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "e2e"))

from harness import Platform, web_app  # noqa: E402 (needs the path)

# Compiles nothing, and is as busy as a compiler on every processor, until the bench says that it is enough.
BUSY = """set -e
rm -f /cache/enough; touch /cache/busy
for i in $(seq $(nproc)); do
  (while [ ! -e /cache/enough ]; do head -c 20M /dev/urandom | gzip > /app/part.$i; done) &
done
wait
"""


def ask(platform, host):
    """Milliseconds that a request took."""
    start = time.perf_counter()
    platform.http(host)
    return 1000 * (time.perf_counter() - start)


def measure(platform, host, requests):
    """Median and p99."""
    times = []
    for _ in range(requests):
        times.append(ask(platform, host))
        time.sleep(0.005)
    times.sort()
    return statistics.median(times), times[int(len(times) * 0.99)]


def during_a_build(platform, builder, host, requests):
    busy, enough = builder.build_cache / "busy", builder.build_cache / "enough"
    busy.unlink(missing_ok=True)
    process = builder.start_push({"change": str(time.time())})
    while not busy.exists():
        time.sleep(0.05)
    time.sleep(1)
    figures = measure(platform, host, requests)
    enough.touch()
    if builder.work.finish_push(process).code != 0:
        raise SystemExit("the build failed")
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="of each kind (default: 10)")
    parser.add_argument("--requests", type=int, default=400, help="of a round (default: 400)")
    arguments = parser.parse_args()
    platform = Platform("neighbour", settings="[limits]\nbuild_timeout = \"30m\"\n").start()
    try:
        host = platform.deploy(web_app("0")).host
        builder = platform.create_app(web_app("1") | {".build.sh": "#!/bin/sh\n" + BUSY})
        calm, built = [], []
        for _ in range(arguments.rounds):
            calm.append(measure(platform, host, arguments.requests))
            built.append(during_a_build(platform, builder, host, arguments.requests))
        print("| | without a build | with one | ratio |\n|---|---|---|---|")
        for index, name in enumerate(("p50", "p99")):
            one, other = (statistics.median(round[index] for round in rounds) for rounds in (calm, built))
            print(f"| {name} | {one:.1f} ms | {other:.1f} ms | {other / one:.2f} |")
    finally:
        platform.close()


if __name__ == "__main__":
    main()
