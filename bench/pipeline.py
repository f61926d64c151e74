#!/usr/bin/python3
"""What the suite costs: a song through all services with one and with two workers, against the same model in one process. A Markdown table.

    bench/pipeline.py [--seconds N] [--model NAME]       180 s from the middle of a song of 206 s, spleeter-hpss

In every round the three are measured in turn on the same song; it is another one each round, by a noise far below hearing, so that no
result is known already. A ratio is that of the times of one round; the table has the median and the range over the rounds. All run the
model on one thread. `unbraid-reference` reads and writes files, so the upload and the download are what the services do more. The goals
are at most 1.05 for one worker, and two workers at least 1.9 times as fast as one. Needs a build and the Debian package
fretsonfire-songs-sectoid.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import soundfile

from rows import Row, arguments, positive, write

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration" / "stack"))
from stack import BIN, Stack  # noqa: E402: the path must be set first

MODELS = Path(os.environ.get("UNBRAID_MODELS", ROOT / "build/models"))
# The demo song of the tests has less than three minutes.
SONG = Path("/usr/share/games/fretsonfire/data/songs/sectoid/Escape from chaosland")
NOISE = 1e-4
WORKERS = (1, 2)
LONGEST = 3600  # seconds of a separation


def cut_song(seconds: int) -> tuple[np.ndarray, int]:
    """So much of the middle of the song, where everybody plays, and its rate. The package has the guitar apart; the song is their sum."""
    if not SONG.is_dir():
        sys.exit(f"{SONG} is not there: the Debian package fretsonfire-songs-sectoid is not installed")
    (band, rate), (guitar, guitar_rate) = (soundfile.read(SONG / name, dtype="float32", always_2d=True)
                                           for name in ("song.ogg", "guitar.ogg"))
    assert rate == guitar_rate, SONG
    frames, wanted = min(len(band), len(guitar)), seconds * rate
    if wanted > frames:
        sys.exit(f"{SONG.name} has {frames / rate:.0f} s, which is less than the {seconds} s that are wanted")
    cut = slice((frames - wanted) // 2, (frames - wanted) // 2 + wanted)
    return 0.5 * (band[cut] + guitar[cut]), rate


def another(song: np.ndarray, rate: int, path: Path, number: int) -> Path:
    noise = np.random.default_rng(number).uniform(-NOISE, NOISE, song.shape).astype(np.float32)
    soundfile.write(path, song + noise, rate, subtype="PCM_16")
    return path


def seconds_of(work: Callable[[], object]) -> float:
    begin = time.monotonic()
    work()
    return time.monotonic() - begin


def reference(song: Path, out: Path, model: str) -> None:
    command = [str(BIN / "unbraid-reference"), "--model", str(MODELS / model), "--sample-format", "s16", str(song), str(out)]
    subprocess.run(command, check=True)


def round_of(stacks: list[Stack], song: Path, model: str) -> list[float]:
    """Seconds of the reference, and of every stack."""
    out = song.with_suffix(".stems")
    times = [seconds_of(lambda: reference(song, out, model))]
    for stack in stacks:
        shutil.rmtree(out)
        times.append(seconds_of(lambda stack=stack: stack.separate(song, out, "--model", model, timeout=LONGEST)))
    shutil.rmtree(out)
    return times


def measure(seconds: int, model: str, rounds: int) -> list[list[float]]:
    """Of each round the seconds of the reference, of one worker and of two."""
    song, rate = cut_song(seconds)
    times = []
    with tempfile.TemporaryDirectory(prefix="unbraid-pipeline-") as folder, ExitStack() as stacks:
        both = [stacks.enter_context(Stack(workers=workers, models=(model,))) for workers in WORKERS]
        for number in range(rounds + 1):
            path = another(song, rate, Path(folder) / "song.wav", number)
            once = round_of(both, path, model)
            if number > 0:  # the first warms everything up
                times.append(once)
    return times


def rows_of(times: list[list[float]], seconds: int, model: str) -> list[Row]:
    alone, one, two = ([once[which] for once in times] for which in range(3))
    song = f"{seconds} s of a song, {model}"
    return [
        Row(f"{song}: one worker", "the reference in one process", "s", one, alone),
        Row(f"{song}: two workers", "the reference in one process", "s", two, alone),
        Row(f"{song}: two workers", "one worker", "× real time", [seconds / time for time in two], [seconds / time for time in one]),
    ]


def report(rows: list[Row], seconds: int, model: str) -> None:
    alone = rows[0].base
    print(f"{seconds} s of music, {model}, {len(alone)} rounds; the reference takes {statistics.median(alone):.1f} s.\n")
    print("| what | median | smallest | largest |\n|---|---:|---:|---:|")
    names = ("one worker: time against the reference", "two workers: time against the reference", "two workers: speed against one")
    for name, row in zip(names, rows, strict=True):
        ratios = row.ratios()
        print(f"| {name} | {statistics.median(ratios):.3f} | {min(ratios):.3f} | {max(ratios):.3f} |")


def main() -> None:
    parser = arguments(__doc__, repeats=5)
    parser.add_argument("--seconds", type=positive, default=180)
    parser.add_argument("--model", default="spleeter-hpss")
    options = parser.parse_args()
    rows = rows_of(measure(options.seconds, options.model, options.repeats), options.seconds, options.model)
    if options.json:
        write(rows, as_json=True)
    else:
        report(rows, options.seconds, options.model)


if __name__ == "__main__":
    main()
