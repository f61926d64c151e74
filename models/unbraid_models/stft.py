"""A short-time Fourier transform which fits a window of whole hops exactly."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Stft(nn.Module):
    """Frames of `size` samples every `hop`, weighted with a periodic Hann window on both ways.

    `length` is a whole number of hops, and the frames are centred on the middles of the hops: so there are
    exactly length / hop of them, where frames centred on the hops' edges would be one more. 256 frames are
    then four times the 64 which the U-Nets want, with no frame cut off, repeated, or added as silence. The
    inverse divides by the sum of the squared windows that really cover a sample, so signal -> frames -> signal
    is exact to rounding up to the first and the last sample.
    """

    def __init__(self, size: int, hop: int, length: int) -> None:
        super().__init__()
        if length % hop or size % hop or (size - hop) % 2:
            raise ValueError("the length and the frame size must be whole numbers of hops")
        self.size, self.hop, self.length = size, hop, length
        self.frames = length // hop
        self.margin = (size - hop) // 2
        window = torch.hann_window(size, periodic=True, dtype=torch.float64)
        squares = (window * window).expand(1, self.frames, size)
        self.register_buffer("window", window.float())
        self.register_buffer("level", (1.0 / self._overlap_add(squares)).float())

    def forward(self, x: Tensor) -> Tensor:
        """Samples [rows, length] -> complex spectra [rows, size / 2 + 1, frames]."""
        padded = F.pad(x, (self.margin, self.margin))
        return torch.stft(padded, self.size, self.hop, window=self.window, center=False, return_complex=True)

    def inverse(self, spectra: Tensor) -> Tensor:
        """Complex spectra [rows, size / 2 + 1, frames] -> samples [rows, length]."""
        frames = torch.fft.irfft(spectra.transpose(1, 2), n=self.size)
        return self._overlap_add(frames * self.window) * self.level

    def _overlap_add(self, frames: Tensor) -> Tensor:
        """[rows, frames, size] -> [rows, length]: adds up the hops of the frames where they lie in time."""
        parts = self.size // self.hop
        hops = frames.reshape(-1, self.frames, parts, self.hop)
        total = F.pad(hops[:, :, 0], (0, 0, 0, parts - 1))
        for part in range(1, parts):
            total = total + F.pad(hops[:, :, part], (0, 0, part, parts - 1 - part))
        return total.flatten(1)[:, self.margin:self.margin + self.length]
