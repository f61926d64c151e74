"""The weights of the stem net as files: NumPy archives of half floats, equal for equal weights."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from torch import nn

from unbraid_models.build import ROOT
from unbraid_models.recipes import WHEEL
from unbraid_models.spleeter import load_vocal_mask
from unbraid_models.stemnet import StemNet, load_stem_net


def load(file: Path) -> StemNet:
    """The net with the weights of an archive."""
    return load_stem_net(file.read_bytes())


def save(net: nn.Module, file: Path) -> None:
    """Writes all that inference needs, whole or not at all."""
    arrays = {key: value.numpy().astype("<f2") for key, value in net.state_dict().items() if not key.endswith("num_batches_tracked")}
    staging = file.with_name(f".{file.name}.part")
    with open(staging, "wb") as out:
        np.savez(out, **arrays)
    os.replace(staging, file)


def widened_spleeter() -> StemNet:
    """A net whose levels are those of Spleeter's accompaniment net, but for the last two, which are new."""
    accompaniment = load_vocal_mask(ROOT / "build" / "cache" / "models", WHEEL).accompaniment
    net = StemNet()
    state = {f"body.{key}": value for key, value in accompaniment.state_dict().items() if not key.startswith(("up6", "up7"))}
    missing = net.load_state_dict(state, strict=False).missing_keys
    if any(not key.startswith(("body.up6", "end")) for key in missing):
        raise ValueError(f"Spleeter's net lacks {', '.join(missing)}")
    with torch.no_grad():
        net.end.weight *= 0.5
    return net
