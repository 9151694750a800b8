"""Fixtures: platforms for tests, their clean end, and their logs beside a failure."""

import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness import Platform  # noqa: E402 (needs the path)

LONGEST_TEST = 150  # seconds


def end_all(things, end):
    """Ends each of them, also when another one's end fails; then tells of all failures."""
    errors = []
    for thing in things:
        try:
            end(thing)
        except AssertionError as error:
            errors.append(str(error))
    assert not errors, "\n".join(errors)


@pytest.fixture(scope="session")
def shared_platform():
    """One running platform per worker."""
    platform = Platform("shared")
    try:
        platform.start()
        yield platform
    finally:
        platform.close()


@pytest.fixture
def platform(shared_platform, request):
    """A running platform that other tests use, too: for tests that touch their own apps only. What they make ends with
    them: the ports of all tests' apps together are more than a platform has."""
    request.node.platforms.append(shared_platform)
    before = shared_platform.app_names()
    yield shared_platform
    shared_platform.end_clients()
    end_all(shared_platform.app_names() - before, lambda name: shared_platform.pushrod("app", "destroy", name, "--yes"))


@pytest.fixture
def make_platform(request):
    """A function that makes a platform of the test's own; takes what Platform() takes, and does not start it."""
    made = []

    def make(**options):
        platform = Platform(request.node.name, **options)
        made.append(platform)
        request.node.platforms.append(platform)
        return platform

    yield make
    end_all(made, Platform.close)


@pytest.fixture
def own_platform(make_platform):
    """A running platform that only this test uses; at its end nothing of it may be left."""
    return make_platform().start()


@pytest.fixture(autouse=True)
def time_limit():
    """A test that hangs fails, instead of holding up all others."""

    def too_long(*_):
        raise TimeoutError(f"the test took longer than {LONGEST_TEST} s")

    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LONGEST_TEST)
    yield
    signal.alarm(0)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    item.platforms = []


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    if report.failed:
        for platform in getattr(item, "platforms", []):
            report.sections.append((f"logs of {platform.root}", platform.evidence()))
