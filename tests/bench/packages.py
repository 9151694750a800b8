"""What packages cost: pushes of apps with many, as ratios inside one run.

Started like bench.py (script/bench --packages). The Node.js app downloads some hundred packages from the npm registry, so
its first figures depend on the network; the Python app has twenty wheels in its repository.
"""

import io
import json
import os
import shutil
import statistics
import sys
import tempfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "e2e"))

from bench import Report, SETTINGS, push_version, ratio, spread, timed  # noqa: E402 (needs the path)
from harness import Platform, run_command, web_app  # noqa: E402

PUSHES = 7
RELEASES = 10
# Some hundred packages with what they depend on.
DEPENDENCIES = {"express": "4.21.2", "webpack": "5.97.1", "eslint": "8.57.1", "jest": "29.7.0"}


def wheel(name):
    """A wheel with a package of a hundred modules."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        info = f"{name}-1.0.dist-info"
        names = [f"{name}/__init__.py", *(f"{name}/module_{number}.py" for number in range(100))]
        for module in names:
            archive.writestr(module, "".join(f"VALUE_{line} = {line}\n" for line in range(200)))
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "".join(f"{each},,\n" for each in [*names, f"{info}/METADATA", f"{info}/RECORD"]))
    return data.getvalue()


def node_files(directory, dependencies):
    """An app with these dependencies and its lock file."""
    package = {"name": "app", "version": "1.0.0", "dependencies": dependencies}
    (directory / "package.json").write_text(json.dumps(package))
    if dependencies:
        run_command(["npm", "install", "--package-lock-only", "--no-audit", "--no-fund"], env=dict(os.environ), cwd=directory)
        lock = (directory / "package-lock.json").read_text()
        return {"package.json": json.dumps(package), "package-lock.json": lock}
    return {"package.json": json.dumps(package)}


def python_files(count):
    """An app that asks for so many wheels, which are beside it."""
    names = [f"wheel{number}" for number in range(count)]
    lines = ["--no-index", "--find-links wheels", *(f"{name}==1.0" for name in names)]
    files = {f"wheels/{name}-1.0-py3-none-any.whl": wheel(name) for name in names}
    return files | {"requirements.txt": "\n".join(lines) + "\n" if names else "# none\n"}


def build_environment():
    """Where connections go through a proxy of its own authority, builds need to know it, too."""
    authority = os.environ.get("NODE_EXTRA_CA_CERTS")
    return f'[build.environment]\nNODE_EXTRA_CA_CERTS = "{authority}"\n' if authority else ""


def size(path):
    """Bytes on the disk, as du counts them."""
    return int(run_command(["du", "-s", "--block-size=1", str(path)], env=dict(os.environ)).out.split()[0])


def pushes_of(app):
    """Seconds of pushes of one changed line."""
    seconds = []
    for number in range(1, PUSHES + 1):
        seconds.append(push_version(app, number))
        app.await_settled()
    return seconds


def first_push(platform, files, **options):
    """Seconds, and the app."""
    app = platform.create_app(files, **options)
    seconds = timed(lambda: app.work.push(arguments=["--quiet"]))
    app.await_settled()
    return seconds, app


def by_hand(files):
    """Seconds of npm ci in an empty directory, with an empty cache."""
    with tempfile.TemporaryDirectory() as directory:
        for name, content in files.items():
            (Path(directory) / name).write_text(content)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--cache", f"{directory}/cache"]
        return timed(lambda: run_command(command, env=dict(os.environ), cwd=directory, timeout=600))


def measure_language(platform, report, name, plain, rich):
    """`plain` and `rich`: the files that an app without packages and one with many have beside the test app's."""
    _, base = first_push(platform, web_app("0") | plain)
    first, app = first_push(platform, web_app("0") | rich)
    again, _ = first_push(platform, web_app("another") | rich)
    without, with_packages = pushes_of(base), pushes_of(app)
    report.add(f"push of one changed line, {name} ÷ the same app without packages", "≤ 1.25", "1.05",
               f"{ratio(with_packages, without):.2f}: {spread(with_packages)} ÷ {spread(without)}")
    report.add(f"second app with the same packages ÷ first, {name}", "≤ 0.3", "0.1",
               f"{again / first:.2f}: {again:.2f} s ÷ {first:.2f} s")
    return first, app


def measure_disk(platform, report):
    """Of an app with as many releases as are kept, and of its first alone."""
    directories = [platform.root / name for name in ("layers", "checkouts", "releases", "repos")]

    def used():
        return sum(size(directory) for directory in directories if directory.exists())

    with tempfile.TemporaryDirectory() as directory:
        _, app = first_push(platform, web_app("0") | node_files(Path(directory), DEPENDENCIES))
    one = used()
    for number in range(1, RELEASES):
        push_version(app, number)
        app.await_settled()
    report.add(f"disk of {RELEASES} releases ÷ of one, Node.js", "≤ 1.2", "1.05",
               f"{used() / one:.3f}: {used() / 1e6:.0f} MB ÷ {one / 1e6:.0f} MB")


def main():
    report = Report()
    platform = Platform("packages")
    try:
        (platform.root / "server.toml").write_text(
            SETTINGS + f"[retention]\nreleases = {RELEASES}\n" + build_environment())
        platform.start()
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            rich = node_files(Path(one), DEPENDENCIES)
            count = rich["package-lock.json"].count('"node_modules/')
            first, app = measure_language(
                platform, report, f"Node.js with {count} packages", node_files(Path(two), {}), rich)
            hand = [by_hand(rich) for _ in range(3)]
            report.add("first build ÷ npm ci by hand, both with an empty cache", "≤ 1.15", "1.05",
                       f"{first / statistics.median(hand):.2f}: {first:.2f} s ÷ {statistics.median(hand):.2f} s")
        measure_language(platform, report, "Python with 20 wheels", python_files(0), python_files(20))
        for app in platform.json("app", "list"):
            platform.pushrod("app", "destroy", app["app"], "--yes")
        shutil.rmtree(platform.root / "trash", ignore_errors=True)
        measure_disk(platform, report)
    finally:
        platform.close()
    report.print()


if __name__ == "__main__":
    main()
