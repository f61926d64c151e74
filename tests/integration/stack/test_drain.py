"""SIGTERM while there is work: every service ends with 0 in its time, and nothing that was finished is computed again."""

import ctypes
import json
import os
import signal
import time

import numpy as np
import pytest
import soundfile
from supervisor import RATE, STRIDE, await_that, figure, with_test_models

CHUNKS = 30
SLOW = 1500.0
PR_SET_CHILD_SUBREAPER = 36
# The grace period of each, and a little for the machine.
SECONDS = {"worker-1": 30, "gateway": 15, "splitter": 15, "assembler": 15}


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0, os.strerror(ctypes.get_errno())
    with with_test_models(tmp_path_factory.mktemp("models"), workers=2) as running:
        yield running
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def song(path, seed):
    samples = np.random.default_rng(seed).uniform(-0.4, 0.4, ((CHUNKS - 1) * STRIDE + 2000, 2)).astype(np.float32)
    samples[::STRIDE, 0] = SLOW
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    return path


def computed_chunks(stack, name):
    number = name.split("/")[1]
    lines = [line for line in stack.log_lines() if line["message"] == "chunk computed" and line["separation"] == number]
    return sorted(line["chunk"] for line in lines)


def end_and_wait(pid, seconds):
    """Exit status after SIGTERM."""
    begin = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    _, status = os.waitpid(pid, 0)
    assert time.monotonic() - begin < seconds
    return os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize("name", ["worker-1", "gateway", "assembler", "splitter"])
def test_in_the_middle_of_a_separation(stack, tmp_path, name):
    client = stack.start("separate", str(song(tmp_path / "song.wav", len(name))), "-o", str(tmp_path / "out"), "--model", "moody")
    await_that(lambda: figure(stack, "worker-2", "unbraid_worker_busy") == 1, "the workers are busy")
    for line in client.stdout:
        event = json.loads(line)
        if event["event"] == "progress" and int(event["separation"]["progress"]["chunks_done"]) >= 5:
            break
    separation = event["separation"]["name"]
    assert end_and_wait(stack.pids()[name], SECONDS[name]) == 0
    finished = computed_chunks(stack, separation)
    assert len(finished) < CHUNKS
    stack.script("restart", name)
    out, _ = client.communicate(timeout=120)
    assert client.returncode == 0, out.splitlines()[-1]
    assert computed_chunks(stack, separation) == list(range(CHUNKS))
