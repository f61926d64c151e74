"""A transposed convolution written as a plain one, which is faster where it has few channels.

Debian's torch computes transposed convolutions as a matrix product and a scatter. At the last level of the stem net (32 to 12
channels, 128 x 512 places) that takes 73 ms on one core, a plain convolution to 48 channels and a shuffle 25 ms. At the other
levels there is nothing to gain.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SubPixel(nn.Module):
    """[batch, in, h, w] -> [batch, out, 2 h, 2 w]: the transposed convolution `up` (kernel 5, stride 2, no padding) without the first
    and the last two rows and columns of its output. Each of the four places that a value of the input becomes has a kernel of
    3 x 3 of its own, made of every other weight of the 5 x 5."""

    def __init__(self, up: nn.ConvTranspose2d) -> None:
        super().__init__()
        if up.kernel_size != (5, 5) or up.stride != (2, 2) or up.padding != (0, 0) or up.bias is None:
            raise ValueError("only transposed convolutions with a kernel of 5, a stride of 2 and a bias can be rewritten")
        self.register_buffer("weight", plain_weight(up.weight.detach()).contiguous())
        self.register_buffer("bias", up.bias.detach().repeat_interleave(4))

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(F.conv2d(x, self.weight, self.bias, padding=1), 2)


def plain_weight(weight: Tensor) -> Tensor:
    """The weights of a transposed convolution, [in, out, 5, 5] -> those of the plain one, [4 out, in, 3, 3]."""
    inputs, outputs = weight.shape[:2]
    both = _kernels(_kernels(weight, 2), 2)  # [in, out, 2, 3, 2, 3]: rows' place and weight, columns' place and weight.
    return both.permute(1, 2, 4, 0, 3, 5).reshape(4 * outputs, inputs, 3, 3)


def _kernels(weight: Tensor, dim: int) -> Tensor:
    """Replaces the axis `dim` of 5 weights by two at the end, [place, weight]: even places come from 2 neighbours, odd from 3."""
    w = weight.unbind(dim)
    even = torch.stack([w[3], w[1], torch.zeros_like(w[0])], -1)
    odd = torch.stack([w[4], w[2], w[0]], -1)
    return torch.stack([even, odd], -2)
