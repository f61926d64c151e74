"""Packages on disk: written whole, described by `model.json`, and read back only if every hash is right."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .spec import DESCRIPTION_FILE, GraphEntry, PackageSpec

GRAPH_FILE = "model.pt"
STAMP_FILE = "build.stamp"


@dataclass(frozen=True)
class GraphFile:
    """A TorchScript file that is to be written: its name, its bytes, and the stems that it gives, in its order."""

    file: str
    data: bytes
    stems: tuple[str, ...]


class BrokenPackage(RuntimeError):
    """A package whose files are missing or are not those that its description names."""


def sha256(data: bytes) -> str:
    """Lower-case hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def write_package(out: Path, spec: PackageSpec, graphs: Sequence[GraphFile], inputs: str) -> Path:
    """Puts `<out>/<name>/` in place with one rename, so that nobody sees a package half-written.

    `inputs` is the hash of what the package was made from; the stamp file keeps it for `is_current`.
    """
    description = spec.description([GraphEntry(graph.file, sha256(graph.data), graph.stems) for graph in graphs])
    out.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{spec.name}.", dir=out))
    try:
        os.chmod(staging, 0o755)
        for graph in graphs:
            (staging / graph.file).write_bytes(graph.data)
        (staging / DESCRIPTION_FILE).write_bytes(description)
        (staging / STAMP_FILE).write_text(_stamp(inputs, description))
        _swap(staging, out / spec.name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return out / spec.name


def _swap(staging: Path, target: Path) -> None:
    """Renames `staging` to `target`; an older package ends up under the name of `staging`.x and is removed."""
    retired = staging.with_name(staging.name + ".old")
    if target.exists():
        target.rename(retired)
    staging.rename(target)
    shutil.rmtree(retired, ignore_errors=True)


def _stamp(inputs: str, description: bytes) -> str:
    return f"inputs={inputs}\npackage={sha256(description)}\n"


def read_package(folder: Path) -> dict[str, Any]:
    """The description of a package whose graphs have the hashes that it names; raises BrokenPackage otherwise."""
    try:
        description: dict[str, Any] = json.loads((folder / DESCRIPTION_FILE).read_bytes())
        graphs = [(folder / graph["file"], graph["sha256"]) for graph in named_graphs(description)]
        wrong = [path for path, expected in graphs if sha256(path.read_bytes()) != expected]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenPackage(f"{folder} is not a whole package: {error}") from error
    if wrong:
        raise BrokenPackage(f"{wrong[0]} is not the graph that {DESCRIPTION_FILE} names")
    return description


def named_graphs(description: dict[str, Any]) -> list[dict[str, Any]]:
    """`file`, `sha256` and `stems` of each graph of a description of either format."""
    if description["format"] == 1:
        return [dict(description["graph"], stems=description["stems"])]
    return list(description["graphs"])


def is_current(folder: Path, inputs: str) -> bool:
    """True if `folder` holds a whole package which was made from these inputs."""
    try:
        read_package(folder)
        description = (folder / DESCRIPTION_FILE).read_bytes()
        return (folder / STAMP_FILE).read_text() == _stamp(inputs, description)
    except (BrokenPackage, OSError):
        return False
