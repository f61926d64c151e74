"""The package `passthrough`: every stem is a fixed fraction of the input.

Whatever the services add to or take from a song shows against it at once: the fractions are powers of two,
so each stem is an exact float32 number, and their sum is the input bit for bit.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .spec import PackageSpec

FRACTIONS: dict[str, float] = {"vocals": 0.5, "drums": 0.25, "bass": 0.125, "other": 0.125}

SPEC = PackageSpec(
    name="passthrough",
    version="1.0.0",
    title="Fixed fractions of the input, for tests and measurements",
    stems=tuple(FRACTIONS),
    licence={"code": "Apache-2.0", "weights": "none: the package has no weights"},
    source="built by models/build.sh",
    quality={"origin": "none: it does not separate", "sdr_db": {}},
)


class Passthrough(nn.Module):
    """x [batch, channels, window] -> [batch, 4, channels, window]."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("fractions", torch.tensor(list(FRACTIONS.values())).view(1, -1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x.unsqueeze(1) * self.fractions
