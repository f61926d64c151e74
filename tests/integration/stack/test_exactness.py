"""The pipeline itself costs nothing: with a model of fixed fractions, every sample of every stem is what it must be."""

import hashlib
import os
import signal

import numpy as np
import pytest
import soundfile
from stack import Stack, noise, read

FRACTIONS = {"vocals": 0.5, "drums": 0.25, "bass": 0.125, "other": 0.125}
# Some 19 chunks, and a multiple of nothing.
FRAMES = 4_123_457


@pytest.fixture(scope="module")
def stack():
    with Stack(workers=3, models=("passthrough",)) as running:
        yield running


def separate(stack, song, out, *options):
    """Separates anew: a finished result would be served again."""
    separation = stack.separate(song, out, "--model", "passthrough", *options)
    status, events = stack.run("delete", separation["name"])
    assert status == 0, events
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in out.iterdir()}


def test_stems_are_exact_and_the_same_with_any_number_of_workers_and_with_one_killed(stack, tmp_path):
    song = tmp_path / "song.wav"
    samples = noise(song, FRAMES)
    expected = separate(stack, song, tmp_path / "three")
    for name, fraction in FRACTIONS.items():
        stem = soundfile.read(tmp_path / "three" / f"{name}.wav", dtype="float32")[0]
        assert np.array_equal(stem, samples * np.float32(fraction)), name
    assert np.array_equal(soundfile.read(tmp_path / "three/mix.wav", dtype="float32")[0], samples)

    # A worker is killed while it works.
    killed = stack.start("separate", str(song), "-o", str(tmp_path / "killed"), "--model", "passthrough")
    for line in killed.stdout:
        if '"STATE_SEPARATING"' in line:
            os.kill(stack.pids()["worker-3"], signal.SIGKILL)
            break
    assert killed.communicate(timeout=120) and killed.returncode == 0
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "killed").iterdir()}
    assert files == expected
    name = next(line for line in stack.run("list")[1])["separations"]["separations"][0]["name"]
    assert stack.run("delete", name)[0] == 0

    assert separate(stack, song, tmp_path / "two") == expected
    stack.script("stop", "worker-2")
    assert separate(stack, song, tmp_path / "one") == expected
    stack.script("restart", "worker-2")


@pytest.mark.parametrize("frames", [1, 220_499, 220_500, 220_501, 262_143, 262_144, 262_145, 441_001])
def test_every_length_comes_back_exactly(stack, tmp_path, frames):
    """Cases 4 and 5: shorter than anything, and one frame around a stride and a window."""
    song = tmp_path / "song.wav"
    samples = noise(song, frames)
    separate(stack, song, tmp_path / "out")
    for name, fraction in FRACTIONS.items():
        stem = soundfile.read(tmp_path / "out" / f"{name}.wav", dtype="float32", always_2d=True)[0]
        assert np.array_equal(stem, samples * np.float32(fraction)), name


@pytest.mark.parametrize("rate,channels,subtype", [(48000, 1, "PCM_24"), (8000, 2, "PCM_16"), (96000, 2, "FLOAT")])
def test_rate_channels_and_depth_come_back(stack, tmp_path, rate, channels, subtype):
    """Case 10."""
    song = tmp_path / "song.wav"
    noise(song, 100_003, channels, rate, subtype)
    separate(stack, song, tmp_path / "out")
    info = soundfile.info(tmp_path / "out/vocals.wav")
    assert (info.frames, info.channels, info.samplerate, info.subtype) == (100_003, channels, rate, subtype)


def test_flac_and_a_karaoke_mix(stack, tmp_path):
    song = tmp_path / "song.wav"
    noise(song, 300_001, subtype="PCM_16")
    truth = read(song)
    separate(stack, song, tmp_path / "out", "--format", "flac", "--stems", "vocals,drums", "--mix", "vocals=0,other=2")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["drums.flac", "mix.flac", "vocals.flac"]
    expected = truth * (FRACTIONS["drums"] + 2 * FRACTIONS["other"])
    assert np.max(np.abs(read(tmp_path / "out/mix.flac") - expected)) <= 0.5 / 32768


def test_silence_gives_silent_files(stack, tmp_path):
    """Cases 14 and 17."""
    song = tmp_path / "song.wav"
    soundfile.write(song, np.zeros((250_000, 2), np.float32), 44100, subtype="PCM_16")
    separate(stack, song, tmp_path / "out")
    for name in FRACTIONS:
        stem = read(tmp_path / "out" / f"{name}.wav")
        assert len(stem) == 250_000 and not stem.any(), name
