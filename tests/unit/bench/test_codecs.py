"""bench/codecs.py: its rows from costs that are made up."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location

import pytest
import run

# By its path: a module of Python itself has its name.
spec = spec_from_file_location("bench_codecs", run.HERE / "codecs.py")
codecs = module_from_spec(spec)
sys.modules[spec.name] = codecs  # where dataclasses look for it
spec.loader.exec_module(codecs)


def costs(*cpu_seconds: float, flac_bytes: int = 0) -> list:
    return [codecs.Cost(each, 1.0, flac_bytes) for each in cpu_seconds]


def test_splitting_has_speeds_and_the_check_of_an_upload():
    rows = codecs.rows_of("split", {"unbraid": costs(2.0, 4.0), "sox": costs(3.0, 4.0), codecs.CHECK: costs(1.0, 1.0)}, 120)
    assert [(row.what, row.against, row.ratios()) for row in rows] == [
        ("split", "sox", [1.5, 1.0]),
        ("check of an upload", "split", [2.0, 4.0]),
    ]
    assert {row.unit for row in rows} == {"× real time of a core"}
    assert rows[0].ours == [60.0, 30.0]


def test_assembling_has_speeds_and_the_sizes_of_the_files():
    made = {"unbraid": costs(2.0, flac_bytes=3_000_000), "ffmpeg, soxr": costs(1.0, flac_bytes=2_000_000)}
    rows = codecs.rows_of("assemble", made, 60)
    assert [(row.what, row.against, row.unit, row.ours, row.base) for row in rows] == [
        ("assemble", "ffmpeg, soxr", "× real time of a core", [30.0], [60.0]),
        ("assemble: size of the FLAC files", "ffmpeg, soxr", "MB", [3.0], [2.0]),
    ]


def test_a_demo_song_that_is_too_short_is_refused(tmp_path, monkeypatch):
    song = tmp_path / "song.wav"
    codecs.soundfile.write(song, [0.0] * 16000, 8000)
    monkeypatch.setattr(codecs, "demo_song", lambda seconds: song)
    with pytest.raises(SystemExit, match="has 2 s, which is less than the 180 s that are wanted"):
        codecs.make_inputs(tmp_path, 180)
