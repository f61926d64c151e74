"""bench/pipeline.py: its rows, its own table, and the song that it cuts."""

from __future__ import annotations

import numpy as np
import pipeline
import pytest
import soundfile

# Of each round the reference, one worker, two.
TIMES = [[20.0, 18.0, 10.0], [10.0, 12.0, 6.0]]
RATE = 8000


def test_rows_are_times_against_the_reference_and_the_speed_of_two_workers():
    alone = "the reference in one process"
    assert [(row.what, row.against, row.unit, row.ratios()) for row in pipeline.rows_of(TIMES, 180, "spleeter-hpss")] == [
        ("180 s of a song, spleeter-hpss: one worker", alone, "s", [0.9, 1.2]),
        ("180 s of a song, spleeter-hpss: two workers", alone, "s", [0.5, 0.6]),
        ("180 s of a song, spleeter-hpss: two workers", "one worker", "× real time", pytest.approx([1.8, 2.0])),
    ]


def test_its_own_table_has_the_ratios(capsys):
    pipeline.report(pipeline.rows_of(TIMES, 180, "spleeter-hpss"), 180, "spleeter-hpss")
    assert capsys.readouterr().out == (
        "180 s of music, spleeter-hpss, 2 rounds; the reference takes 15.0 s.\n\n"
        "| what | median | smallest | largest |\n|---|---:|---:|---:|\n"
        "| one worker: time against the reference | 1.050 | 0.900 | 1.200 |\n"
        "| two workers: time against the reference | 0.550 | 0.500 | 0.600 |\n"
        "| two workers: speed against one | 1.900 | 1.800 | 2.000 |\n")


@pytest.fixture
def song(tmp_path, monkeypatch):
    """Five seconds, of which the guitar has four."""
    for name, seconds in (("song.ogg", 5), ("guitar.ogg", 4)):
        samples = np.random.default_rng(seconds).uniform(-0.3, 0.3, (seconds * RATE, 2))
        soundfile.write(tmp_path / name, samples, RATE, format="OGG", subtype="VORBIS")
    monkeypatch.setattr(pipeline, "SONG", tmp_path)
    return [soundfile.read(tmp_path / name, dtype="float32")[0] for name in ("song.ogg", "guitar.ogg")]


def test_the_song_is_the_middle_of_both_its_parts(song):
    cut, rate = pipeline.cut_song(2)
    assert rate == RATE
    np.testing.assert_array_equal(cut, 0.5 * (song[0][RATE:3 * RATE] + song[1][RATE:3 * RATE]))


def test_a_song_that_is_too_short_is_refused(song):
    with pytest.raises(SystemExit, match="has 4 s, which is less than the 5 s that are wanted"):
        pipeline.cut_song(5)


def test_a_package_that_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "SONG", tmp_path / "nothing")
    with pytest.raises(SystemExit, match="fretsonfire-songs-sectoid is not installed"):
        pipeline.cut_song(1)


def test_the_song_of_a_round_is_another_one_by_less_than_is_heard(tmp_path):
    silence = np.zeros((RATE, 2), np.float32)
    made = [soundfile.read(pipeline.another(silence, RATE, tmp_path / "song.wav", number))[0] for number in (1, 2)]
    assert not np.array_equal(*made)
    assert max(np.abs(each).max() for each in made) <= pipeline.NOISE + 2**-15


def test_all_three_are_measured_in_turn_on_one_song_a_round(song, monkeypatch):
    """The round that warms up is left out."""
    order = []

    class FakeStack:
        def __init__(self, workers, models):
            self.workers = workers

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def separate(self, path, out, *_, timeout):
            assert not out.exists()
            out.mkdir()
            order.append((self.workers, path.read_bytes()))

    def reference(path, out, model):
        out.mkdir()
        order.append((0, path.read_bytes()))

    monkeypatch.setattr(pipeline, "Stack", FakeStack)
    monkeypatch.setattr(pipeline, "reference", reference)
    times = pipeline.measure(2, "spleeter-hpss", 2)
    assert [len(once) for once in times] == [3, 3]
    assert [who for who, _ in order] == [0, 1, 2] * 3
    assert [len({heard for _, heard in order[first:first + 3]}) for first in (0, 3, 6)] == [1, 1, 1]
    assert len({heard for _, heard in order}) == 3
