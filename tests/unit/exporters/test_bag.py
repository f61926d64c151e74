"""Bags against Demucs' own: models that answer for one stem each, and models whose answers are averaged."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from unbraid_models.export.bag import Average, parts_of_bag
from unbraid_models.export.exporters import EXPORTERS
from unbraid_models.graph import noise

STEMS = ("a", "b", "c")
FRAMES = 1000


class Toy(nn.Module):
    """As much of a model as Demucs' `apply_model` asks for."""

    samplerate, segment, audio_channels, sources = 100, 10, 2, list(STEMS)

    def __init__(self, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.gains = nn.Parameter(torch.rand(1, 3, 2, 1, generator=generator))

    def valid_length(self, length: int) -> int:
        return FRAMES

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x.unsqueeze(1) * self.gains)


def demucs_gives(models: list[nn.Module], weights: list[list[float]] | None, x: Tensor) -> Tensor:
    from demucs.apply import BagOfModels, apply_model

    return apply_model(BagOfModels(models, weights), x, shifts=0, split=False)


@pytest.mark.parametrize("weights", [None, [[1.0, 1.0, 0.0], [0.0, 1.0, 0.5], [1.0, 0.0, 2.0]]])
def test_a_bag_with_any_weights_is_one_graph_that_averages_as_demucs_does(weights: list[list[float]] | None) -> None:
    models = [Toy(seed) for seed in range(3)]
    (part,) = parts_of_bag(models, weights, STEMS)
    assert part.stems == STEMS
    x = noise(2, 2, FRAMES, seed=1)
    torch.testing.assert_close(part.module(x), demucs_gives(models, weights, x), rtol=0, atol=1e-7)


def test_a_bag_with_a_model_for_each_stem_is_a_graph_for_each_stem() -> None:
    models = [Toy(seed) for seed in range(3)]
    weights = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    parts = parts_of_bag(models, weights, STEMS)
    assert [part.stems for part in parts] == [("a",), ("b",), ("c",)]
    x = noise(1, 2, FRAMES, seed=2)
    assert torch.equal(torch.cat([part.module(x) for part in parts], 1), demucs_gives(models, weights, x))


def test_weights_that_do_not_fit_the_bag_are_refused() -> None:
    with pytest.raises(ValueError, match="a bag of 2 models with 3 stems"):
        parts_of_bag([Toy(0), Toy(1)], [[1.0, 1.0, 1.0]], STEMS)


def test_the_published_bags_are_of_these_two_kinds() -> None:
    for name, graphs in (("htdemucs_ft", 4), ("mdx_extra", 1)):
        exporter = EXPORTERS[name]
        models = exporter.random_models(1, narrow=True)
        assert len(models) == exporter.files == 4
        assert len(exporter.parts(models)) == graphs
    assert isinstance(exporter.parts(models)[0].module, Average)
    # Each model has weights of its own.
    assert len({float(next(model.parameters()).flatten()[0]) for model in models}) == 4
