"""Packages from modules of one's own: the example of models/README.md, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT

from unbraid_models.export import Part, Way, export
from unbraid_models.graph import GraphMismatch, noise
from unbraid_models.package import BrokenPackage, read_package
from unbraid_models.reference import Reference
from unbraid_models.spec import PackageSpec

SPEC = PackageSpec(name="own", version="1", title="own", stems=("a", "b", "c"), licence={"code": "none", "weights": "none"},
                   source="a test", window=1000, overlap=250)


class Gains(torch.nn.Module):
    def __init__(self, *gains: float) -> None:
        super().__init__()
        self.register_buffer("gains", torch.tensor(gains).view(1, -1, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.unsqueeze(1) * self.gains


class DependsOnData(torch.nn.Module):
    """Turns every input over but the one that graphs are traced with."""

    def __init__(self) -> None:
        super().__init__()
        self.first = float(noise(1, 2, SPEC.window, seed=1)[0, 0, 0])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if float(x[0, 0, 0]) != self.first:
            x = -x
        return x.unsqueeze(1).repeat(1, 3, 1, 1)


def track(frames: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(-0.5, 0.5, (frames, 2)).astype(np.float32)


def test_the_example_of_the_readme_makes_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "models" / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    # In a module of its own, as tracing wants it.
    exec(compile(example, "example.py", "exec"), {"__name__": "example"})
    folder = tmp_path / "build" / "models" / "mid-side"
    assert read_package(folder)["format"] == 1
    song = track(300_000)
    mid, side = Reference(folder).separate(song)
    np.testing.assert_allclose(mid, song.mean(1, keepdims=True).repeat(2, 1), atol=1e-6)
    np.testing.assert_allclose(mid + side, song, atol=1e-6)


def test_several_parts_make_a_package_of_several_graphs(tmp_path: Path) -> None:
    folder = export(tmp_path, SPEC, [Part(("a",), Gains(0.5)), Part(("b", "c"), Gains(0.25, 2.0))])
    package = read_package(folder)
    assert package["format"] == 2
    assert [(graph["file"], graph["stems"]) for graph in package["graphs"]] == [("model-0.pt", ["a"]), ("model-1.pt", ["b", "c"])]
    song = track(5000)
    for stem, gain in zip(Reference(folder).separate(song), (0.5, 0.25, 2.0)):
        np.testing.assert_array_equal(stem, song * np.float32(gain))
    (folder / "model-1.pt").write_bytes(b"something else")
    with pytest.raises(BrokenPackage, match="model-1.pt is not the graph"):
        read_package(folder)


class LoopsOverItsBatch(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([window.unsqueeze(0).repeat(3, 1, 1) for window in x])


def test_a_module_that_loops_over_its_batch_is_traced_for_one_window(tmp_path: Path) -> None:
    with pytest.raises(GraphMismatch, match="the graph cannot compute 2 windows"):
        export(tmp_path, SPEC, [Part(SPEC.stems, LoopsOverItsBatch())])
    folder = export(tmp_path, SPEC, [Part(SPEC.stems, LoopsOverItsBatch(), Way.TRACED_EACH)])
    assert read_package(folder)["name"] == "own"


def test_a_module_that_a_trace_gets_wrong_is_refused_and_can_be_scripted(tmp_path: Path) -> None:
    with pytest.raises(GraphMismatch, match="differs from the module"):
        export(tmp_path, SPEC, [Part(SPEC.stems, DependsOnData())])
    folder = export(tmp_path, SPEC, [Part(SPEC.stems, DependsOnData(), Way.SCRIPTED)])
    assert read_package(folder)["name"] == "own"


@pytest.mark.parametrize(("fields", "words"), [
    ({"name": "Own"}, "no package name"),
    ({"stems": ("a", "Vocals")}, "'Vocals' is no name of a stem"),
    ({"stems": ("a", "mix")}, "'mix' is no name of a stem"),
    ({"stems": ()}, "stems must be named"),
    ({"channels": 6}, "not 6"),
    ({"sample_rate": 4000}, "not 4000"),
    ({"window": 2**21 - 1023}, "a window is 2 to 2096128 frames"),
    ({"overlap": 501}, "an overlap of 501 frames"),
    ({"normalisation": "chunk"}, "not 'chunk'"),
    ({"licence": {"code": "none"}}, "that of the weights"),
])
def test_what_no_service_would_take_is_not_described(fields: dict[str, object], words: str) -> None:
    SPEC.validate()
    with pytest.raises(ValueError, match=re.escape(words)):
        replace(SPEC, **fields).validate()


def test_a_package_names_the_torch_that_made_it(tmp_path: Path) -> None:
    folder = export(tmp_path, SPEC, [Part(SPEC.stems, Gains(0.5, 0.25, 2.0))])
    assert torch.__version__.startswith(read_package(folder)["min_libtorch"])


def test_parts_that_do_not_make_the_stems_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the parts make \[\('a', 'c'\)\]"):
        export(tmp_path, SPEC, [Part(("a", "c"), Gains(1.0, 1.0))])
    with pytest.raises(GraphMismatch, match=r"the graph returns \(1, 2, 2, 1000\) for 1 windows"):
        export(tmp_path, SPEC, [Part(SPEC.stems, Gains(1.0, 1.0))])
    assert not list(tmp_path.iterdir())
