"""The mean of several passes is what Demucs makes of the same places: its rule, restated here in its own terms."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from unbraid_models.reference import Reference, pass_silences

WINDOW, STRIDE, RATE = 4096, 3072, 8000
MAX_SHIFT = RATE // 2


class Ramp(torch.nn.Module):
    """What comes out depends on where a sample lies in its window."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("gains", torch.sin(torch.arange(WINDOW) * 0.37) + 1.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x * self.gains, torch.roll(x, 3, -1) * 0.5], 1)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ramp")
    torch.jit.trace(Ramp(), torch.zeros(1, 2, WINDOW)).save(str(folder / "model.pt"))
    (folder / "model.json").write_text(json.dumps({
        "format": 1, "graph": {"file": "model.pt"}, "sample_rate": RATE, "window": WINDOW, "overlap": WINDOW - STRIDE,
        "stems": ["ramp", "late"], "normalisation": "none"}))
    return folder


def apply_shifted(track: np.ndarray, offsets: list[int]) -> torch.Tensor:
    """As apply_model(shifts=len(offsets)) with these random offsets: [stems, 2, frames]."""
    padded = torch.from_numpy(np.pad(track, ((MAX_SHIFT, MAX_SHIFT), (0, 0))).T.copy())
    out = 0.0
    for offset in offsets:
        length = len(track) + MAX_SHIFT - offset
        out = out + apply_split(padded, offset, length)[..., MAX_SHIFT - offset:]
    return out / len(offsets)


def apply_split(padded: torch.Tensor, first: int, length: int) -> torch.Tensor:
    weight = torch.cat([torch.arange(1, WINDOW // 2 + 1), torch.arange(WINDOW - WINDOW // 2, 0, -1)]) / (WINDOW // 2)
    out, sums = torch.zeros(2, 2, length), torch.zeros(length)
    for offset in range(0, length, STRIDE):
        size = min(WINDOW, length - offset)
        begin = first + offset - (WINDOW - size) // 2
        window = torch.zeros(2, WINDOW)
        low, high = max(begin, 0), min(begin + WINDOW, padded.shape[1])
        window[:, low - begin:high - begin] = padded[:, low:high]
        trim = (WINDOW - size) // 2
        out[..., offset:offset + size] += weight[:size] * Ramp()(window[None])[0, ..., trim:trim + size]
        sums[offset:offset + size] += weight[:size]
    return out / sums


@pytest.mark.parametrize("frames", [2000, 12345, 30000])
@pytest.mark.parametrize("shifts", [1, 4])
def test_passes_are_those_of_demucs(package: Path, frames: int, shifts: int) -> None:
    track = np.random.default_rng(frames).uniform(-0.5, 0.5, (frames, 2)).astype(np.float32)
    silences = pass_silences(shifts, 5, RATE)
    wanted = apply_shifted(track, [MAX_SHIFT - silence for silence in silences]).numpy().transpose(0, 2, 1)
    made = Reference(package).separate(track, shifts, 5)
    np.testing.assert_allclose(made, wanted, rtol=0, atol=1e-6)
    assert np.abs(Reference(package).separate(track) - wanted).max() > 0.1


def test_silences_are_those_of_the_services() -> None:
    """The numbers that tests/unit/audio/passes_test.cc has too."""
    assert pass_silences(4, 0, 44100) == [122, 5048, 20293, 15992]
    assert pass_silences(2, -1, 44100) == [6268, 20370]
    assert pass_silences(0, 9, 44100) == [0]
