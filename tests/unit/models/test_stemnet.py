"""The stem net's weights, its masks, and the faster form of its last level."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from unbraid_models.recipes import STEM_NET
from unbraid_models.stemnet import features, load_stem_net
from unbraid_models.subpixel import SubPixel


def archive(arrays: dict[str, np.ndarray]) -> bytes:
    data = io.BytesIO()
    np.savez(data, **arrays)
    return data.getvalue()


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    with np.load(STEM_NET, allow_pickle=False) as stored:
        return {key: stored[key] for key in stored.files}


def test_the_masks_are_shares(arrays: dict[str, np.ndarray]) -> None:
    x = torch.rand(2, 2, 64, 1024, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        masks = load_stem_net(archive(arrays))(x)
    assert masks.shape == (2, 3, 2, 64, 1024)
    assert float(masks.min()) >= 0.0
    assert float((masks.sum(1) - 1.0).abs().max()) <= 1e-5
    assert float(masks.std(3).mean()) > 0.01  # They follow the sound.


def test_the_provenance_is_that_of_these_weights() -> None:
    provenance = json.loads(STEM_NET.with_suffix(".json").read_text())
    assert provenance["sha256"] == hashlib.sha256(STEM_NET.read_bytes()).hexdigest()
    for stem in ("drums", "bass", "other"):
        assert all(source["licence"] for source in provenance["sources"][stem])


def test_weights_that_lack_one_are_refused(arrays: dict[str, np.ndarray]) -> None:
    with pytest.raises(RuntimeError, match="end.bias"):
        load_stem_net(archive({key: value for key, value in arrays.items() if key != "end.bias"}))


def test_weights_with_one_too_many_are_refused(arrays: dict[str, np.ndarray]) -> None:
    with pytest.raises(RuntimeError, match="another"):
        load_stem_net(archive({**arrays, "another": np.zeros(1, np.float16)}))


def test_weights_that_are_no_numbers_are_refused(arrays: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="end.bias are not finite"):
        load_stem_net(archive({**arrays, "end.bias": np.full(6, np.inf, np.float16)}))


def test_weights_that_would_run_code_are_refused(arrays: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="allow_pickle=False"):
        load_stem_net(archive({**arrays, "end.bias": np.array([Path("harmless")], object)}))


def test_the_features_tell_a_hit_from_a_note() -> None:
    note, hit = torch.zeros(1, 2, 64, 128), torch.zeros(1, 2, 64, 128)
    note[..., 40] = 1.0
    hit[:, :, 30] = 1.0
    of_note, of_hit = features(note)[0, :, 30, 40], features(hit)[0, :, 30, 40]
    assert of_note[0] == of_hit[0] == pytest.approx(np.log(4.0) / 2)
    assert of_note[2] > 10 * of_hit[2] and of_hit[4] > 10 * of_note[4]


def test_the_plain_convolution_equals_the_transposed_one() -> None:
    torch.manual_seed(3)
    up = nn.ConvTranspose2d(8, 3, 5, 2)
    x = torch.randn(2, 8, 7, 9)
    with torch.inference_mode():
        expected = up(x)[:, :, 1:-2, 1:-2]
        assert float((SubPixel(up)(x) - expected).abs().max()) <= 1e-5


def test_another_transposed_convolution_is_refused() -> None:
    with pytest.raises(ValueError, match="a kernel of 5"):
        SubPixel(nn.ConvTranspose2d(8, 3, 4, 2))
