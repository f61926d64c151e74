"""Checkpoints: read as their own libraries read them, and without their code."""

from __future__ import annotations

import os
import pickle
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch

from unbraid_models.export import demucs_models, open_unmix
from unbraid_models.export.checkpoint import UnsafeCheckpoint, WrongCheckpoint, load_demucs, read, read_state
from unbraid_models.export.exporters import EXPORTERS

STEMS, SEGMENT = demucs_models.FOUR, demucs_models.NARROW_TRANSFORMER_SEGMENT


def demucs_checkpoint(path: Path, **changes: Any) -> torch.nn.Module:
    """A file as Demucs writes it, in half precision, and the model that is in it."""
    model = EXPORTERS["htdemucs"].random_models(4, narrow=True)[0]
    args, kwargs = model._init_args_kwargs
    state = {key: value.half() for key, value in model.state_dict().items()}
    content = {"klass": type(model), "args": args, "kwargs": dict(kwargs, gone_since=1), "state": state,
               "training_args": {"seed": 42, "lr": 3e-4}}
    torch.save(dict(content, **changes), path)
    model.load_state_dict(state)
    return model


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    other_state = other.state_dict()
    return all(torch.equal(value, other_state[key]) for key, value in one.state_dict().items())


def test_a_checkpoint_of_demucs_gives_the_model_that_was_saved(tmp_path: Path) -> None:
    model = demucs_checkpoint(tmp_path / "x.th")
    (loaded,) = demucs_models.load([tmp_path / "x.th"], STEMS, "HTDemucs", SEGMENT)
    assert same(model, loaded) and not loaded.training
    assert next(loaded.parameters()).dtype == torch.float32


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    demucs_checkpoint(tmp_path / "x.th")
    with pytest.raises(WrongCheckpoint, match="x.th is a HTDemucs of drums, bass, other, vocals .* wanted is a HDemucs"):
        demucs_models.load([tmp_path / "x.th"], STEMS, "HDemucs", Fraction(44))
    with pytest.raises(WrongCheckpoint, match="trained on 3.9 s, the package takes 10.0 s"):
        demucs_models.load([tmp_path / "x.th"], STEMS, "HTDemucs", Fraction(10))
    with pytest.raises(WrongCheckpoint, match="wanted is a HTDemucs of .*, piano"):
        demucs_models.load([tmp_path / "x.th"], demucs_models.SIX, "HTDemucs", SEGMENT)


def test_weights_that_are_missing_or_left_over_are_refused(tmp_path: Path) -> None:
    state = demucs_checkpoint(tmp_path / "x.th").state_dict()
    for changed in ({key: value for key, value in list(state.items())[1:]}, dict(state, more=torch.zeros(1))):
        demucs_checkpoint(tmp_path / "x.th", state=changed)
        with pytest.raises(WrongCheckpoint, match="x.th does not fit the model"):
            load_demucs(tmp_path / "x.th")
    demucs_checkpoint(tmp_path / "x.th", state=dict(state, __quantized=True))
    with pytest.raises(WrongCheckpoint, match="is quantized"):
        load_demucs(tmp_path / "x.th")


class Bomb:
    """What a pickle can do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("new_format,error,words", [
    (True, UnsafeCheckpoint, "posix.mkdir has no place in a checkpoint"),
    (False, WrongCheckpoint, "x.th is no checkpoint that can be read without running it"),
])
def test_code_in_a_checkpoint_is_not_run(tmp_path: Path, new_format: bool, error: type[Exception], words: str) -> None:
    torch.save({"state": Bomb(tmp_path / "harm")}, tmp_path / "x.th", _use_new_zipfile_serialization=new_format)
    with pytest.raises(error, match=words):
        read(tmp_path / "x.th")
    assert not (tmp_path / "harm").exists()
    # The test itself would notice: this is what the file does where it is trusted.
    torch.load(tmp_path / "x.th", weights_only=False)
    assert (tmp_path / "harm").exists()


def test_a_tensor_that_reaches_beyond_its_samples_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(100)}, tmp_path / "whole")
    with zipfile.ZipFile(tmp_path / "whole") as whole, zipfile.ZipFile(tmp_path / "cut", "w") as cut:
        for name in whole.namelist():
            cut.writestr(name, whole.read(name)[:40] if name.endswith("/data/0") else whole.read(name))
    assert read(tmp_path / "whole")["a"].shape == (100,)
    with pytest.raises(WrongCheckpoint, match="a tensor has 10 samples, expected 100"):
        read(tmp_path / "cut")


def test_a_class_in_a_checkpoint_cannot_be_called(tmp_path: Path) -> None:
    from demucs.hdemucs import HDemucs

    class Call:
        def __reduce__(self) -> tuple[Any, ...]:
            return HDemucs, (["a"],)

    torch.save({"klass": Call()}, tmp_path / "x.th")
    with pytest.raises(WrongCheckpoint, match="x.th is no checkpoint"):
        load_demucs(tmp_path / "x.th")


def test_other_files_are_refused_with_their_name(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.script(torch.nn.Identity()), tmp_path / "script.pt")
    with pytest.raises(UnsafeCheckpoint, match="script.pt: it is a TorchScript file"):
        read(tmp_path / "script.pt")
    (tmp_path / "noise").write_bytes(b"these are no weights")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "pickle").write_bytes(pickle.dumps({"a": 1}))
    for name in ("noise", "empty", "pickle"):
        with pytest.raises(WrongCheckpoint, match=f"{name} is no checkpoint that can be read"):
            read(tmp_path / name)
    torch.save({"a": torch.zeros(1), "b": 1}, tmp_path / "mixed")
    with pytest.raises(WrongCheckpoint, match="mixed is not a plain list of tensors"):
        read_state(tmp_path / "mixed")
    with pytest.raises(WrongCheckpoint, match="mixed is no checkpoint of Demucs"):
        load_demucs(tmp_path / "mixed")


def test_open_unmix_is_loaded_stem_by_stem(tmp_path: Path) -> None:
    """Files in the format of before torch 1.6, with the window and the rate that the published ones hold as well."""
    separator = open_unmix.fresh(16, narrow=False)
    paths = [tmp_path / f"{stem}.pth" for stem in open_unmix.STEMS]
    for path, stem in zip(paths, open_unmix.STEMS):
        state = dict(separator.target_models[stem].state_dict(), sample_rate=torch.tensor(44100.0))
        torch.save(dict(state, **{"stft.window": torch.hann_window(4096)}), path, _use_new_zipfile_serialization=False)
    assert same(separator, open_unmix.load(paths, 16))


def test_torchaudio_s_model_is_loaded_from_its_plain_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = demucs_models.hdemucs_of_torchaudio
    monkeypatch.setattr(demucs_models, "hdemucs_of_torchaudio", lambda stems, narrow_too=True, **_: narrow(stems, True))
    model = demucs_models.hdemucs_of_torchaudio(STEMS)
    torch.save(model.state_dict(), tmp_path / "x.pt")
    assert same(model, demucs_models.load_of_torchaudio(tmp_path / "x.pt", STEMS))
