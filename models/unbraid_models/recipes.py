"""Which packages can be built, and from what."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from torch import nn

    from .spec import PackageSpec

HERE = Path(__file__).resolve().parent
WEIGHTS = HERE.parent / "requirements-weights.txt"
_EVERY_PACKAGE = ("graph.py", "package.py", "spec.py")


@dataclass(frozen=True)
class Recipe:
    """How one package is made. `make` imports torch, which takes seconds, so it is called only when something is built."""

    sources: tuple[str, ...]
    make: Callable[[Path], tuple[PackageSpec, nn.Module]]
    needs_weights: bool = False

    def inputs(self) -> str:
        """The hash of all that decides the bytes of the package: sources, pinned weights, torch."""
        digest = hashlib.sha256(metadata.version("torch").encode())
        files = [HERE / name for name in sorted(self.sources + _EVERY_PACKAGE)]
        for file in files + ([WEIGHTS] if self.needs_weights else []):
            digest.update(f"\n{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}".encode())
        return digest.hexdigest()


def _passthrough(cache: Path) -> tuple[PackageSpec, nn.Module]:
    from . import passthrough

    return passthrough.SPEC, passthrough.Passthrough()


def _spleeter_hpss(cache: Path) -> tuple[PackageSpec, nn.Module]:
    from . import spleeter_hpss

    return spleeter_hpss.make(cache, WEIGHTS)


RECIPES: dict[str, Recipe] = {
    "passthrough": Recipe(sources=("passthrough.py",), make=_passthrough),
    "spleeter-hpss": Recipe(sources=("fetch.py", "hpss.py", "median.py", "spleeter_hpss.py", "stft.py", "unet.py"),
                            make=_spleeter_hpss, needs_weights=True),
}
