"""Messages that a broker loses with its disk: a separation without progress is sent again, and ends with the right bytes."""

import os
import signal

import numpy as np
import pytest
from stack import Stack, chunk_queue, noise, read

STALL_AFTER = "2s"
# Twelve chunks: more than wait in the queue at once.
FRAMES = 2_500_001
RESULTS = "unbraid.results.assembler-1"


@pytest.fixture(scope="module")
def stack():
    running = Stack(workers=1, models=("passthrough",))
    running.environment["UNBRAID_STALL_AFTER"] = STALL_AFTER
    with running:
        yield running


def check(command, samples, out):
    output, _ = command.communicate(timeout=120)
    assert command.returncode == 0, output[-1000:]
    assert np.array_equal(read(out / "vocals.wav"), samples * np.float32(0.5))


@pytest.mark.parametrize("times", [1, 3])
def test_chunks_that_are_lost_are_sent_again(stack, tmp_path, times):
    samples = noise(tmp_path / "song.wav", FRAMES + times)
    worker = stack.pids()["worker-1"]
    os.kill(worker, signal.SIGSTOP)
    command = stack.start("separate", str(tmp_path / "song.wav"), "-o", str(tmp_path / "out"), "--model", "passthrough")
    for _ in range(times):
        stack.await_ready(chunk_queue("passthrough"), 2)
        stack.script("ctl", "purge_queue", chunk_queue("passthrough"))
    os.kill(worker, signal.SIGCONT)
    check(command, samples, tmp_path / "out")


def test_results_that_are_lost_are_computed_again(stack, tmp_path):
    samples = noise(tmp_path / "song.wav", FRAMES)
    worker = stack.pids()["worker-1"]
    os.kill(worker, signal.SIGSTOP)
    command = stack.start("separate", str(tmp_path / "song.wav"), "-o", str(tmp_path / "out"), "--model", "passthrough")
    stack.await_ready(chunk_queue("passthrough"), 2)
    os.kill(stack.pids()["assembler"], signal.SIGKILL)
    os.kill(worker, signal.SIGCONT)
    stack.await_ready(RESULTS, 8)
    stack.script("ctl", "purge_queue", RESULTS)
    stack.script("restart", "assembler")
    check(command, samples, tmp_path / "out")
