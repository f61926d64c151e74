#!/usr/bin/python3
"""What each thing gains that the worker switches on: with it against without it. A Markdown table.

    bench/settings.py [--models unbraid-4,htdemucs] [--repeats N]

A figure is the median of some calls of the model, each run in a process of its own, after the calls that warm it up; times are per window, and one thread
computes where nothing else is said. `htdemucs` is the real architecture with random weights. bf16 is that of libtorch 2 against the same in float32.
What the loss of bf16 is, docs/profile.md tells. Builds what it needs in both builds (presets release and libtorch2).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from packages import BUILD, build, folder_of, provide
from rows import Row, arguments, in_turn, write

CALLS = 3
CORES = len(os.sched_getaffinity(0))
# So quiet that the squares of its spectrum are denormal.
QUIET = 1e-21


class Model:
    """Seconds of one model's windows, under some settings."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._package = folder_of(name)

    def seconds(self, *settings: object, preset: str = "release", processes: int = 1) -> float:
        """Of a window; with several processes at once, of one of each."""
        command = [str(BUILD / preset / "bin/unbraid-inference"), "--model", str(self._package), "--calls", str(CALLS), *map(str, settings)]
        started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
        made = [process.communicate()[0] for process in started]
        if any(process.returncode != 0 for process in started):
            sys.exit(f"{' '.join(command)} failed")
        return statistics.mean(statistics.median(json.loads(one)["call_seconds"]) for one in made)

    def windows_per_second(self, processes: int, threads: int) -> float:
        return processes / self.seconds("--threads", threads, processes=processes)


def rows_of(model: Model, rounds: int) -> list[Row]:
    def row(what: str, against: str, ours: Callable[[], float], base: Callable[[], float], unit: str = "s a window") -> Row:
        return Row(f"{model.name}: {what}", against, unit, *in_turn(rounds, ours, base, warm_up=False))

    rows = [
        row("tensors keep their memory", "it is taken anew", model.seconds, lambda: model.seconds("--fresh-tensors")),
        row(f"{CORES} at once, OpenBLAS with 1 thread", f"with {CORES}", lambda: model.seconds(processes=CORES),
            lambda: model.seconds("--blas-threads", CORES, processes=CORES)),
        row(f"{CORES} processes of 1 thread", f"1 process of {CORES}", lambda: model.windows_per_second(CORES, 1),
            lambda: model.windows_per_second(1, CORES), "windows a second"),
        row(f"a song of {QUIET} of full scale, denormal numbers as zero", "computed", lambda: model.seconds("--level", QUIET),
            lambda: model.seconds("--level", QUIET, "--keep-denormals")),
    ]
    if "avx512_bf16" not in Path("/proc/cpuinfo").read_text():
        print("no row of bf16: this processor has no avx512_bf16", file=sys.stderr)
        return rows
    return [*rows, row("libtorch 2 in bf16", "in float32", lambda: model.seconds("--precision", "bf16", preset="libtorch2"),
                       lambda: model.seconds(preset="libtorch2"))]


def main() -> None:
    parser = arguments(__doc__, repeats=3)
    parser.add_argument("--models", type=lambda text: text.split(","), default=["unbraid-4", "htdemucs"])
    options = parser.parse_args()
    build("unbraid-inference", ("release", "libtorch2"))
    provide(options.models)
    write([row for name in options.models for row in rows_of(Model(name), options.repeats)], options.json)


main()
