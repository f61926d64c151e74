"""Every container of the outputs, as ffmpeg sees it, which shares no decoder with the code under test but libopus."""

import json
import subprocess

import numpy as np
import pytest
import soundfile

RATE = 44100
FRAMES = 100_003
# ffprobe's names.
FORMATS = {
    "wav": ("wav", "pcm_s16le"),
    "flac": ("flac", "flac"),
    "aiff": ("aiff", "pcm_s16be"),
    "ogg": ("ogg", "vorbis"),
    "opus": ("ogg", "opus"),
    "mp3": ("mp3", "mp3"),
}


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """Noise that falls off towards high frequencies, as music does, in 16 bits."""
    white = np.random.default_rng(1).uniform(-0.6, 0.6, (FRAMES, 2))
    kernel = 0.15 * 0.85 ** np.arange(60)
    samples = np.stack([np.convolve(white[:, channel], kernel)[:FRAMES] for channel in (0, 1)], axis=1)
    path = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(path, samples, RATE, subtype="PCM_16")
    return path


def probe(path):
    """What ffprobe tells of format, stream and tags."""
    told = subprocess.run(["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(path)],
                          check=True, capture_output=True, timeout=60)
    told = json.loads(told.stdout)
    tags = {**told["format"].get("tags", {}), **told["streams"][0].get("tags", {})}
    return told["format"]["format_name"], told["streams"][0], {key.lower(): value for key, value in tags.items()}


def decode(path):
    """[frames, 2] float32 by ffmpeg, at the file's own rate."""
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-f", "f32le", "-c:a", "pcm_f32le", "-"], check=True,
                         capture_output=True, timeout=60).stdout
    return np.frombuffer(raw, dtype="<f4").reshape(-1, 2)


def lag(reference, samples):
    """By how many frames `samples` is late, by the highest correlation of the left channels."""
    size = 1 << 18
    product = np.fft.rfft(samples[:, 0], size) * np.conj(np.fft.rfft(reference[:, 0], size))
    best = int(np.argmax(np.fft.irfft(product, size)))
    return best if best < size // 2 else best - size


@pytest.mark.parametrize("name", FORMATS)
def test_a_container_has_the_songs_geometry_its_tags_and_its_samples(stack, song, tmp_path, name):
    """Case 2."""
    separation = stack.separate(song, tmp_path / "out", "--model", "passthrough", "--stems", "vocals", "--format", name)
    rate = 48000 if name == "opus" else RATE
    frames = round(FRAMES * 48000 / RATE) if name == "opus" else FRAMES
    path = tmp_path / "out" / f"vocals.{name}"
    output = separation["outputs"][0]
    assert (int(output["frames"]), output["sample_rate_hz"]) == (frames, rate)
    assert int(output["size_bytes"]) == path.stat().st_size

    container, stream, tags = probe(path)
    assert (container, stream["codec_name"], int(stream["sample_rate"])) == (*FORMATS[name], rate)
    assert tags["title"] == "vocals"
    assert tags["comment"] == "stem: vocals"

    samples = decode(path)
    assert len(samples) == frames
    reference = soundfile.read(song)[0] * 0.5
    if name == "opus":
        # Straight lines between the song's frames are near enough: it has little at high frequencies.
        at = np.arange(frames) * RATE / rate
        reference = np.stack([np.interp(at, np.arange(FRAMES), reference[:, channel]) for channel in (0, 1)], axis=1)
    assert lag(reference, samples) == 0
    error = np.mean((samples - reference) ** 2)
    if name in ("ogg", "opus", "mp3"):
        assert 10 * np.log10(np.mean(reference ** 2) / error) > 8
    else:
        assert np.max(np.abs(samples - reference)) <= 0.5 / 32768


@pytest.mark.parametrize("name", ["ogg", "opus", "mp3"])
@pytest.mark.parametrize("frames", [1, 100, 1153])
def test_the_shortest_songs_keep_their_length(stack, tmp_path, name, frames):
    """Case 4."""
    song = tmp_path / "song.wav"
    soundfile.write(song, np.random.default_rng(frames).uniform(-0.5, 0.5, (frames, 2)), 48000, subtype="PCM_16")
    stack.separate(song, tmp_path / "out", "--model", "passthrough", "--stems", "drums", "--format", name)
    assert len(decode(tmp_path / "out" / f"drums.{name}")) == frames


def test_an_output_that_cannot_be_is_refused_with_a_reason(stack, tmp_path):
    song = tmp_path / "song.wav"
    soundfile.write(song, np.zeros((1000, 2)), 96000, subtype="PCM_16")
    status, events = stack.run("separate", str(song), "-o", str(tmp_path / "out"), "--model", "passthrough", "--format", "mp3")
    assert status == 3
    assert events[-1]["reason"] == "UNSUPPORTED_OUTPUT"
    assert events[-1]["message"].startswith("MP3 has no rate of 96000 Hz")


def test_clipping_is_limited_and_counted_on_request(stack, tmp_path):
    """Case 9: the mix of doubled stems is beyond full scale."""
    song = tmp_path / "song.wav"
    soundfile.write(song, np.tile([[0.9, -0.9], [0.1, 0.1]], (5000, 1)), RATE, subtype="PCM_16")
    separation = stack.separate(song, tmp_path / "out", "--model", "passthrough", "--clip", "clamp", "--mix",
                                "vocals=2,drums=2,bass=2,other=2")
    assert separation.get("gain_db", 0) == 0
    assert int(separation["clipped_samples"]) == 10_000
