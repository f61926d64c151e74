"""Makes models/ importable, keeps torch on one thread, and builds the packages once for all tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "models"))


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder of the built packages; what is current is not built again."""
    subprocess.run([ROOT / "models" / "build.sh"], check=True)
    return ROOT / "build" / "models"


@pytest.fixture(scope="session")
def cache() -> Path:
    """The folder of the fetched weights."""
    return ROOT / "build" / "cache" / "models"
