"""What moving an app costs: `app export | app import` of an app with a gigabyte of data ÷ tar by hand.

Started like bench.py (script/bench --archives [MEGABYTES]). By hand: tar | tar on the same disk, then sync, as an import
flushes what it has written before it counts. The deployment that an import ends with is measured as well, and taken off.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "e2e"))

from harness import Platform, web_app  # noqa: E402

ROUNDS = 3


def fill(directory, megabytes):
    """Files of 4 kB to 8 MB that cannot be compressed."""
    sizes = [4_096, 65_536, 1_048_576, 8_388_608]
    left, count = megabytes * 1_000_000, 0
    while left > 0:
        size = min(sizes[count % len(sizes)], left)
        folder = directory / str(count // 100)
        folder.mkdir(exist_ok=True)
        (folder / str(count)).write_bytes(os.urandom(size))
        left, count = left - size, count + 1


def timed(work):
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def by_hand(data, target):
    target.mkdir()
    subprocess.run(f"tar -C '{data}' -cf - . | tar -C '{target}' -xf - && sync -f '{target}'", shell=True, check=True)


def through_pushrod(platform, app, name):
    words = [platform.binary, "--root", platform.root, "app"]
    source = subprocess.Popen([*words, "export", app], env=platform.server_env, stdout=subprocess.PIPE)
    subprocess.run([*words, "import", name], env=platform.server_env, stdin=source.stdout, check=True, stdout=subprocess.DEVNULL)
    assert source.wait() == 0


def main():
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    platform = Platform("bench").start()
    try:
        app, empty = platform.deploy(web_app("1")), platform.deploy(web_app("1"))
        fill(app.data, megabytes)
        hand, moved, bare = [], [], []
        for count in range(ROUNDS):
            target = platform.directory / "by-hand"
            hand.append(timed(lambda: by_hand(app.data, target)))
            shutil.rmtree(target)
            bare.append(timed(lambda: through_pushrod(platform, empty.name, f"bare-{count}")))
            moved.append(timed(lambda: through_pushrod(platform, app.name, f"moved-{count}")))
            platform.pushrod("app", "destroy", f"moved-{count}", "--yes", timeout=300)
        whole, base, deploy = (statistics.median(times) for times in (moved, hand, bare))
        print(f"{megabytes} MB: by hand {base:.2f} s, export | import {whole:.2f} s, of an app without data {deploy:.2f} s")
        print(f"export | import ÷ tar by hand: {whole / base:.2f}; without the deployment: {(whole - deploy) / base:.2f}")
        print("must: ≤ 1.5; aim: 1.1")
    finally:
        platform.close()


main()
