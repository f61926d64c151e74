"""From a torch module to the bytes of a TorchScript file: traced, reproducible, and checked after reloading."""

from __future__ import annotations

import dataclasses
import io
import warnings
import zipfile

import torch
from torch import Tensor, nn

from .spec import PackageSpec

# torch.save aligns the tensors of an archive to this many bytes, so that a reader may map them into memory.
_ALIGNMENT = 64
_ROOT = "model"
_EPOCH = (1980, 1, 1, 0, 0, 0)


class GraphMismatch(RuntimeError):
    """The reloaded graph does not compute what the module computes."""


def noise(batch: int, channels: int, window: int, seed: int) -> Tensor:
    """Reproducible noise at a musical level, [batch, channels, window] float32."""
    generator = torch.Generator().manual_seed(seed)
    return 0.1 * torch.randn(batch, channels, window, generator=generator)


def trace(module: nn.Module, channels: int, window: int) -> bytes:
    """The TorchScript file of `module` for inputs [batch, channels, window]; the same module gives the same bytes.

    A trace bakes in the length, never the batch. torch's own check is off because it compares two traces on
    the same input; `verify` is the better check: another input, another batch size, after reloading.
    """
    return _file(_traced(module, channels, window))


def trace_each(module: nn.Module, channels: int, window: int) -> bytes:
    """As `trace`, for a module that loops over its batch, which a trace would bake in: the windows go through it one after the other."""
    return _file(torch.jit.script(_OneByOne(_traced(module, channels, window))))


def script(module: nn.Module) -> bytes:
    """The TorchScript file of `module`, compiled from its source: for what a trace would leave out."""
    return _file(torch.jit.script(module.eval()))


class _OneByOne(nn.Module):
    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        windows = []
        for number in range(x.size(0)):
            windows.append(self.module(x[number:number + 1]))
        return torch.cat(windows)


def _traced(module: nn.Module, channels: int, window: int) -> torch.jit.ScriptModule:
    module.eval()
    with torch.no_grad(), warnings.catch_warnings():
        # It warns of every length that is baked in, which is what is wanted here.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        return torch.jit.trace(module, noise(1, channels, window, seed=1), check_trace=False)


def _file(module: torch.jit.ScriptModule) -> bytes:
    raw = io.BytesIO()
    torch.jit.save(module, raw)
    return _canonical(raw.getvalue())


def _canonical(archive: bytes) -> bytes:
    """The same archive without the source paths of this machine, with fixed names, order and dates."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as target:
        for entry in source.infolist():
            _, _, inner = entry.filename.partition("/")
            if inner.endswith(".debug_pkl"):
                continue  # Line numbers and absolute paths of the Python sources; loading does not need them.
            info = zipfile.ZipInfo(f"{_ROOT}/{inner}", date_time=_EPOCH)
            info.extra = _padding(out.tell() + 30 + len(info.filename.encode()))
            target.writestr(info, source.read(entry))
    return out.getvalue()


def _padding(position: int) -> bytes:
    """An extra field which moves the data that would start at `position` to the next aligned byte."""
    fill = -(position + 4) % _ALIGNMENT
    return b"FB" + fill.to_bytes(2, "little") + b"Z" * fill


def of_this_torch(spec: PackageSpec) -> PackageSpec:
    """The description with the version of the torch that makes the graphs here: nothing promises that an older one loads them."""
    return dataclasses.replace(spec, min_libtorch=".".join(torch.__version__.split(".")[:2]))


def verify(graph: bytes, module: nn.Module, channels: int, window: int, stems: int) -> None:
    """Reloads the file, and compares it with the module on new inputs of one and of two windows."""
    loaded = torch.jit.load(io.BytesIO(graph)).eval()
    for batch in (1, 2):
        x = noise(batch, channels, window, seed=1 + batch)
        with torch.inference_mode():
            expected = module(x)
            try:
                got = loaded(x)
            except RuntimeError as error:
                raise GraphMismatch(f"the graph cannot compute {batch} windows: {error}") from error
        if got.shape != (batch, stems, channels, window):
            raise GraphMismatch(f"the graph returns {tuple(got.shape)} for {batch} windows")
        difference = float((got - expected).abs().max())
        if not difference <= 1e-6:
            raise GraphMismatch(f"the reloaded graph differs from the module by {difference:.3g}")
