"""The mean of several passes is the same bytes as in one process, whoever computes them and whatever is killed meanwhile."""

import json
import os
import signal
import subprocess

import numpy as np
import pytest
from stack import BIN, noise, read
from supervisor import with_test_models

FRACTIONS = {"quarter": 0.25, "rest": 0.75}
FRAMES = 200_000
OPTIONS = ("--sample-format", "f32", "--shifts", "3", "--shift-seed", "5")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def stack(models):
    with with_test_models(models, workers=2) as running:
        yield running


@pytest.fixture(scope="module")
def reference(models, tmp_path_factory):
    """The song, and the files of the one process."""
    folder = tmp_path_factory.mktemp("reference")
    noise(folder / "song.wav", FRAMES)
    subprocess.run([BIN / "unbraid-reference", "--model", models / "moody", "--format", "wav", *OPTIONS,
                    folder / "song.wav", folder / "out"], check=True, timeout=120)
    return folder


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def separate(stack, reference, out):
    separation = stack.separate(reference / "song.wav", out, "--model", "moody", *OPTIONS)
    assert stack.run("delete", separation["name"])[0] == 0
    return separation


def test_any_number_of_workers_gives_the_bytes_of_the_reference(stack, reference, tmp_path):
    separation = separate(stack, reference, tmp_path / "two")
    assert (separation["shifts"], int(separation["shift_seed"])) == (3, 5)
    assert files(tmp_path / "two") == files(reference / "out")
    stack.script("stop", "worker-2")
    assert separate(stack, reference, tmp_path / "one")["name"] == separation["name"]
    assert files(tmp_path / "one") == files(reference / "out")
    stack.script("restart", "worker-2")


def test_the_mean_of_equal_passes_is_one_of_them(reference):
    song = read(reference / "song.wav")
    for stem, fraction in FRACTIONS.items():
        # A product, two sums and a quotient are rounded.
        np.testing.assert_allclose(read(reference / f"out/{stem}.wav"), song * fraction, rtol=4 * 2.0**-24)


def test_an_assembler_that_is_killed_between_and_within_passes_changes_no_byte(stack, reference, tmp_path):
    client = stack.start("separate", str(reference / "song.wav"), "-o", str(tmp_path / "out"), "--model", "moody", *OPTIONS)
    for share in (1 / 3, 1 / 2, 2 / 3):
        progress = next(event for event in map(json.loads, client.stdout) if chunks_done(event) >= share)
        assert progress["separation"]["state"] == "STATE_SEPARATING", progress
        os.kill(stack.pids()["assembler"], signal.SIGKILL)
        stack.script("restart", "assembler")
    client.communicate(timeout=120)
    assert client.returncode == 0
    assert files(tmp_path / "out") == files(reference / "out")


def chunks_done(event):
    """The share of them."""
    if event["event"] != "progress":
        return 0
    progress = event["separation"]["progress"]
    return int(progress["chunks_done"]) / max(int(progress["chunks_total"]), 1)


@pytest.mark.parametrize("shifts", [-1, 17])
def test_fewer_than_none_or_too_many_are_refused(stack, reference, tmp_path, shifts):
    status, events = stack.run("separate", str(reference / "song.wav"), "-o", str(tmp_path), "--shifts", str(shifts))
    assert (status, events[-1]["reason"]) == (3, "INVALID_SHIFTS"), events[-1]
    assert events[-1]["message"].startswith("There can be 1 to 16 shifts"), events[-1]
