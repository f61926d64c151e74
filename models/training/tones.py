"""Drums and tones made with NumPy."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, lfilter, sosfilt

from .audio import RATE
from .effects import doubled
from .fluidsynth import Note

_DRUM_SECONDS = 1.2
_TURN = 2 * np.pi


def _sweep(low: float, more: float, seconds: float, t: np.ndarray) -> np.ndarray:
    """A sine that falls from low + more to low Hz."""
    return np.sin(_TURN * np.cumsum(low + more * np.exp(-t / seconds)) / RATE)


def drum(kind: str, rng: np.random.Generator) -> np.ndarray:
    """One shot of a class of drum, [2, n] float32 with a peak of one."""
    t = np.arange(int(RATE * _DRUM_SECONDS)) / RATE
    noise = rng.standard_normal(len(t))
    if kind == "kick":
        x = _sweep(rng.uniform(38, 65), rng.uniform(100, 400), rng.uniform(0.02, 0.08), t) * np.exp(-t / rng.uniform(0.1, 0.5))
        x = x + noise * np.exp(-t / 0.003) * rng.uniform(0, 0.4)
    elif kind == "snare":
        x = noise * np.exp(-t / rng.uniform(0.04, 0.18)) * 0.7
        x = x + np.sin(_TURN * rng.uniform(160, 260) * t) * np.exp(-t / 0.06) * rng.uniform(0, 1)
    elif kind == "clap":
        hands = sum(np.roll(noise * np.exp(-t / 0.01), int(k * 0.011 * RATE)) for k in range(3))
        x = sosfilt(butter(2, [600, 4000], "band", fs=RATE, output="sos"), hands + noise * np.exp(-t / 0.1) * 0.4)
    elif kind == "rim":
        x = np.sin(_TURN * rng.uniform(400, 1800) * t) * np.exp(-t / 0.015)
    elif kind in ("hat", "open", "ride", "crash"):
        x = _cymbal(kind, noise, t, rng)
    else:
        pitch = rng.uniform(70, 400)
        x = _sweep(pitch, pitch / 2, 0.04, t) * np.exp(-t / rng.uniform(0.08, 0.3))
    x = x / np.abs(x).max()
    return np.stack([x, x]).astype(np.float32)


def _cymbal(kind: str, noise: np.ndarray, t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    metal = sum(np.sign(np.sin(_TURN * pitch * t * rng.uniform(1, 8))) for pitch in rng.uniform(300, 900, 6)) / 6
    seconds = {"hat": rng.uniform(0.02, 0.06), "open": rng.uniform(0.15, 0.4), "ride": 0.5, "crash": 0.7}
    x = (noise + metal) * 0.6 * np.exp(-t / seconds[kind])
    return sosfilt(butter(4, rng.uniform(4000, 8000), "high", fs=RATE, output="sos"), x)


class Voice:
    """A synthesiser with random settings: waves, FM or a plucked string, through a swept low-pass."""

    def __init__(self, rng: np.random.Generator, bass: bool) -> None:
        self.rng, self.bass = rng, bass
        self.kind = str(rng.choice(["saw", "square", "sine", "fm", "string", "supersaw", "triangle"]))
        self.cutoff = np.exp(rng.uniform(np.log(200 if bass else 800), np.log(6000)))
        self.sweep, self.opening, self.release = rng.uniform(0.05, 0.6), rng.uniform(0, 4), rng.uniform(0.02, 0.15)
        self.octave = rng.random() < 0.4
        self.index, self.ratio = rng.uniform(0.5, 5), rng.choice([1, 2, 3, 0.5, 1.5, 1.41])
        self.detune, self.width = rng.uniform(0.002, 0.012), rng.uniform(0.1, 0.5)
        self.sustain, self.decay = rng.uniform(0.2, 1), rng.uniform(0.1, 1.0)
        self.attack = rng.choice([0.002, 0.005, 0.03, 0.1])

    def render(self, notes: list[Note], length: int) -> np.ndarray:
        """[2, length]."""
        out = np.zeros(length + RATE, np.float32)
        for time, note, velocity, duration in notes:
            begin = int(time * RATE)
            count = min(int((min(duration, 6) + self.release) * RATE), length + RATE - begin)
            if 0 <= begin < length and count >= 64:
                out[begin:begin + count] += self._note(440 * 2 ** ((note - 69) / 12), count, velocity)
        x = np.stack([out[:length]] * 2) * 0.2
        return doubled(x, self.rng) if self.kind == "supersaw" and not self.bass else x

    def _note(self, pitch: float, count: int, velocity: float) -> np.ndarray:
        t = np.arange(count) / RATE
        x = self._wave(pitch, t)
        if self.octave:
            x = x + 0.7 * np.sin(np.pi * pitch * t * (2 if self.bass else 1))
        if self.kind not in ("sine", "string", "fm"):
            x = self._swept(x, t)
        shape = self.sustain + (1 - self.sustain) * np.exp(-t / self.decay)
        ending = np.clip((count / RATE - t) / self.release, 0, 1)
        return (x * np.minimum(1, t / self.attack) * shape * ending * (velocity / 100)).astype(np.float32)

    def _wave(self, pitch: float, t: np.ndarray) -> np.ndarray:
        if self.kind == "string":
            return _string(pitch, len(t), self.rng)
        if self.kind == "fm":
            return np.sin(_TURN * pitch * t + self.index * np.exp(-t / self.sweep) * np.sin(_TURN * pitch * self.ratio * t))
        if self.kind == "sine":
            return np.sin(_TURN * pitch * t) + 0.2 * np.sin(2 * _TURN * pitch * t)
        if self.kind == "saw":
            return _saw(pitch, self.rng.random(), t)
        if self.kind == "square":
            return np.where((pitch * t + self.rng.random()) % 1 < self.width, 1.0, -1.0)
        if self.kind == "triangle":
            return 2 * np.abs(_saw(pitch, 0, t)) - 1
        return sum(_saw(pitch * (1 + self.detune * k), self.rng.random(), t) for k in (-2, -1, 0, 1, 2)) / 3

    def _swept(self, x: np.ndarray, t: np.ndarray) -> np.ndarray:
        """A low-pass that closes, as a cross-fade of two filters."""
        opened = np.exp(-t / self.sweep)
        closed = lfilter(*butter(2, self.cutoff, fs=RATE), x) * (1 - opened)
        return closed + lfilter(*butter(2, min(self.cutoff * (1 + self.opening), 19000), fs=RATE), x) * opened


def _saw(pitch: float, phase: float, t: np.ndarray) -> np.ndarray:
    return 2 * ((pitch * t + phase) % 1) - 1


def _string(pitch: float, count: int, rng: np.random.Generator) -> np.ndarray:
    """A plucked string after Karplus and Strong."""
    period = max(2, int(RATE / pitch))
    x = np.zeros(count)
    x[:period] = rng.uniform(-1, 1, period)[:min(period, count)]
    return lfilter([1], np.r_[1, np.zeros(period - 1), -0.498, -0.498], x)
