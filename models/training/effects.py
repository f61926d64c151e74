"""Effects of the rendering: rooms, equalisers, compression, distortion. Parts are [2, n] at 44.1 kHz."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from .audio import RATE


def filtered(x: np.ndarray, order: int, hertz: float | list[float], kind: str = "low") -> np.ndarray:
    """A Butterworth filter: `low`, `high` or `band`."""
    return sosfilt(butter(order, hertz, kind, fs=RATE, output="sos"), x)


def pitched(x: np.ndarray, ratio: float) -> np.ndarray:
    """x played `ratio` times as fast, by linear interpolation."""
    length = int(x.shape[1] / ratio)
    if length < 2:
        return x
    positions = np.arange(length) * ratio
    whole = np.minimum(positions.astype(int), x.shape[1] - 2)
    part = np.clip(positions - whole, 0, 1).astype(np.float32)
    return x[:, whole] * (1 - part) + x[:, whole + 1] * part


def delayed(x: np.ndarray, samples: int) -> np.ndarray:
    """x later by `samples`, cut to its own length."""
    return np.pad(x, ((0, 0), (samples, 0)))[:, :x.shape[1]]


def _convolved(x: np.ndarray, response: np.ndarray, wet: float) -> np.ndarray:
    response = response / (np.sqrt((response**2).sum(1, keepdims=True)) + 1e-9)
    echo = np.stack([fftconvolve(x[channel], response[channel])[:x.shape[1]] for channel in (0, 1)])
    return (x + wet * echo).astype(np.float32)


def _decay(length: int) -> np.ndarray:
    """Down by 60 dB over `length` samples."""
    return np.exp(-6.9 * np.arange(length) / length)


def reverb(x: np.ndarray, rng: np.random.Generator, wet: float, seconds: float) -> np.ndarray:
    """A hall that rings for `seconds`."""
    length = int(seconds * RATE)
    response = filtered(rng.standard_normal((2, length)) * _decay(length), 1, rng.uniform(2000, 9000))
    return _convolved(x, np.pad(response, ((0, 0), (int(rng.uniform(0, 0.03) * RATE), 0))), wet)


def room(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Early reflections, as of a small room for drums."""
    length = int(rng.uniform(0.02, 0.35) * RATE)
    response = rng.standard_normal((2, length)) * _decay(length)
    response = response * (rng.random((2, length)) < rng.uniform(0.02, 1))
    return _convolved(x, filtered(response, 1, rng.uniform(2500, 12000)), rng.uniform(0.05, 0.6))


def equalised(x: np.ndarray, rng: np.random.Generator, most: float = 6) -> np.ndarray:
    """One to three peaking filters of up to `most` dB."""
    for _ in range(int(rng.integers(1, 4))):
        amount = 10 ** (rng.uniform(-most, most) / 40)
        w = 2 * np.pi * np.exp(rng.uniform(np.log(80), np.log(9000))) / RATE
        alpha, cosine = np.sin(w) / 2 / rng.uniform(0.4, 1.5), np.cos(w)
        first = 1 + alpha / amount
        up = np.array([1 + alpha * amount, -2 * cosine, 1 - alpha * amount]) / first
        x = lfilter(up, np.array([first, -2 * cosine, 1 - alpha / amount]) / first, x)
    return x.astype(np.float32)


def compressed(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Less of what is louder than a threshold, after a follower of 20 ms."""
    keep = np.exp(-1 / (RATE * 0.02))
    envelope = lfilter([1 - keep], [1, -keep], np.abs(x).max(0)) + 1e-5
    threshold = np.quantile(envelope, 0.7) * rng.uniform(0.3, 1)
    reduction = (envelope / threshold) ** (1 / rng.uniform(1.5, 6) - 1)
    return (x * np.where(envelope > threshold, reduction, 1)).astype(np.float32)


def saturated(x: np.ndarray, drive: float) -> np.ndarray:
    """A soft clip that keeps the peak."""
    peak = np.abs(x).max() + 1e-6
    return (np.tanh(drive * x / peak) / np.tanh(drive) * peak).astype(np.float32)


def crushed(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Fewer bits and a lower sample rate."""
    hold = int(rng.integers(2, 9))
    steps = 2 ** rng.uniform(5, 11)
    return (np.round(np.repeat(x[:, ::hold], hold, 1)[:, :x.shape[1]] * steps) / steps).astype(np.float32)


def parallel_distortion(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A distorted band beside the sound itself."""
    y = filtered(x, 1, [rng.uniform(60, 300), rng.uniform(2500, 9000)], "band")
    peak = np.sqrt((y**2).mean()) * 3 + 1e-6
    return (x + rng.uniform(0.1, 1) * peak * np.tanh(y / peak * 10 ** (rng.uniform(0, 25) / 20))).astype(np.float32)


def guitar_amplifier(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Distortion at high gain, and a cabinet."""
    x = filtered(x, 1, rng.uniform(80, 300), "high")
    peak = np.sqrt((x**2).mean()) * 4 + 1e-6
    y = np.tanh(10 ** (rng.uniform(10, 45) / 20) * x / peak + rng.uniform(0, 0.3))
    y = filtered(y - y.mean(1, keepdims=True), 3, rng.uniform(3000, 6500))
    return equalised(filtered(y, 2, rng.uniform(60, 120), "high"), rng, 8)


def doubled(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The mono sum on the left, and some milliseconds later on the right."""
    mono = x.mean(0)
    late = np.pad(mono, (int(rng.uniform(0.008, 0.025) * RATE), 0))[:len(mono)]
    return np.stack([mono, late]).astype(np.float32)


def narrowed(x: np.ndarray) -> np.ndarray:
    """The mono sum on both sides."""
    return np.stack([x.mean(0)] * 2)


def drum_bus(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a producer may do to all drums together."""
    x = x / (np.abs(x).max() + 1e-6)
    for chance, effect in ((0.5, room), (0.4, compressed), (0.4, parallel_distortion), (0.1, crushed)):
        if rng.random() < chance:
            x = effect(x, rng)
    if rng.random() < 0.3:
        x = saturated(x, rng.uniform(1, 6))
    return narrowed(x) if rng.random() < 0.15 else x


# Of each stem: the chance of a reverb, its loudest level, its longest time in seconds.
_REVERBS = {"drums": (0.6, 0.35, 1.2), "bass": (0.15, 0.08, 1.2), "other": (0.65, 0.5, 2.2)}


def finished(x: np.ndarray, rng: np.random.Generator, stem: str) -> np.ndarray:
    """Equaliser, compression, saturation and reverb by chance; the peak at 0.9."""
    if rng.random() < 0.7:
        x = equalised(x, rng)
    if rng.random() < 0.4:
        x = compressed(x, rng)
    if rng.random() < 0.25:
        x = saturated(x, rng.uniform(1, 4))
    chance, wet, seconds = _REVERBS[stem]
    if rng.random() < chance:
        x = reverb(x, rng, rng.uniform(0.03, wet), rng.uniform(0.25, seconds))
    return x / (np.abs(x).max() + 1e-6) * 0.9
