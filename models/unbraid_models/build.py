"""The command behind `models/build.sh`: builds packages, and leaves alone those which are current."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import subprocess
import sys
from pathlib import Path
from typing import Iterator

from .fetch import FetchError, TamperedError
from .package import GRAPH_FILE, GraphFile, is_current, write_package
from .recipes import RECIPES

ROOT = Path(__file__).resolve().parents[2]


def build(name: str, out: Path, cache: Path) -> Path:
    """Builds one package in this process. Call it once per process: torch numbers the classes that it has
    traced, so a second trace would give other names, and other bytes."""
    from . import graph

    recipe = RECIPES[name]
    spec, module = recipe.make(cache)
    data = graph.trace(module, spec.channels, spec.window)
    graph.verify(data, module, spec.channels, spec.window, len(spec.stems))
    return write_package(out, graph.of_this_torch(spec), [GraphFile(GRAPH_FILE, data, spec.stems)], recipe.inputs())


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="build.sh", description="Builds model packages; a package that is current is kept.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"packages (all: {' '.join(sorted(RECIPES))})")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "models", help="folder of the packages (%(default)s)")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "cache" / "models",
                        help="folder of the fetched weights (%(default)s)")
    parser.add_argument("--in-process", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    options.names = options.names or sorted(RECIPES)
    for name in options.names:
        if name not in RECIPES:
            parser.error(f"there is no model {name!r}; known are {', '.join(sorted(RECIPES))}")
    return options


def _build_apart(name: str, options: argparse.Namespace) -> int:
    command = [sys.executable, "-m", "unbraid_models.build", "--in-process", "--out", str(options.out),
               "--cache", str(options.cache), name]
    return subprocess.run(command, check=False, cwd=ROOT / "models").returncode


def _build_here(options: argparse.Namespace) -> int:
    try:
        build(options.names[0], options.out, options.cache)
    except (FetchError, TamperedError) as error:
        print(f"models: {options.names[0]}: {error}", file=sys.stderr)
        return 1
    return 0


@contextlib.contextmanager
def alone(cache: Path, what: str = "lock") -> Iterator[None]:
    """Waits until no other build holds this lock: two at once would fetch twice, and swap each other's packages away."""
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / what, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: list[str]) -> int:
    """Exit code: 0 all packages are there, 1 one could not be built, 2 the command line is wrong."""
    options = _parse(arguments)
    options.out, options.cache = options.out.resolve(), options.cache.resolve()
    if options.in_process:
        return _build_here(options)
    with alone(options.cache):
        for name in options.names:
            folder = options.out / name
            if is_current(folder, RECIPES[name].inputs()):
                print(f"models: {folder} is current")
            elif _build_apart(name, options) != 0:
                return 1
            else:
                print(f"models: built {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
