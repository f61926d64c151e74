"""Several models that answer together, as Demucs' bags do."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .part import Part


class OneStem(nn.Module):
    """x [batch, channels, window] -> [batch, 1, channels, window]: one stem of a model that gives several."""

    def __init__(self, model: nn.Module, stem: int) -> None:
        super().__init__()
        self.model = model
        self.stem = stem

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)[:, self.stem:self.stem + 1]


class Average(nn.Module):
    """x [batch, channels, window] -> [batch, stems, channels, window]: the weighted mean of what the models give.

    `weights`: [models][stems]; the weights of a stem need not add up to one, but to more than nothing.
    """

    def __init__(self, models: Sequence[nn.Module], weights: Sequence[Sequence[float]]) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)
        self.register_buffer("weights", torch.tensor(weights)[:, None, :, None, None])
        self.register_buffer("total", self.weights.sum(0))

    def forward(self, x: Tensor) -> Tensor:
        total = self.models[0](x) * self.weights[0]
        for number, model in enumerate(self.models[1:], 1):
            total = total + model(x) * self.weights[number]
        return total / self.total


def parts_of_bag(models: Sequence[nn.Module], weights: Sequence[Sequence[float]] | None, stems: tuple[str, ...]) -> list[Part]:
    """The graphs of a bag. `weights`: [models][stems], or None for the plain mean.

    One model for each stem, which has no say in the others, makes one graph for each stem, so that a worker runs those
    alone that are asked for. Any other bag is one graph that averages inside.
    """
    if len(models) == 1:
        return [Part(stems, models[0])]
    if weights is None:
        weights = [[1.0] * len(stems) for _ in models]
    if len(weights) != len(models) or any(len(row) != len(stems) for row in weights):
        raise ValueError(f"a bag of {len(models)} models with {len(stems)} stems wants as many rows of as many weights")
    identity = [[float(row == column) for column in range(len(stems))] for row in range(len(models))]
    if len(models) == len(stems) and [list(map(float, row)) for row in weights] == identity:
        return [Part((stem,), OneStem(model, number)) for number, (stem, model) in enumerate(zip(stems, models))]
    return [Part(stems, Average(models, weights))]
