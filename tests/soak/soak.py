"""Random operations under random kills and never-ending traffic, and after each round a look at everything.

    script/soak [--minutes N] [--rounds N] [--seed S] [--verbose]

    --minutes N   how long it runs (default: 10)
    --rounds N    how many rounds it runs at the most
    --seed S      replays the operations and kills of the run with this seed (default: a fresh one, which is printed)
    --verbose     prints the operations and kills of each round

A round is a few seconds of operations (pushes, good and bad, rollback, scale, settings, restart, stop and start, rename, another
branch, jobs) on four apps, while processes of every kind get SIGKILL: one by one, in bursts, and now and then all at
once, followed by a new start. Then the kills stop, and the system must come to rest: checker.py knows what must hold.
The seed decides about operations, kills and their times; what the machine makes of them differs from run to run.

On a violation it prints the seed, the round, the latest operations and kills, and keeps the root directory. Exit code: 0
without a violation, 1 with one, 2 when it cannot run.
"""

import argparse
import contextlib
import random
import re
import secrets
import signal
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import observe  # noqa: E402
from checker import Checker  # noqa: E402
from clients import Client, Events  # noqa: E402
from harness import Platform, start_command  # noqa: E402
from killer import HARMLESS, KINDS, WEIGHTS, Killer  # noqa: E402
from operations import App, Lane  # noqa: E402

REST = 90.0  # seconds that the system gets to come to rest: a crashing app may be held back for a minute
LONG_REST = 20.0  # seconds; what is waited for is printed then
MOST_CHECKOUTS = 2
TAI_AHEAD = 37  # seconds, of UTC
CALM = 0.3  # share of the rounds in which no request may fail because of a kill


@dataclass
class Plan:
    """What happens in a round; the same for the same seed and number."""

    operations: list = field(default_factory=list)  # for each lane: [(kind, number)]
    kills: list = field(default_factory=list)  # [(pause before it, what, number, count)]
    calm: bool = False  # only kills that are no reason for a request to fail


def plan_round(seed, number, lanes):
    """The plan of a round."""
    dice = random.Random(f"{seed}/{number}")
    kinds, weights = list(Lane.OPERATIONS), list(Lane.OPERATIONS.values())
    plan = Plan(calm=dice.random() < CALM)
    for _ in range(lanes):
        chosen = dice.choices(kinds, weights, k=dice.randint(3, 8))
        plan.operations.append([(kind, dice.randrange(1_000_000)) for kind in chosen])
    for _ in range(dice.randint(12, 30)):
        aims = HARMLESS if plan.calm else KINDS
        kind = dice.choices(aims, [WEIGHTS[kind] for kind in aims])[0]
        count = dice.choice([1, 1, 1, 1, 1, 1, 2, 3])
        plan.kills.append((dice.uniform(0.02, 0.45), kind, dice.randrange(1_000_000), count))
    if plan.calm:
        return plan
    special = dice.random()
    at = dice.randrange(len(plan.kills))
    if special < 0.10:
        plan.kills.insert(at, (0.1, "everything", 0, 0))
    elif special < 0.25:
        plan.kills.insert(at, (0.1, "burst", dice.randrange(1_000_000), dice.choice([2, 3, 5])))
    elif special < 0.28:
        plan.kills.insert(at, (0.1, "stop", 0, 0))
    return plan


class Init(threading.Thread):
    """What systemd is on a server: starts `pushrod up`, again whenever it has ended."""

    def __init__(self, platform, events):
        super().__init__(daemon=True)
        self.platform, self.events = platform, events
        self.paused = threading.Event()
        self.ended = threading.Event()
        self.starts = 0

    def run(self):
        up, excused = self.platform.up, False
        while not self.ended.wait(0.05):
            if not self.paused.is_set() and (up is None or up.poll() is not None):
                self.events.begin("*", "a start of the tree")
                if excused:
                    self.events.end("*", "another start of the tree")
                excused = True
                up = self.start_up()
                self.platform.up = up
                self.ended.wait(0.2)
            elif excused and not self.paused.is_set() and self.is_ready():
                self.events.end("*", "the tree is up")
                excused = False
        if excused:
            self.events.end("*", "the end")

    def start_up(self):
        self.starts += 1
        platform = self.platform
        with open(platform.directory / "up.log", "ab") as log:
            argv = [platform.binary, "--root", platform.root, "up", "--http", f"127.0.0.1:{platform.ports.http}",
                    "--ssh", f"127.0.0.1:{platform.ports.ssh}"]  # fmt: skip
            return start_command(argv, env=platform.server_env, stdout=log, stderr=log)

    def is_ready(self):
        with contextlib.suppress(OSError, AssertionError):
            return self.platform.daemon_pid() and self.platform.accepts(self.platform.ports.http)
        return False

    def stop(self):
        self.ended.set()
        self.join()


class Watch(threading.Thread):
    """What must hold at every moment: I4, two checkouts at most."""

    def __init__(self, root):
        super().__init__(daemon=True)
        self.root, self.ended, self.found = Path(root), threading.Event(), set()

    def run(self):
        while not self.ended.wait(0.03):
            with contextlib.suppress(OSError):
                for app in (self.root / "checkouts").iterdir():
                    with contextlib.suppress(OSError):
                        names = [entry.name for entry in app.iterdir()]
                        if len(names) > MOST_CHECKOUTS:
                            self.found.add(f"checkouts/{app.name} has {sorted(names)}")

    def stop(self):
        self.ended.set()
        self.join()


class Soak:
    """One run."""

    def __init__(self, seed, settings=""):
        self.seed = seed
        self.platform = Platform("soak", settings=settings)
        self.events = Events()
        self.lanes = [
            Lane(self.platform, self.events, "alpha", [App("alpha")]),
            Lane(self.platform, self.events, "beta", [App("beta")]),
            Lane(self.platform, self.events, "mono", [App("gamma", "g"), App("delta", "d")]),
        ]
        self.apps = [app for lane in self.lanes for app in lane.apps]
        self.killer = Killer(self.platform.root, self.events, lambda name: name.removesuffix("-2"))
        self.checker = Checker(self.platform)
        self.operations = Counter()
        self.round = 0
        self.rests = []
        self.watchdog_kills = set()

    def start(self):
        self.platform.start()
        for lane in self.lanes:
            lane.set_up()
        self.platform.pushrod("scale", "beta", "web=2")
        self.lanes[1].accept(self.lanes[1].apps[0])
        self.init = Init(self.platform, self.events)
        self.init.start()
        self.watch = Watch(self.platform.root)
        self.watch.start()
        self.clients = [
            Client(self.platform.ports.http, app.key, lambda app=app: f"{app.name}.localhost", self.events)
            for app in self.apps
            for _ in range(2)
        ]
        for client in self.clients:
            client.start()

    def run_round(self):
        """Returns the violations."""
        self.round += 1
        plan = plan_round(self.seed, self.round, len(self.lanes))
        threads = [
            threading.Thread(target=self.operate, args=(lane, operations), daemon=True)
            for lane, operations in zip(self.lanes, plan.operations)
        ]
        for thread in threads:
            thread.start()
        self.strike(plan)
        for thread in threads:
            thread.join(600)
        began = time.monotonic()
        found = self.checker.await_rest(REST, self.look_at_lanes)
        self.rests.append(time.monotonic() - began)
        if self.rests[-1] > LONG_REST and not found:
            print(f"round {self.round}: {self.rests[-1]:.0f} s until", *self.checker.held_up[1], sep="\n  ", flush=True)
        found += [f"an acknowledged change is lost, or another one was made: {problem}" for problem in self.settle()]
        found += [f"at some time: {sentence}" for sentence in sorted(self.watch.found)]
        for lane in self.lanes:
            found += lane.problems
        self.note_watchdog()
        for client in self.clients:
            for failure in client.take_unexplained()[:5]:
                event = self.events.latest(client._key, failure.end)
                last = f"{failure.end - event[0]:.2f} s after {event[1]}" if event else "without any event"
                ago = time.monotonic() - failure.end
                found.append(f"a request failed that nothing explains: {failure.what} ({failure.end - failure.start:.2f} s long, "
                             f"{last}; {ago:.2f} s ago)")  # fmt: skip
        return found

    def look_at_lanes(self):
        """Deployments that go on are none of the rest."""
        return [] if self.init.is_ready() else ["the tree is not up"]

    def note_watchdog(self):
        """The watchdog (src/serve/watchdog.hh) kills, too: what does not answer for seconds, on a starved machine."""
        for stamp in re.findall(r"@4([0-9a-f]{23}) The watchdog ends the router", self.platform.log("daemon")):
            if stamp not in self.watchdog_kills:
                self.watchdog_kills.add(stamp)
                at = int(stamp[:15], 16) - TAI_AHEAD + int(stamp[15:], 16) / 1e9
                self.events.add("*", "the watchdog ended the router", at - time.time() + time.monotonic())

    def settle(self):
        problems = []
        for lane in self.lanes:
            for app in lane.apps:
                try:
                    problems += lane.settle(app)
                    lane.accept(app)
                except (OSError, ValueError, StopIteration) as error:
                    problems.append(f"cannot look at {app.key}: {error!r}")
        return problems

    def operate(self, lane, operations):
        for kind, number in operations:
            try:
                lane.run(kind, number, self.round)
            except Exception as error:  # noqa: BLE001 (a thread that ends without a word would count as a success)
                lane.problems.append(f"{kind} ended with {error!r}")
                return
            self.operations[kind] += 1

    def strike(self, plan):
        for pause, what, number, count in plan.kills:
            time.sleep(pause)  # the plan's own rhythm; nothing is waited for here
            if what == "everything":
                self.init.paused.set()
                self.killer.all_at_once()
                self.init.paused.clear()
            elif what == "burst":
                self.killer.burst(number, count)
            elif what == "stop":
                self.events.begin("*", "a stop of the tree")
                self.init.paused.set()
                with contextlib.suppress(ProcessLookupError):
                    self.platform.up.send_signal(signal.SIGTERM)
                with contextlib.suppress(Exception):
                    self.platform.up.wait(60)
                self.init.paused.clear()
                self.events.end("*", "a stop of the tree")
            elif plan.calm:
                self.killer.strike(what, number, count, HARMLESS)
            else:
                self.killer.strike(what, number, count)

    def latest(self):
        """The latest operations and kills, in the order of time."""
        now = time.monotonic()
        lines = [(start, f"-{now - start:7.2f} s  {repo}: {kind} {app} ({end - start:.2f} s): {outcome}")
                 for lane in self.lanes for start, end, repo, kind, app, outcome in lane.log]  # fmt: skip
        lines += [(at, f"-{now - at:7.2f} s  SIGKILL {kind} {subject} {pid} {argv}")
                  for at, kind, subject, pid, argv in self.killer.log]  # fmt: skip
        return [line for _, line in sorted(lines)[-120:]]

    def evidence(self):
        """The processes as they are, and the ends of Pushrod's logs."""
        lines = []
        for process in sorted(observe.processes(self.platform.root).values(), key=lambda process: process.pid):
            state, sleeps = observe.stat_of(process.pid), observe.read_bytes(f"/proc/{process.pid}/wchan").decode()
            lines.append(f"{process.pid} below {process.parent} {state and state[1]} {sleeps} {process.kind} {process.subject}: "
                         f"{' '.join(process.argv)[:150]}")  # fmt: skip
        return "\n".join(lines) + "\n" + self.platform.evidence(60)

    def report(self):
        requests = sum(client.requests for client in self.clients)
        failures = sum(client.failures for client in self.clients)
        acknowledged = sum(lane.acknowledged for lane in self.lanes)
        kills = ", ".join(f"{kind} {count}" for kind, count in self.killer.kills.most_common())
        return (f"seed {self.seed}: {self.round} rounds, {sum(self.killer.kills.values())} kills ({kills}), "
                f"{self.operations.total()} operations ({acknowledged} acknowledged), {requests} requests ({failures} failed, "
                f"all of them explained or reported), {self.init.starts} new starts of the tree, "
                f"{len(self.watchdog_kills)} ends of the router by the watchdog, longest rest "
                f"{max(self.rests, default=0):.1f} s")  # fmt: skip

    def close(self, keep):
        for client in self.clients:
            client.stop()
        self.init.stop()
        self.watch.stop()
        if keep:
            self.platform.kill_all()
            self.platform.ports.release()
        else:
            self.platform.close()


def main():
    parser = argparse.ArgumentParser(usage="script/soak [--minutes N] [--rounds N] [--seed S] [--verbose]", add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=1_000_000)
    parser.add_argument("--seed", default="")
    parser.add_argument("--verbose", action="store_true")
    words = parser.parse_args()
    if words.help:
        print(__doc__.strip())
        return 0
    seed = words.seed or secrets.token_hex(4)
    print(f"seed {seed}", flush=True)
    for number in (signal.SIGTERM, signal.SIGINT):  # nothing may be left
        signal.signal(number, lambda *_: sys.exit(2))
    soak = Soak(seed)
    violations = []
    end = time.monotonic() + words.minutes * 60
    try:
        soak.start()
        while time.monotonic() < end and soak.round < words.rounds:
            began = time.monotonic()
            found = soak.run_round()
            if words.verbose:
                print(*soak.latest(), sep="\n", flush=True)
            if words.verbose or soak.round % 10 == 0:
                print(f"round {soak.round}: {time.monotonic() - began:.1f} s, {sum(soak.killer.kills.values())} kills", flush=True)
            if found:
                violations += found
                print(f"VIOLATION, seed {seed}, round {soak.round}:", *found, "latest operations and kills:", *soak.latest(),
                      sep="\n  ", flush=True)  # fmt: skip
                print(soak.evidence(), flush=True)
                break
    finally:
        soak.close(keep=bool(violations))
        if violations:
            print(f"the root directory is kept: {soak.platform.root}")
    print(f"{soak.report()}, {len(violations)} violations", flush=True)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
