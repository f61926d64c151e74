"""Graphs of a package before they are traced, and the way from there to the package: for any model, not only for ours."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from .. import graph
from ..package import GraphFile, write_package
from ..spec import PackageSpec


@dataclass(frozen=True)
class Part:
    """One graph of a package: a module that takes [batch, channels, window] and gives [batch, len(stems), channels, window].

    A module is traced, at the one length of its package; `scripted` compiles its source instead, which keeps loops and
    conditions that depend on the data.
    """

    stems: tuple[str, ...]
    module: nn.Module
    scripted: bool = False


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
    return write_package(out, spec, files, inputs or digest)


def _graph(spec: PackageSpec, part: Part) -> bytes:
    module = part.module.eval()
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    with torch.no_grad():
        data = graph.script(module) if part.scripted else graph.trace(module, spec.channels, spec.window)
    graph.verify(data, module, spec.channels, spec.window, len(part.stems))
    return data
