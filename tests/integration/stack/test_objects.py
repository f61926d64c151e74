"""Audio beside the messages: the same bytes as in them, nothing left behind, and nothing lost with it."""

import contextlib
import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from stack import Stack, noise, read

# Twelve chunks: more than wait in the queue at once.
FRAMES = 2_500_001
MODEL = ("--model", "passthrough")
RESULTS = "unbraid.results.assembler-1"
PATIENCE = 60


def objects(stack: Stack) -> list[Path]:
    # Unlike Path.rglob, it does not mind folders that go meanwhile.
    return [Path(folder, name) for folder, _, names in os.walk(stack.folder / "state" / "objects") for name in names]


def await_objects(stack: Stack, number: int) -> None:
    end = time.monotonic() + PATIENCE
    while len(objects(stack)) < number:
        assert time.monotonic() < end, objects(stack)
        time.sleep(0.01)


def hashes(out: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.iterdir())}


def check(command: subprocess.Popen, samples: np.ndarray, out: Path) -> None:
    output, _ = command.communicate(timeout=120)
    assert command.returncode == 0, output[-1000:]
    assert np.array_equal(read(out / "vocals.wav"), samples * np.float32(0.5))


@pytest.fixture(scope="module")
def stack():
    running = Stack(workers=1, models=("passthrough",))
    running.environment.pop("UNBRAID_STACK_OBJECTS", None)
    # What is lost must not have to wait until the splitter misses it.
    running.environment["UNBRAID_STALL_AFTER"] = "600s"
    with running:
        yield running


@contextlib.contextmanager
def held_song(stack: Stack, song: Path, out: Path) -> Iterator[subprocess.Popen]:
    """A song that is sent while the worker stands still, which goes on at the end."""
    worker = stack.pids()["worker-1"]
    os.kill(worker, signal.SIGSTOP)
    try:
        yield stack.start("separate", str(song), "-o", str(out), *MODEL)
    finally:
        os.kill(worker, signal.SIGCONT)


def test_nothing_is_left_behind(stack, tmp_path):
    noise(tmp_path / "song.wav", FRAMES)
    command = stack.start("separate", str(tmp_path / "song.wav"), "-o", str(tmp_path / "out"), *MODEL)
    await_objects(stack, 1)
    assert command.wait(timeout=120) == 0
    assert objects(stack) == []


def test_audio_in_messages_gives_the_same_bytes(stack, tmp_path):
    noise(tmp_path / "song.wav", FRAMES + 1)
    stack.separate(tmp_path / "song.wav", tmp_path / "beside", *MODEL)
    carrying = Stack(workers=1, models=("passthrough",))
    carrying.environment["UNBRAID_STACK_OBJECTS"] = ""
    with carrying:
        carrying.separate(tmp_path / "song.wav", tmp_path / "within", *MODEL)
        assert not (carrying.folder / "state" / "objects").exists()
    assert hashes(tmp_path / "beside") == hashes(tmp_path / "within")
    assert len(hashes(tmp_path / "beside")) == 5


def test_a_cancelled_song_leaves_nothing(stack, tmp_path):
    noise(tmp_path / "song.wav", FRAMES + 2)
    with held_song(stack, tmp_path / "song.wav", tmp_path / "out") as command:
        await_objects(stack, 2)
        command.send_signal(signal.SIGINT)
        assert command.wait(timeout=60) != 0
    end = time.monotonic() + PATIENCE
    while objects(stack):
        assert time.monotonic() < end, objects(stack)
        time.sleep(0.05)


def lose(stack: Stack) -> None:
    for path in objects(stack):
        path.unlink(missing_ok=True)


def test_tasks_whose_audio_is_lost_are_sent_again(stack, tmp_path):
    samples = noise(tmp_path / "song.wav", FRAMES + 3)
    with held_song(stack, tmp_path / "song.wav", tmp_path / "out") as command:
        await_objects(stack, 4)
        lose(stack)
    check(command, samples, tmp_path / "out")


def test_results_whose_audio_is_lost_are_computed_again(stack, tmp_path):
    samples = noise(tmp_path / "song.wav", FRAMES + 4)
    with held_song(stack, tmp_path / "song.wav", tmp_path / "out") as command:
        await_objects(stack, 2)
        os.kill(stack.pids()["assembler"], signal.SIGKILL)
    stack.await_ready(RESULTS, 8)
    lose(stack)
    stack.script("restart", "assembler")
    check(command, samples, tmp_path / "out")


def test_a_worker_without_the_folder_gets_audio_in_messages(stack, tmp_path):
    samples = noise(tmp_path / "song.wav", FRAMES + 5)
    stack.environment["UNBRAID_STACK_OBJECTS"] = ""
    try:
        stack.script("restart", "worker-1")
        command = stack.start("separate", str(tmp_path / "song.wav"), "-o", str(tmp_path / "out"), *MODEL)
        check(command, samples, tmp_path / "out")
    finally:
        del stack.environment["UNBRAID_STACK_OBJECTS"]
        stack.script("restart", "worker-1")
    log = (stack.folder / "state" / "log" / "worker-1.log").read_text()
    assert "this process has no --object-folder" in log
