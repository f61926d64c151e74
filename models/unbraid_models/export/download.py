"""Files of weights from their publishers: resumed where a download broke off, and kept only if they are what they should be."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from ..fetch import FetchError, TamperedError
from .weights import Weight

_ATTEMPTS = 4
_TIMEOUT_SECONDS = 60
_BLOCK_BYTES = 1 << 20


def sha256_of_file(path: Path) -> str:
    """Lower-case hex; the file is read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def check_file(path: Path, weight: Weight) -> None:
    """Raises TamperedError unless the file has the size and the hash, as far as they are known."""
    size = path.stat().st_size
    if weight.size is not None and size != weight.size:
        raise TamperedError(f"{path} has {size} bytes, expected {weight.size}")
    got = sha256_of_file(path)
    if not got.startswith(weight.sha256):
        raise TamperedError(f"{path} has SHA-256 {got}, expected {weight.sha256}{'' if len(weight.sha256) == 64 else '...'}")


def download(weight: Weight, folder: Path) -> Path:
    """The file in `folder`, fetched if it is not there. What came of a broken download is kept, and gone on with.

    Raises FetchError when it cannot be had, TamperedError when it is not the file that the table names; then nothing of
    it is kept, but for a file that was there already.
    """
    target = folder / weight.file
    if target.exists():
        check_file(target, weight)
        return target
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{weight.file}.part"
    try:
        _fetch_whole(weight, part)
        check_file(part, weight)
    except TamperedError:
        part.unlink()
        raise
    os.replace(part, target)
    return target


def _fetch_whole(weight: Weight, part: Path) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _fetch(weight, part)
        except (OSError, http.client.HTTPException) as error:
            if attempt == _ATTEMPTS:
                raise FetchError(f"{weight.url}: {error}; fetch it by other means, and name it with --weights") from error


def _fetch(weight: Weight, part: Path) -> None:
    """Adds to `part` what it lacks. Raises OSError or HTTPException where the connection or the server fails."""
    have = part.stat().st_size if part.exists() else 0
    if have and have == weight.size:
        return
    headers = {"Range": f"bytes={have}-"} if have else {}
    try:
        answer = urllib.request.urlopen(urllib.request.Request(weight.url, headers=headers), timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()  # There is nothing behind what we have: it is another file, or all of this one.
        raise
    with answer, part.open("ab" if _goes_on(answer, have) else "wb") as file:
        _copy(answer, file, weight)


def _goes_on(answer: Any, have: int) -> bool:
    """True if the answer begins where we want it to; a server may also send the whole file."""
    return answer.status == http.client.PARTIAL_CONTENT and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")


def _copy(answer: Any, file: Any, weight: Weight) -> None:
    while block := answer.read(_BLOCK_BYTES):
        file.write(block)
        if weight.size is not None and file.tell() > weight.size:
            raise TamperedError(f"{weight.url} sends more than the {weight.size} bytes that it should have")
    if answer.length:  # What is left of Content-Length: the connection ended early.
        raise OSError(f"the connection ended {answer.length} bytes too early")
