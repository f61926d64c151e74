"""A whole track through one model in one process: what the services must equal, bit for bit where the model is exact.

The cutting and joining rule of docs/adr/0002 and the passes of docs/adr/0013, written for reading rather than for speed;
the track is held in memory.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import torch

from .package import named_graphs


class Reference:
    """A package, loaded once: `Reference(folder).separate(track)`."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        torch.set_num_threads(threads)
        self.description = json.loads((folder / "model.json").read_text())
        # In output order, whichever graph gives a stem.
        self.graphs = [(torch.jit.load(io.BytesIO((folder / graph["file"]).read_bytes())).eval(), graph["stems"])
                       for graph in named_graphs(self.description)]
        self.window: int = self.description["window"]
        self.stride: int = self.window - self.description["overlap"]
        self.stems: list[str] = self.description["stems"]

    def separate(self, track: np.ndarray, shifts: int = 0, seed: int = 0) -> np.ndarray:
        """[frames, 2] float32 at the model's rate -> [stems, frames, 2] float32. `shifts`: passes whose mean it is; 0: none."""
        silences = pass_silences(shifts, seed, self.description["sample_rate"])
        total = np.float32(0)
        for silence in silences:
            moved = np.concatenate([np.zeros((silence, 2), np.float32), track])
            total = total + self._pass(moved)[:, silence:]
        return total / np.float32(len(silences))

    def _pass(self, track: np.ndarray) -> np.ndarray:
        if self.description["normalisation"] != "none":
            raise ValueError("a normalised model needs the statistics of the track, which this reference does not compute")
        total = len(track)
        chunks = [self._chunk(track, offset) for offset in range(0, total, self.stride)]
        return join(chunks, total, self.window, self.stride)

    def _chunk(self, track: np.ndarray, offset: int) -> np.ndarray:
        """The frames that the chunk at `offset` yields: [stems, useful, 2]."""
        useful = min(self.window, len(track) - offset)
        lead = (self.window - useful) // 2
        start = offset - lead
        window = np.zeros((self.window, 2), np.float32)
        first, last = max(start, 0), min(start + self.window, len(track))
        window[first - start:last - start] = track[first:last]
        with torch.inference_mode():
            x = torch.from_numpy(window.T.copy())[None]
            made = {stem: y for graph, stems in self.graphs for stem, y in zip(stems, graph(x.clone())[0].numpy())}
        out = np.stack([made[stem] for stem in self.stems])
        return out[:, :, lead:lead + useful].transpose(0, 2, 1)


def pass_silences(shifts: int, seed: int, rate: int) -> list[int]:
    """Silent frames before the track in each pass: 0 to rate // 2, from SplitMix64 that begins with `seed`."""
    silences, bits, choices = [], 2**64 - 1, rate // 2 + 1
    state = seed & bits
    while len(silences) < shifts:
        state = state + 0x9E3779B97F4A7C15 & bits
        drawn = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & bits
        drawn = (drawn ^ drawn >> 27) * 0x94D049BB133111EB & bits
        drawn ^= drawn >> 31
        if drawn < 2**64 // choices * choices:
            silences.append(drawn % choices)
    return silences or [0]


def join(chunks: list[np.ndarray], total: int, window: int, stride: int) -> np.ndarray:
    """Overlap-add of chunks [stems, useful, channels] -> [stems, total, channels]."""
    out = np.zeros((chunks[0].shape[0], total, chunks[0].shape[2]), np.float32)
    covered = 0
    for number, chunk in enumerate(chunks):
        offset = number * stride
        shared = max(0, covered - offset)
        i = np.arange(shared)
        before = np.minimum(stride + i + 1, window - (stride + i)).astype(np.float64)[:, None]
        after = np.minimum(i + 1, window - i).astype(np.float64)[:, None]
        old = out[:, offset:covered].astype(np.float64)
        new = chunk[:, :shared].astype(np.float64)
        mixed = ((before * old + after * new) / (before + after)).astype(np.float32)
        out[:, offset:covered] = np.where(old == new, chunk[:, :shared], mixed)
        out[:, covered:offset + chunk.shape[1]] = chunk[:, shared:]
        covered = max(covered, offset + chunk.shape[1])
    return out
