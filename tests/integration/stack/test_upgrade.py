"""A model package is replaced while a separation runs: the old chunks are for workers with the old package, and for no others."""

import hashlib
import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from stack import ROOT, finished
from supervisor import RATE, STRIDE, await_that, with_test_models

sys.path.insert(0, str(ROOT / "tests/component/worker"))
import make_packages  # noqa: E402

CHUNKS = 16
SLOW = 1500.0  # rounds of work of a chunk


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with with_test_models(tmp_path_factory.mktemp("old"), workers=2) as running:
        yield running


def song(path):
    samples = np.random.default_rng(7).uniform(-0.4, 0.4, ((CHUNKS - 1) * STRIDE + 2000, 2)).astype(np.float32)
    samples[::STRIDE, 0] = SLOW
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    return samples


def is_fraction(out, samples, fraction):
    return np.array_equal(soundfile.read(out / "quarter.wav", dtype="float32")[0], samples * np.float32(fraction))


def sha256(models):
    return hashlib.sha256((models / "moody/model.json").read_bytes()).hexdigest()


def restart(stack, name, models):
    stack.environment["UNBRAID_MODELS"] = str(models)
    stack.script("restart", name)


def test_a_package_is_replaced_in_the_middle_of_a_separation(stack, api, tmp_path):
    old, new = Path(stack.environment["UNBRAID_MODELS"]), tmp_path / "new"
    make_packages.write(new, "moody", make_packages.Moody(0.5), 2)
    samples = song(tmp_path / "song.wav")
    separate = ("separate", str(tmp_path / "song.wav"), "--model", "moody", "-o")

    first = stack.start(*separate, str(tmp_path / "first"))
    for line in first.stdout:
        event = json.loads(line)
        if event["event"] == "progress" and int(event["separation"]["progress"]["chunks_done"]) >= 2:
            break
    pids = stack.pids()
    for worker in ("worker-1", "worker-2"):
        os.kill(pids[worker], signal.SIGKILL)
    name = event["separation"]["name"]
    assert int(api.get(name).progress.chunks_done) < CHUNKS

    restart(stack, "splitter", new)
    restart(stack, "worker-2", new)
    why = (f"no worker for model moody is connected that has package {sha256(old)[:16]}; "
           f"the model was replaced by package {sha256(new)[:16]}")
    await_that(lambda: why in api.get(name).progress.waiting_for, "it says why it waits")
    queue = await_that(lambda: next((q for q in api.info().queues if q.model == "moody" and q.workers == 1), None), "it serves")
    assert queue.model_sha256 == sha256(new)

    status, events = stack.run(*separate, str(tmp_path / "second"))
    assert status == 0, events[-1]
    assert finished(events)["name"] != name
    assert is_fraction(tmp_path / "second", samples, 0.5)
    assert why in api.get(name).progress.waiting_for

    restart(stack, "worker-1", old)
    out, _ = first.communicate(timeout=120)
    assert first.returncode == 0, out.splitlines()[-1]
    assert is_fraction(tmp_path / "first", samples, 0.25)
