"""Makes models/ importable, keeps torch on one thread, and has the libraries of the architectures at hand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / "build" / "cache" / "models"
# The packages of narrow models with random weights; the tests of the whole stack take them from here.
EXPORTS = ROOT / "build" / "test_exports"
sys.path.insert(0, str(ROOT / "models"))


@pytest.fixture(scope="session", autouse=True)
def libraries() -> None:
    import torch

    from unbraid_models.export.libraries import provide

    torch.set_num_threads(1)
    provide(CACHE)
