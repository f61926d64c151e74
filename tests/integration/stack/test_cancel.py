"""Cancelling and deleting, at any stage and with parts away: nothing is computed for it afterwards, and no file is left."""

import os
import signal

import numpy as np
import pytest
import soundfile
from stack import interrupt
from supervisor import RATE, STRIDE, await_that, with_test_models

# Chunks of these songs take about a second, so that few of them fit between two connections that find a broker again.
SLOW = 12000.0


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with with_test_models(tmp_path_factory.mktemp("models"), models=("moody", "passthrough")) as running:
        yield running


def song(path, seed, chunks=40, mark=SLOW):
    samples = np.random.default_rng(seed).uniform(-0.4, 0.4, (chunks * STRIDE, 2)).astype(np.float32)
    samples[::STRIDE, 0] = mark
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    return path


def long_song(path, seed, minutes=3):
    """Takes the splitter a while to prepare; at another rate than the model's."""
    with soundfile.SoundFile(path, "w", 48000, 2, subtype="PCM_16") as out:
        random = np.random.default_rng(seed)
        for _ in range(minutes):
            out.write(random.uniform(-0.4, 0.4, (48000 * 60, 2)))
    return path


def begin(stack, api, path, model="moody", **options):
    """Name of a separation of the file."""
    status, events = stack.run("upload", str(path))
    assert status == 0, events[-1]
    return api.create(events[-1]["track"]["name"], model=model, **options).name


def await_state(api, name, *states):
    return await_that(lambda: api.state(api.get(name)) in states, f"{name} is {states}")


def files_of(stack, name):
    """What the splitter and the assembler have of a separation."""
    number, data = name.split("/")[1], stack.folder / "state/data"
    work = [path for path in data.glob(f"assembler/separations/{number}/**/*") if path.is_file()]
    return work + list(data.glob(f"splitter/spools/{number}*"))


def await_no_trace(stack, name):
    await_that(lambda: not files_of(stack, name), f"the files of {name} are gone")


def computed(stack, name):
    """How many chunks of a separation workers have computed."""
    number = name.split("/")[1]
    return sum(line["message"] == "chunk computed" and line["separation"] == number for line in stack.log_lines())


def computed_afterwards(stack, tmp_path, name, before):
    """Chunks of it that were computed since then. A song after it has gone through: the broker has none of them any more."""
    stack.separate(song(tmp_path / "next.wav", 100, chunks=3, mark=0), tmp_path / "out", "--model", "moody")
    newest = stack.run("list")[1][0]["separations"]["separations"][0]
    stack.run("delete", newest["name"])
    return computed(stack, name) - before


@pytest.mark.parametrize("way", ["cancel", "delete"])
@pytest.mark.parametrize("stage", ["PREPARING", "SEPARATING", "FINISHING"])
def test_at_any_stage_it_ends_at_once_and_leaves_nothing(stack, api, tmp_path, stage, way):
    if stage == "SEPARATING":
        name = begin(stack, api, song(tmp_path / "song.wav", 1))
    else:
        # With a residual it is not given out before it is prepared.
        name = begin(stack, api, long_song(tmp_path / "song.wav", 2), "passthrough", residual=stage == "PREPARING")
    await_state(api, name, stage)
    watch = api.watch(name)
    before = next(watch).separation
    done_before = computed(stack, name)
    if way == "cancel":
        answers = [api.cancel(name), api.cancel(name), api.get(name)]
        assert {api.state(answer) for answer in answers} == {"CANCELLED"}
        assert len({answer.version for answer in answers}) == 1
        *_, last = watch
        assert api.state(last.separation) == "CANCELLED" and last.separation.version > before.version
        assert watch.code().name == "OK"
    else:
        api.delete(name)
        assert api.get(name).code == "NOT_FOUND"
        assert api.delete(name).reason == "UNKNOWN_SEPARATION"
    await_no_trace(stack, name)
    if stage == "SEPARATING":
        # The one in hand, and perhaps one before the notice came.
        assert computed_afterwards(stack, tmp_path, name, done_before) <= 2
    api.delete(name)


def test_ctrl_c_cancels_while_nobody_computes(stack, api, tmp_path):
    stack.script("stop", "worker-1")
    client = stack.start("separate", str(song(tmp_path / "song.wav", 4)), "-o", str(tmp_path / "out"), "--model", "moody")
    assert any("no worker for model moody is connected" in line for line in client.stdout)
    assert interrupt(client) == 130
    status, events = stack.run("list")
    newest = events[0]["separations"]["separations"][0]
    assert newest["state"] == "STATE_CANCELLED"
    await_no_trace(stack, newest["name"])
    # Of the eight that wait at the broker, those that the worker takes before the notice is repeated for it.
    stack.script("restart", "worker-1")
    assert computed_afterwards(stack, tmp_path, newest["name"], 0) <= 6


def test_a_client_that_leaves_in_the_middle_of_separate_leaves_the_upload_and_nothing_else(stack, api, tmp_path):
    content = song(tmp_path / "song.wav", 5).read_bytes()

    def requests():
        yield api.start_request(upload_id="half", total_bytes=len(content))
        yield api.part_request(0, content[:200_000], last=False)
        await_that(lambda: getattr(api.committed("half"), "committed_size", 0) == 200_000, "the part is stored")
        call.cancel()

    call = api.separate_call(requests())
    assert await_that(call.done, "the call has ended") and call.code().name == "CANCELLED"
    assert api.committed("half").committed_size == 200_000


@pytest.mark.parametrize("away", ["splitter", "rabbitmq"])
def test_with_parts_away_it_takes_effect_when_they_are_back(stack, api, tmp_path, away):
    name = begin(stack, api, song(tmp_path / "song.wav", 6 + len(away)))
    await_that(lambda: api.get(name).progress.chunks_done >= 1, "a chunk is done")
    os.kill(stack.pids()[away], signal.SIGKILL)
    done_before = computed(stack, name)
    assert api.state(api.cancel(name)) == "CANCELLED"
    stack.script("restart", away)
    await_no_trace(stack, name)
    # The one in hand and the eight that wait would be nine; the notice comes before the last of them.
    assert computed_afterwards(stack, tmp_path, name, done_before) <= 6
    assert api.state(api.get(name)) == "CANCELLED"


def test_without_the_assembler_it_is_refused_with_a_sentence_and_the_command_goes_on_trying(stack, api, tmp_path):
    name = begin(stack, api, song(tmp_path / "song.wav", 20))
    await_state(api, name, "SEPARATING")
    stack.script("stop", "assembler")
    refusal = api.cancel(name)
    assert (refusal.code, refusal.reason) == ("UNAVAILABLE", "BACKEND_UNAVAILABLE"), refusal
    assert "The assembler does not answer. Nothing is lost; try again in a moment." in refusal.message
    client = stack.start("cancel", name)
    stack.script("restart", "assembler")
    assert client.wait(timeout=60) == 0
    assert api.state(api.get(name)) == "CANCELLED"
    await_no_trace(stack, name)
