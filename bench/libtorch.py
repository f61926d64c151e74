#!/usr/bin/python3
"""The worker's inference with an upstream libtorch 2 against Debian's 1.13: the same packages, one process each, in turn. A Markdown table.

    bench/libtorch.py [--threads N] [--batch N] [PACKAGE...]       spleeter-hpss, unbraid-4, htdemucs; one thread, one window

A figure is the shortest time of some calls of the model, after the two that warm it up, per window. `htdemucs` is the real architecture with
random weights. Builds what it needs in both builds (presets release and libtorch2).
"""

from __future__ import annotations

import json
from pathlib import Path

from packages import BUILD, build, folder_of, provide, run
from rows import Row, arguments, in_turn, write

# About two seconds of work in a process, and never one call alone.
FEWEST_CALLS = 2
MOST_CALLS = 10
SECONDS_OF_CALLS = 2.0


def seconds_per_window(preset: str, package: Path, threads: int, batch: int, calls: int) -> float:
    made = run(BUILD / preset / "bin/unbraid-inference", "--model", package, "--threads", threads, "--batch", batch, "--calls", calls)
    return min(json.loads(made)["call_seconds"]) / batch


def row(name: str, threads: int, batch: int, rounds: int) -> Row:
    package = folder_of(name)

    def seconds(preset: str, calls: int) -> float:
        return seconds_per_window(preset, package, threads, batch, calls)

    calls = min(MOST_CALLS, max(FEWEST_CALLS, round(SECONDS_OF_CALLS / seconds("release", 1) / batch)))
    ours, base = in_turn(rounds, lambda: seconds("libtorch2", calls), lambda: seconds("release", calls), warm_up=False)
    what = f"{name}, {threads} thread{'s' * (threads > 1)}, {batch} window{'s' * (batch > 1)} a call: libtorch 2.7.1"
    return Row(what, "libtorch 1.13.1", "s a window", ours, base)


def main() -> None:
    parser = arguments(__doc__, repeats=5)
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", default=["spleeter-hpss", "unbraid-4", "htdemucs"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=1)
    options = parser.parse_args()
    build("unbraid-inference", ("release", "libtorch2"))
    provide(options.packages)
    write([row(name, options.threads, options.batch, options.repeats) for name in options.packages], options.json)


main()
