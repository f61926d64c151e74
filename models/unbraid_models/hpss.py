"""The accompaniment's parts: drums by what is broad in frequency, bass and the rest by what lasts in time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .median import median_over_bins, median_over_frames

FRAMES_KERNEL = 17
BINS_KERNEL = 31
POWER = 2.0
BASS_HZ = 350.0
BASS_ORDER = 8

# Added to both sides of a ratio of powers: silence is halved instead of divided by nothing. Far below the
# power of any audible sound, and far above the smallest float32.
_TINY = 1e-30


class PercussiveShare(nn.Module):
    """Power [rows, frames, bins] -> the share of it that drums have, 0 to 1, of the same shape.

    A held note is a ridge along time, a stroke is a ridge along frequency; a median across a ridge wipes it
    out and one along it keeps it (Fitzgerald 2010).
    """

    def __init__(self, frames: int, bins: int) -> None:
        super().__init__()
        self.along_time = median_over_frames(FRAMES_KERNEL, frames)
        self.along_frequency = median_over_bins(BINS_KERNEL, bins)

    def forward(self, magnitude: Tensor) -> Tensor:
        held = self.along_time(magnitude).pow(POWER) + _TINY
        struck = self.along_frequency(magnitude).pow(POWER) + _TINY
        return struck / (struck + held)


def bass_share(bins: int, hz_per_bin: float) -> Tensor:
    """[bins]: the share of what is not drums that the bass has, falling from 1 to 0 around BASS_HZ."""
    frequency = torch.arange(bins, dtype=torch.float64) * hz_per_bin
    return (1.0 / (1.0 + (frequency / BASS_HZ) ** BASS_ORDER)).float()
