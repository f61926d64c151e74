"""Renders random songs to train with, or to judge by.

    PYTHONPATH=models python -m training.render FIRST LAST DIR [--take N] [--held-out]

Song N is NNNNN.npy, 16-bit integers [parts, 2, 1 058 400] at 44.1 kHz, and NNNNN.json with seed, style, and name, source and kind of
each part. A song is the same on every run; one that is there is not rendered again. About 5 s and 25 MB each.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np

from .songs import song, take

# Seeds of held-out songs begin here.
_HELD_OUT = 10**6
_SCALE = 32000


def write(seed: int, number: int | None, stem: Path) -> None:
    """One song, or its take `number`; the description appears last, so that what has one is whole."""
    frame, parts = song(seed) if number is None else take(seed, number)
    samples = np.stack([np.round(np.clip(part.audio, -1, 1) * _SCALE).astype(np.int16) for part in parts])
    with open(stem.with_suffix(".npy"), "wb") as file:
        np.save(file, samples)
    meta = {"seed": seed, "style": frame.style, "parts": [(part.name, part.source, part.kind) for part in parts]}
    staging = stem.with_suffix(".part")
    staging.write_text(json.dumps(meta))
    os.replace(staging, stem.with_suffix(".json"))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="training.render", description="Renders random songs to separate parts.")
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int, help="the first song that is not rendered")
    parser.add_argument("out", type=Path)
    parser.add_argument("--step", type=int, default=1, help="renders every N-th song, for several processes side by side")
    parser.add_argument("--take", type=int, help="only drums and bass again, with other sounds")
    parser.add_argument("--held-out", action="store_true", help="songs that are never trained on")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for number in range(options.first, options.last, options.step):
        stem = options.out / (f"{number:05d}" if options.take is None else f"{number:05d}_{options.take}")
        if not stem.with_suffix(".json").exists():
            write(number + (_HELD_OUT if options.held_out else 0), options.take, stem)
            print(stem, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
