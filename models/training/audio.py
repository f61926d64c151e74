"""What every stage needs to know of samples: the rate, the transform, levels."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

RATE = 44100
FFT_SIZE = 4096
HOP = 1024
# The bins that the net sees.
BINS = 1024

_WINDOW = torch.hann_window(FFT_SIZE)


def gain(decibel: float) -> np.float32:
    """The factor of a level in dB."""
    return np.float32(10 ** (decibel / 20))


def rms(x: np.ndarray) -> np.float32:
    """The root of the mean square over all of x, never zero."""
    return np.sqrt((x**2).mean()) + np.float32(1e-4)


def stft(x: Tensor) -> Tensor:
    """Samples [rows, n] -> spectra [rows, 2049, 1 + n // 1024], frames centred on the edges of the hops, silence around."""
    return torch.stft(x, FFT_SIZE, HOP, window=_WINDOW, center=True, pad_mode="constant", return_complex=True)


def istft(spectra: Tensor, length: int) -> Tensor:
    """Spectra [rows, 2049, frames] -> samples [rows, length]."""
    return torch.istft(spectra, FFT_SIZE, HOP, window=_WINDOW, length=length)
