"""Graphs of a package before they are traced, and the way from there to the package: for any model, not only for ours."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

import torch
from torch import nn

from .. import graph
from ..package import GraphFile, write_package
from ..spec import PackageSpec


class Way(Enum):
    """How a module becomes a graph."""

    TRACED = auto()
    """What it computes for one window is written down, at the one length of its package."""
    TRACED_EACH = auto()
    """The same for a module that loops over the windows of its batch: they go through it one after the other."""
    SCRIPTED = auto()
    """Its source is compiled, which keeps loops and conditions that depend on the data. Slower than a trace."""


@dataclass(frozen=True)
class Part:
    """One graph of a package: a module that takes [batch, channels, window] and gives [batch, len(stems), channels, window]."""

    stems: tuple[str, ...]
    module: nn.Module
    way: Way = Way.TRACED


def export(out: Path, spec: PackageSpec, parts: Sequence[Part], inputs: str = "") -> Path:
    """Writes the package `<out>/<spec.name>/`, and returns its folder.

    The stems of the parts, one part after the other, are those of `spec`. Every graph is loaded again and compared with
    its module on other inputs: GraphMismatch when they differ. `inputs`: the hash of all that the package is made from,
    for those who ask later whether it is current; without it, the hash of the graphs.
    """
    if [stem for part in parts for stem in part.stems] != list(spec.stems):
        raise ValueError(f"the parts make {[part.stems for part in parts]}, the package names {spec.stems}")
    files = []
    for number, part in enumerate(parts):
        name = "model.pt" if len(parts) == 1 else f"model-{number}.pt"
        files.append(GraphFile(name, _graph(spec, part), part.stems))
    digest = hashlib.sha256(b"".join(file.data for file in files)).hexdigest()
    return write_package(out, graph.of_this_torch(spec), files, inputs or digest)


def _graph(spec: PackageSpec, part: Part) -> bytes:
    module = part.module.eval()
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    with torch.no_grad():
        if part.way is Way.SCRIPTED:
            data = graph.script(module)
        else:
            trace = graph.trace if part.way is Way.TRACED else graph.trace_each
            data = trace(module, spec.channels, spec.window)
    graph.verify(data, module, spec.channels, spec.window, len(part.stems))
    return data
