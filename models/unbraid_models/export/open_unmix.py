"""Open-Unmix: one network for each stem, and a Wiener filter over all of them. `openunmix` is imported as in demucs_models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from .checkpoint import fill, read_state

STEMS = ("vocals", "drums", "bass", "other")
_FFT_SIZE = 4096
_HOP = 1024
_BANDWIDTH_HZ = 16000
# What the published files hold besides the weights of the network.
_SPARE = ("sample_rate", "window")
# Narrow models are as much narrower, so that those of umxhq and umxl differ too.
_NARROWER = 32


def _network(hidden: int) -> nn.Module:
    from openunmix.model import OpenUnmix
    from openunmix.utils import bandwidth_to_max_bin

    seen = int(bandwidth_to_max_bin(rate=44100.0, n_fft=_FFT_SIZE, bandwidth=_BANDWIDTH_HZ))
    return OpenUnmix(nb_bins=_FFT_SIZE // 2 + 1, nb_channels=2, hidden_size=hidden, max_bin=seen)


def _separator(networks: Sequence[nn.Module]) -> nn.Module:
    """As `openunmix.umxhq()` and `umxl()` make it: one step of the filter, over 300 frames at a time."""
    from openunmix.model import Separator

    separator = Separator(dict(zip(STEMS, networks)), niter=1, residual=False, n_fft=_FFT_SIZE, n_hop=_HOP, nb_channels=2,
                          sample_rate=44100.0, wiener_win_len=300, filterbank="torch")
    separator.freeze()
    return separator


def fresh(hidden: int, narrow: bool) -> nn.Module:
    """x [batch, 2, window] -> [batch, 4, 2, window]. `hidden`: the width, 512 or 1024; narrow: a 32nd of it."""
    return _separator([_network(hidden // _NARROWER if narrow else hidden) for _ in STEMS])


def load(paths: Sequence[Path], hidden: int) -> nn.Module:
    """The separator with one file of weights for each of STEMS."""
    networks = []
    for path in paths:
        network = _network(hidden)
        fill(network, read_state(path), path, spare=_SPARE)
        networks.append(network)
    return _separator(networks)
