"""Signals that are not music, through the real stack: results are finite, as long as the song, and no louder than it."""

import subprocess

import numpy as np
import pytest
import soundfile
from api import Api
from stack import ROOT, Stack

RATE = 44100
FRACTIONS = {"vocals": 0.5, "drums": 0.25, "bass": 0.125, "other": 0.125}
MODELS = ("unbraid-4", "passthrough")


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """With the models that ship, and one that yields what a song asks it for."""
    models = tmp_path_factory.mktemp("models")
    subprocess.run(["/usr/bin/python3", str(ROOT / "tests/component/worker/make_packages.py"), str(models)], check=True)
    for model in MODELS:
        (models / model).symlink_to(ROOT / "build/models" / model)
    running = Stack(workers=1, models=(*MODELS, "moody"))
    running.environment["UNBRAID_MODELS"] = str(models)
    with running:
        yield running


def noise(seconds, level=0.3, channels=2):
    return np.random.default_rng(3).uniform(-level, level, (int(seconds * RATE), channels))


def with_silence_in_the_middle():
    samples = noise(9)
    samples[2 * RATE : 7 * RATE] = 0
    return samples


def on_one_channel():
    samples = noise(2)
    samples[:, 1] = 0
    return samples


def full_scale_square():
    return np.where(np.arange(2 * RATE) // 50 % 2 == 0, 1.0, -1.0)[:, None] * np.ones((1, 2))


SIGNALS = {
    "silence": np.zeros((2 * RATE, 2)),
    "silence in the middle": with_silence_in_the_middle(),
    "silence on one channel": on_one_channel(),
    "anti-phase": noise(2, channels=1) * [1, -1],
    "offset": noise(2, 0.1) + 0.4,
    "noise at -90 dBFS": noise(2, 10 ** (-90 / 20)),
    "full-scale square": full_scale_square(),
    "one frame": noise(1)[:1],
    "half a millisecond": noise(1)[:22],
    "100 frames": noise(1)[:100],
}


def stems_of(stack, tmp_path, samples, model):
    """Name to samples of every output."""
    soundfile.write(tmp_path / "song.wav", samples.astype(np.float32), RATE, subtype="FLOAT")
    stack.separate(tmp_path / "song.wav", tmp_path / "out", "--model", model)
    outputs = {path.stem: soundfile.read(path, dtype="float32", always_2d=True)[0] for path in (tmp_path / "out").iterdir()}
    assert set(outputs) == {*FRACTIONS, "mix"}
    return outputs


@pytest.mark.parametrize("signal", SIGNALS)
def test_the_pipeline_changes_no_sample(stack, tmp_path, signal):
    samples = SIGNALS[signal].astype(np.float32)
    outputs = stems_of(stack, tmp_path, samples, "passthrough")
    for name, fraction in FRACTIONS.items():
        assert np.array_equal(outputs[name], samples * np.float32(fraction)), name
    assert np.array_equal(outputs["mix"], samples)


@pytest.mark.parametrize("signal", SIGNALS)
def test_the_default_model_stays_finite_and_in_bounds(stack, tmp_path, signal):
    """Cases 4, 14, 15, 16 and 17."""
    samples = SIGNALS[signal].astype(np.float32)
    peak = np.max(np.abs(samples))
    outputs = stems_of(stack, tmp_path, samples, "unbraid-4")
    for name, output in outputs.items():
        assert output.shape == samples.shape, name
        assert np.isfinite(output).all(), name
        assert np.max(np.abs(output)) <= 2 * peak, name
    assert np.max(np.abs(outputs["mix"] - samples)) <= 0.02 * peak


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_no_number_is_refused_with_its_time(stack, tmp_path, value, subtype):
    samples = noise(3)
    samples[66_150, 1] = value
    samples[100_000, 0] = value
    soundfile.write(tmp_path / "song.wav", samples, RATE, subtype=subtype)
    status, events = stack.run("separate", str(tmp_path / "song.wav"), "-o", str(tmp_path / "out"), "--model", "passthrough")
    assert (status, events[-1]["reason"]) == (3, "NON_FINITE_SAMPLE"), events[-1]
    assert "at 1.500 s (frame 66150)" in events[-1]["message"]


def test_samples_that_are_no_numbers_count_as_silence_where_that_is_asked_for(stack, tmp_path):
    samples = noise(3).astype(np.float32)
    expected = samples.copy()
    for frame, channel, value in [(0, 0, np.nan), (66_150, 1, np.inf), (66_150, 0, -np.inf), (len(samples) - 1, 1, np.nan)]:
        samples[frame, channel], expected[frame, channel] = value, 0
    soundfile.write(tmp_path / "song.wav", samples, RATE, subtype="FLOAT")
    with Api(stack) as api:
        content = (tmp_path / "song.wav").read_bytes()
        spec = api.messages.UploadSpec
        refused = api.upload(content, non_finite_samples=spec.NON_FINITE_SAMPLES_REFUSE)
        assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "NON_FINITE_SAMPLE"), refused
        assert "at 0.000 s (frame 0)" in refused.message
        track = api.upload(content, non_finite_samples=spec.NON_FINITE_SAMPLES_SILENCE)
        assert track.silenced_samples == 4, track
    status, events = stack.run("create", track.name, "--model", "passthrough")
    assert status == 0, events[-1]
    name = events[-1]["separation"]["name"]
    assert stack.run("watch", name)[0] == 0
    assert stack.run("download", name, "-o", str(tmp_path / "out"))[0] == 0
    for stem, fraction in FRACTIONS.items():
        heard = soundfile.read(tmp_path / "out" / f"{stem}.wav", dtype="float32")[0]
        assert np.array_equal(heard, expected * np.float32(fraction)), stem


def test_a_model_that_yields_no_numbers_fails_the_separation_and_nothing_else(stack, tmp_path):
    before = stack.pids()
    samples = noise(1)
    samples[0] = -16  # what the model takes for a wish
    soundfile.write(tmp_path / "song.wav", samples, RATE, subtype="FLOAT")
    status, events = stack.run("separate", str(tmp_path / "song.wav"), "-o", str(tmp_path / "out"), "--model", "moody")
    assert (status, events[-1]["reason"]) == (5, "CHUNK_FAILED"), events[-1]
    assert "chunk 0" in events[-1]["message"] and "NON_FINITE_RESULT" in events[-1]["message"], events[-1]
    assert not list((tmp_path / "out").glob("*.wav"))
    assert stack.pids() == before
    samples[0] = 0
    soundfile.write(tmp_path / "song.wav", samples, RATE, subtype="FLOAT")
    assert stack.separate(tmp_path / "song.wav", tmp_path / "out", "--model", "moody")["state"] == "STATE_SUCCEEDED"
