"""The net that parts an accompaniment into drums, bass and other: Spleeter's U-Net with a wider end and masks that add up to one."""

from __future__ import annotations

import io

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .unet import UNetBody

STEMS = ("drums", "bass", "other")
# Channels of the last level of the U-Net; Spleeter's own has one.
WIDTH = 12
# Frames and bins over which the features of the end average.
FRAMES_KERNEL = 17
BINS_KERNEL = 31
_FEATURES = 7


class StemNet(nn.Module):
    """Magnitudes [windows, 2, frames, 1024] of an accompaniment -> masks [windows, 3, 2, frames, 1024], stems in the order of
    `STEMS`, which add up to one. Frames: a multiple of 64."""

    def __init__(self) -> None:
        super().__init__()
        self.body = UNetBody(WIDTH)
        self.end = nn.Conv2d(WIDTH + _FEATURES, 2 * len(STEMS), 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        logits = self.end(torch.cat([self.body(x), features(x)], 1))
        return torch.softmax(logits.float().unflatten(1, (len(STEMS), 2)), 1)


def features(x: Tensor) -> Tensor:
    """Magnitudes [windows, 2, frames, bins] -> [windows, 7, frames, bins]: the level of both channels as a logarithm, its mean over
    time and over frequency, and the place of the bin. They tell struck sounds from held ones at full resolution, which the
    strides of the U-Net blur."""
    level = torch.log1p(x * 3.0) * 0.5
    over_frames = F.avg_pool2d(level, (FRAMES_KERNEL, 1), 1, (FRAMES_KERNEL // 2, 0), count_include_pad=False)
    over_bins = F.avg_pool2d(level, (1, BINS_KERNEL), 1, (0, BINS_KERNEL // 2), count_include_pad=False)
    place = torch.linspace(0, 1, x.shape[-1]).sqrt().expand(x.shape[0], 1, x.shape[2], -1)
    return torch.cat([level, over_frames, over_bins, place], 1)


def load_stem_net(weights: bytes) -> StemNet:
    """The net with the weights of a NumPy archive of half floats; every one of them must be there and finite, and nothing is left
    over. Such an archive holds plain arrays: what would have to be unpickled, which is code, is refused."""
    with np.load(io.BytesIO(weights), allow_pickle=False) as archive:
        state = {key: torch.from_numpy(archive[key].astype(np.float32)) for key in archive.files}
    for key, value in state.items():
        if not bool(value.isfinite().all()):
            raise ValueError(f"the weights {key} are not finite")
    net = StemNet()
    for key, value in net.state_dict().items():
        if key.endswith("num_batches_tracked"):  # Inference does not need them, and the archive lacks them.
            state[key] = value
    net.load_state_dict(state, strict=True)
    return net.eval()
