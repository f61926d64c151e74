"""The Python libraries that hold the architectures: pinned by hash, unpacked beside the weights, never installed.

torchaudio is not among them: it belongs to the torch in use, and comes with it (Debian's python3-torchaudio).
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from types import ModuleType

from ..fetch import FetchError, fetch_archives

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements-export.txt"
# What Demucs imports beside its training code: the models need nothing of it.
_UNUSED = {"omegaconf": ("omegaconf",), "dora": ("dora", "dora.log")}


class _Unused(ModuleType):
    """A library that is imported, but of which nothing is called here."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)

        def absent(*_: object, **__: object) -> None:
            raise RuntimeError(f"{self.__name__}.{name} is called, though only the models of the library are used here")

        return absent


def provide(cache: Path) -> None:
    """Makes `demucs`, `openunmix` and what they import importable; fetches them into `cache` if they are not there."""
    folder = cache / f"libraries-{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]}"
    if not folder.exists():
        _unpack(fetch_archives(REQUIREMENTS, cache), folder)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    for library, modules in _UNUSED.items():
        if library not in sys.modules and importlib.util.find_spec(library) is None:
            sys.modules.update({name: _Unused(name) for name in modules})
    if importlib.util.find_spec("torchaudio") is None:
        raise FetchError("torchaudio is missing: install the one that belongs to this torch (Debian: python3-torchaudio)")


def _unpack(archives: list[Path], folder: Path) -> None:
    """Puts the folder in place with one rename, so that nobody imports half of it."""
    staging = Path(tempfile.mkdtemp(prefix=".libraries.", dir=folder.parent))
    try:
        for archive in archives:
            if archive.suffix == ".whl":
                with zipfile.ZipFile(archive) as wheel:
                    wheel.extractall(staging)
            else:
                _unpack_source(archive, staging)
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _unpack_source(archive: Path, folder: Path) -> None:
    """Of a source archive `name-version/name/...` the package `name`. The archive's hash has been checked."""
    package = archive.name.partition("-")[0]
    with tarfile.open(archive) as source:
        for member in source.getmembers():
            inner = member.name.partition("/")[2]
            if member.isfile() and inner.startswith(f"{package}/"):
                member.name = inner
                source.extract(member, folder)
