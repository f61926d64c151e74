"""Trains the stem net further from its committed weights, or from Spleeter's accompaniment net.

    PYTHONPATH=models python -m training.train --data DIR... --out FILE.npz [--seconds N] [--from FILE.npz | --spleeter]

The weights are the running mean over the steps; they are written every two minutes and at the end, with FILE.json, which tells how
they were made and of which sounds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

from unbraid_models.recipes import STEM_NET

from .dataset import Pools
from .learning import Learner, Settings
from .mixing import batch
from .provenance import provenance
from .sources import SOURCES
from .weights import load, save, widened_spleeter

_REPORT_STEPS = 25
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
    parser.add_argument("--batch", type=int, default=4, help="segments of 128 frames in a step (%(default)s)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--loops", action="store_true", help="a few drum parts are loops of Sonic Pi")
    parser.add_argument("--full", action="store_true", help="float32 throughout, for processors without bfloat16")
    options = parser.parse_args(arguments)
    if options.out.suffix != ".npz":
        parser.error(f"weights are files named .npz, unlike {options.out}")
    return options


def train(learner: Learner, pools: Pools, options: argparse.Namespace) -> None:
    """Steps until the time is over."""
    rng = np.random.default_rng(options.seed)
    begin = saved = time.monotonic()
    losses: list[float] = []
    while (done := (time.monotonic() - begin) / options.seconds) < 1:
        frames = _LONG_FRAMES if done >= _LONG_FROM else _FRAMES
        losses.append(learner.step(*batch(pools, rng, max(1, options.batch * _FRAMES // frames), frames), done))
        if learner.steps % _REPORT_STEPS == 0:
            print(f"step {learner.steps}, {100 * done:.0f} %, loss {np.mean(losses[-_REPORT_STEPS:]):.4f}", flush=True)
        if time.monotonic() - saved > _SAVE_SECONDS:
            save(learner.mean, options.out)
            saved = time.monotonic()
    save(learner.mean, options.out)
    print(f"{learner.steps} steps, loss of the last {len(losses[-200:])}: {np.mean(losses[-200:]):.4f}")


def main(arguments: list[str]) -> int:
    options = _parse(arguments)
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(options.seed)
    pools = Pools(options.data, Path(SOURCES["sonicpi"].path) if options.loops else None)
    print(f"{len(pools.songs)} songs; parts: {len(pools.drums)} drums, {len(pools.bass)} bass, {len(pools.other)} other", flush=True)
    start = None if options.spleeter else options.start
    learner = Learner(widened_spleeter() if start is None else load(start), Settings(rate=options.rate, half=not options.full))
    train(learner, pools, options)
    how = {name: getattr(options, name) for name in ("seconds", "rate", "batch", "seed", "full")}
    made = provenance(options.out, start, pools, {"steps": learner.steps, **how, "torch": torch.__version__})
    options.out.with_suffix(".json").write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
