"""The command behind `models/export.sh`: one model, as a package."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from torch import nn

from ..build import ROOT, alone
from ..fetch import FetchError, TamperedError
from ..graph import GraphMismatch
from ..package import is_current
from .checkpoint import UnsafeCheckpoint, WrongCheckpoint
from .download import sha256_of_file
from .exporters import EXPORTERS, Exporter
from .libraries import REQUIREMENTS, provide
from .part import export

_HERE = Path(__file__).resolve().parent
# What decides the bytes of a package.
_SOURCES = ("__main__.py", "bag.py", "checkpoint.py", "demucs_models.py", "exporters.py", "open_unmix.py", "part.py", "spleeter.py",
            "../graph.py", "../package.py", "../spec.py", "../spleeter.py", "../stft.py", "../unet.py")


@dataclass(frozen=True)
class Origin:
    """Where the weights come from: as the package says it, as they are told apart, and how the models are made."""

    version: str
    weights: str
    licence: str
    identity: str
    models: Callable[[], list[nn.Module]]


def _random(exporter: Exporter, seed: int, narrow: bool) -> Origin:
    text = f"random, seed {seed}{', narrow' if narrow else ''}"
    return Origin(f"random-{seed}", text, "none: random weights, which separate nothing", text,
                  lambda: exporter.random_models(seed, narrow))


def _published(exporter: Exporter, paths: list[Path]) -> Origin:
    hashes = [sha256_of_file(path) for path in paths]
    text = ", ".join(f"{path.name} (SHA-256 {sha256[:16]}...)" for path, sha256 in zip(paths, hashes))
    return Origin("1.0.0", text, exporter.licence, " ".join(hashes), lambda: exporter.load(paths))


def _inputs(origin: Origin) -> str:
    """The hash of all that decides the bytes of the package: sources, libraries, torch, weights."""
    digest = hashlib.sha256(f"{metadata.version('torch')}\n{origin.identity}".encode())
    for file in [*(_HERE / name for name in _SOURCES), REQUIREMENTS]:
        digest.update(f"\n{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="export.sh", description="Makes the package of a model; what is current is kept.")
    parser.add_argument("name", metavar="NAME", help=", ".join(EXPORTERS))
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--weights", type=Path, nargs="+", metavar="FILE",
                        help="the files of weights, in the order of models/README.md (they are downloaded)")
    source.add_argument("--random-weights", type=int, metavar="SEED", help="random weights in their place: for tests")
    parser.add_argument("--narrow", action="store_true", help="with random weights: the same model with few channels")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "models", help="folder of the packages (%(default)s)")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "cache" / "models",
                        help="folder of what is fetched (%(default)s)")
    options = parser.parse_args(arguments)
    if options.name not in EXPORTERS:
        parser.error(f"there is no model {options.name!r}; known are {', '.join(EXPORTERS)}")
    if options.narrow and options.random_weights is None:
        parser.error("--narrow goes with --random-weights only: published weights fit the real model")
    files = EXPORTERS[options.name].files
    if options.weights and len(options.weights) != files:
        parser.error(f"{options.name} wants {files} file(s) of weights, not {len(options.weights)}")
    return options


def _origin(exporter: Exporter, options: argparse.Namespace) -> Origin:
    if options.random_weights is not None:
        return _random(exporter, options.random_weights, options.narrow)
    return _published(exporter, options.weights or exporter.fetch(options.cache))


def _make(options: argparse.Namespace) -> None:
    exporter = EXPORTERS[options.name]
    with alone(options.cache):
        origin = _origin(exporter, options)
        provide(options.cache)
    with alone(options.cache, f"lock-{exporter.name}"):
        inputs, folder = _inputs(origin), options.out / exporter.name
        if is_current(folder, inputs):
            print(f"models: {folder} is current")
            return
        spec = exporter.spec(origin.version, origin.weights, origin.licence, options.narrow)
        export(options.out, spec, exporter.parts(origin.models()), inputs)
        print(f"models: exported {folder}")


def main(arguments: list[str]) -> int:
    """Exit code: 0 the package is there, 1 it could not be made, 2 the command line is wrong."""
    options = _parse(arguments)
    try:
        _make(options)
    except (FetchError, TamperedError, UnsafeCheckpoint, WrongCheckpoint, GraphMismatch, OSError) as error:
        print(f"models: {options.name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
