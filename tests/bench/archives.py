"""What moving an app costs: `app export | app import` of an app with data and a database ÷ tar and pg_dump by hand.

Started like bench.py (script/bench --archives [MEGABYTES]): as much in files as in the database. By hand: tar | tar on the
same disk, pg_dump -Fc into a file and pg_restore of it into an empty database of the same server, then sync, as an import
flushes what it has written before it counts. What an import does besides (a deployment, and a new server) is measured with
an app whose database and /data are empty, and taken off.
Then: a dump of the database through `service export` ÷ pg_dump alone.
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
DECLARED = '[services]\ndb = "postgres"\n'


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


def fill_database(platform, app, megabytes):
    """Rows of about a kilobyte that compress by half."""
    statement = (
        "CREATE TABLE rows AS SELECT n, (SELECT string_agg(md5((n * 32 + part)::text), '') FROM generate_series(1, 31) part)"
        f" AS text FROM generate_series(1, {megabytes * 1000}) n; ALTER TABLE rows ADD PRIMARY KEY (n); CHECKPOINT"
    )
    words = ["service", "run", f"{app.name}-db", "--", "psql", "-qX", "-d", app.name.replace("-", "_"), "-c", statement]
    platform.pushrod(*words, timeout=1200)


def timed(work):
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


class ByHand:
    """PostgreSQL's own tools on the service's socket, as its administrator."""

    def __init__(self, platform, app):
        self._name = app.name.replace("-", "_")
        service = f"{app.name}-db"
        said = platform.pushrod("service", "run", service, "--", "sh", "-c", 'echo "$PGPASSWORD"').out
        programs = max(Path("/usr/lib/postgresql").iterdir(), key=lambda path: int(path.name)) / "bin"
        self._env = {"PATH": f"{programs}:/usr/bin:/bin", "PGUSER": "postgres", "PGPASSWORD": said.strip(),
                     "PGHOST": str(platform.root / "services" / service / "socket"), "LC_ALL": "C.UTF-8"}  # fmt: skip

    def _run(self, *words):
        subprocess.run(words, env=self._env, check=True)

    def dump(self, file):
        self._run("pg_dump", "-Fc", "-d", self._name, "-f", file)

    def restore(self, file):
        self._run("createdb", "byhand")
        self._run("pg_restore", "--exit-on-error", "--no-owner", "-d", "byhand", file)

    def forget(self):
        self._run("dropdb", "--if-exists", "--force", "byhand")


def move_by_hand(hand, data, target):
    target.mkdir()
    subprocess.run(f"tar -C '{data}' -cf - . | tar -C '{target}' -xf -", shell=True, check=True)
    hand.dump(target / "dump")
    hand.restore(target / "dump")
    subprocess.run(["sync", "-f", target], check=True)


def through_pushrod(platform, app, name):
    words = [platform.binary, "--root", platform.root, "app"]
    source = subprocess.Popen([*words, "export", app], env=platform.server_env, stdout=subprocess.PIPE)
    subprocess.run([*words, "import", name], env=platform.server_env, stdin=source.stdout, check=True, stdout=subprocess.DEVNULL)
    assert source.wait() == 0


def remove(platform, name):
    platform.pushrod("app", "destroy", name, "--yes", timeout=300)
    deadline = time.monotonic() + 60
    while platform.pushrod("service", "destroy", f"{name}-db", "--yes", code=None, timeout=300).code:
        assert time.monotonic() < deadline, "its account is not closed"
        time.sleep(0.2)


def export_service(platform, app, target):
    with open(target / "dump", "wb") as out:
        words = [platform.binary, "--root", platform.root, "service", "export", f"{app.name}-db"]
        subprocess.run(words, env=platform.server_env, stdout=out, check=True)


def measure_dump(platform, app, hand, target):
    alone, through = [], []
    target.mkdir()
    for _ in range(ROUNDS):
        alone.append(timed(lambda: hand.dump(target / "dump")))
        through.append(timed(lambda: export_service(platform, app, target)))
    shutil.rmtree(target)
    base, whole = statistics.median(alone), statistics.median(through)
    print(f"dump: pg_dump alone {base:.2f} s, service export {whole:.2f} s; ratio {whole / base:.2f} (must: ≤ 1.2; aim: 1.05)")


def main():
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    platform = Platform("bench").start()
    try:
        app, empty = (platform.deploy(web_app("1", pushrod_toml=DECLARED)) for _ in range(2))
        fill(app.data, megabytes)
        fill_database(platform, app, megabytes)
        hand = ByHand(platform, app)
        target = platform.directory / "by-hand"
        measure_dump(platform, app, hand, target)
        by_hand, moved, bare = [], [], []
        for count in range(ROUNDS):
            by_hand.append(timed(lambda: move_by_hand(hand, app.data, target)))
            shutil.rmtree(target)
            hand.forget()
            bare.append(timed(lambda: through_pushrod(platform, empty.name, f"bare-{count}")))
            moved.append(timed(lambda: through_pushrod(platform, app.name, f"moved-{count}")))
            remove(platform, f"bare-{count}")
            remove(platform, f"moved-{count}")
        whole, base, deploy = (statistics.median(times) for times in (moved, by_hand, bare))
        print(f"{megabytes} MB of files and {megabytes} MB of rows: by hand {base:.2f} s, export | import {whole:.2f} s, "
              f"of an empty app {deploy:.2f} s")  # fmt: skip
        print(f"export | import ÷ by hand: {whole / base:.2f}; without the deployment: {(whole - deploy) / base:.2f}")
        print("must: ≤ 1.5; aim: 1.1")
    finally:
        platform.close()


main()
