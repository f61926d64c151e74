"""A Wiener filter over both channels: where stems lie between left and right helps to part what masks alone share out."""

from __future__ import annotations

import torch
from torch import Tensor

# How much of every stem is taken to lie nowhere in particular; it keeps the matrices invertible, of mono signals too.
DIFFUSE = 0.05
# What is added to the power of each bin, of the mean power of the window.
FLOOR = 1e-14
# Below every power that has a meaning, and above the least that can be divided by.
_TINY = 1e-30


def wiener(spectra: Tensor, shares: Tensor, wanted: int) -> Tensor:
    """Spectra [windows, 2, frames, bins] and what stems have of them, [stems, windows, 2, frames, bins], at least 0 and 1 in sum
    -> spectra of the first `wanted` stems, [wanted, windows, 2, frames, bins].

    A stem's power in a place is its share of the mixture's there, on average over both channels. Where it lies between the channels
    is one matrix for each bin of a window: the mean over the frames of what a mask of its squared shares would leave. The stems are
    then the most likely ones whose sum is the mixture. Of a mono signal, if both channels have the same shares, they are what the
    shares say. The filter does not depend on the level. Samples must lie below 1e14.
    After "Multichannel audio source separation with deep neural networks" (Nugraha, Liutkus, Vincent, 2016), with one pass.
    """
    left, right = _planes(spectra[:, 0]), _planes(spectra[:, 1])
    powers = left[0].square() + left[1].square(), right[0].square() + right[1].square()
    level = ((powers[0] + powers[1]).mean((1, 2), keepdim=True) + _TINY).reciprocal()
    cross = left[0] * right[0] + left[1] * right[1], left[1] * right[0] - left[0] * right[1]

    places, variances = [], []
    for stem in shares:
        first, second = stem[:, 0], stem[:, 1]
        variances.append((first * powers[0] + second * powers[1]) * level)
        places.append(_place(powers, cross, first.square(), second.square()))
    total = [sum(variance * place[i] for variance, place in zip(variances, places)) for i in range(4)]
    whitened = _solved(total, left, right)
    return torch.stack([_image(variances[i], places[i], *whitened) for i in range(wanted)])


Complex = tuple[Tensor, Tensor]
"""Real and imaginary parts, [windows, frames, bins] each."""
Hermitian = tuple[Tensor, Tensor, Tensor, Tensor]
"""A matrix of two channels: left, right, and the real and the imaginary part of left times the conjugate of right."""


def _planes(x: Tensor) -> Complex:
    return x.real.contiguous(), x.imag.contiguous()


def _place(powers: tuple[Tensor, Tensor], cross: Complex, first: Tensor, second: Tensor) -> Hermitian:
    """The covariance of both channels over the frames, [windows, 1, bins] each, with a trace of 2; the weights are of amplitudes."""
    both = first * second
    left, right = (first.square() * powers[0]).mean(1, keepdim=True), (second.square() * powers[1]).mean(1, keepdim=True)
    real, imaginary = (both * cross[0]).mean(1, keepdim=True), (both * cross[1]).mean(1, keepdim=True)
    scale = 2 * (1 - DIFFUSE) / (left + right + _TINY)
    return left * scale + DIFFUSE, right * scale + DIFFUSE, real * scale, imaginary * scale


def _solved(total: list[Tensor], left: Complex, right: Complex) -> tuple[Complex, Complex]:
    """The inverse of the covariance of the mixture, times the mixture."""
    a, d, real, imaginary = total[0] + FLOOR, total[1] + FLOOR, total[2], total[3]
    scale = (a * d - real.square() - imaginary.square()).reciprocal()
    first = ((d * left[0] - real * right[0] + imaginary * right[1]) * scale,
             (d * left[1] - real * right[1] - imaginary * right[0]) * scale)
    second = ((a * right[0] - real * left[0] - imaginary * left[1]) * scale,
              (a * right[1] - real * left[1] + imaginary * left[0]) * scale)
    return first, second


def _image(variance: Tensor, place: Hermitian, left: Complex, right: Complex) -> Tensor:
    """What a stem has of the mixture, [windows, 2, frames, bins]."""
    a, d, real, imaginary = place
    first = torch.complex(variance * (a * left[0] + real * right[0] - imaginary * right[1]),
                          variance * (a * left[1] + real * right[1] + imaginary * right[0]))
    second = torch.complex(variance * (real * left[0] + imaginary * left[1] + d * right[0]),
                           variance * (real * left[1] - imaginary * left[0] + d * right[1]))
    return torch.stack([first, second], 1)
