"""Changes of single parts that make rendered sounds as many as real ones. Parts are [2, n] float32 at 44.1 kHz."""

from __future__ import annotations

import numpy as np

from .audio import RATE, gain, rms

Range = tuple[float, float]


def resample(x: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """x at fractional positions, by linear interpolation."""
    whole = np.minimum(positions.astype(np.int32), x.shape[1] - 2)
    part = (positions - whole).astype(np.float32)
    return x[:, whole] * (1 - part) + x[:, whole + 1] * part


def crop(part: np.ndarray, length: int, speed: float, rng: np.random.Generator) -> np.ndarray:
    """`length` samples from a random place of a part (float, or 16-bit integers), played at `speed`."""
    needed = int(length * speed) + 4
    begin = int(rng.integers(0, max(1, part.shape[1] - needed)))
    y = np.asarray(part[:, begin:begin + needed], np.float32)
    if part.dtype == np.int16:
        y = y / 32768
    if y.shape[1] < needed:
        y = np.pad(y, ((0, 0), (0, needed - y.shape[1])))
    return y[:, :length] if speed == 1 else resample(y, np.arange(length, dtype=np.float32) * np.float32(speed))


def levelled(x: np.ndarray) -> np.ndarray:
    """x divided by the level of its louder half, so that rests do not count. The length is a multiple of 1024."""
    power = (x**2).mean(0).reshape(-1, 1024).mean(1)
    loud = power[power >= np.quantile(power, 0.5)]
    return x / (np.sqrt(loud.mean()) + 1e-3)


def spread(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another place between left and right, sometimes the channels swapped."""
    if rng.random() < 0.4:
        pan = rng.uniform(-0.7, 0.7)
        x = x * np.array([[1 - max(pan, 0)], [1 + min(pan, 0)]], np.float32)
    return x[::-1] if rng.random() < 0.15 else x


def band(x: np.ndarray, low: float, high: float, peak: Range | None = None) -> np.ndarray:
    """A gentle band-pass from `low` to `high` Hz, with an optional bump (Hz, dB) an octave wide."""
    hertz = np.fft.rfftfreq(x.shape[1], 1 / RATE).astype(np.float32) + 1
    response = 1 / np.sqrt((1 + (low / hertz) ** 4) * (1 + (hertz / high) ** 4))
    if peak:
        response = response * 10 ** (peak[1] / 20 * np.exp(-(np.log2(hertz / peak[0])) ** 2))
    return np.fft.irfft(np.fft.rfft(x) * response, x.shape[1]).astype(np.float32)


def amplifier(x: np.ndarray, rng: np.random.Generator, low: Range, high: Range, drive: Range) -> np.ndarray:
    """Band-pass, distortion, cabinet: the harmonics at 200 to 2000 Hz that rendered parts lack. Ranges in Hz, Hz, dB."""
    y = band(x, rng.uniform(*low), rng.uniform(*high))
    y = y / (rms(y) * 2)
    bias = rng.uniform(0, 0.5)
    y = np.tanh(y * gain(rng.uniform(*drive)) + np.float32(bias)) - np.float32(np.tanh(bias))
    return band(y, rng.uniform(30, 120), rng.uniform(1200, 5500), (rng.uniform(300, 1500), rng.uniform(-3, 8)))


def drums(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sometimes parallel distortion, seldom a lower sample rate."""
    x = x / (rms(x) * 4)
    if rng.random() < 0.25:
        wet = np.float32(rng.uniform(0.2, 1))
        x = (1 - wet) * x + wet * np.tanh(x * gain(rng.uniform(0, 20)))
    if rng.random() < 0.06:
        hold = int(rng.integers(2, 7))
        x = np.repeat(x[:, ::hold], hold, 1)[:, :x.shape[1]]
    return x.astype(np.float32)


def bass(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What makes a rendered bass real: an amplifier or drive, an octave above, attacks of finger and pick, chorus."""
    x = _driven(x / (3 * rms(x)), rng)
    if rng.random() < 0.25:
        octave = band(np.abs(x), 70, rng.uniform(600, 3000))
        x = x + octave * np.float32(rng.uniform(0.05, 0.6) * rms(x) / rms(octave))
    if rng.random() < 0.4:
        x = _plucked(x, rng)
    if rng.random() < 0.2:
        x = x + _chorus(x, rng)
    return x.astype(np.float32)


def _driven(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    kind = rng.random()
    if kind < 0.4:
        y = amplifier(x, rng, (60, 350), (1500, 6000), (-6, 28))
        return x * np.float32(rng.uniform(0.4, 1)) + y * np.float32(rng.uniform(0.1, 1) * rms(x) / rms(y))
    if kind < 0.75:
        bias, wet = np.float32(rng.uniform(0, 0.5)), np.float32(rng.uniform(0.2, 1))
        return wet * (np.tanh(x * gain(rng.uniform(0, 26)) + bias) - np.tanh(bias)) + (1 - wet) * x
    return x


def _plucked(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Brighter beginnings of notes, with some noise of the string."""
    envelope = np.sqrt((x**2).mean(0).reshape(-1, 256).mean(1) + 1e-9)
    onsets = np.r_[0, np.clip(envelope[1:] / (envelope[:-1] + 0.02) - 1.2, 0, 3)]
    decay = np.exp(-np.arange(24) / rng.uniform(1.5, 8))
    places, times = np.arange(len(envelope)) * 256, np.arange(x.shape[1])
    attack = np.minimum(np.convolve(onsets, decay)[:len(onsets)], 3)
    attack = np.interp(times, places, attack).astype(np.float32)
    bright = band(x, rng.uniform(400, 1500), 7000)
    x = x + bright * attack * np.float32(rng.uniform(0.5, 4))
    if rng.random() < 0.5:
        noise = band(rng.standard_normal((1, x.shape[1])).astype(np.float32), rng.uniform(800, 2500), rng.uniform(3000, 7000))
        follow = attack * np.interp(times, places, envelope).astype(np.float32)
        x = x + noise / rms(noise) * follow * np.float32(rng.uniform(0.02, 0.15))
    return x


def _chorus(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A detuned copy to add, sometimes out of phase on one side."""
    n = np.arange(x.shape[1], dtype=np.float32)
    depth, sweep = rng.uniform(0.004, 0.02), rng.uniform(0.0005, 0.003)
    delay = (depth + sweep * np.sin(2 * np.pi * rng.uniform(0.2, 1.5) * n / RATE + rng.uniform(0, 6))) * RATE
    y = band(resample(x, np.maximum(n - delay, 0).astype(np.float32)), 120, 9000) * np.float32(rng.uniform(0.2, 0.8))
    if rng.random() < 0.5:
        y[0] *= -1
    return y
