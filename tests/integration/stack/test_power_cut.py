"""The power fails: whatever was answered for is there afterwards, and every job goes on to the right bytes (Case 22)."""

import io
import os
import random
import threading

import numpy as np
import pytest
import soundfile
from api import PART_BYTES, Refusal
from power import PatientApi, PowerStack
from stack import noise

FRACTIONS = {"vocals": 0.5, "drums": 0.25, "bass": 0.125, "other": 0.125}
# Five chunks.
FRAMES = 900_001
MACHINES = [("assembler",), ("splitter",), ("splitter", "assembler")]
# Another one cuts at other moments; a run is repeated with its own.
SEED = int(os.environ.get("UNBRAID_SEED", "22"))


@pytest.fixture(scope="module")
def stack():
    with PowerStack() as running:
        yield running


@pytest.fixture(scope="module")
def api(stack):
    with PatientApi(stack) as client:
        yield client


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    path = tmp_path_factory.mktemp("song") / "song.wav"
    return noise(path, FRAMES), path.read_bytes()


@pytest.fixture(scope="module")
def witness(api, song):
    """A separation that has ended before all cuts, and its track."""
    track = api.send(song[1], "witness").track
    separation = api.create(track.name, stems=["vocals"])
    return api.await_separation(separation.name, lambda now: api.state(now) == "STATE_SUCCEEDED")


def check_stems(api, separation, samples, stems):
    for stem in stems:
        content = api.patiently(lambda: api.download(separation, stem))
        assert not isinstance(content, Refusal), content
        found = soundfile.read(io.BytesIO(content), dtype="float32")[0]
        assert np.array_equal(found, samples * np.float32(FRACTIONS[stem])), stem


def moments(rng):
    """What is waited for before the power fails: a name, and when it has come."""
    def chunks(number):
        return f"chunk {number}", lambda now, _: now.progress.chunks_done >= number or now.end_time.seconds > 0

    return [
        ("created", lambda *_: True),
        ("planned", lambda now, state: state not in ("STATE_PREPARING",)),
        chunks(1),
        chunks(rng.randrange(2, 5)),
        ("finishing", lambda now, state: state in ("STATE_FINISHING", "STATE_SUCCEEDED")),
        ("succeeded", lambda now, state: state == "STATE_SUCCEEDED"),
    ]


@pytest.mark.parametrize("machine", MACHINES, ids="+".join)
def test_a_separation_goes_on_to_the_right_bytes(stack, api, song, witness, machine):
    samples, _ = song
    rng = random.Random(f"{SEED} {machine}")
    for name, has_come in moments(rng):
        created = api.create(witness.track)
        assert not isinstance(created, Refusal), (name, created)
        api.await_separation(created.name, lambda now: has_come(now, api.state(now)))
        stack.cut_power(*machine)
        assert not isinstance(api.get(created.name), Refusal), name
        ended = api.await_separation(created.name, lambda now: now.HasField("end_time"))
        assert api.state(ended) == "STATE_SUCCEEDED", (name, ended)
        check_stems(api, ended, samples, FRACTIONS)
        assert api.state(api.get(witness.name)) == "STATE_SUCCEEDED"
        check_stems(api, witness, samples, ["vocals"])
        api.delete(created.name)


def test_power_that_fails_again_and_again_during_one_separation(stack, api, song, witness):
    rng = random.Random(SEED)
    created = api.create(witness.track)
    for chunk in range(1, 5):
        api.await_separation(created.name, lambda now: now.progress.chunks_done >= chunk or now.HasField("end_time"))
        stack.cut_power(*rng.choice(MACHINES))
    ended = api.await_separation(created.name, lambda now: now.HasField("end_time"))
    assert api.state(ended) == "STATE_SUCCEEDED", ended
    check_stems(api, ended, song[0], FRACTIONS)
    api.delete(created.name)


@pytest.mark.parametrize("ended", [True, False], ids=["the stream had ended", "the stream was open"])
def test_the_committed_size_that_was_told_is_there(stack, api, tmp_path, ended):
    path = tmp_path / "song.wav"
    noise(path, 600_000 + ended)
    content = path.read_bytes()
    upload, told = f"told-{ended}", 5 * PART_BYTES
    # After a power cut it takes a moment until the gateway finds the splitter again, and an upload is not begun twice.
    assert api.committed_size(upload) == -1
    hold = threading.Event()
    stream = threading.Thread(target=lambda: api.send(content[:told], upload, finish=False, hold=None if ended else hold))
    stream.start()
    if ended:
        stream.join()
    api.await_committed(upload, told)
    stack.cut_power("splitter")
    hold.set()
    stream.join()
    committed = api.committed_size(upload)
    assert committed >= told
    track = api.send(content, upload, begin=committed).track
    stack.cut_power("splitter")
    assert api.patiently(lambda: api.track(track.name)).sha256 == track.sha256
    # As good as new: it can be separated.
    separation = api.create(track.name, stems=["vocals"])
    assert api.state(api.await_separation(separation.name, lambda now: now.HasField("end_time"))) == "STATE_SUCCEEDED"
    api.delete(separation.name)


def test_every_track_that_was_answered_is_there(stack, api, tmp_path):
    rng = random.Random(SEED)
    answered = []
    for number in range(6):
        path = tmp_path / f"{number}.wav"
        noise(path, 1000 + number)
        answered.append(api.send(path.read_bytes(), f"track-{number}").track)
        if rng.random() < 0.5 or number == 5:
            stack.cut_power("splitter", "assembler")
            for track in answered:
                assert api.patiently(lambda name=track.name: api.track(name)).sha256 == track.sha256
