"""Random songs, rendered to separate parts: drums, bass, and four of the stem "other"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import effects, kits
from .accompaniment import KINDS, PROGRAMS, Accompaniment
from .audio import RATE
from .basslines import Bassline
from .fluidsynth import DRUM_BANK, Note, soundfont
from .harmony import SECONDS, Frame, frame
from .rhythm import Groove
from .sources import permitted
from .tones import Voice

OTHERS = 4
FONTS = ("fluid", "muse")
_DRUM_SOURCES = {"fluid": 0.24, "muse": 0.26, "sonicpi": 0.11, "synth": 0.09, "mixed": 0.24, "audiophob": 0.06}
_BASS_SOURCES = {"fluid": 0.35, "muse": 0.35, "synth": 0.3}
_OTHER_SOURCES = {"fluid": 0.42, "muse": 0.42, "synth": 0.16}
_BASSES = [32, 33, 33, 33, 34, 34, 34, 35, 36, 37, 38, 39]
_GUITARS = (26, 27, 28, 29, 30)
_AMPLIFIED = ("power", "chug")


@dataclass(frozen=True)
class RenderedPart:
    """A part, [2, n] with a peak of 0.9 at most; `kind` is the stem, or of "other" the kind of part."""

    name: str
    source: str
    kind: str
    audio: np.ndarray


def song(seed: int, seconds: float = SECONDS) -> tuple[Frame, list[RenderedPart]]:
    """The song of a seed: bass, drums, other0 to other3."""
    rng = np.random.default_rng(seed)
    shared = frame(rng, seconds)
    groove = Groove(shared, rng)
    drums = _drums(shared, groove.play(), rng)
    bass = _bass(shared, groove, rng)
    kinds = [str(kind) for kind in rng.choice(KINDS, OTHERS)]
    if shared.style in ("metal", "blast", "rock"):
        kinds[0] = str(rng.choice(_AMPLIFIED))
    return shared, [bass, drums, *(_other(f"other{place}", kind, shared, rng) for place, kind in enumerate(kinds))]


def take(seed: int, number: int, seconds: float = SECONDS) -> tuple[Frame, list[RenderedPart]]:
    """Further drums and bass for the song of a seed: the same rhythm, tempo and chords, other sounds, loudness and effects."""
    rng = np.random.default_rng(seed)
    shared = frame(rng, seconds)
    groove = Groove(shared, rng)
    notes = groove.play()
    rng = np.random.default_rng([seed, number])
    curve = rng.uniform(0.6, 1.6)
    notes = [(time, note, int(np.clip(127 * (velocity / 127) ** curve + rng.normal() * 6, 8, 127)), duration)
             for time, note, velocity, duration in notes]
    drums = _drums(shared, notes, rng, again=True)
    return shared, [_bass(shared, groove, rng), drums]


def _draw(shares: dict[str, float], rng: np.random.Generator) -> str:
    source = str(rng.choice(list(shares), p=list(shares.values())))
    permitted(source)
    return source


def _drums(shared: Frame, notes: list[Note], rng: np.random.Generator, again: bool = False) -> RenderedPart:
    source = _draw(_DRUM_SOURCES, rng)
    if source in FONTS:
        program = int(rng.choice(kits.PROGRAMS))
        ratio = 2 ** (rng.uniform(-4, 4) / 12) if again and rng.random() < 0.6 else 1
        audio = _retuned(source, program, notes, shared.length, ratio)
    else:
        audio = kits.render(kits.kit_of(source, rng), notes, shared.length, rng)
    if again:
        audio = effects.drum_bus(audio, rng)
    return RenderedPart("drums", source, "drums", effects.finished(audio, rng, "drums"))


def _retuned(source: str, program: int, notes: list[Note], length: int, ratio: float) -> np.ndarray:
    """A kit played `ratio` times as high: from a score that is stretched as much."""
    stretched = [(time * ratio, note, velocity, duration) for time, note, velocity, duration in notes]
    audio = soundfont(source).render(DRUM_BANK, program, stretched, int(length * ratio) + 64)
    audio = effects.pitched(audio, ratio)
    return np.pad(audio, ((0, 0), (0, max(0, length - audio.shape[1]))))[:, :length]


def _bass(shared: Frame, groove: Groove, rng: np.random.Generator) -> RenderedPart:
    notes = Bassline(shared, groove.kick, rng).play()
    source = _draw(_BASS_SOURCES, rng)
    if source in FONTS:
        audio = soundfont(source).render(0, int(rng.choice(_BASSES)), notes, shared.length)
    else:
        audio = Voice(rng, bass=True).render(notes, shared.length)
    if rng.random() < 0.3:
        audio = effects.saturated(audio, rng.uniform(1.5, 10))
    if rng.random() < 0.2:
        audio = effects.filtered(audio, 2, rng.uniform(300, 2500))
    if rng.random() < 0.7:
        audio = effects.narrowed(audio)
    return RenderedPart("bass", source, "bass", effects.finished(audio, rng, "bass"))


def _other(name: str, kind: str, shared: Frame, rng: np.random.Generator) -> RenderedPart:
    notes = Accompaniment(kind, shared, rng).play()
    source = str(rng.choice(FONTS)) if kind in (*_AMPLIFIED, "piano") else _draw(_OTHER_SOURCES, rng)
    program = int(rng.choice(PROGRAMS[kind]))
    bends = _vibrato(shared.seconds) if kind == "lead" and rng.random() < 0.5 else None
    if source in FONTS:
        audio = soundfont(source).render(0, program, notes, shared.length, bends)
    else:
        audio = Voice(rng, bass=False).render(notes, shared.length)
    if np.abs(audio).max() < 1e-4:  # The font lacks the instrument at these notes.
        source, program = "fluid", int(rng.choice([0, 25, 48]))
        audio = soundfont(source).render(0, program, notes, shared.length)
    if kind in _AMPLIFIED or (kind in ("lead", "comp") and program in _GUITARS and rng.random() < 0.5):
        audio = effects.guitar_amplifier(audio, rng)
    if rng.random() < (0.6 if kind in _AMPLIFIED else 0.2):
        audio = effects.doubled(audio, rng)
    if rng.random() < 0.15:
        echo = int(shared.step * 3 * RATE)
        audio = audio + 0.4 * effects.delayed(audio, echo) + 0.16 * effects.delayed(audio, 2 * echo)
    return RenderedPart(name, source, kind, effects.finished(audio, rng, "other"))


def _vibrato(seconds: float) -> list[tuple[float, int]]:
    return [(time, 8192 + int(700 * np.sin(2 * np.pi * 5.5 * time))) for time in np.arange(0, seconds, 0.02)]
