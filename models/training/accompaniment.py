"""Parts of the stem "other": pads, chords, arpeggios, leads, guitars, pianos."""

from __future__ import annotations

from typing import Iterable

import numpy as np

from .fluidsynth import Note
from .harmony import Frame

KINDS = ("pad", "comp", "comp", "arp", "lead", "lead", "power", "power", "chug", "piano")
"""Kinds of parts, as often as they are drawn."""
_PAD = [*range(48, 55), *range(88, 96), 16, 17, 18, 19, 20, 21, 89, 91]
_COMP = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 24, 25, 26, 27, 28, 61, 62, 63, 11, 12, 21, 105, 24, 25, 26, 27, 24, 25, 26, 27]
_ARP = [0, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 45, 46, 80, 81, 84, 98, 104, 107, 108]
_LEAD = [22, 26, 27, 29, 30, 40, 41, 42, 56, 57, 59, 60, 64, 65, 66, 67, 68, 71, 73, 74, 75, 79, 80, 81, 82, 84, 85, 87, 109, 110, 52,
         53, 54]
PROGRAMS = {"pad": _PAD, "comp": _COMP, "arp": _ARP, "lead": _LEAD, "power": [27, 29, 30, 25, 28], "chug": [28, 27, 29, 30],
            "piano": [0, 1, 2, 3, 4, 5]}
"""General MIDI programs for each kind of part."""


class Accompaniment:
    """One part of a kind, over the chords of a song."""

    def __init__(self, kind: str, frame: Frame, rng: np.random.Generator) -> None:
        self.frame, self.rng = frame, rng
        self.play_bar = getattr(self, f"_{kind}")
        self.octave, self.size = int(rng.choice([36, 48, 48, 60, 60, 72])), int(rng.choice([3, 3, 4]))
        self.gate = rng.uniform(0.4, 1.0)
        self.order = rng.permutation(self.size)
        self.rising = rng.random() < 0.3
        self.rate = int(rng.choice([1, 2, 2, 4]))
        self.hits = [step for step in range(frame.steps) if rng.random() < self._chance(step)] or [0]
        self.place = int(rng.integers(0, 7))
        self.strum = rng.uniform(0, 0.025)
        self.notes: list[Note] = []

    @staticmethod
    def _chance(step: int) -> float:
        return 0.75 if step % 4 == 0 else 0.4 if step % 2 == 0 else 0.15

    def play(self) -> list[Note]:
        """The notes of all bars."""
        for bar in range(self.frame.bars):
            if self.rng.random() >= 0.05:
                self.play_bar(bar, self._voicing(bar))
        return self.notes

    def _voicing(self, bar: int) -> list[int]:
        """The bar's chord in a random inversion, not too high."""
        inverted = int(self.rng.integers(0, self.size))
        chord = self.frame.chord(self.frame.degrees[bar], self.size, self.octave)
        chord = [note + 12 * (k < inverted) for k, note in enumerate(chord)]
        while min(chord) > 84:
            chord = [note - 12 for note in chord]
        return chord

    def _low(self, degree: int) -> int:
        """The chord's root on the lowest strings of a guitar."""
        return 40 + (self.frame.root + self.frame.scale[degree % 7] - 4) % 12

    def _time(self, bar: int, step: int) -> float:
        return (bar * self.frame.steps + step) * self.frame.step + self.rng.normal() * 0.006

    def _velocity(self) -> int:
        return int(self.rng.integers(60, 115))

    def _spans(self) -> Iterable[tuple[int, float]]:
        """Each hit, and the seconds until the next."""
        return ((hit, (end - hit) * self.frame.step) for hit, end in zip(self.hits, [*self.hits[1:], self.frame.steps]))

    def _pad(self, bar: int, chord: list[int]) -> None:
        for note in chord:
            self.notes.append((self._time(bar, 0), note, self._velocity() - 10, self.frame.steps * self.frame.step))

    def _comp(self, bar: int, chord: list[int]) -> None:
        for step, seconds in self._spans():
            velocity = self._velocity()
            for string, note in enumerate(chord[::1 if step % 4 in (0, 1) else -1]):
                time = self._time(bar, step) + string * self.strum
                self.notes.append((time, note, velocity - int(self.rng.integers(0, 8)), seconds * self.gate))

    def _arp(self, bar: int, chord: list[int]) -> None:
        for count, step in enumerate(range(0, self.frame.steps, self.rate)):
            time = self._time(bar, step)
            note = chord[int(self.order[count % self.size])] + (12 if self.rising and (count // self.size) % 2 else 0)
            self.notes.append((time, note, self._velocity(), self.rate * self.frame.step * self.rng.uniform(0.7, 1.5)))

    def _lead(self, bar: int, _: list[int]) -> None:
        step = 0
        while step < self.frame.steps:
            steps = int(self.rng.choice([1, 2, 2, 4, 4, 6, 8]))
            self.place = int(np.clip(self.place + self.rng.integers(-3, 4), -3, 14))
            if self.rng.random() < 0.8:
                time = self._time(bar, step)
                note = 60 + self.frame.root + self.frame.scale[self.place % 7] + 12 * (self.place // 7)
                self.notes.append((time, note, self._velocity() + 5, steps * self.frame.step * self.rng.uniform(0.6, 1.05)))
            step += steps

    def _power(self, bar: int, _: list[int]) -> None:
        for step, seconds in self._spans():
            degree = self.frame.degrees[bar] if self.rng.random() < 0.85 else int(self.rng.integers(7))
            root = self._low(degree)
            for note in (root, root + 7, root + 12):
                self.notes.append((self._time(bar, step), note, self._velocity() + 10, seconds * self.gate))

    def _chug(self, bar: int, _: list[int]) -> None:
        root = self._low(self.frame.degrees[bar]) - int(self.rng.choice([0, 0, 2, 4]))
        for step in range(0, self.frame.steps, 1 if self.rate == 1 else 2):
            if self.rng.random() < 0.8:
                for note in (root, root + 7):
                    self.notes.append((self._time(bar, step), note, self._velocity(), self.frame.step * self.gate))

    def _piano(self, bar: int, chord: list[int]) -> None:
        low = chord[0] - 12 * max(0, -(-(chord[0] - 52) // 12))
        for step in range(0, self.frame.steps, 4):
            self.notes.append((self._time(bar, step), low if step % 8 == 0 else low + 7, self._velocity(), 4 * self.frame.step))
        for step in self.hits:
            for note in chord:
                self.notes.append((self._time(bar, step), note, self._velocity(), 2 * self.frame.step))
