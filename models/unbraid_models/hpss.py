"""Harmonic/percussive separation by median filters (Fitzgerald 2010), with a low band for the bass."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .median import blocked_median

FRAMES_KERNEL = 17
BINS_KERNEL = 31
BASS_HZ = 350.0
_BASS_POWER = 8
_FLOOR = 1e-10


class Hpss(nn.Module):
    """Magnitudes [windows, bins, frames] -> masks of drums and bass, each of the same shape.

    Sustained notes are lines along time, drum hits are lines along frequency; medians along either keep one and drop the other.
    What is harmonic and below about 350 Hz is bass, the rest is other: 1 - drums - bass.
    """

    def __init__(self, bins: int, frames: int, sample_rate: int, fft_size: int) -> None:
        super().__init__()
        hertz = torch.arange(bins, dtype=torch.float64) * (sample_rate / fft_size)
        low = 1.0 / (1.0 + (hertz / BASS_HZ) ** _BASS_POWER)
        self.over_frames = blocked_median(FRAMES_KERNEL, dim=2, length=frames, width=128)
        self.over_bins = blocked_median(BINS_KERNEL, dim=1, length=bins, width=16)
        self.register_buffer("low", low.float().view(1, bins, 1))

    def forward(self, magnitudes: Tensor) -> tuple[Tensor, Tensor]:
        harmonic = self.over_frames(magnitudes).square()
        percussive = self.over_bins(magnitudes).square()
        # Silence is shared out evenly, never divided by zero.
        drums = (percussive + _FLOOR / 2) / (harmonic + percussive + _FLOOR)
        return drums, (1.0 - drums) * self.low
