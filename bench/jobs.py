#!/usr/bin/python3
"""1, 10 and 100 separations at once: throughput, fairness, and the time to the first joined second. A Markdown table.

    bench/jobs.py [--jobs 10,100] [--model NAME]        songs of 10 s; NAME (unbraid-4) is the model of the last rows; '': leave them out

Throughput and fairness are those of `passthrough` and two workers, so that what is seen is the suite around the model: as many songs at once
against one alone, and the one that is done last against the middle one. The first joined second is counted from the end of the upload, with
one worker: of one song against the time that the model takes for a chunk of it, and of several songs at once (the middle one) against one.
Needs a build.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from shutil import rmtree

from rows import Row, arguments, write

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration" / "stack"))
from api import Api  # noqa: E402: the path must be set first
from stack import Stack, long_noise  # noqa: E402

SONG_SECONDS = 10
# With a real model: a song of three chunks, and no more songs than one worker computes in a minute.
MODEL_SONG_SECONDS = 15
MOST_MODEL_JOBS = 10


class Songs:
    """Songs that nobody has seen before, and what becomes of them."""

    def __init__(self, folder: Path, seconds: int) -> None:
        self.seconds = seconds
        self._folder = folder
        self._numbers = count(1)

    def at_once(self, jobs: int, one: Callable[[Path, Path], float]) -> list[float]:
        """What `one` gives for each of so many songs, all begun at once; it gets the song and a folder for the stems."""
        songs = [long_noise(self._folder / f"{number}.wav", self.seconds, number) for _, number in zip(range(jobs), self._numbers)]
        with ThreadPoolExecutor(jobs) as pool:
            figures = list(pool.map(lambda song: one(song, song.with_suffix(".stems")), songs))
        for song in songs:
            song.unlink()
            rmtree(song.with_suffix(".stems"), ignore_errors=True)
        return figures


def throughput_and_fairness(stack: Stack, songs: Songs, jobs: int, rounds: int) -> list[Row]:
    def done_after(number_of_songs: int) -> list[float]:
        begin = time.monotonic()

        def one(song: Path, out: Path) -> float:
            stack.separate(song, out, "--model", "passthrough")
            return time.monotonic() - begin

        return songs.at_once(number_of_songs, one)

    many, alone = [], []
    for number in range(rounds):
        for which in (0, 1) if number % 2 == 0 else (1, 0):
            (many if which == 0 else alone).append(done_after(jobs if which == 0 else 1))

    def speed(seconds: list[float]) -> float:
        return len(seconds) * songs.seconds / max(seconds)

    return [
        Row(f"{jobs} songs of {songs.seconds} s at once", "one alone", "× real time", [*map(speed, many)], [*map(speed, alone)]),
        Row(f"{jobs} songs at once: the last one done", "the middle one", "s", [*map(max, many)], [*map(statistics.median, many)]),
    ]


def seconds_of(duration: str) -> float:
    return float(duration.rstrip("s"))


def first_joined_second(stack: Stack, song: Path, out: Path, model: str) -> tuple[float, str]:
    """Seconds from the end of the upload until a second is joined, and the separation's name."""
    process = stack.start("separate", str(song), "-o", str(out), "--model", model)
    uploaded, joined, name = None, None, ""
    for line in process.stdout:
        now, event = time.monotonic(), json.loads(line)
        if event["event"] == "uploaded":
            uploaded = now
        if event["event"] == "progress":
            name = event["separation"]["name"]
            if joined is None and seconds_of(event["separation"].get("progress", {}).get("joined", "0s")) >= 1:
                joined = now
    if process.wait() != 0 or uploaded is None or joined is None:
        raise RuntimeError(f"the separation of {song} did not work")
    return joined - uploaded, name


def chunk_seconds(api: Api, name: str) -> float:
    chunks = api.chunks(name)
    return statistics.median(chunk.compute_time.ToTimedelta().total_seconds() for chunk in chunks)


def first_seconds(stack: Stack, songs: Songs, jobs: int, model: str, rounds: int) -> list[Row]:
    alone, chunks, many = [], [], []
    with Api(stack) as api:
        for _ in range(rounds):
            names = []

            def one(song: Path, out: Path) -> float:
                seconds, name = first_joined_second(stack, song, out, model)
                names.append(name)
                return seconds

            alone += songs.at_once(1, one)
            chunks.append(chunk_seconds(api, names[0]))
            many.append(statistics.median(songs.at_once(jobs, one)))
    return [
        Row(f"first joined second of a song, {model}", "a chunk in the model", "s", alone, chunks),
        Row(f"first joined second of {jobs} songs at once, {model}", "of one alone", "s", many, alone),
    ]


def main() -> None:
    parser = arguments(__doc__, repeats=3)
    parser.add_argument("--jobs", type=lambda text: [int(number) for number in text.split(",")], default=[10, 100])
    parser.add_argument("--model", default="unbraid-4")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="unbraid-jobs-") as name:
        with Stack(workers=2, models=("passthrough",)) as stack:
            songs = Songs(Path(name), SONG_SECONDS)
            songs.at_once(1, lambda song, out: bool(stack.separate(song, out, "--model", "passthrough")))
            for jobs in options.jobs:
                rows += throughput_and_fairness(stack, songs, jobs, options.repeats)
        if options.model:
            with Stack(workers=1, models=(options.model,)) as stack:
                rows += first_seconds(stack, Songs(Path(name), MODEL_SONG_SECONDS), MOST_MODEL_JOBS, options.model, options.repeats)
    write(rows, options.json)


main()
