"""Drum parts: patterns of probabilities for each step of a bar, played with fills, rests and swing."""

from __future__ import annotations

import numpy as np

from .fluidsynth import Note
from .harmony import Frame

_TOMS = (50, 48, 47, 45, 43, 41)
_CLAP, _OPEN_HAT = 39, 46


class Groove:
    """The pattern of one song. `kick[i]` and its like are the chances of a hit at step i."""

    def __init__(self, frame: Frame, rng: np.random.Generator) -> None:
        self.frame, self.rng = frame, rng
        steps = frame.steps
        self.kick, self.snare, self.hat, self.open, self.extra = np.zeros((5, steps))
        self.extra_note = 39
        self.quarter = steps // 4
        self.beats = list(range(0, steps, self.quarter))
        self._pattern()
        self._sounds()

    def _pattern(self) -> None:
        style, rng, steps, quarter, beats = self.frame.style, self.rng, self.frame.steps, self.quarter, self.beats
        half = beats[2]
        self.snare[beats[1::2]] = 1
        self.hat[::max(1, quarter // 2)] = 0.95
        if style in ("rock", "rock8", "pop", "ballad"):
            self.kick[0] = 1
            self.kick[rng.integers(0, steps, 3)] = 0.7
            self.kick[half] = 0.8
        if style == "metal":
            self.kick[::1 if rng.random() < 0.4 else 2] = 0.9
        if style == "blast":
            self.kick[::2] = 1
            self._snare_only(slice(1, None, 2))
        if style in ("disco", "house"):
            self.kick[beats] = 1
            self.open[[min(steps - 1, beat + quarter // 2) for beat in beats]] = 0.8
            self.hat[::max(1, quarter // 4)] = 0.6
        if style in ("hiphop", "funk", "dnb"):
            self.kick[0] = 1
            self.kick[rng.integers(0, steps, 4)] = 0.6
            self.snare[rng.integers(0, steps, 3)] = 0.25
            self.hat[::max(1, quarter // 4)] = 0.6
        if style == "trap":
            self._snare_only(half)
            self.kick[0] = 1
            self.kick[rng.integers(0, steps, 3)] = 0.6
            self.hat[:] = 0.8
        self._rarer_styles(half)

    def _rarer_styles(self, half: int) -> None:
        style, rng, steps, quarter, beats = self.frame.style, self.rng, self.frame.steps, self.quarter, self.beats
        if style in ("half", "ballad"):
            self._snare_only(half)
        if style == "latin":
            self.kick[[0, half]] = 1
            self.kick[(beats[1] + quarter // 2) % steps] = 0.8
            self.extra[rng.integers(0, steps, 5)] = 0.8
            self._snare_only([step for step in (3, 6, 10, 13) if step < steps], 0.7)
            self.extra_note = int(rng.choice([62, 63, 64, 56, 69, 70]))
        if style == "reggae":
            self.kick[half] = 1
            self._snare_only(half)
        if style == "swing":
            self.hat[:] = 0
            self.hat[beats] = 1
            self.kick[0] = 0.6
            self.kick[rng.integers(0, steps)] = 0.3
            self.snare[rng.integers(0, steps, 2)] = 0.3

    def _snare_only(self, where: int | slice | list[int], chance: float = 1) -> None:
        self.snare[:] = 0
        self.snare[where] = chance

    def _sounds(self) -> None:
        """Which drum plays each row, and how strictly."""
        style, rng = self.frame.style, self.rng
        self.snare_note = int(rng.choice([38, 38, 40, 37 if style in ("latin", "ballad", "hiphop") else 38]))
        self.hat_note = int(rng.choice([42, 42, 42, 51, 46] if style != "swing" else [51]))
        self.kick_note = int(rng.choice([36, 36, 35]))
        self.clap = style in ("house", "trap", "disco", "hiphop") and rng.random() < 0.5
        if rng.random() < 0.15:
            self.extra[rng.integers(0, self.frame.steps, 4)] = 0.7
            self.extra_note = int(rng.choice([54, 70, 69, 56]))
        self.humanity = rng.uniform(0, 0.012) if style not in ("house", "trap") else 0.0
        self.swing = rng.uniform(0, 0.33) if style in ("swing", "hiphop") or rng.random() < 0.1 else 0.0
        self.hatless = rng.random() < 0.07
        self.crash_bars = set(range(0, self.frame.bars, int(rng.choice([2, 4, 8]))))

    def play(self) -> list[Note]:
        """The notes of all bars."""
        rng, notes = self.rng, []
        for bar in range(self.frame.bars):
            fill = bar % 4 == 3 and rng.random() < 0.6
            until = self.frame.steps - int(rng.choice([self.quarter, 2 * self.quarter])) if fill else self.frame.steps
            if rng.random() < 0.04:
                continue  # A bar of rest.
            if bar in self.crash_bars and rng.random() < 0.7:
                notes.append((self._time(bar, 0), int(rng.choice([49, 57])), float(rng.integers(90, 127)), 1.5))
            for step in range(until):
                self._hits(notes, bar, step)
            for step in range(until, self.frame.steps):
                self._fill(notes, bar, step, until)
        return notes

    def _time(self, bar: int, step: int) -> float:
        late = self.swing * self.frame.step * 2 if step % 4 == 2 else 0.0
        return (bar * self.frame.steps + step) * self.frame.step + late + self.rng.normal() * self.humanity

    def _hits(self, notes: list[Note], bar: int, step: int) -> None:
        rng = self.rng
        if rng.random() < self.kick[step]:
            notes.append((self._time(bar, step), self.kick_note, float(rng.integers(90, 127)), 0.3))
        if rng.random() < self.snare[step]:
            loud = (85, 127) if self.snare[step] > 0.5 else (25, 60)
            notes.append((self._time(bar, step), self.snare_note, float(rng.integers(*loud)), 0.3))
        if self.snare[step] > 0.5 and self.clap:
            notes.append((self._time(bar, step), _CLAP, 100.0, 0.3))
        if rng.random() < self.open[step]:
            notes.append((self._time(bar, step), _OPEN_HAT, float(rng.integers(60, 100)), 0.2))
        elif rng.random() < self.hat[step] and not self.hatless:
            accent = 25 if step % self.quarter == 0 else 0
            notes.append((self._time(bar, step), self.hat_note, float(rng.integers(50, 85) + accent), 0.15))
        if rng.random() < self.extra[step]:
            notes.append((self._time(bar, step), self.extra_note, float(rng.integers(60, 110)), 0.2))

    def _fill(self, notes: list[Note], bar: int, step: int, begin: int) -> None:
        rng = self.rng
        if rng.random() < 0.75:
            down = min(5, int((step - begin) / (self.frame.steps - begin) * 6))
            note = _TOMS[down] if rng.random() < 0.6 else self.snare_note
            notes.append((self._time(bar, step), note, float(rng.integers(70, 127)), 0.3))
        if step % self.quarter == 0:
            notes.append((self._time(bar, step), self.kick_note, 100.0, 0.3))
