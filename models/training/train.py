"""Trains the stem net further from its committed weights, or from Spleeter's accompaniment net.

    PYTHONPATH=models python -m training.train --data DIR... --out FILE.npz [--seconds N] [--from FILE.npz | --spleeter]

The weights are the running mean over the steps; they are written every two minutes and at the end. FILE.json, which tells how they were
made and of which sounds, is written at the end.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as distributed
import torch.multiprocessing as multiprocessing

from unbraid_models.recipes import STEM_NET

from .dataset import Pools
from .learning import Learner, Settings
from .mixing import batch
from .provenance import provenance
from .sources import SOURCES
from .weights import load, save, widened_spleeter

_REPORT_STEPS = 100
_SAVE_SECONDS = 120
# Segments are long at the end, which is close to how the net is used.
_FRAMES, _LONG_FRAMES, _LONG_FROM = 128, 256, 0.75


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="training.train", description="Trains the stem net on rendered songs.")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders of training.render")
    parser.add_argument("--out", type=Path, required=True, help="the weights, a NumPy archive")
    parser.add_argument("--from", type=Path, dest="start", default=STEM_NET, help="weights to begin with (%(default)s)")
    parser.add_argument("--spleeter", action="store_true", help="begin with Spleeter's accompaniment net and a new end")
    parser.add_argument("--seconds", type=float, default=1800, help="how long to train (%(default)s)")
    parser.add_argument("--rate", type=float, default=Settings.rate, help="the highest learning rate (%(default)s)")
    parser.add_argument("--batch", type=int, default=3, help="segments of 128 frames in a step of each process (%(default)s)")
    parser.add_argument("--processes", type=int, default=2, help="processes of one thread each, one for each core (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--loops", action="store_true", help="a few drum parts are loops of Sonic Pi")
    parser.add_argument("--full", action="store_true", help="float32 throughout, for processors without bfloat16")
    options = parser.parse_args(arguments)
    if options.out.suffix != ".npz":
        parser.error(f"weights are files named .npz, unlike {options.out}")
    if options.processes < 1:
        parser.error("--processes must be at least 1")
    return options


def _done(begin: float, seconds: float) -> float:
    """The share of the time that is over, by the clock of the first process."""
    done = torch.tensor((time.monotonic() - begin) / seconds)
    if distributed.is_initialized():
        distributed.broadcast(done, 0)
    return float(done)


def train(learner: Learner, pools: Pools, options: argparse.Namespace, rank: int) -> None:
    """Steps until the time is over. The first process tells how it goes, and writes the weights."""
    rng = np.random.default_rng((options.seed, rank))
    begin = saved = time.monotonic()
    losses: list[float] = []
    while (done := _done(begin, options.seconds)) < 1:
        frames = _LONG_FRAMES if done >= _LONG_FROM else _FRAMES
        losses.append(learner.step(*batch(pools, rng, math.ceil(options.batch * _FRAMES / frames), frames), done))
        if rank == 0 and learner.steps % _REPORT_STEPS == 0:
            print(f"step {learner.steps}, {100 * done:.0f} %, loss {np.mean(losses[-_REPORT_STEPS:]):.4f}", flush=True)
        if rank == 0 and time.monotonic() - saved > _SAVE_SECONDS:
            save(learner.mean, options.out)
            saved = time.monotonic()
    if rank == 0:
        save(learner.mean, options.out)
        print(f"{learner.steps} steps, loss of the last {len(losses[-200:])}: {np.mean(losses[-200:]):.4f}")


def join(rank: int, processes: int, meeting: str) -> None:
    """Makes this process one of a group, which meets at the file `meeting`."""
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=processes)


def _work(rank: int, options: argparse.Namespace, meeting: str) -> None:
    """One of the processes."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(options.seed + rank)
    if options.processes > 1:
        join(rank, options.processes, meeting)
    pools = Pools(options.data, Path(SOURCES["sonicpi"].path) if options.loops else None)
    if rank == 0:
        print(f"{len(pools.songs)} songs; parts: {len(pools.drums)} drums, {len(pools.bass)} bass, {len(pools.other)} other", flush=True)
    start = None if options.spleeter else options.start
    learner = Learner(widened_spleeter() if start is None else load(start), Settings(rate=options.rate, half=not options.full))
    train(learner, pools, options, rank)
    if rank == 0:
        how = {name: getattr(options, name) for name in ("seconds", "rate", "processes", "seed", "full")}
        batch_is = {"batch_of_a_process": f"{options.batch} segments of {_FRAMES} frames"}
        made = provenance(options.out, start, pools, {"steps": learner.steps, **how, **batch_is, "torch": torch.__version__})
        options.out.with_suffix(".json").write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")


def main(arguments: list[str]) -> int:
    options = _parse(arguments)
    with tempfile.TemporaryDirectory() as folder:
        meeting = str(Path(folder) / "meeting")
        if options.processes == 1:
            _work(0, options, meeting)
        else:
            multiprocessing.spawn(_work, (options, meeting), options.processes)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
