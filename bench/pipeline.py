#!/usr/bin/python3
"""What the suite costs: a song through all services with one and with two workers, against the same model in one process. A Markdown table.

    bench/pipeline.py [SECONDS [MODEL [ROUNDS]]]       180 s of the demo song, spleeter-hpss, 5 rounds

In every round the three are measured in turn on the same song; it is another one each round, by a noise far below hearing, so that no
result is known already. A ratio is that of the times of one round; the table has the median and the range over the rounds. All run the
model on one thread. `unbraid-reference` reads and writes files, so the upload and the download are what the services do more. The goals
are at most 1.05 for one worker, and two workers at least 1.9 times as fast as one. Needs a build.
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

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration" / "stack"))
from stack import BIN, Stack, demo_song  # noqa: E402: the path must be set first

MODELS = Path(os.environ.get("UNBRAID_MODELS", ROOT / "build/models"))
NOISE = 1e-4


def another(song: Path, path: Path, number: int) -> Path:
    samples, rate = soundfile.read(song, dtype="float32", always_2d=True)
    samples += np.random.default_rng(number).uniform(-NOISE, NOISE, samples.shape).astype(np.float32)
    soundfile.write(path, samples, rate, subtype="PCM_16")
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
        times.append(seconds_of(lambda stack=stack: stack.separate(song, out, "--model", model)))
    shutil.rmtree(out)
    return times


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.3f} | {min(values):.3f} | {max(values):.3f}"


def main() -> int:
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 180
    model = sys.argv[2] if len(sys.argv) > 2 else "spleeter-hpss"
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    times = []
    with tempfile.TemporaryDirectory(prefix="unbraid-pipeline-") as folder, ExitStack() as stacks:
        song = demo_song(seconds)
        both = [stacks.enter_context(Stack(workers=workers, models=(model,))) for workers in (1, 2)]
        for number in range(rounds + 1):
            once = round_of(both, another(song, Path(folder) / f"{number}.wav", number), model)
            if number > 0:  # the first warms everything up
                times.append(once)
    length = soundfile.info(song).duration
    print(f"{length:.0f} s of music, {model}, {rounds} rounds; the reference takes {statistics.median(t[0] for t in times):.1f} s.\n")
    print("| what | median | smallest | largest |\n|---|---:|---:|---:|")
    print(f"| one worker: time against the reference | {spread([t[1] / t[0] for t in times])} |")
    print(f"| two workers: time against the reference | {spread([t[2] / t[0] for t in times])} |")
    print(f"| two workers: speed against one | {spread([t[1] / t[2] for t in times])} |")
    return 0


sys.exit(main())
