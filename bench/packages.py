"""What benchmarks of inference need built: programs of one preset or the other, and model packages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
EXPORTS = BUILD / "bench_exports"
# Real architectures with random weights, in EXPORTS; any other package is our own, in build/models.
EXPORTED = ("htdemucs", "htdemucs_6s", "hdemucs_mmi", "umxhq")
SEED = 1


def run(*command: object) -> str:
    """What it prints; the end of this process when it fails."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed")
    return done.stdout


def build(program: str, presets: Iterable[str]) -> None:
    run(ROOT / "scripts/libtorch.sh")
    for preset in presets:
        run("cmake", "-S", ROOT, "--preset", preset)
        run("ninja", "-C", BUILD / preset, program)


def provide(names: Iterable[str]) -> None:
    for name in names:
        if name in EXPORTED:
            run(ROOT / "models/export.sh", name, "--random-weights", SEED, "--out", EXPORTS)
        else:
            run(ROOT / "models/build.sh", name)


def folder_of(name: str) -> Path:
    return (EXPORTS if name in EXPORTED else BUILD / "models") / name
