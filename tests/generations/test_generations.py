"""Packages that Debian's torch exports give in a build with another libtorch what they give in the release build."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration" / "stack"))
import parity  # noqa: E402: the path must be set first
from stack import BIN, demo_song, read  # noqa: E402

OTHER_BIN = Path(os.environ["UNBRAID_OTHER_BIN"])
BUILT = ("passthrough", "spleeter-hpss", "unbraid-4")
# The real architectures with random weights, narrow: a transformer, one that is recurrent, one that is scripted. The unit tests of the
# exporters make them too, whichever come first.
EXPORTED = ("htdemucs", "hdemucs_mmi", "umxhq")
EXPORTS = ROOT / "build" / "test_exports"
SECONDS = 8
# Of full scale.
MOST_DIFFERENCE = 1e-5


@pytest.fixture(scope="module", autouse=True)
def packages():
    subprocess.run([ROOT / "models" / "build.sh", *BUILT], check=True)
    for name in EXPORTED:
        parity.export(name, EXPORTS, narrow=True)


def separate(binaries: Path, package: Path, out: Path) -> dict[str, np.ndarray]:
    """[frames, 2] of every output, by name."""
    command = [binaries / "unbraid-reference", "--model", package, "--sample-format", "f32", demo_song(SECONDS), out]
    subprocess.run(command, check=True)
    return {file.stem: read(file) for file in out.iterdir()}


@pytest.mark.parametrize("name", BUILT + EXPORTED)
def test_a_package_gives_the_same_in_both(tmp_path, name):
    package = (EXPORTS if name in EXPORTED else ROOT / "build" / "models") / name
    with ThreadPoolExecutor(2) as both:
        other = both.submit(separate, OTHER_BIN, package, tmp_path / "other")
        wanted = separate(BIN, package, tmp_path / "release")
        other.result()
    found = parity.difference(tmp_path / "other", wanted)
    assert found.largest <= MOST_DIFFERENCE
    # It is not silent: what is lost, or in another place, would be seen.
    assert found.peak >= 1000 * MOST_DIFFERENCE


def test_the_two_builds_have_different_libtorches():
    def libtorch(binaries: Path) -> str:
        needed = subprocess.run(["ldd", binaries / "unbraid-reference"], check=True, capture_output=True, text=True).stdout
        return next(line.split()[2] for line in needed.splitlines() if line.split()[0].startswith("libtorch_cpu.so"))

    assert libtorch(BIN) != libtorch(OTHER_BIN)
