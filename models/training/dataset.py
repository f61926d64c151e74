"""Rendered songs on disk, as pools of parts to mix from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from .sources import LOOPS, permitted


@dataclass(frozen=True)
class Part:
    """One rendered part: row `row` of the file that `samples` maps, [parts, 2, n] 16-bit integers."""

    samples: np.ndarray
    row: int
    source: str
    kind: str

    @property
    def audio(self) -> np.ndarray:
        """[2, n], still on disk."""
        return self.samples[self.row]


@dataclass
class Song:
    """The parts of one seed. Further takes of drums and bass share its rhythm, tempo and key, so they stand in for the first."""

    drums: list[Part] = field(default_factory=list)
    bass: list[Part] = field(default_factory=list)
    other: list[Part] = field(default_factory=list)


class Pools:
    """All songs of some folders, and their parts by stem. Raises UnlistedSource for a part of any source that is not listed."""

    def __init__(self, folders: list[Path], loops: Path | None = None) -> None:
        songs: dict[int, Song] = {}
        for folder in folders:
            for description in sorted(folder.glob("*.json")):
                _add(songs, description)
        if not songs:
            raise ValueError(f"there are no rendered songs in {', '.join(map(str, folders))}")
        self.songs = [song for song in songs.values() if song.other]
        self.drums = [part for song in songs.values() for part in song.drums]
        self.bass = [part for song in songs.values() for part in song.bass]
        self.other = [part for song in self.songs for part in song.other]
        self.loops = [] if loops is None else [_loop(loops / f"loop_{name}.flac") for name in LOOPS]


def _add(songs: dict[int, Song], description: Path) -> None:
    meta = json.loads(description.read_text())
    samples = np.load(description.with_suffix(".npy"), mmap_mode="r")
    song = songs.setdefault(meta["seed"], Song())
    for row, (name, source, kind) in enumerate(meta["parts"]):
        permitted(source)
        stem = name.rstrip("0123456789")
        getattr(song, stem).append(Part(samples, row, source, kind))


def _loop(file: Path) -> np.ndarray:
    """[2, n] float32."""
    samples = soundfile.read(file, dtype="float32", always_2d=True)[0].T
    return samples if len(samples) > 1 else np.concatenate([samples, samples])
