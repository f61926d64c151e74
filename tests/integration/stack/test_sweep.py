"""A sine sweep through the pipeline, to the model's 44.1 kHz and back: nothing comes out that did not go in.

The model passes fixed fractions through, so what is measured is the pipeline alone. In each short stretch of the sweep the
band that the sine crosses meanwhile is taken out; whatever is left is an alias, an image or noise, and is measured against
the sine itself. Above 22.05 kHz the sine has gone, and from 20.1 kHz on (the resampler's transition band) it fades; what it
may not do is come back at another frequency.
"""

import numpy as np
import pytest
import soundfile
from stack import Stack

SECONDS = 24.0
LOWEST_HZ = 20.0
WINDOW = 8192
HOP = 2048
MODEL_NYQUIST_HZ = 22050.0
# Up to here the sine keeps its level.
PASSBAND_HZ = 0.9 * MODEL_NYQUIST_HZ
MOST_DB = -120.0


@pytest.fixture(scope="module")
def stack():
    with Stack(workers=2, models=("passthrough",)) as running:
        yield running


class Sweep:
    """A logarithmic sweep from 20 Hz to 0.45 of the rate, faded in and out."""

    def __init__(self, rate):
        self.rate = rate
        self.frames = int(SECONDS * rate)
        self.octaves = np.log(0.45 * rate / LOWEST_HZ)
        t = np.arange(self.frames) / rate
        phase = 2 * np.pi * LOWEST_HZ * SECONDS / self.octaves * np.expm1(t / SECONDS * self.octaves)
        fade = int(0.5 * rate)
        envelope = np.ones(self.frames)
        envelope[:fade] = 0.5 - 0.5 * np.cos(np.pi * np.arange(fade) / fade)
        envelope[-fade:] = envelope[:fade][::-1]
        self.samples = (0.9 * envelope * np.sin(phase)).astype(np.float32)

    def frequency(self, frame):
        return LOWEST_HZ * np.exp(frame / self.rate / SECONDS * self.octaves)

    def stretches(self):
        """Begin of each stretch between the fades, and its middle frequency."""
        for begin in range(int(0.5 * self.rate), self.frames - int(0.5 * self.rate) - WINDOW, HOP):
            yield begin, self.frequency(begin + WINDOW / 2)

    def spectrum(self, samples, begin):
        return np.abs(np.fft.rfft(samples[begin : begin + WINDOW].astype(np.float64) * np.kaiser(WINDOW, 22)))

    def analyse(self, samples):
        """Per stretch: its frequency, the level there, and the highest level elsewhere, both in dB against the sine."""
        bins = np.fft.rfftfreq(WINDOW, 1 / self.rate)
        # The main lobe of the window, and as much again.
        guard = 20 * self.rate / WINDOW
        rows = []
        for begin, middle in self.stretches():
            level = self.spectrum(self.samples, begin).max()
            found = self.spectrum(samples, begin)
            swept = (bins > self.frequency(begin) - guard) & (bins < self.frequency(begin + WINDOW) + guard)
            rows.append((middle, found[swept].max() / level, found[~swept].max() / level))
        return 20 * np.log10(np.array(rows) + [0, 1e-15, 1e-15]) * [0, 1, 1] + np.array(rows) * [1, 0, 0]


def separate(stack, samples, rate, folder):
    song = folder / "sweep.wav"
    soundfile.write(song, samples, rate, subtype="FLOAT")
    stack.separate(song, folder / "out", "--model", "passthrough", "--sample-format", "f32")
    stem, stem_rate = soundfile.read(folder / "out/vocals.wav", dtype="float32")
    assert stem_rate == rate and len(stem) == len(samples)
    return stem * np.float32(2)  # the model's fraction is one half


@pytest.mark.parametrize("rate", [48000, 96000])
def test_a_sweep_comes_back_without_aliases_or_images(stack, tmp_path, rate):
    sweep = Sweep(rate)
    back = sweep.analyse(separate(stack, sweep.samples, rate, tmp_path))
    frequency, level, elsewhere = back.T
    print(f"{rate} Hz: highest product {elsewhere.max():.1f} dB at {frequency[elsewhere.argmax()]:.0f} Hz")
    assert elsewhere.max() < MOST_DB
    kept = frequency < PASSBAND_HZ
    assert np.abs(level[kept]).max() < 0.01
    # Only where the track has more than the model does a sine go.
    gone = frequency > MODEL_NYQUIST_HZ + 500
    assert gone.any() == (rate == 96000)
    assert not gone.any() or level[gone].max() < MOST_DB


def test_the_analysis_sees_what_is_just_too_loud():
    for rate in (48000, 96000):
        sweep = Sweep(rate)
        assert sweep.analyse(sweep.samples)[:, 2].max() < MOST_DB - 10
        # An image as resampling without a filter would leave it, at half the rate minus the frequency.
        mirrored = sweep.samples * np.where(np.arange(sweep.frames) % 2, -1, 1)
        seen = sweep.analyse(sweep.samples + 10 ** ((MOST_DB + 3) / 20) * mirrored.astype(np.float64))[:, 2].max()
        assert MOST_DB < seen < MOST_DB + 6


def test_a_sweep_at_the_rate_of_the_model_comes_back_exactly(stack, tmp_path):
    sweep = Sweep(44100)
    assert np.array_equal(separate(stack, sweep.samples, 44100, tmp_path), sweep.samples)
