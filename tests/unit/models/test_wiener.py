"""The Wiener filter over both channels."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from unbraid_models.wiener import wiener

FRAMES, BINS = 64, 12


def spectrum(seed: int, *gains: complex) -> Tensor:
    """Noise at one place between the channels, [1, 2, FRAMES, BINS]."""
    one = torch.randn(FRAMES, BINS, dtype=torch.complex64, generator=torch.Generator().manual_seed(seed))
    return torch.stack([one * gain for gain in gains])[None]


def shares_of(*stems: Tensor) -> Tensor:
    """The share of each stem's power, on average over both channels and three frames: what a net may know."""
    power = torch.stack([stem.abs().square().mean(1, keepdim=True).expand(-1, 2, -1, -1) for stem in stems])
    blurred = (power + power.roll(1, -2) + power.roll(-1, -2)) / 3
    return blurred / blurred.sum(0)


def error(truth: Tensor, estimate: Tensor) -> float:
    return float((truth - estimate).abs().square().sum() / truth.abs().square().sum())


def test_stems_at_different_places_are_parted_better_than_by_their_shares() -> None:
    left, right = spectrum(1, 1, 0.3), spectrum(2, 0.2j, 1)
    mixture, shares = left + right, shares_of(left, right)
    filtered = wiener(mixture, shares, 2)
    for truth, stem, share in zip((left, right), filtered, shares):
        assert error(truth, stem) < 0.6 * error(truth, share * mixture)


def test_all_stems_add_up_to_the_mixture() -> None:
    stems = [spectrum(seed, 1, gain) for seed, gain in ((1, 0.5), (2, -1), (3, 0.1 + 1j))]
    mixture = sum(stems)
    assert error(mixture, wiener(mixture, shares_of(*stems), 3).sum(0)) < 1e-8


def test_fewer_stems_are_the_same_stems() -> None:
    stems = [spectrum(1, 1, 0.5), spectrum(2, 1, -1)]
    both = wiener(sum(stems), shares_of(*stems), 2)
    assert torch.equal(wiener(sum(stems), shares_of(*stems), 1)[0], both[0])


def test_of_a_mono_signal_stems_are_what_their_shares_say() -> None:
    stems = [spectrum(1, 1, 1), spectrum(2, 1, 1)]
    mixture, shares = sum(stems), shares_of(*stems)
    for stem, share in zip(wiener(mixture, shares, 2), shares):
        assert error(share * mixture, stem) < 1e-8


def test_each_channel_has_shares_of_its_own() -> None:
    left, right = spectrum(1, 1, 0), spectrum(2, 0, 1)
    mixture = left + right
    shares = torch.zeros(2, 1, 2, FRAMES, BINS)
    shares[0, :, 0], shares[1, :, 1] = 1, 1
    for truth, stem in zip((left, right), wiener(mixture, shares, 2)):
        assert error(truth, stem) < 0.01
    for truth, stem in zip((right, left), wiener(mixture, shares.flip(2), 2)):
        assert error(truth, stem) < 0.01


@pytest.mark.parametrize("level", [1e-6, 1e6])
def test_the_level_does_not_matter(level: float) -> None:
    stems = [spectrum(1, 1, 0.5), spectrum(2, 1, -1)]
    mixture, shares = sum(stems), shares_of(*stems)
    assert error(wiener(mixture, shares, 2), wiener(mixture * level, shares, 2) / level) < 1e-8


@pytest.mark.parametrize("gains", [(0, 0), (1, 0), (0, 1), (1, -1)])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_odd_signals_stay_finite(gains: tuple[complex, complex], share: float) -> None:
    mixture = spectrum(1, *gains)
    mixture[..., : FRAMES // 2, :3] = 0
    first = torch.full((1, 2, FRAMES, BINS), share)
    filtered = wiener(mixture, torch.stack([first, 1 - first]), 2)
    assert bool(torch.view_as_real(filtered).isfinite().all())
    assert float((filtered.sum(0) - mixture).abs().max()) < 1e-4
    assert float((filtered[0] - share * mixture).abs().max()) < 1e-4
