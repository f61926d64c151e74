"""Mixing, learning and judging, on songs made of noise and tones."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from training import evaluate, learning, mixing, train, weights
from training.audio import RATE
from training.dataset import Pools
from training.sources import UnlistedSource
from unbraid_models.recipes import STEM_NET

FRAMES = 64
SECONDS = 8


def write_song(folder: Path, seed: int, source: str = "synth") -> None:
    """Clicks for drums, a low tone for the bass, chords for the rest, as training.render writes them."""
    rng = np.random.default_rng(seed)
    t = np.arange(SECONDS * RATE) / RATE
    clicks = rng.standard_normal(len(t)) * np.exp(-(t % 0.25) / 0.02)
    low = np.sin(2 * np.pi * 55 * t)
    parts = {"bass": low, "drums": clicks, **{f"other{i}": np.sin(2 * np.pi * 440 * (i + 1) * t) for i in range(4)}}
    samples = np.stack([np.stack([8000 * part / np.abs(part).max()] * 2) for part in parts.values()]).astype(np.int16)
    np.save(folder / f"{seed:05d}.npy", samples)
    described = [(name, source, "lead" if name.startswith("other") else name) for name in parts]
    (folder / f"{seed:05d}.json").write_text(json.dumps({"seed": seed, "style": "rock", "parts": described}))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    songs = tmp_path_factory.mktemp("songs")
    for seed in range(2):
        write_song(songs, seed)
    return songs


@pytest.fixture(scope="module")
def batch(folder: Path) -> tuple[Tensor, Tensor]:
    return mixing.batch(Pools([folder]), np.random.default_rng(1), 2, FRAMES)


def test_a_song_of_an_unlisted_source_is_refused(tmp_path: Path) -> None:
    write_song(tmp_path, 1, source="found on the net")
    with pytest.raises(UnlistedSource, match="'found on the net' is no source"):
        Pools([tmp_path])
    with pytest.raises(UnlistedSource):
        evaluate.held_out(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no rendered songs"):
        Pools([tmp_path])


def test_examples_are_mixtures_of_their_stems(folder: Path) -> None:
    pools, whole, count = Pools([folder]), 0, 20
    for seed in range(count):
        mixture, stems = mixing.example(pools, np.random.default_rng(seed), FRAMES)
        assert mixture.shape == (2, FRAMES, 1024) and stems.shape == (3, 2, FRAMES, 1024)
        assert bool(torch.view_as_real(stems).isfinite().all()) and float(stems.abs().sum()) > 0
        whole += torch.equal(mixture, stems.sum(0))
    # The others hold what a vocal separator leaves.
    assert count / 4 < whole < count


def test_a_step_lessens_the_loss_of_its_batch(batch: tuple[Tensor, Tensor]) -> None:
    mixtures, stems = batch
    net = weights.load(STEM_NET)

    def loss() -> float:
        with torch.no_grad():
            return float(learning.loss_of(net(mixtures.abs()), mixtures, stems))

    before = loss()
    learner = learning.Learner(net, learning.Settings(rate=2e-3, half=False))
    for _ in range(3):
        learner.step(mixtures, stems, done=0.0)
    net.eval()
    assert loss() < 0.97 * before
    assert not torch.equal(learner.mean.end.weight, net.end.weight)


def _learn(rank: int, meeting: str, data: Path, out: Path) -> None:
    train.join(rank, 2, meeting)
    learner = learning.Learner(weights.load(STEM_NET), learning.Settings(half=False))
    learner.step(*mixing.batch(Pools([data]), np.random.default_rng(rank), 1, FRAMES), done=0.0)
    np.save(out / f"{rank}.npy", learner.net.end.weight.detach().numpy())


def test_processes_learn_from_each_others_batches(folder: Path, tmp_path: Path) -> None:
    torch.multiprocessing.spawn(_learn, (str(tmp_path / "meeting"), folder, tmp_path), 2)
    first, second = np.load(tmp_path / "0.npy"), np.load(tmp_path / "1.npy")
    assert np.array_equal(first, second)
    assert not np.array_equal(first, weights.load(STEM_NET).end.weight.detach().numpy())


def test_right_masks_cost_nothing(batch: tuple[Tensor, Tensor]) -> None:
    mixtures, _ = batch
    stems = torch.stack([mixtures, torch.zeros_like(mixtures), torch.zeros_like(mixtures)], 1)
    right = torch.zeros(stems.shape)
    right[:, 0] = 1
    assert float(learning.loss_of(right, mixtures, stems)) < 0.005
    assert float(learning.loss_of(right.flip(1), mixtures, stems)) > 0.5


def test_the_learning_rate_rises_and_falls() -> None:
    assert learning.rate_at(0.0, 0, 1.0) == pytest.approx(0.02)
    assert learning.rate_at(0.0, 1000, 1.0) == pytest.approx(1.0)
    assert learning.rate_at(0.4, 1000, 1.0) == pytest.approx(1.0)
    assert learning.rate_at(0.7, 1000, 1.0) == pytest.approx(0.51)
    assert learning.rate_at(1.0, 1000, 1.0) == pytest.approx(0.02)


def test_a_loss_that_is_no_number_ends_the_training(batch: tuple[Tensor, Tensor]) -> None:
    mixtures, stems = batch
    learner = learning.Learner(weights.load(STEM_NET), learning.Settings(half=False))
    with pytest.raises(FloatingPointError, match="the loss is nan at step 0"):
        learner.step(mixtures[:1] * float("nan"), stems[:1], done=0.0)


def test_weights_are_the_same_bytes_after_a_round(tmp_path: Path) -> None:
    weights.save(weights.load(STEM_NET), tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == STEM_NET.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["again.npz"]


def test_the_judge_hears_what_is_parted_well(tmp_path: Path) -> None:
    t = torch.arange(262144) / RATE
    clicks = torch.randn(262144, generator=torch.Generator().manual_seed(1)) * torch.exp(-(t % 0.25) / 0.02)
    low, high = torch.sin(2 * torch.pi * 55 * t), torch.sin(2 * torch.pi * 880 * t)
    stems = torch.stack([clicks, low, high]).unsqueeze(1).expand(1, 3, 2, -1) * 0.1
    filters = evaluate.Judge(weights.load(STEM_NET), net_share=0.0)
    drums, bass, other = filters.scores(stems)
    assert min(drums, bass, other) > 8
    assert evaluate.sdr(stems[:, 0], 0.9 * stems[:, 0]) == pytest.approx(20, abs=0.01)
    assert np.isnan(evaluate.sdr(torch.zeros(2, 4), torch.ones(2, 4)))


@pytest.mark.parametrize("processes", [1, 2])
def test_a_training_leaves_weights_and_what_they_were_made_of(folder: Path, tmp_path: Path, processes: int) -> None:
    out = tmp_path / "next.npz"
    options = ["--seconds", "1", "--batch", "1", "--processes", str(processes), "--full"]
    assert train.main(["--data", str(folder), "--out", str(out), *options]) == 0
    made = json.loads(out.with_suffix(".json").read_text())
    assert made["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest() != hashlib.sha256(STEM_NET.read_bytes()).hexdigest()
    assert made["training"]["steps"] >= 1
    assert made["sources"]["other"] == [{"source": "drums and tones made with NumPy", "licence": "own", "parts": 8}]
    assert made["began_with"]["sha256"] == hashlib.sha256(STEM_NET.read_bytes()).hexdigest()
    assert weights.load(out).end.weight.shape == (6, 19, 3, 3)
