"""Loss, schedule and one step of training, free of files and clocks."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import torch
import torch.distributed as distributed
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from unbraid_models.stemnet import StemNet
from unbraid_models.subpixel import plain_weight

_DROPOUT = 0.1
_DROPPED = ("up1", "up2", "up3")
# Levels whose transposed convolutions are computed as plain ones: a step of 4 segments takes 0.80 instead of 1.12 s of a core.
_PLAIN = ("up3", "up4", "up5", "up6")
_CLIP = 5.0
_WARM_UP_STEPS = 50
_CONSTANT = 0.4
_DECAY = 0.998


@dataclass(frozen=True)
class Settings:
    """`rate` is the highest learning rate; the layers that came from Spleeter learn at `body` times it. `half` (of the floats of the
    forward pass, and the fused optimiser) needs a processor with bfloat16 and torch 2.4 or later."""

    rate: float = 1e-3
    body: float = 0.7
    half: bool = True


class _PlainUp(nn.Module):
    """`up` and the crop behind it, in the form of `SubPixel`, with the parameters of `up` under their names."""

    def __init__(self, up: nn.ConvTranspose2d) -> None:
        super().__init__()
        self.weight, self.bias = up.weight, up.bias

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(F.conv2d(x, plain_weight(self.weight), self.bias.repeat_interleave(4), padding=1), 2)


def trainable(net: StemNet) -> StemNet:
    """The net in training mode, with dropout after the first three levels of the decoder. Its weights keep their names."""
    for name in _PLAIN:
        level = getattr(net.body, name)
        level[0], level[1] = _PlainUp(level[0]), nn.Identity()
    net.body.down6_act.requires_grad_(False)  # Nothing comes after the last level of the encoder but the decoder, which skips this.
    for name in _DROPPED:
        getattr(net.body, name).register_forward_hook(lambda module, _, y: F.dropout(y, _DROPOUT, module.training))
    return net.train()


def loss_of(masks: Tensor, mixtures: Tensor, stems: Tensor) -> Tensor:
    """Masks [n, 3, 2, frames, bins], spectra of mixtures [n, 2, ...] and stems [n, 3, 2, ...] -> a number.

    Mostly the root of the mean square of the error, relative to the mixture; L1 alone undervalues loud low notes.
    """
    error = masks * mixtures[:, None] - stems
    power = error.real.square() + error.imag.square()
    absolute = torch.sqrt(power + 1e-8).mean((2, 3, 4)) / mixtures.abs().mean((1, 2, 3))[:, None]
    squared = power.mean((2, 3, 4)) / mixtures.abs().square().mean((1, 2, 3))[:, None]
    return (0.15 * absolute + (squared + 1e-5).sqrt()).mean()


def rate_at(done: float, step: int, highest: float) -> float:
    """The learning rate when the share `done` of the time is over: a warm-up, a plateau, half a cosine down to a fiftieth."""
    falling = max(0.0, min(done, 1.0) - _CONSTANT) / (1 - _CONSTANT)
    return highest * min(1.0, (step + 1) / _WARM_UP_STEPS) * (0.02 + 0.49 * (1 + math.cos(math.pi * falling)))


class Learner:
    """A net, its optimiser, and the running mean of its weights, which is what is kept. In a group of processes each learns from
    batches of its own, and all from the mean of their gradients."""

    def __init__(self, net: StemNet, settings: Settings) -> None:
        self.mean = copy.deepcopy(net).eval()
        self.net, self.settings, self.steps = trainable(net), settings, 0
        self.forward = DistributedDataParallel(self.net) if distributed.is_initialized() else self.net
        new = [*net.end.parameters(), *net.body.up6.parameters()]
        known = {id(parameter) for parameter in new}
        body = [parameter for parameter in net.parameters() if id(parameter) not in known]
        self.groups = ((new, 1.0), (body, settings.body))
        fused = {"fused": True} if settings.half else {}
        self.optimiser = torch.optim.Adam([{"params": parameters} for parameters, _ in self.groups], betas=(0.9, 0.99), **fused)

    def step(self, mixtures: Tensor, stems: Tensor, done: float) -> float:
        """One step on a batch of `mixing.batch`; the loss before it."""
        rate = rate_at(done, self.steps, self.settings.rate)
        for group, (_, factor) in zip(self.optimiser.param_groups, self.groups):
            group["lr"] = rate * factor
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.settings.half):
            masks = self.forward(mixtures.abs())
        loss = loss_of(masks.float(), mixtures, stems)
        if not bool(loss.isfinite()):
            raise FloatingPointError(f"the loss is {float(loss)} at step {self.steps}")
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), _CLIP)
        self.optimiser.step()
        self.steps += 1
        self._follow()
        return float(loss)

    @torch.no_grad()
    def _follow(self) -> None:
        keep = min(_DECAY, 1 - 1 / (self.steps + 1))
        current = self.net.state_dict()
        for key, value in self.mean.state_dict().items():
            if value.dtype.is_floating_point:
                value.lerp_(current[key], 1 - keep)
