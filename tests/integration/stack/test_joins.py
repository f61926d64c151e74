"""No join is heard: the places where chunks meet are like any other places of real songs."""

import json

import numpy as np
import pytest
import soundfile
from clicks import burst, joins, ranks, splice, step
from stack import ROOT, Stack, read

SONGS = "/usr/share/games/fretsonfire/data/songs/sectoid"
SECONDS = 61
STEMS = ("vocals", "drums", "bass", "other")
# The mean rank of places where nothing happens is 0.5, and strays by a few hundredths over 184 of them.
MOST_MEAN = 0.6
# So many places stand out from all but one in a hundred of their controls; by chance it would be 0.01.
MOST_OUTSTANDING = 0.05
# What clicks at all of them come to, even if some hide in loud drums: far beyond both.
LEAST_MEAN_OF_CLICKS = 0.7
LEAST_OUTSTANDING_OF_CLICKS = 0.4


def cut(title, target):
    """Some of the middle of a song, where everybody plays."""
    song, rate = soundfile.read(f"{SONGS}/{title}/song.ogg", dtype="float32", always_2d=True)
    guitar, _ = soundfile.read(f"{SONGS}/{title}/guitar.ogg", dtype="float32", always_2d=True)
    begin = (min(len(song), len(guitar)) - SECONDS * rate) // 2
    part = slice(begin, begin + SECONDS * rate)
    soundfile.write(target, 0.5 * (song[part] + guitar[part]), rate, subtype="PCM_16")
    return target


@pytest.fixture(scope="module")
def places():
    package = json.loads((ROOT / "build/models/unbraid-4/model.json").read_text())
    found = joins(SECONDS * 44100, package["window"], package["overlap"])
    assert len(found) == 23
    return found


@pytest.fixture(scope="module")
def stems(tmp_path_factory):
    """Each stem of each song, by (title, stem)."""
    folder = tmp_path_factory.mktemp("joins")
    separated = {}
    with Stack(workers=2) as stack:
        for title in ("Metal madness", "Feelings"):
            song = cut(title, folder / f"{title}.wav")
            stack.separate(song, folder / title, "--sample-format", "f32")
            for stem in STEMS:
                separated[title, stem] = read(folder / title / f"{stem}.wav")
    return separated


def all_ranks(stems, places, measure, change=lambda samples: samples):
    return np.concatenate([ranks(change(samples), 44100, places, measure, seed) for seed, samples in enumerate(stems.values())])


@pytest.mark.parametrize("measure", [step, burst])
def test_joins_of_real_songs_are_like_other_places(stems, places, measure):
    """Case 1."""
    found = all_ranks(stems, places, measure)
    assert len(found) == 2 * len(STEMS) * len(places)
    print(f"{measure.__name__}: mean rank {found.mean():.3f}, outstanding {np.mean(found > 0.99):.3f}")
    assert found.mean() < MOST_MEAN
    assert np.mean(found > 0.99) < MOST_OUTSTANDING


@pytest.mark.parametrize("measure", [step, burst])
@pytest.mark.parametrize("dropped", [20, 441])
def test_joins_that_are_cut_hard_are_found(stems, places, measure, dropped):
    found = all_ranks(stems, places, measure, lambda samples: splice(samples, places, dropped))
    print(f"{measure.__name__}, {dropped} frames: mean rank {found.mean():.3f}, outstanding {np.mean(found > 0.99):.3f}")
    assert found.mean() > LEAST_MEAN_OF_CLICKS
    assert np.mean(found > 0.99) > LEAST_OUTSTANDING_OF_CLICKS
