"""What a test of failures needs around a stack: somebody who starts again what has died, and the probes."""

from __future__ import annotations

import re
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from stack import ROOT, SCRIPT, Stack

# First samples of a window, as tests/component/worker/make_packages.py has them.
CRASH, HANG, NOT_FINITE = -32.0, -64.0, -16.0
STRIDE = 3072
RATE = 44100


def with_test_models(folder: Path, workers: int = 1, models: tuple[str, ...] = ("moody",), **environment: str) -> Stack:
    """A stack, not up yet, whose catalogue has the models of the worker's tests beside those that ship."""
    subprocess.run(["/usr/bin/python3", str(ROOT / "tests/component/worker/make_packages.py"), str(folder)], check=True)
    stack = Stack(workers=workers, models=models)
    shipped = Path(stack.environment.get("UNBRAID_MODELS", str(ROOT / "build/models")))
    for model in ("unbraid-4", "passthrough"):
        (folder / model).symlink_to(shipped / model)
    stack.environment.update(environment, UNBRAID_MODELS=str(folder))
    return stack


def await_that(condition: Callable[[], object], what: str, seconds: float = 60) -> object:
    """The first true value of the condition."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def http(stack: Stack, part: str, path: str) -> tuple[int, str]:
    """Status and text of a probe; status 0 while nobody answers."""
    address = re.search(r"^http=(\S+)$", (stack.folder / f"state/run/{part}.address").read_text(), re.MULTILINE).group(1)
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def figure(stack: Stack, part: str, name: str) -> float:
    """A figure of /metrics by its name and labels; 0 while there is none."""
    for line in http(stack, part, "/metrics")[1].splitlines():
        if line.startswith(f"{name} "):
            return float(line.split()[-1])
    return 0


class Supervisor:
    """Starts workers again that have ended, as Kubernetes would."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.restarts = 0

    def __enter__(self) -> "Supervisor":
        self._names = [name for name in self._stack.pids() if name.startswith("worker-")]
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            running = self._stack.pids()
            for name in self._names:
                if name not in running:
                    self.restarts += 1
                    # It may end again before it is ready.
                    subprocess.run([str(SCRIPT), "restart", name], env=self._stack.environment, stderr=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, timeout=60)
