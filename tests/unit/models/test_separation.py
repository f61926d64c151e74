"""The packages that separate: the graph against the module, and what must hold for every input."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from unbraid_models.graph import noise
from unbraid_models.recipes import RECIPES

WINDOW = 262144


@pytest.fixture(scope="module", params=["spleeter-hpss", "unbraid-4"])
def model(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def graph(packages: Path, model: str) -> torch.jit.ScriptModule:
    loaded = torch.jit.load(str(packages / model / "model.pt")).eval()
    with torch.inference_mode():
        for _ in range(2):  # The first two calls are profiled, the later ones run what came out of it.
            loaded(noise(1, 2, WINDOW, seed=1))
    return loaded


def run(graph: torch.nn.Module, x: Tensor) -> Tensor:
    with torch.inference_mode():
        return graph(x)


def level_db(error: Tensor, signal: Tensor) -> float:
    return float(10 * torch.log10(error.double().square().sum() / signal.double().square().sum()))


def test_the_graph_computes_what_the_module_computes(graph: torch.jit.ScriptModule, model: str, cache: Path) -> None:
    _, module = RECIPES[model].make(cache)
    x = noise(2, 2, WINDOW, seed=5)
    assert float((run(graph, x) - run(module, x)).abs().max()) <= 1e-6


def test_case_6_the_stems_add_up_to_the_mix(graph: torch.jit.ScriptModule) -> None:
    x = noise(1, 2, WINDOW, seed=6)
    y = run(graph, x)
    assert y.shape == (1, 4, 2, WINDOW)
    assert level_db(y.double().sum(1) - x, x) < -100


def test_case_1_a_window_does_not_depend_on_its_batch(graph: torch.jit.ScriptModule) -> None:
    x = noise(2, 2, WINDOW, seed=7)
    both = run(graph, x)
    apart = torch.cat([run(graph, x[:1]), run(graph, x[1:])])
    assert float((both - apart).abs().max()) <= 1e-6


def test_case_14_silence_comes_back_as_silence(graph: torch.jit.ScriptModule) -> None:
    assert float(run(graph, torch.zeros(1, 2, WINDOW)).abs().max()) == 0.0


@pytest.mark.parametrize("kind", ["mono", "anti-phase", "one channel", "impulse", "full-scale square", "dc", "-120 dB"])
def test_case_15_odd_signals_stay_finite_and_whole(graph: torch.jit.ScriptModule, kind: str) -> None:
    one = noise(1, 1, WINDOW, seed=8)
    impulse = torch.zeros(1, 2, WINDOW)
    impulse[..., WINDOW // 2] = 1.0
    square = torch.sign(torch.sin(torch.arange(WINDOW) * 0.06)).expand(1, 2, -1)
    x = {
        "mono": one.expand(-1, 2, -1),
        "anti-phase": torch.cat([one, -one], 1),
        "one channel": torch.cat([one, torch.zeros_like(one)], 1),
        "impulse": impulse,
        "full-scale square": square,
        "dc": torch.full((1, 2, WINDOW), 0.5),
        "-120 dB": 1e-5 * noise(1, 2, WINDOW, seed=9),
    }[kind]
    y = run(graph, x)
    assert bool(y.isfinite().all())
    assert float((y.sum(1) - x).abs().max()) <= 1e-5
    assert float(y.abs().max()) <= 4 * float(x.abs().max())
