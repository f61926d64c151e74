"""The running median against torch's own."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from unbraid_models.median import blocked_median, running_median


def plain_median(x: Tensor, kernel: int, dim: int) -> Tensor:
    moved = x.transpose(dim, -1)
    windows = F.pad(moved, (kernel // 2, kernel // 2), mode="reflect").unfold(-1, kernel, 1)
    return windows.median(-1)[0].transpose(dim, -1)


@pytest.mark.parametrize("kernel", [3, 5, 7, 9, 15, 17, 19, 31, 33])
@pytest.mark.parametrize("dim", [1, 2])
def test_equals_the_plain_median(kernel: int, dim: int) -> None:
    x = torch.rand(3, 40, 50, generator=torch.Generator().manual_seed(kernel))
    assert torch.equal(running_median(x, kernel, dim), plain_median(x, kernel, dim))


def test_equal_values_are_no_trouble() -> None:
    x = torch.randint(0, 3, (2, 40, 40), generator=torch.Generator().manual_seed(1)).float()
    assert torch.equal(running_median(x, 17, 1), plain_median(x, 17, 1))


@pytest.mark.parametrize("kernel", [4, 41])
def test_a_kernel_that_does_not_fit_is_refused(kernel: int) -> None:
    with pytest.raises(ValueError, match=f"a kernel of {kernel} does not fit 40 values"):
        running_median(torch.zeros(1, 40, 60), kernel, 1)


@pytest.mark.parametrize("dim", [1, 2])
def test_blocks_change_nothing(dim: int) -> None:
    # 40 and 50 are no multiples of the width, so the last block is a narrow one.
    x = torch.rand(2, 40, 50, generator=torch.Generator().manual_seed(dim))
    blocked = blocked_median(17, dim, length=x.shape[dim], width=16)
    assert torch.equal(blocked(x), plain_median(x, 17, dim))
