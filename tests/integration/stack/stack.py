"""A stack of real processes for tests, and the `unbraid` command in front of it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "scripts" / "stack.sh"
BIN = Path(os.environ.get("UNBRAID_BIN", ROOT / "build/release/bin"))
READY_SECONDS = 180
MORE_SECONDS = 60
# What scripts/stack.sh waits for its lock, and for a part to end: of itself, and then killed.
LOCK_SECONDS = 120
STOP_SECONDS = 30 + 10
# Gateway, splitter, assembler; beside them and the workers, the broker and its port mapper.
SERVICES = 3


class Stack:
    """`with Stack(workers=2) as stack:` brings one up in a folder of its own, and takes it down whatever happens, also while it comes up."""

    def __init__(self, workers: int, models: tuple[str, ...] = ("unbraid-4", "passthrough"),
                 ready_seconds: int = READY_SECONDS) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="unbraid-stack-"))
        self.folder.chmod(0o711)
        self.arguments = ["--workers", str(workers)]
        for model in models:
            self.arguments += ["--model", model]
        self.environment = dict(os.environ, UNBRAID_STACK_DIR=str(self.folder / "state"),
                                UNBRAID_STACK_READY_SECONDS=str(ready_seconds))
        self.limits = limits(workers, ready_seconds)
        self.clients: list[subprocess.Popen] = []

    def __enter__(self) -> "Stack":
        try:
            self._up()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def _up(self) -> None:
        self.script("up", *self.arguments)
        exports = subprocess.run(["bash", "-c", f'eval "$({SCRIPT} env)"; env -0'], env=self.environment, check=True,
                                 capture_output=True).stdout
        for entry in exports.decode().split("\0"):
            key, _, value = entry.partition("=")
            if key in ("UNBRAID_GATEWAY", "PATH"):
                self.environment[key] = value

    def remove(self) -> None:
        """Takes down what runs of it, commands that were started in the background included, and removes its folder."""
        try:
            for client in self.clients:
                if client.poll() is None:
                    client.kill()
            self.script("down")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def script(self, *arguments: str) -> str:
        # Not a pipe for standard error: the processes that it starts would keep it open.
        with tempfile.TemporaryFile() as errors:
            done = subprocess.run([str(SCRIPT), *arguments], env=self.environment, stdout=subprocess.PIPE, stderr=errors,
                                  timeout=self.limits.get(arguments[0], self.limits["restart"]))
            errors.seek(0)
            assert done.returncode == 0, errors.read().decode(errors="replace")
            return done.stdout.decode()

    def pids(self) -> dict[str, int]:
        return {name: int(pid) for name, pid in (line.split() for line in self.script("pids").splitlines())}

    def start(self, *arguments: str) -> subprocess.Popen:
        """The command in the background, its JSON on a pipe."""
        client = subprocess.Popen(["unbraid", "--json", *arguments], env=self.environment, stdout=subprocess.PIPE, text=True)
        self.clients = [*(each for each in self.clients if each.poll() is None), client]
        return client

    def run(self, *arguments: str, timeout: int = 300) -> tuple[int, list[dict[str, Any]]]:
        """Exit status and events of the command."""
        done = subprocess.run(["unbraid", "--json", *arguments], env=self.environment, capture_output=True, text=True,
                              timeout=timeout)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    def separate(self, song: Path, out: Path, *options: str, timeout: int = 300) -> dict[str, Any]:
        """Separates, expects success, and gives the finished separation."""
        status, events = self.run("separate", str(song), "-o", str(out), *options, timeout=timeout)
        assert status == 0, events[-1]
        return finished(events)

    def await_ready(self, queue: str, number: int) -> None:
        """Waits until so many messages wait in the queue."""
        end = time.monotonic() + MORE_SECONDS
        while True:
            lines = [line.split() for line in self.script("ctl", "list_queues", "name", "messages_ready").splitlines()]
            ready = {line[0]: int(line[1]) for line in lines if len(line) == 2 and line[1].isdigit()}
            if ready.get(queue, 0) >= number:
                return
            assert time.monotonic() < end, ready

    def log_lines(self) -> list[dict[str, Any]]:
        lines = []
        for log in sorted((self.folder / "state" / "log").glob("*.log")):
            if log.name.startswith(("rabbitmq", "epmd")):
                continue
            lines += [json.loads(line) for line in log.read_text().splitlines()]
        return lines


def limits(workers: int, ready_seconds: int) -> dict[str, int]:
    """After how many seconds a command of scripts/stack.sh is killed: more than what it may wait for by its own limits, so that it is the
    script that says what was not ready, and ends what it has started."""
    waits = 1 + 2 * SERVICES + workers  # the broker and a worker to be ready, a service to be bound and to be ready
    down = LOCK_SECONDS + (SERVICES + workers + 2) * STOP_SECONDS + MORE_SECONDS
    return {"up": waits * ready_seconds + down, "down": down,
            "restart": LOCK_SECONDS + STOP_SECONDS + ready_seconds + MORE_SECONDS}


def package_hash(model: str) -> str:
    """SHA-256 of a package that ships, which stands for graph and description."""
    models = Path(os.environ.get("UNBRAID_MODELS", str(ROOT / "build" / "models")))
    return hashlib.sha256((models / model / "model.json").read_bytes()).hexdigest()


def chunk_queue(model: str) -> str:
    """The queue of a package that ships."""
    return f"unbraid.chunks.{model}.{package_hash(model)[:16]}"


def finished(events: list[dict[str, Any]]) -> dict[str, Any]:
    return next(event["done"] for event in events if event["event"] == "done")


def read(path: Path) -> np.ndarray:
    """[frames, channels] float64; integers at full scale 1."""
    return soundfile.read(path, dtype="float64", always_2d=True)[0]


def demo_song(seconds: int) -> Path:
    """A cut of a freely licensed song, 16 bit, 44.1 kHz, stereo."""
    made = subprocess.run([str(ROOT / "scripts" / "demo-song.sh"), str(seconds)], check=True, capture_output=True, text=True)
    return Path(made.stdout.strip())


def noise(path: Path, frames: int, channels: int = 2, rate: int = 44100, subtype: str = "FLOAT") -> np.ndarray:
    samples = np.random.default_rng(frames).uniform(-0.5, 0.5, (frames, channels)).astype(np.float32)
    soundfile.write(path, samples, rate, subtype=subtype)
    return samples


def long_noise(path: Path, seconds: int, seed: int) -> Path:
    """Stereo noise at 44.1 kHz, 16 bit, of any length: written second by second, so that it needs no memory."""
    random = np.random.default_rng(seed)
    with soundfile.SoundFile(path, "w", 44100, 2, subtype="PCM_16") as out:
        for _ in range(seconds):
            out.write(random.uniform(-0.2, 0.2, (44100, 2)))
    return path


def interrupt(process: subprocess.Popen) -> int:
    process.send_signal(signal.SIGINT)
    return process.wait(timeout=60)
