"""Bass parts: one voice, in one of ten styles."""

from __future__ import annotations

import numpy as np

from .fluidsynth import Note
from .harmony import Frame

_STYLES = ("eighth", "sixteenth", "lock", "root", "walk", "octave", "synco", "long", "riff", "funk")
_STEPS_OF_BEAT = 4


class Bassline:
    """A line over the chords of a song; `kick` holds the chances of a kick at each step, which some styles follow."""

    def __init__(self, frame: Frame, kick: np.ndarray, rng: np.random.Generator) -> None:
        self.frame, self.kick, self.rng = frame, kick, rng
        self.style = str(rng.choice(_STYLES))
        self.low = 28 + int(rng.integers(0, 6))
        count = rng.integers(3, 8)
        self.riff = [(int(rng.integers(0, frame.steps)), int(rng.choice([0, 0, 0, 2, 4, 6, 1]))) for _ in range(count)]
        self.gate = rng.uniform(0.5, 1.0)
        self.fifth = rng.random() >= 0.5
        self.notes: list[Note] = []

    def play(self) -> list[Note]:
        """The notes of all bars, none of which overlap."""
        for bar in range(self.frame.bars):
            if self.rng.random() >= 0.03:
                self._bar(bar)
        self.notes.sort()
        ends = [time for time, *_ in self.notes[1:]] + [float("inf")]
        return [(time, note, velocity, min(duration, max(0.03, end - time)))
                for (time, note, velocity, duration), end in zip(self.notes, ends)]

    def _fit(self, note: int) -> int:
        return note if self.low <= note < self.low + 14 else self.low + (note - self.low) % 12

    def _degree(self, bar: int, above: int) -> int:
        """The note so many degrees above the chord's root; sometimes an octave higher."""
        step = self.frame.scale[(self.frame.degrees[bar] + above) % 7]
        return self._fit(24 + self.frame.root + step) + (12 if self.rng.random() < 0.08 else 0)

    def _add(self, bar: int, step: int, note: int, duration: float, velocity: int | None = None) -> None:
        time = (bar * self.frame.steps + step) * self.frame.step + self.rng.normal() * 0.004
        self.notes.append((time, note, float(self.rng.integers(80, 120) if velocity is None else velocity), duration))

    def _bar(self, bar: int) -> None:
        rng, steps, step, gate = self.rng, self.frame.steps, self.frame.step, self.gate
        root = self._fit(24 + self.frame.root + self.frame.scale[self.frame.degrees[bar] % 7])
        if self.style == "eighth":
            for i in range(0, steps, 2):
                other = self._degree(bar, 4)
                self._add(bar, i, root if rng.random() < 0.9 else other, 2 * step * gate)
        elif self.style == "sixteenth":
            for i in range(steps):
                if rng.random() < 0.85:
                    self._add(bar, i, root if rng.random() < 0.9 else root + 12, step * gate)
        elif self.style == "lock":
            for i in range(steps):
                if rng.random() < self.kick[i] * 0.9:
                    self._add(bar, i, root, 2 * step * gate)
        elif self.style == "root":
            self._add(bar, 0, root, steps * step * 0.5 * gate)
            self._add(bar, steps // 2, self._degree(bar, 4) if self.fifth else root, steps * step * 0.45 * gate)
        elif self.style == "long":
            self._add(bar, 0, root, steps * step * 0.98)
        else:
            self._moving(bar, root)

    def _moving(self, bar: int, root: int) -> None:
        rng, steps, step = self.rng, self.frame.steps, self.frame.step
        if self.style == "walk":
            for i in range(0, steps, _STEPS_OF_BEAT):
                note = root if i == 0 else self._degree(bar, int(rng.choice([1, 2, 4, 6, 3])))
                self._add(bar, i, note, _STEPS_OF_BEAT * step * 0.95)
        elif self.style == "octave":
            for i in range(0, steps, 2):
                self._add(bar, i, root + (12 if (i // 2) % 2 else 0), 2 * step * self.gate)
        elif self.style == "synco":
            for i in (place for place in (0, 3, 6, 10, 13) if place < steps):
                other = self._degree(bar, 4)
                self._add(bar, i, root if rng.random() < 0.7 else other, 3 * step * self.gate)
        elif self.style == "riff":
            for i, above in self.riff:
                self._add(bar, i, self._degree(bar, above), 2 * step * self.gate)
        else:
            for i in range(steps):
                if i == 0 or rng.random() < 0.4:
                    note = root + (12 if rng.random() < 0.25 else 0)
                    self._add(bar, i, note, step * rng.uniform(0.3, 1), int(rng.integers(40, 127)))
