"""The passthrough package, and the rule of cutting and joining, which must cost nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unbraid_models.passthrough import FRACTIONS
from unbraid_models.reference import Reference

WINDOW, STRIDE = 262144, 220500


@pytest.mark.parametrize("frames", [1, 4095, STRIDE - 1, STRIDE, STRIDE + 1, WINDOW - 1, WINDOW, WINDOW + 1, 2 * STRIDE + 7])
def test_case_5_every_length_comes_back_exact(packages: Path, frames: int) -> None:
    track = np.random.default_rng(frames).uniform(-1, 1, (frames, 2)).astype(np.float32)
    reference = Reference(packages / "passthrough")
    stems = reference.separate(track)
    assert stems.shape == (4, frames, 2)
    assert reference.stems == list(FRACTIONS)
    for stem, fraction in zip(stems, FRACTIONS.values()):
        np.testing.assert_array_equal(stem, track * np.float32(fraction))
    np.testing.assert_array_equal(stems.sum(0, dtype=np.float64), track.astype(np.float64))
