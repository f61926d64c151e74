"""Examples made on the fly: random parts, changed, mixed, and what a vocal separator would leave of them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from . import augment
from .audio import BINS, FFT_SIZE, HOP, RATE, gain, stft
from .dataset import Part, Pools, Song

_SAME_SONG = 0.5
_LOOP = 0.06
_SILENT = 0.1
# Levels of drums, bass and other, dB.
_LEVELS = ((-6, 5), (-7, 5), (-7, 5))
# Where the bass is lifted, Hz, and by which share of a random number of dB: rendered basses are dull from 250 to 2500 Hz.
_TILT_HZ = (0, 60, 120, 250, 500, 1000, 2500, 6000, 11000)
_TILT = (-1, -0.8, -0.3, 0.25, 0.5, 0.55, 0.3, 0.1, 0)


def batch(pools: Pools, rng: np.random.Generator, size: int, frames: int) -> tuple[Tensor, Tensor]:
    """Spectra of mixtures [size, 2, frames, 1024], and of their stems [size, 3, 2, frames, 1024]: drums, bass, other."""
    examples = [example(pools, rng, frames) for _ in range(size)]
    return torch.stack([mixture for mixture, _ in examples]), torch.stack([stems for _, stems in examples])


def example(pools: Pools, rng: np.random.Generator, frames: int) -> tuple[Tensor, Tensor]:
    """One of `batch`: [2, frames, 1024] and [3, 2, frames, 1024]."""
    song = pools.songs[int(rng.integers(len(pools.songs)))]
    samples = _mastered(torch.from_numpy(_stems(pools, song, frames * HOP, rng)), rng)
    level = samples.sum(0).square().mean().sqrt()
    samples = samples * (float(gain(rng.uniform(-28, -13))) / (level + 1e-6))
    stems = _spectra(samples.flatten(0, 1), frames).unflatten(0, (3, 2))
    _equalise(stems, rng)
    mixture = stems.sum(0)
    if rng.random() < 0.4:
        mixture = _after_vocals(mixture, float(samples.sum(0).square().mean().sqrt()), pools, song, rng)
    return mixture.transpose(1, 2), stems.transpose(2, 3)


def _any(parts: list[Part], rng: np.random.Generator) -> np.ndarray:
    return parts[int(rng.integers(len(parts)))].audio


def _stems(pools: Pools, song: Song, length: int, rng: np.random.Generator) -> np.ndarray:
    """[3, 2, length] at random levels, some of them silent, never all."""
    same = rng.random() < _SAME_SONG
    speed = 2 ** (rng.uniform(-3, 3) / 12) if rng.random() < 0.7 else 1.0
    place = int(rng.integers(1 << 31))  # Parts of one song are cut at the same place.

    def together(audio: np.ndarray) -> np.ndarray:
        return augment.crop(audio, length, speed, np.random.default_rng(place))

    def alone(audio: np.ndarray, highest: float) -> np.ndarray:
        return augment.crop(audio, length, 2 ** (rng.uniform(-4, highest) / 12), rng)

    if pools.loops and rng.random() < _LOOP:
        drums = _looped(pools.loops[int(rng.integers(len(pools.loops)))], length, rng)
    else:
        drums = together(_any(song.drums, rng)) if same and song.drums else alone(_any(pools.drums, rng), 4)
    highest = 10 if rng.random() < 0.3 else 4
    bass = together(_any(song.bass, rng)) if same and song.bass else alone(_any(pools.bass, rng), highest)
    other = sum(augment.spread(augment.levelled(_voiced(together(part.audio), rng)), rng) * gain(rng.uniform(-8, 4))
                for part in _several(song.other, rng))
    if rng.random() < 0.15:
        other = other + augment.levelled(augment.crop(_any(pools.other, rng), length, 1.0, rng)) * gain(rng.uniform(-10, 2))
    stems = [augment.drums(drums, rng), augment.bass(bass, rng), other]
    levelled = np.stack([augment.levelled(stem) * gain(rng.uniform(*range_)) for stem, range_ in zip(stems, _LEVELS)])
    if rng.random() < 0.3:
        levelled[0] = levelled[0, ::-1].copy()
    silent = rng.random(3) < _SILENT
    if silent.all():
        silent[int(rng.integers(3))] = False
    levelled[silent] = 0
    return levelled.astype(np.float32)


def _several(parts: list[Part], rng: np.random.Generator) -> list[Part]:
    count = min(int(rng.choice([1, 2, 2, 3, 3, 4])), len(parts))
    return [parts[i] for i in rng.permutation(len(parts))[:count]]


def _voiced(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return augment.amplifier(audio, rng, (80, 400), (2000, 8000), (0, 40)) if rng.random() < 0.12 else audio


def _looped(loop: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    speed = 2 ** (rng.uniform(-5, 5) / 12)
    times = int(np.ceil(length * speed * 2 / loop.shape[1])) + 1
    return augment.crop(np.tile(loop, (1, times)), length, speed, rng)


def _mastered(samples: Tensor, rng: np.random.Generator) -> Tensor:
    """Sometimes a soft clip of the mix, shared out to the stems as one gain."""
    if rng.random() >= 0.5:
        return samples
    mix = samples.sum(0)
    value = mix / (mix.square().mean().sqrt() * rng.uniform(1.5, 5) + 1e-6)
    return samples * torch.where(value.abs() < 1e-3, torch.ones_like(value), torch.tanh(value) / (value + 1e-9))


def _spectra(rows: Tensor, frames: int) -> Tensor:
    return stft(rows)[:, :BINS, :frames]


def _curve(x: np.ndarray, decibel: np.ndarray, at: np.ndarray) -> Tensor:
    """A gain for each bin, [1, bins, 1]."""
    return torch.from_numpy((10 ** (np.interp(at, x, decibel) / 20)).astype(np.float32))[None, :, None]


def _equalise(stems: Tensor, rng: np.random.Generator) -> None:
    """In place, on [3, 2, bins, frames]: an equaliser of each stem, the band limit of lossy codecs, the tilt of the bass."""
    octaves = np.log2(np.arange(BINS) + 1) / 10
    for stem in stems:
        if rng.random() < 0.6:
            stem *= _curve(np.linspace(0, 1, 6), rng.normal(0, 3.5, 6), octaves)
    if rng.random() < 0.15:
        stems[:, :, int(rng.integers(600, 1000)):] *= 0.05
    if rng.random() < 0.65:
        stems[1] *= _curve(np.array(_TILT_HZ), np.array(_TILT) * rng.uniform(-2, 16), np.arange(BINS) * RATE / FFT_SIZE)


def _after_vocals(mixture: Tensor, level: float, pools: Pools, song: Song, rng: np.random.Generator) -> Tensor:
    """[2, bins, frames]: a foreign part is added and taken out again by a soft mask, which also bites into the mixture."""
    leads = [part for part in song.other if part.kind in ("lead", "pad")] or pools.other
    frames = mixture.shape[-1]
    voice = augment.levelled(augment.crop(_any(leads, rng), frames * HOP, 1.0, rng)).mean(0)
    voice = voice * np.float32(level * 10 ** (rng.uniform(-10, 2) / 20))
    foreign = _spectra(torch.from_numpy(np.stack([voice, voice])), frames)
    wanted = mixture.abs().square()
    unwanted = foreign.abs().square() * float(np.exp(rng.normal(0, 0.7)))
    return (mixture + foreign) * ((wanted + 1e-9) / (wanted + unwanted + 1e-9)).clamp(0, 1) * 0.95
