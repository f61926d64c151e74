#!/usr/bin/python3
"""The worker's model code against the same model in its own Python library, on the same libtorch. One Markdown row for each model.

    bench/against_python.py [--windows N] [--threads N] NAME...       5 windows, 1 thread; names as in models/export.sh

The two take turns, window by window, each in a process of its own; a ratio is that of the times of one turn. The weights are random,
and both use as many threads for everything, BLAS included. Needs a build, and minutes for a model of full width.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "models"))
PROGRAM = Path(os.environ.get("UNBRAID_BIN", ROOT / "build/release/bin")) / "unbraid-window"
CACHE = ROOT / "build/cache/models"
WARM_UPS = 2
SEED = 1


class Taker:
    """A process that takes a window for each line it is given, and answers with a line of JSON."""

    def __init__(self, command: list[str], threads: int) -> None:
        environment = dict(os.environ, OPENBLAS_NUM_THREADS=str(threads), OMP_NUM_THREADS=str(threads))
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def window(self) -> dict[str, float]:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args[0]} has ended with {self.process.wait()}")
        return json.loads(line)

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def library(name: str, threads: int) -> None:
    """The other side: the module as its library makes it, called as a Python program would."""
    import resource

    import torch

    from unbraid_models import graph
    from unbraid_models.export.exporters import EXPORTERS
    from unbraid_models.export.libraries import provide

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    provide(CACHE)
    exporter = EXPORTERS[name]
    module, window = exporter.random_models(SEED, False)[0], graph.noise(1, 2, exporter.window(False), SEED)
    for _ in sys.stdin:
        before, begin = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
        with torch.inference_mode():
            module(window)
        wall, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(json.dumps({"wall_s": wall, "cpu_s": cpu, "page_faults": after.ru_minflt - before.ru_minflt,
                          "peak_mb": after.ru_maxrss // 1024}), flush=True)


def measure(name: str, windows: int, threads: int) -> str:
    with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="against.") as folder:
        subprocess.run([ROOT / "models/export.sh", name, "--random-weights", str(SEED), "--out", folder], check=True,
                       stdout=subprocess.DEVNULL)
        ours = Taker([str(PROGRAM), f"{folder}/{name}", "--threads", str(threads)], threads)
        theirs = Taker([sys.executable, __file__, "--library", name, "--threads", str(threads)], threads)
        turns = [(ours.window(), theirs.window()) for _ in range(WARM_UPS + windows)][WARM_UPS:]
        ours.end()
        theirs.end()
    ratios = [python["wall_s"] / worker["wall_s"] for worker, python in turns]
    sides = [[statistics.median(turn[side][key] for turn in turns) for key in ("wall_s", "page_faults", "peak_mb")] for side in (1, 0)]
    cells = [f"{seconds:.2f} | {faults:,.0f} | {peak:.0f}" for seconds, faults, peak in sides]
    return f"| {name} | {' | '.join(cells)} | {statistics.median(ratios):.2f} | {min(ratios):.2f} to {max(ratios):.2f} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--windows", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--library", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.library:
        library(options.names[0], options.threads)
        return 0
    print("| model | library: s a window | page faults | peak, MB | worker: s a window | page faults | peak, MB | times as fast | range |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---|", flush=True)
    for name in options.names:
        print(measure(name, options.windows, options.threads), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
