"""Rendered sounds: what is asked for is heard, at its time, and only sources that are listed are used."""

from __future__ import annotations

import numpy as np
import pytest

from training import kits, sources, tones
from training.accompaniment import KINDS, Accompaniment
from training.audio import RATE
from training.basslines import Bassline
from training.fluidsynth import DRUM_BANK, SoundFont
from training.harmony import frame
from training.rhythm import Groove

# Small, and installed for the tests alone: its licence is not one of those that sounds to train with may have.
TEST_FONT = "/usr/share/sounds/sf2/TimGM6mb.sf2"


def power(x: np.ndarray, begin: float, end: float) -> float:
    """Mean square between two times in seconds."""
    return float((x[:, int(begin * RATE):int(end * RATE)].astype(np.float64) ** 2).mean())


def loudest_hertz(x: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(x[0])).argmax() * RATE / x.shape[1])


def test_a_bar_of_a_soundfont_sounds_at_its_times_and_pitch() -> None:
    font = SoundFont(TEST_FONT)
    bar = [(0.5, 69, 100.0, 0.4), (1.0, 69, 100.0, 0.4)]
    x = font.render(0, 73, bar, 2 * RATE)
    assert x.shape == (2, 2 * RATE) and np.isfinite(x).all()
    assert power(x, 0, 0.49) == 0.0 and power(x, 0.6, 0.8) > 1e-5 and power(x, 1.1, 1.3) > 1e-5
    assert power(x, 1.9, 2.0) < 0.01 * power(x, 1.1, 1.3)
    assert min(abs(loudest_hertz(x) - 440 * harmonic) for harmonic in (1, 2, 3)) < 10
    font.render(0, 0, [(0.0, 40, 127.0, 9.0)], RATE + 1)
    assert np.array_equal(font.render(0, 73, bar, 2 * RATE), x)


def test_a_bend_changes_the_pitch() -> None:
    font = SoundFont(TEST_FONT)
    plain, bent = (font.render(0, 73, [(0.0, 69, 100.0, 1.0)], RATE, bends) for bends in (None, [(0.0, 16383)]))
    assert loudest_hertz(bent) == pytest.approx(loudest_hertz(plain) * 2 ** (2 / 12), rel=0.02)


def test_a_drum_bank_has_drums() -> None:
    x = SoundFont(TEST_FONT).render(DRUM_BANK, 0, [(0.1, 38, 110.0, 0.2)], RATE)
    assert power(x, 0, 0.09) == 0.0 and power(x, 0.1, 0.2) > 1e-5


def test_a_font_that_is_not_there_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="/nowhere/font.sf2; models/training/install.sh"):
        SoundFont("/nowhere/font.sf2").render(0, 0, [], RATE)


def test_a_kit_made_here_hits_at_its_times() -> None:
    x = kits.render({}, [(0.25, 37, 110.0, 0.1), (0.75, 42, 110.0, 0.1)], RATE * 2, np.random.default_rng(1))
    assert power(x, 0, 0.249) == 0.0 and power(x, 0.25, 0.3) > 1e-3 and power(x, 0.75, 0.8) > 10 * power(x, 0.7, 0.749)


@pytest.mark.parametrize("kind", kits.CLASSES)
def test_every_drum_made_here_is_whole(kind: str) -> None:
    x = tones.drum(kind, np.random.default_rng(2))
    assert np.isfinite(x).all() and np.abs(x).max() == pytest.approx(1.0)


@pytest.mark.parametrize("kind", ["saw", "square", "sine", "fm", "string", "supersaw", "triangle"])
def test_a_voice_plays_the_note_that_is_written(kind: str) -> None:
    voice = tones.Voice(np.random.default_rng(3), bass=False)
    voice.kind, voice.octave, voice.ratio = kind, False, 1
    x = voice.render([(0.0, 57, 100.0, 1.0)], RATE)
    assert np.isfinite(x).all()
    # A whole multiple of 220 Hz; a string is a period of whole samples.
    assert abs(loudest_hertz(x) / 220 - round(loudest_hertz(x) / 220)) < 0.02 and loudest_hertz(x) > 200


@pytest.mark.parametrize("seed", range(12))
def test_composed_parts_can_be_played(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shared = frame(rng, seconds=8)
    groove = Groove(shared, rng)
    drums, bass = groove.play(), Bassline(shared, groove.kick, rng).play()
    others = [Accompaniment(kind, shared, rng).play() for kind in sorted(set(KINDS))]
    assert len(drums) > 4 and all(note in kits.CLASS_OF_NOTE for _, note, _, _ in drums)
    for notes in (drums, bass, *others):
        assert all(0 < note < 128 and velocity > 0 and duration > 0 for _, note, velocity, duration in notes)
    assert all(28 <= note <= 61 for _, note, _, _ in bass)
    # One voice: a note ends when the next begins, but for the shortest.
    assert all(time + duration <= after[0] + 0.03 for (time, _, _, duration), after in zip(bass, bass[1:]))


def test_a_seed_is_a_song() -> None:
    def composed(seed: int) -> list[object]:
        rng = np.random.default_rng(seed)
        return [shared := frame(rng), Groove(shared, rng).play()]

    assert composed(5) == composed(5) != composed(6)


@pytest.mark.parametrize("name", ["rumpf_kit_z01_h2", "timgm6mb", ""])
def test_a_source_that_is_not_listed_is_refused(name: str) -> None:
    with pytest.raises(sources.UnlistedSource, match="no source that may be used to train; listed are audiophob, fluid"):
        kits.kit_of(name, np.random.default_rng(1))


def test_no_doubtful_source_is_listed() -> None:
    assert not [loop for loop in sources.LOOPS if loop.startswith("amen")]
    assert not [source for source in sources.SOURCES.values() if "rumpf" in (source.title + source.path).lower()]
    assert all(source.licence.startswith(("MIT", "CC0", "own", "as the others")) for source in sources.SOURCES.values())


@pytest.mark.parametrize(("name", "kind"), [("Kick 2", "kick"), ("OpenHH", "open"), ("hh closed", "hat"), ("Operation", None), ("x", None)])
def test_names_tell_the_class_of_a_drum(name: str, kind: str | None) -> None:
    assert kits.drum_class(name) == kind
