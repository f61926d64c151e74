"""What four services on many chunks write is, byte for byte, what one process writes that knows nothing of them."""

import subprocess

import pytest
import soundfile
from stack import BIN, ROOT, Stack, demo_song

OUTPUTS = ("vocals", "drums", "bass", "other", "mix", "residual")


@pytest.fixture(scope="module")
def stack():
    with Stack(workers=2) as running:
        yield running


def cut(target, seconds, rate, channels):
    """A real song in another shape; the samples need not sound well."""
    samples = soundfile.read(demo_song(25), dtype="float32", always_2d=True)[0]
    soundfile.write(target, samples[: seconds * rate, :channels], rate, subtype="PCM_24")
    return target


@pytest.mark.parametrize("shape", ["as it is", "mono at 48 kHz", "stereo at 96 kHz", "in two passes"])
def test_the_default_model_gives_the_bytes_of_the_reference(stack, tmp_path, shape):
    options = ("--sample-format", "f32", "--residual")
    if shape == "as it is":
        song = demo_song(25)
    elif shape == "in two passes":
        song = cut(tmp_path / "song.wav", 6, 44100, 1)
        options += ("--shifts", "2", "--shift-seed", "1")
    elif shape == "mono at 48 kHz":
        song = cut(tmp_path / "song.wav", 12, 48000, 1)
    else:
        song = cut(tmp_path / "song.wav", 8, 96000, 2)
    stack.separate(song, tmp_path / "distributed", *options)
    subprocess.run([BIN / "unbraid-reference", "--model", ROOT / "build/models/unbraid-4", "--format", "wav",
                    *options, song, tmp_path / "reference"], check=True, timeout=300)
    assert sorted(path.stem for path in (tmp_path / "distributed").iterdir()) == sorted(OUTPUTS)
    for name in OUTPUTS:
        expected = (tmp_path / "reference" / f"{name}.wav").read_bytes()
        assert (tmp_path / "distributed" / f"{name}.wav").read_bytes() == expected, name
