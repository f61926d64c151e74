"""bench/scaling.py: its rows from costs that are made up, and its order."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import rows
import scaling


def measured(size: int, audio_seconds: float, *seconds: float) -> scaling.Measured:
    return scaling.Measured(size, audio_seconds, [scaling.Cost(each, {}, {}, 0.0) for each in seconds])


LENGTHS = [measured(1, 60, 6, 3), measured(10, 600, 10, 40)]
WORKERS = [measured(1, 240, 40, 20), measured(2, 240, 20, 15), measured(4, 240, 10, 16)]


def test_rows_compare_sizes_of_the_same_round():
    found = scaling.rows_of(LENGTHS, WORKERS, "unbraid-4")
    assert [(row.what, row.against, row.ratios()) for row in found] == [
        ("a track of 10 min, passthrough, 2 workers", "of 1 min", [6.0, 0.75]),
        ("a track of 10 min through everything, passthrough, 2 workers", "real time", [60.0, 15.0]),
        ("unbraid-4, 2 workers", "1 worker", [2.0, pytest.approx(4 / 3)]),
        ("unbraid-4, 4 workers", "1 worker", [4.0, 1.25]),
    ]
    assert {row.unit for row in found} == {"× real time"}


def test_rows_are_of_what_was_measured_alone():
    assert [row.what for row in scaling.rows_of([], WORKERS[:2], "unbraid-4")] == ["unbraid-4, 2 workers"]
    assert [row.against for row in scaling.rows_of(LENGTHS[:1], [], "unbraid-4")] == ["real time"]


def test_the_table_has_the_spread_and_the_first_size_as_its_baseline(capsys):
    scaling.print_sizes("minutes", LENGTHS)
    assert capsys.readouterr().out.splitlines()[2:] == [
        "| 1 | 4.5 | 15.0 | 10.0 | 20.0 | 1.00 |",
        "| 10 | 25.0 | 37.5 | 15.0 | 60.0 | 0.56 |",
        "",
    ]


def test_sizes_are_taken_in_turn_each_at_its_stack_and_no_song_comes_twice(tmp_path, monkeypatch):
    order, songs = [], []

    def measure(stack, files, model):
        order.append((stack, len(files), model))
        songs.extend(file.read_bytes() for file in files)
        return scaling.Cost(float(len(order)), {}, {}, 0.0)

    monkeypatch.setattr(scaling, "measure", measure)
    found = scaling.measure_all({1: "one", 2: "two"}, tmp_path, 2, "passthrough", lambda size: (size, 1))
    one, two = ("one", 1, "passthrough"), ("two", 2, "passthrough")
    assert order == [one, two, two, one]
    assert [(each.audio_seconds, [cost.seconds for cost in each.costs]) for each in found] == [(1, [1.0, 4.0]), (2, [2.0, 3.0])]
    assert len(set(songs)) == 6


def test_rows_need_something_to_compare(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["scaling.py", "--json", "--minutes", "", "--workers", "2"])
    with pytest.raises(SystemExit):
        scaling.parse()
    assert "there is nothing to compare" in capsys.readouterr().err


def test_json_has_lengths_and_workers_whose_stacks_stand_side_by_side(monkeypatch, capsys):
    """And no jobs, which have rows of their own."""
    standing, measured_at = [], []

    class FakeStack(nullcontext):
        def __init__(self, workers, models):
            super().__init__((models[0], workers))

        def __enter__(self):
            standing.append(self.enter_result)
            return self.enter_result

        def __exit__(self, *_):
            standing.remove(self.enter_result)

    def measure(stack, files, model):
        measured_at.append((stack, len(standing)))
        return scaling.Cost(1.0, {}, {}, 0.0)

    monkeypatch.setattr(scaling, "Stack", FakeStack)
    monkeypatch.setattr(scaling, "measure", measure)
    monkeypatch.setattr(scaling, "long_noise", lambda path, *_: path.touch() or path)
    monkeypatch.setattr("sys.argv", ["scaling.py", "--json", "--minutes", "1,3", "--workers", "1,2", "--repeats", "2"])
    scaling.main()
    assert [row.what for row in rows.read(capsys.readouterr().out)] == [
        "a track of 3 min, passthrough, 2 workers", "a track of 3 min through everything, passthrough, 2 workers", "unbraid-4, 2 workers"]
    suite, one, two = ("passthrough", 2), ("unbraid-4", 1), ("unbraid-4", 2)
    assert measured_at == [(suite, 1)] * 5 + [(stack, 2) for stack in (one, two, one, two, two, one)]
