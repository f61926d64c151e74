"""Keys, scales and chords of a random song."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .audio import RATE

SECONDS = 24
STYLES = ("rock", "rock8", "metal", "pop", "disco", "house", "hiphop", "trap", "dnb", "ballad", "latin", "funk", "reggae", "swing",
          "blast", "half")
_TEMPI = {
    "metal": (110, 200), "blast": (150, 220), "dnb": (160, 178), "ballad": (58, 85), "hiphop": (75, 105), "trap": (65, 80),
    "house": (118, 132), "disco": (108, 128), "half": (65, 95), "swing": (100, 200), "reggae": (65, 90),
}
_SCALES = (
    (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10), (0, 2, 4, 5, 7, 9, 10), (0, 1, 3, 5, 7, 8, 10),
    (0, 2, 3, 5, 7, 8, 11),
)
"""Major, minor, Dorian, Mixolydian, Phrygian, harmonic minor."""
_PROGRESSIONS = (
    (0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 4, 3), (1, 4, 0, 0), (0, 0, 3, 3), (0, 6, 5, 4), (0, 5, 6, 0), (0, 3, 0, 4),
    (0, 2, 3, 4), (3, 0, 4, 5), (0, 0, 0, 0), (0, 6, 3, 0),
)


@dataclass(frozen=True)
class Frame:
    """What all parts of a song share. A bar has `steps` steps of `step` seconds; `degrees` is the chord of each bar."""

    style: str
    steps: int
    step: float
    root: int
    scale: tuple[int, ...]
    degrees: tuple[int, ...]
    seconds: float

    @property
    def bars(self) -> int:
        return len(self.degrees)

    @property
    def length(self) -> int:
        """Samples."""
        return int(self.seconds * RATE)

    def chord(self, degree: int, size: int, lowest: int) -> list[int]:
        """`size` stacked thirds, as MIDI notes."""
        return [lowest + self.root + self.scale[(degree + 2 * k) % 7] + 12 * ((degree + 2 * k) // 7) for k in range(size)]


def frame(rng: np.random.Generator, seconds: float = SECONDS) -> Frame:
    """A random style, tempo, key and progression."""
    style = str(rng.choice(STYLES))
    tempo = rng.uniform(*_TEMPI.get(style, (80, 165)))
    steps = 16 if rng.random() < 0.9 else 12
    step = 60 / tempo / 4
    bars = max(2, math.ceil(seconds / (steps * step)))
    root = int(rng.integers(0, 12))
    scale = _SCALES[int(rng.integers(len(_SCALES)))]
    if rng.random() < 0.7:
        progression = _PROGRESSIONS[int(rng.integers(len(_PROGRESSIONS)))]
    else:
        progression = tuple(int(degree) for degree in rng.integers(0, 7, 4))
    return Frame(style, steps, step, root, scale, tuple(progression[bar % 4] for bar in range(bars)), seconds)
