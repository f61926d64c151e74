"""Checkpoints without their code: a checkpoint is a pickle, and a pickle may run anything when it is loaded.

Only containers, numbers and tensors are made out of one here. The class that a Demucs checkpoint names is looked up in
our own list and built from the arguments that stand beside it.
"""

from __future__ import annotations

import inspect
import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from torch import nn


class UnsafeCheckpoint(RuntimeError):
    """The file holds something that no checkpoint needs."""


class WrongCheckpoint(RuntimeError):
    """The checkpoint is none of the model that is wanted."""


class _ClassName(str):
    """The name of a class, where a checkpoint refers to the class itself. Nothing can be made of it by calling it."""


_CLASSES = {("demucs.htdemucs", "HTDemucs"), ("demucs.hdemucs", "HDemucs")}
_ALLOWED = {("collections", "OrderedDict"): OrderedDict, ("fractions", "Fraction"): Fraction}
_KINDS = {"DoubleStorage": torch.float64, "FloatStorage": torch.float32, "HalfStorage": torch.float16,
          "LongStorage": torch.int64, "IntStorage": torch.int32, "BoolStorage": torch.bool}
# What may be wrong with bytes that are no pickle, or one that was cut or made up.
_BROKEN = (pickle.UnpicklingError, EOFError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, IndexError,
           zipfile.BadZipFile, AssertionError, struct.error)


def _tensor(samples: torch.Tensor, offset: int, size: Any, stride: Any, *_: Any) -> torch.Tensor:
    return torch.as_strided(samples, size, stride, offset)


def _parameter(data: torch.Tensor, *_: Any) -> torch.Tensor:
    return data


class _Restricted(pickle.Unpickler):
    """Reads the pickle of torch.save's archive. torch.load would do, but torch 1.13 drops the unpickler that it is given."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(io.BytesIO(archive.read(f"{root}/data.pkl")))
        self._archive, self._root = archive, root

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _CLASSES or (module == "torch" and name in _KINDS):
            return _ClassName(name)
        own = {("torch._utils", "_rebuild_tensor_v2"): _tensor, ("torch._utils", "_rebuild_parameter"): _parameter, **_ALLOWED}
        if (module, name) not in own:
            raise UnsafeCheckpoint(f"{module}.{name} has no place in a checkpoint")
        return own[module, name]

    def persistent_load(self, identity: Any) -> torch.Tensor:
        """All samples of a storage, one after the other."""
        word, kind, key, _, count = identity
        if word != "storage" or not isinstance(kind, _ClassName) or not str(key).isdigit():
            raise UnsafeCheckpoint(f"{word} has no place in a checkpoint")
        data, dtype = bytearray(self._archive.read(f"{self._root}/data/{key}")), _KINDS[kind]
        samples = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
        if len(samples) != count:
            raise WrongCheckpoint(f"a tensor has {len(samples)} samples, expected {count}")
        return samples


def read(path: Path) -> Any:
    """What torch.save wrote: containers, numbers, tensors on the CPU. Raises UnsafeCheckpoint for anything else."""
    try:
        if not zipfile.is_zipfile(path):
            # The format from before torch 1.6, in which only plain weights are published.
            return torch.load(path, map_location="cpu", weights_only=True)
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if any(name.endswith("/constants.pkl") for name in names):
                raise UnsafeCheckpoint("it is a TorchScript file, which is a program; weights are wanted")
            root = next((name.rpartition("/")[0] for name in names if name.endswith("/data.pkl")), "")
            return _Restricted(archive, root).load()
    except UnsafeCheckpoint as error:
        raise UnsafeCheckpoint(f"{path}: {error}") from error
    except _BROKEN as error:
        raise WrongCheckpoint(f"{path} is no checkpoint that can be read without running it: {error}") from error


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
