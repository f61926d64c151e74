"""Case 6: all stems of a model and the residual add up to the song, whatever the model does to it."""

import os
import signal

import numpy as np
import pytest
from stack import Stack, noise, read

STEMS = ("vocals", "drums", "bass", "other")


@pytest.fixture(scope="module")
def stack():
    with Stack(workers=2) as running:
        yield running


@pytest.mark.parametrize("model", ["passthrough", "unbraid-4"])
@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2])
def test_stems_and_residual_add_up_to_the_song(stack, tmp_path, model, rate, channels):
    song = tmp_path / "song.wav"
    truth = noise(song, 3 * rate + 7, channels, rate).astype(np.float64)
    out = tmp_path / "out"
    separation = stack.separate(song, out, "--model", model, "--sample-format", "f32", "--residual")
    assert [output["stem"] for output in separation["outputs"]] == [*STEMS, "mix", "residual"]
    residual = read(out / "residual.wav")
    total = sum(read(out / f"{name}.wav") for name in STEMS)
    # The residual is rounded to a float once, by half of its last bit at most.
    assert np.all(np.abs(truth - total - residual) <= np.abs(residual) * 2.0**-24 + 1e-14)
    if model == "passthrough" and rate == 44100:
        assert not residual.any()
    else:
        assert residual.any()


def test_a_residual_is_shown_and_fetched_by_its_name(stack, tmp_path):
    song = tmp_path / "song.wav"
    noise(song, 100_000)
    options = ("--model", "passthrough", "--stems", "bass", "--residual")
    name = stack.separate(song, tmp_path / "out", *options)["name"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["bass.wav", "mix.wav", "residual.wav"]
    status, events = stack.run("get", name)
    assert status == 0 and events[0]["separation"]["residual"] is True
    status, events = stack.run("download", name, "-o", str(tmp_path / "one"), "--stems", "residual")
    assert status == 0, events[-1]
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["residual.wav"]
    # All stems are computed for it, so it is silent here though only one is wanted.
    assert not read(tmp_path / "one/residual.wav").any()


def test_a_killed_splitter_and_a_killed_assembler_change_no_bit_of_it(stack, tmp_path):
    song = tmp_path / "song.wav"
    noise(song, 2_500_000, rate=48000)
    options = ("--model", "passthrough", "--sample-format", "f32", "--residual")
    separation = stack.separate(song, tmp_path / "calm", *options)
    assert stack.run("delete", separation["name"])[0] == 0
    client = stack.start("separate", str(song), "-o", str(tmp_path / "killed"), *options)
    for state, part in (("STATE_PREPARING", "splitter"), ("STATE_SEPARATING", "assembler")):
        for line in client.stdout:
            if f'"{state}"' in line:
                os.kill(stack.pids()[part], signal.SIGKILL)
                break
        stack.script("restart", part)
    client.communicate(timeout=300)
    assert client.returncode == 0
    for path in (tmp_path / "calm").iterdir():
        assert (tmp_path / "killed" / path.name).read_bytes() == path.read_bytes(), path.name
