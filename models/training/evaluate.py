"""How well weights part held-out renders: the mean SDR of drums, bass and other in dB, as a Markdown table.

    PYTHONPATH=models python -m training.evaluate --held-out DIR WEIGHTS.npz...

Weights are chosen by this table, never by the real excerpt of bench/sdr_excerpt.py. The second stage is that of the package: net,
median filters and Wiener filter on whole windows, here of the true accompaniment, since the songs have no vocals.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from unbraid_models.spleeter import FFT_SIZE, HOP, NET_BINS, extend
from unbraid_models.stemnet import STEMS, StemNet
from unbraid_models.stft import Stft
from unbraid_models.unbraid_4 import NET_SHARE, SPEC, SecondStage
from unbraid_models.wiener import wiener

from .audio import RATE, gain
from .sources import permitted
from .weights import load

_BEGIN_SECONDS = 4
_WINDOWS = 2
# A stem below this mean power is silent, and has no SDR.
_SILENCE = 1e-7


def sdr(truth: Tensor, estimate: Tensor) -> float:
    """In dB, over all samples; NaN where the truth is silent."""
    if float(truth.square().mean()) < _SILENCE:
        return float("nan")
    error = (truth - estimate).double().square().sum().clamp_min(1e-9)
    return float(10 * torch.log10(truth.double().square().sum() / error))


def held_out(folder: Path) -> list[Tensor]:
    """Stems of every song, [2 windows, 3, 2, 262144] each, at levels that depend on the song's place in the folder alone."""
    songs = []
    for place, description in enumerate(sorted(folder.glob("*.json"))):
        rng = np.random.default_rng(place)
        samples = np.load(description.with_suffix(".npy")).astype(np.float32) / 32768
        names = []
        for name, source, _ in json.loads(description.read_text())["parts"]:
            permitted(source)
            names.append(name)
        other = sum(_at(samples[names.index(f"other{i}")], rng.uniform(-6, 2)) for i in range(int(rng.integers(1, 4))))
        stems = np.stack([_at(samples[names.index("drums")], rng.uniform(-3, 3)),
                          _at(samples[names.index("bass")], rng.uniform(-4, 3)), _at(other, rng.uniform(-4, 3))])
        begin = _BEGIN_SECONDS * RATE
        cut = torch.from_numpy(stems[..., begin:begin + _WINDOWS * SPEC.window].copy())
        songs.append(cut.unflatten(-1, (_WINDOWS, SPEC.window)).permute(2, 0, 1, 3).contiguous())
    if not songs:
        raise ValueError(f"there are no rendered songs in {folder}")
    return songs


def _at(x: np.ndarray, decibel: float) -> np.ndarray:
    level = np.sqrt((x**2).mean()) + 1e-4
    return x / level * gain(decibel) * np.float32(0.08)


class Judge:
    """The second stage with given weights, with or without the Wiener filter behind it, against true stems."""

    def __init__(self, net: StemNet, net_share: float, filtered: bool = True) -> None:
        self.filtered = filtered
        self.stft = Stft(FFT_SIZE, HOP, SPEC.window)
        self.stage = SecondStage(net, self.stft.frames, net_share).eval()

    @torch.inference_mode()
    def scores(self, stems: Tensor) -> list[float]:
        """[windows, 3, 2, 262144] -> the SDR of each stem."""
        mixture = stems.sum(1)
        spectra = self.stft(mixture.flatten(0, 1)).transpose(1, 2).unflatten(0, (-1, 2))
        drums, bass = self.stage(spectra[..., :NET_BINS].abs())
        masks = extend(torch.stack([drums, bass]))
        shares = torch.cat([masks, 1.0 - masks.sum(0, keepdim=True)])
        parted = wiener(spectra, shares, 2) if self.filtered else spectra * masks
        two = self.stft.inverse(parted.flatten(0, 2).transpose(1, 2)).view(2, -1, 2, SPEC.window)
        estimates = (two[0], two[1], mixture - two[0] - two[1])
        return [sdr(stems[:, i], estimates[i]) for i in range(len(STEMS))]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="training.evaluate", description="SDR of the second stage on held-out renders.")
    parser.add_argument("--held-out", type=Path, required=True, help="a folder of training.render")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("weights", type=Path, nargs="+")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    songs = held_out(options.held_out)
    print(f"| {len(songs)} held-out songs | share of the net | Wiener filter | {' | '.join(STEMS)} | mean |\n|---|---|---|---|---|---|---|")
    for file in options.weights:
        for share, filtered in ((0.0, True), (NET_SHARE, False), (NET_SHARE, True), (1.0, True)):
            judge = Judge(load(file), share, filtered)
            means = np.nanmean([judge.scores(stems) for stems in songs], 0)
            cells = [file.name, f"{share:.2f}", "yes" if filtered else "no", *(f"{value:.2f}" for value in [*means, means.mean()])]
            print("| " + " | ".join(cells) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
