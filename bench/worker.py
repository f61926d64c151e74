#!/usr/bin/python3
"""How fast a worker computes chunks in batches of several sizes, on the CPU or a GPU. A Markdown table.

    bench/worker.py [--device cpu|cuda|cuda:N] [--batches 1,2,4,8] [--model NAME] [--threads 1] [--seconds 10] [--rounds 3] [--build FOLDER]

Each figure is the median over the rounds, in which the sizes take turns, each in a process of its own (`unbraid-worker-bench`, which is
built if need be): from the chunk's task to its results, without a broker. Peak memory is the GPU's as libtorch has held it, or the
process's on the CPU. A size that did not fit into the memory says what was computed instead. A GPU needs a build with a libtorch that has
CUDA, which the worker's README tells how to make; --build names its folder.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RELEASE = ROOT / "build" / "release"
BENCH = "unbraid-worker-bench"
MODELS = Path(os.environ.get("UNBRAID_MODELS", ROOT / "build/models"))


def build(tree: Path) -> None:
    if tree == RELEASE and not (tree / "build.ninja").exists():
        subprocess.run(["cmake", "-S", ROOT, "--preset", "release"], check=True, stdout=sys.stderr)
    subprocess.run(["cmake", "--build", tree, "--target", BENCH], check=True, stdout=sys.stderr)


def measure(args: argparse.Namespace, batch: int) -> dict:
    command = [args.build / "bin" / BENCH, "--model", MODELS / args.model, "--device", args.device, "--batch", str(batch),
               "--threads", str(args.threads), "--seconds", str(args.seconds)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def row(runs: list[dict], single: float) -> str:
    run = runs[0]
    speed = statistics.median(speed_of(one) for one in runs)
    fits = min(one["batch_that_fits"] for one in runs)
    size = str(run["batch"]) if fits == run["batch"] else f"{run['batch']} (in parts of {fits})"
    peak = max(one["peak_bytes"] for one in runs)
    return (f"| {run['device']} ({run['title']}) | {size} | {speed:.2f} | {speed * run['chunk_seconds']:.1f} | {speed / single:.2f} | "
            f"{peak / 1e6:.0f} |")


def speed_of(run: dict) -> float:
    """Chunks per second."""
    return run["chunks"] / run["seconds"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batches", default="1,2,4,8")
    parser.add_argument("--model", default="unbraid-4")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--build", type=Path, default=RELEASE, help="folder of a build that is configured; %(default)s")
    args = parser.parse_args()
    batches = [int(batch) for batch in args.batches.split(",")]
    build(args.build)
    runs: dict[int, list[dict]] = {batch: [] for batch in batches}
    for _ in range(args.rounds):
        for batch in batches:
            runs[batch].append(measure(args, batch))
    single = statistics.median(speed_of(one) for one in runs[batches[0]])
    print(f"{args.model}, {args.threads} thread{'s' if args.threads > 1 else ''}, {args.rounds} rounds of {args.seconds:g} s.\n")
    print(f"| device | batch | chunks/s | × real time | against batch {batches[0]} | peak memory, MB |\n|---|---:|---:|---:|---:|---:|")
    for batch in batches:
        print(row(runs[batch], single))
    return 0


sys.exit(main())
