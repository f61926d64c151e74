"""A detector of clicks: is there more of a step at given places of a recording than at places around them?

Two measures at a place, both against its own neighbourhood, so that they mean the same in loud and in soft music:
  * step: the largest first difference there, over the median of the first differences around it;
  * burst: the energy of the second differences in the millisecond there, over the median of the milliseconds around it. A
    splice is broad in frequency, music is not; differences weigh the high ones up.
Music has steps of its own. So each measure of a place is ranked among the same measure at control places of its stretch of
the recording: 0 is the smallest, 1 the largest, and the mean rank of many places where nothing happens is about one half.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

CONTROLS = 400
# How far around a place its controls lie, and how far from any of the places themselves, in seconds.
STRETCH = 2.0
CLEARANCE = 0.05
NEIGHBOURHOOD = 0.02
MILLISECOND = 0.001
TINY = 1e-12


def differences(samples: np.ndarray, order: int = 1) -> np.ndarray:
    """Sizes of the differences that end at each frame, [frames, channels]."""
    return np.abs(np.diff(samples, n=order, axis=0, prepend=np.repeat(samples[:1], order, axis=0)))


def step(samples: np.ndarray, rate: int) -> Callable[[int], float]:
    steps = differences(samples).max(axis=1)
    around = int(NEIGHBOURHOOD * rate)
    return lambda place: steps[place - 1 : place + 2].max() / (np.median(steps[place - around : place + around]) + TINY)


def burst(samples: np.ndarray, rate: int) -> Callable[[int], float]:
    energy = (differences(samples, order=2) ** 2).sum(axis=1)
    width, blocks = int(MILLISECOND * rate), int(NEIGHBOURHOOD / MILLISECOND)

    def at(place: int) -> float:
        begin = place - width // 2 - blocks * width
        energies = energy[begin : begin + (2 * blocks + 1) * width].reshape(2 * blocks + 1, width).sum(axis=1)
        return energies[blocks] / (np.median(energies) + TINY)

    return at


def ranks(samples: np.ndarray, rate: int, places: list[int], measure=step, seed: int = 1) -> np.ndarray:
    """The rank of each place among its controls, from 0 to 1; ties count half."""
    random = np.random.default_rng(seed)
    at = measure(samples, rate)
    edge = int((NEIGHBOURHOOD + 2 * MILLISECOND) * rate)
    result = []
    for place in places:
        low, high = max(edge, place - int(STRETCH * rate)), min(len(samples) - edge, place + int(STRETCH * rate))
        candidates = random.integers(low, high, 4 * CONTROLS)
        clear = np.min(np.abs(candidates[:, None] - np.array(places)[None, :]), axis=1) > CLEARANCE * rate
        values = np.array([at(control) for control in candidates[clear][:CONTROLS]])
        assert len(values) == CONTROLS
        here = at(place)
        result.append((np.sum(values < here) + 0.5 * np.sum(values == here)) / CONTROLS)
    return np.array(result)


def joins(frames: int, window: int, overlap: int) -> list[int]:
    """Where chunks meet: both ends of each overlap. The first end is where the later chunk begins."""
    stride = window - overlap
    starts = [start for start in range(stride, frames, stride)]
    return sorted(place for start in starts for place in (start, start + overlap) if place < frames - overlap)


def splice(samples: np.ndarray, places: list[int], dropped: int) -> np.ndarray:
    """The recording as if chunks were joined without a cross-fade and `dropped` frames late, at each of the places."""
    spliced = samples.copy()
    for begin, end in zip(places, places[1:] + [len(samples)]):
        spliced[begin : end - dropped] = samples[begin + dropped : end]
    return spliced
