"""Chunks that kill, hang or spoil whoever computes them: their separation fails with a reason, and nobody else is harmed."""

import json

import numpy as np
import pytest
import soundfile
from supervisor import CRASH, HANG, NOT_FINITE, RATE, STRIDE, Supervisor, figure, with_test_models

CHUNKS = 15


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with with_test_models(tmp_path_factory.mktemp("models"), workers=1, UNBRAID_CHUNK_DEADLINE="1500ms") as running:
        yield running


def song(path, seed, marks):
    """Of CHUNKS chunks; `marks` are first samples of some of them."""
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, ((CHUNKS - 1) * STRIDE + 1024 + 100, 2)).astype(np.float32)
    for chunk, mark in marks.items():
        samples[chunk * STRIDE, 0] = mark
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    return path


def events_of(client):
    out, _ = client.communicate(timeout=120)
    return [json.loads(line) for line in out.splitlines()]


def separate_beside(stack, tmp_path, bad_marks):
    """Exit status and last event of a bad song, and of one beside it whose chunks take a while."""
    bad = song(tmp_path / "bad.wav", 1, bad_marks)
    good = song(tmp_path / "good.wav", 2, {chunk: 400.0 for chunk in range(CHUNKS)})
    clients = [stack.start("separate", str(path), "-o", str(tmp_path / path.stem), "--model", "moody") for path in (bad, good)]
    return [(events[-1], client.returncode) for client, events in ((client, events_of(client)) for client in clients)]


@pytest.mark.parametrize("mark", [CRASH, HANG])
def test_a_chunk_that_ends_every_worker_fails_its_separation_alone(stack, tmp_path, mark):
    with Supervisor(stack) as supervisor:
        (bad, bad_status), (good, good_status) = separate_beside(stack, tmp_path, {7: mark})
        assert (bad_status, bad["reason"]) == (5, "POISON_CHUNK"), bad
        assert "Chunk 7 (from 0:00.487 to 0:00.580 of the track)" in bad["message"], bad["message"]
        assert (good_status, good["event"]) == (0, "done"), good
        # The delivery limit: seven workers have ended, the last of which may not be replaced yet.
        assert supervisor.restarts >= 6
        # The workers are as good as new.
        after = stack.separate(song(tmp_path / "next.wav", 3, {}), tmp_path / "next", "--model", "moody")
        assert after["state"] == "STATE_SUCCEEDED"
    assert not list((tmp_path / "bad").iterdir())
    stack.run("delete", good["done"]["name"])


def test_a_result_that_is_not_finite_is_computed_once_more_and_then_fails_its_separation_alone(stack, tmp_path):
    pids = stack.pids()
    name = 'unbraid_worker_chunks_total{result="NON_FINITE_RESULT"}'
    before = figure(stack, "worker-1", name)
    (bad, bad_status), (good, good_status) = separate_beside(stack, tmp_path, {7: NOT_FINITE})
    assert (bad_status, bad["reason"]) == (5, "CHUNK_FAILED"), bad
    assert "chunk 7 (0:00.5 to 0:00.6)" in bad["message"] and "twice" in bad["message"], bad["message"]
    assert "NON_FINITE_RESULT" in bad["message"]
    assert (good_status, good["event"]) == (0, "done"), good
    assert figure(stack, "worker-1", name) - before == 2
    assert stack.pids() == pids
