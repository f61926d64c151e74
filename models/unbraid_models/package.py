"""Packages on disk: written whole, described by `model.json`, and read back only if every hash is right."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from .spec import DESCRIPTION_FILE, GRAPH_FILE, PackageSpec

STAMP_FILE = "build.stamp"


class BrokenPackage(RuntimeError):
    """A package whose files are missing or are not those that its description names."""


def sha256(data: bytes) -> str:
    """Lower-case hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def write_package(out: Path, spec: PackageSpec, graph: bytes, inputs: str) -> Path:
    """Puts `<out>/<name>/` in place with one rename, so that nobody sees a package half-written.

    `inputs` is the hash of what the package was made from; the stamp file keeps it for `is_current`.
    """
    description = spec.description(sha256(graph))
    out.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{spec.name}.", dir=out))
    try:
        os.chmod(staging, 0o755)
        (staging / GRAPH_FILE).write_bytes(graph)
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
    """The description of a package whose graph has the hash that it names; raises BrokenPackage otherwise."""
    try:
        description: dict[str, Any] = json.loads((folder / DESCRIPTION_FILE).read_bytes())
        graph = (folder / description["graph"]["file"]).read_bytes()
        expected = description["graph"]["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenPackage(f"{folder} is not a whole package: {error}") from error
    if sha256(graph) != expected:
        raise BrokenPackage(f"{folder / GRAPH_FILE} is not the graph that {DESCRIPTION_FILE} names")
    return description


def is_current(folder: Path, inputs: str) -> bool:
    """True if `folder` holds a whole package which was made from these inputs."""
    try:
        read_package(folder)
        description = (folder / DESCRIPTION_FILE).read_bytes()
        return (folder / STAMP_FILE).read_text() == _stamp(inputs, description)
    except (BrokenPackage, OSError):
        return False
