"""Checkpoints without their code: a checkpoint is a pickle, and a pickle may run anything when it is loaded.

Only containers, numbers and tensors are made out of one here. The class that a Demucs checkpoint names is looked up in
our own list and built from the arguments that stand beside it.
"""

from __future__ import annotations

import inspect
import pickle
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn


class UnsafeCheckpoint(RuntimeError):
    """The file holds something that no checkpoint needs."""


class WrongCheckpoint(RuntimeError):
    """The checkpoint is none of the model that is wanted."""


class _ClassName(str):
    """The name of a class, where a checkpoint refers to the class itself. Nothing can be made of it by calling it."""


# What a checkpoint may name, but for the kinds of storages, which torch handles itself.
_ALLOWED = {("collections", "OrderedDict"), ("fractions", "Fraction"), ("torch._utils", "_rebuild_tensor_v2"),
            ("torch._utils", "_rebuild_parameter"), ("torch", "Size"), ("torch.serialization", "_get_layout")}
_CLASSES = {("demucs.htdemucs", "HTDemucs"), ("demucs.hdemucs", "HDemucs")}


class _Restricted(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _CLASSES:
            return _ClassName(name)
        if (module, name) not in _ALLOWED:
            raise UnsafeCheckpoint(f"{module}.{name} has no place in a checkpoint")
        return super().find_class(module, name)


def _load(file: Any, **options: Any) -> Any:
    return _Restricted(file, **options).load()


def read(path: Path) -> Any:
    """What torch.save wrote: containers, numbers, tensors on the CPU. Raises UnsafeCheckpoint for anything else."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            # torch.load would take such a file for TorchScript, which is a program.
            if any(name.endswith("/constants.pkl") for name in archive.namelist()):
                raise UnsafeCheckpoint(f"{path} is a TorchScript file; weights are wanted")
    restricted = SimpleNamespace(__name__="restricted", Unpickler=_Restricted, load=_load)
    try:
        return torch.load(path, map_location="cpu", pickle_module=restricted, weights_only=False)
    except (pickle.UnpicklingError, EOFError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        if isinstance(error, UnsafeCheckpoint):
            raise UnsafeCheckpoint(f"{path}: {error}") from error
        raise WrongCheckpoint(f"{path} is no checkpoint that torch can read: {error}") from error


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """A checkpoint that is nothing but names and tensors."""
    state = read(path)
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise WrongCheckpoint(f"{path} is not a plain list of tensors")
    return state


def load_demucs(path: Path) -> nn.Module:
    """The model of a Demucs checkpoint: `klass` from our list, built from `args` and `kwargs`, filled from `state`.

    As Demucs itself does, arguments that the class does not know are dropped, and weights in half precision are widened.
    """
    content = read(path)
    if not isinstance(content, dict) or not isinstance(content.get("klass"), _ClassName):
        raise WrongCheckpoint(f"{path} is no checkpoint of Demucs: it names no class")
    from demucs.hdemucs import HDemucs
    from demucs.htdemucs import HTDemucs

    make = {"HTDemucs": HTDemucs, "HDemucs": HDemucs}[content["klass"]]
    state = content["state"]
    if state.get("__quantized"):
        raise WrongCheckpoint(f"{path} is quantized; take the model that is not")
    known = inspect.signature(make).parameters
    model = make(*content["args"], **{key: value for key, value in content["kwargs"].items() if key in known})
    fill(model, state, path)
    return model.eval()


def fill(model: nn.Module, state: dict[str, torch.Tensor], path: Path, spare: tuple[str, ...] = ()) -> None:
    """Loads the weights; every one must be there, and none may be left over but those of `spare`, by their last name."""
    state = {key: value for key, value in state.items() if key.rpartition(".")[2] not in spare}
    try:
        model.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise WrongCheckpoint(f"{path} does not fit the model: {error}") from error
