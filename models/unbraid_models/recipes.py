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
WHEEL = HERE.parent / "requirements-weights.txt"
STEM_NET = HERE.parent / "weights" / "unbraid-4.npz"
_EVERY_PACKAGE = ("graph.py", "package.py", "spec.py")


@dataclass(frozen=True)
class Recipe:
    """How one package is made. `make` imports torch, which takes seconds, so it is called only when something is built."""

    sources: tuple[str, ...]
    make: Callable[[Path], tuple[PackageSpec, nn.Module]]
    weights: tuple[Path, ...] = ()

    def inputs(self) -> str:
        """The hash of all that decides the bytes of the package: sources, weights (or their pins), torch."""
        digest = hashlib.sha256(metadata.version("torch").encode())
        files = [HERE / name for name in sorted(self.sources + _EVERY_PACKAGE)]
        for file in files + list(self.weights):
            digest.update(f"\n{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}".encode())
        return digest.hexdigest()


def _passthrough(cache: Path) -> tuple[PackageSpec, nn.Module]:
    from . import passthrough

    return passthrough.SPEC, passthrough.Passthrough()


def _spleeter_hpss(cache: Path) -> tuple[PackageSpec, nn.Module]:
    from . import spleeter_hpss

    return spleeter_hpss.make(cache, WHEEL)


def _unbraid_4(cache: Path) -> tuple[PackageSpec, nn.Module]:
    from . import unbraid_4

    return unbraid_4.make(cache, WHEEL, STEM_NET)


_CASCADE = ("fetch.py", "hpss.py", "median.py", "spleeter.py", "stft.py", "unet.py")

RECIPES: dict[str, Recipe] = {
    "passthrough": Recipe(sources=("passthrough.py",), make=_passthrough),
    "spleeter-hpss": Recipe(sources=_CASCADE + ("spleeter_hpss.py",), make=_spleeter_hpss, weights=(WHEEL,)),
    "unbraid-4": Recipe(sources=_CASCADE + ("stemnet.py", "subpixel.py", "unbraid_4.py", "wiener.py"), make=_unbraid_4, weights=(WHEEL, STEM_NET)),
}
