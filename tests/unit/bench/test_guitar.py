"""Where a guitar goes, as bench/guitar.py tells it: on mixtures and stems whose truth is known."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

BENCH = Path(__file__).resolve().parents[3] / "bench"
sys.path.insert(0, str(BENCH))
import guitar as bench  # noqa: E402: the path must be set first

FRAMES = 3 * bench.RATE


def noise(seed: int, frames: int = FRAMES) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((frames, 2)).astype(np.float32) * np.float32(0.1)


def tone(hertz: float) -> np.ndarray:
    wave = np.sin(2 * np.pi * hertz * np.arange(FRAMES) / bench.RATE)
    return np.stack([wave, wave], 1).astype(np.float32) * np.float32(0.1)


def stems_of(**known: np.ndarray) -> dict[str, np.ndarray]:
    """The four stems; those that are not named are silent."""
    return {name: known.get(name, np.zeros((FRAMES, 2), np.float32)) for name in bench.STEMS}


GUITAR, REST = noise(1), noise(2)
MIX = GUITAR + REST


def test_a_guitar_that_is_wholly_in_other_is_nowhere_else():
    verdict = bench.judge(GUITAR, REST, stems_of(other=MIX))
    assert (verdict.vocals, verdict.drums, verdict.bass, verdict.other) == pytest.approx((0, 0, 0, 100))
    assert verdict.missing == pytest.approx(0, abs=1e-3)
    assert verdict.against_elsewhere == np.inf
    assert verdict.rest_in_other == pytest.approx(100, abs=0.01)


def test_a_guitar_that_is_wholly_in_the_drums_is_missing():
    verdict = bench.judge(GUITAR, REST, stems_of(drums=MIX))
    assert (verdict.drums, verdict.other) == pytest.approx((100, 0))
    assert (verdict.missing, verdict.against_elsewhere) == (np.inf, -np.inf)


def test_half_the_amplitude_in_each_of_two_stems_is_half_of_what_is_held_and_6_db_missing():
    verdict = bench.judge(GUITAR, REST, stems_of(other=0.5 * MIX, bass=0.5 * MIX))
    assert (verdict.vocals, verdict.drums, verdict.bass, verdict.other) == pytest.approx((0, 0, 50, 50))
    assert verdict.missing == pytest.approx(6.02, abs=0.01)
    assert verdict.against_elsewhere == pytest.approx(0, abs=0.01)
    assert verdict.rest_in_other == pytest.approx(25, abs=0.01)


def test_what_is_elsewhere_adds_up_by_amplitude():
    verdict = bench.judge(GUITAR, REST, stems_of(other=0.5 * MIX, bass=0.25 * MIX, drums=0.25 * MIX))
    assert verdict.other == pytest.approx(100 * 4 / 6)
    assert verdict.against_elsewhere == pytest.approx(0, abs=0.01)


def test_half_the_time_in_each_of_two_stems_is_3_db_missing():
    first = np.where(np.arange(FRAMES)[:, None] < FRAMES // 2, MIX, np.float32(0))
    verdict = bench.judge(GUITAR, REST, stems_of(other=first, bass=MIX - first))
    assert verdict.other == pytest.approx(50, abs=2)
    assert verdict.missing == pytest.approx(3.01, abs=0.2)


def test_a_stem_that_sounds_elsewhere_in_the_spectrum_holds_no_guitar():
    guitar, rest = tone(1000), tone(5000)
    verdict = bench.judge(guitar, rest, stems_of(other=guitar, drums=rest))
    assert (verdict.drums, verdict.other) == pytest.approx((0, 100), abs=0.01)
    assert verdict.missing == pytest.approx(0, abs=0.01)
    assert verdict.rest_in_other == pytest.approx(0, abs=0.01)


def test_a_filter_holds_what_it_leaves_of_the_guitar_when_it_is_run_on_it():
    gain = np.linspace(1, 0, FRAMES // 2 + 1)[:, None] ** 2

    def filtered(x: np.ndarray) -> np.ndarray:
        return np.fft.irfft(gain * np.fft.rfft(x, axis=0), FRAMES, axis=0)

    verdict = bench.judge(GUITAR, REST, stems_of(other=filtered(MIX), drums=MIX - filtered(MIX)))
    held = [np.square(filtered(GUITAR)).sum(), np.square(GUITAR - filtered(GUITAR)).sum()]
    assert verdict.other == pytest.approx(100 * held[0] / sum(held), abs=0.1)
    assert verdict.missing == pytest.approx(10 * np.log10(np.square(GUITAR).sum(dtype=np.float64) / held[0]), abs=0.02)
    assert verdict.against_elsewhere == pytest.approx(10 * np.log10(held[0] / held[1]), abs=0.02)


def test_the_figures_do_not_depend_on_the_level():
    quiet = [np.float32(1e-4) * x for x in (GUITAR, REST, MIX)]
    verdict = bench.judge(quiet[0], quiet[1], stems_of(other=0.5 * quiet[2], bass=0.5 * quiet[2]))
    assert verdict.missing == pytest.approx(6.02, abs=0.01)


def test_true_tracks_that_overlap_are_refused_since_no_mask_makes_them():
    with pytest.raises(bench.NotMasksError, match="no masks of the mixture"):
        bench.judge(GUITAR, REST, stems_of(other=GUITAR, drums=REST))


def test_silent_stems_are_refused():
    with pytest.raises(bench.NotMasksError):
        bench.judge(GUITAR, REST, stems_of())


@pytest.mark.parametrize("silent", ["guitar", "rest", "both"])
def test_silence_has_no_verdict(silent):
    nothing = np.zeros_like(GUITAR)
    guitar, rest = (nothing if silent in (name, "both") else track for name, track in (("guitar", GUITAR), ("rest", REST)))
    with pytest.raises(ValueError, match="silent"):
        bench.judge(guitar, rest, stems_of(other=guitar + rest))


def test_the_excerpt_is_where_the_guitar_is_loudest():
    track = np.zeros((20 * bench.RATE, 2), np.float32)
    track[12 * bench.RATE:15 * bench.RATE] = 0.5
    assert bench.loudest(track, 3 * bench.RATE) == 12 * bench.RATE
    assert bench.loudest(track, 30 * bench.RATE) == 0


@pytest.fixture
def songs(tmp_path, monkeypatch):
    """A folder of one song, "a song", of 3 s."""
    monkeypatch.setattr(bench, "SONGS", tmp_path)
    folder = tmp_path / "a song"
    folder.mkdir()
    for name, samples in (("guitar", GUITAR), ("song", REST)):
        soundfile.write(folder / f"{name}.ogg", samples, bench.RATE)
    return tmp_path


def test_a_song_is_read_at_half_level_from_where_it_is_asked_for(songs):
    guitar, rest = bench.read_song(songs / "a song", 1.0, 0.5)
    whole, _ = soundfile.read(songs / "a song" / "guitar.ogg", dtype="float32")
    assert guitar.shape == rest.shape == (bench.RATE, 2)
    assert np.array_equal(guitar, 0.5 * whole[bench.RATE // 2:3 * bench.RATE // 2])
    with pytest.raises(ValueError, match="ends before"):
        bench.read_song(songs / "a song", 1.0, 4.0)


class Separator:
    """Puts a fraction of the mixture into "other" and the rest into the bass, or, with None, makes up a stem."""

    def __init__(self, title: str, fraction: float | None) -> None:
        self.title, self.fraction = title, fraction

    def separate(self, mix: np.ndarray) -> dict[str, np.ndarray]:
        stems = {name: np.zeros_like(mix) for name in bench.STEMS}
        if self.fraction is None:
            return stems | {"other": noise(3, len(mix))}
        return stems | {"other": self.fraction * mix, "bass": (1 - self.fraction) * mix}


def test_the_table_has_a_row_for_each_song_and_model_and_their_mean(songs, capsys):
    assert bench.compare(["a song"], [Separator("all", 1.0), Separator("half", 0.5)], 1.0, None)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1:3] for line in lines[2:]] == [[" a song ", " all "], [" a song ", " half "], [" mean ", " all "], [" mean ", " half "]]
    assert {line.count("|") for line in lines} == {11}
    assert lines[3].startswith("| a song | half | 0.0 | 0.0 | 50.0 | 50.0 | 6.0 | ")


def test_a_model_that_cannot_be_judged_is_named_and_the_others_go_on(songs, capsys):
    assert not bench.compare(["a song"], [Separator("made up", None), Separator("all", 1.0)], 1.0, None)
    printed = capsys.readouterr()
    assert printed.err.startswith("a song, made up: its stems are no masks of the mixture")
    assert "made up" not in printed.out
    assert "| mean | all |" in printed.out


def test_a_model_that_was_refused_on_one_of_two_songs_has_no_mean(songs, capsys):
    class Sometimes(Separator):
        def separate(self, mix: np.ndarray) -> dict[str, np.ndarray]:
            stems = super().separate(mix)
            self.fraction = None
            return stems

    assert not bench.compare(["a song", "a song"], [Sometimes("sometimes", 1.0)], 1.0, None)
    printed = capsys.readouterr()
    assert "| a song | sometimes |" in printed.out
    assert "| mean |" not in printed.out
    assert printed.err.count("no masks of the mixture") == 1
