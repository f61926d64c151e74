"""What the tests of this folder share. A file whose tests need another stack has a `stack` of its own.

A test that hangs is ended here, so that fixtures end as well, and no service, broker or mount outlives it. CTest's own limit, which leaves
no time for that, lies behind these (CMakeLists.txt).
"""

import signal
import time
from contextlib import contextmanager

import pytest
from api import Api
from stack import Stack

# For a test with all that is set up for it; `@pytest.mark.seconds(N)` where that does not do.
TEST_SECONDS = 300
# After that no further test of a file is begun.
FILE_SECONDS = 600
FILE_BEGAN = pytest.StashKey[float]()
TEST_BEGAN = pytest.StashKey[float]()


def pytest_configure(config):
    config.addinivalue_line("markers", f"seconds(limit): how long a test may take with all that is set up for it ({TEST_SECONDS})")


@contextmanager
def bounded(item):
    """Fails the test, here and now, when its time is over. What is then taken down has limits of its own."""
    mark = item.get_closest_marker("seconds")
    limit = mark.args[0] if mark else TEST_SECONDS
    left = item.stash[TEST_BEGAN] + limit - time.monotonic()

    def fail(*_):
        __tracebackhide__ = True
        pytest.fail(f"{item.name} is not over after {limit} s; the last call above is what it was waiting in")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, max(left, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item):
    item.stash[TEST_BEGAN] = time.monotonic()
    taken = time.monotonic() - item.getparent(pytest.Module).stash.setdefault(FILE_BEGAN, time.monotonic())
    if taken > FILE_SECONDS:
        pytest.fail(f"not begun: the tests of this file before it have taken {taken:.0f} s of {FILE_SECONDS}")
    with bounded(item):
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    with bounded(item):
        yield


@pytest.fixture(scope="module")
def stack():
    with Stack(workers=1, models=("passthrough",)) as running:
        yield running


@pytest.fixture(scope="module")
def api(stack):
    with Api(stack) as client:
        yield client
