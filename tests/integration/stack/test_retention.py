"""What nobody uses goes by itself, and what the disk has no room for is refused before it is begun. Needs the right to mount."""

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from api import Api, Refusal
from sounds import encode
from stack import Stack, noise

MIB = 1 << 20
DISK_MIB = 48
MIN_FREE_MIB = 8
PATIENCE_SECONDS = 60


def await_that(condition: Callable[[], bool], what: str) -> None:
    """Asks until it holds."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def probe(stack: Stack, name: str, path: str) -> tuple[int, str]:
    """Status and text of a probe."""
    lines = (stack.folder / "state" / "run" / f"{name}.address").read_text().split()
    address = dict(line.split("=", 1) for line in lines)["http"]
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def song_of(mib: float, seed: int) -> bytes:
    """Noise of 16 bits, stereo. As floats it takes twice as much."""
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, (int(mib * MIB) // 4, 2))
    return encode(samples, 44100, "WAV", "PCM_16")


def is_unknown(stack: Stack, name: str) -> bool:
    status, events = stack.run("get", name)
    return status == 3 and "error" in events[-1]["event"]


def test_tracks_and_results_go_by_themselves_and_may_come_again(tmp_path):
    song = tmp_path / "song.wav"
    noise(song, 100_000)
    stack = Stack(workers=1, models=("passthrough",))
    stack.environment.update(UNBRAID_TRACK_RETENTION="5s", UNBRAID_SEPARATION_RETENTION="5s", UNBRAID_UPLOAD_RETENTION="5s")
    with stack:
        data = stack.folder / "state" / "data"
        first = stack.separate(song, tmp_path / "first", "--model", "passthrough")
        assert first["expire_time"] > first["end_time"]
        assert files_in(data / "assembler" / "separations")
        await_that(lambda: is_unknown(stack, first["name"]), "the separation stays")
        await_that(lambda: is_unknown(stack, first["track"]), "the track stays")
        assert files_in(data / "assembler" / "separations") == []
        assert files_in(data / "splitter" / "tracks") == []
        assert files_in(data / "splitter" / "spools") == []
        again = stack.separate(song, tmp_path / "again", "--model", "passthrough")
        assert again["name"] == first["name"]
        assert again["attempt"] == 2
        for stem in first["outputs"]:
            name = f"{stem['stem']}.{stem['extension']}"
            assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "first" / name).read_bytes(), name
        limits = stack.run("info")[1][-1]["info"]["limits"]
        assert limits["track_retention"] == limits["separation_retention"] == limits["upload_retention"] == "5s"


def as_root(*command: str) -> None:
    subprocess.run([*([] if os.geteuid() == 0 else ["sudo", "-n"]), *command], check=True)


@contextmanager
def small_disk(folder: Path):
    """A disk of its own at `folder`, which goes whatever happens."""
    folder.mkdir(parents=True)
    as_root("mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=0777", "unbraid-small-disk", str(folder))
    try:
        yield folder
    finally:
        as_root("umount", "-l", str(folder))


@pytest.fixture()
def cramped(tmp_path):
    """A stack whose splitter and assembler have a small disk each."""
    data = tmp_path / "data"
    with small_disk(data / "splitter"), small_disk(data / "assembler"):
        stack = Stack(workers=1, models=("passthrough",))
        stack.arguments += ["--data", str(data)]
        stack.environment["UNBRAID_MIN_FREE_BYTES"] = str(MIN_FREE_MIB * MIB)
        with stack, Api(stack) as api:
            yield stack, api, data


def missing_mib(refusal: Refusal) -> float:
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.reason) == ("RESOURCE_EXHAUSTED", "DISK_FULL")
    return int(dict(refusal.facts)["missing_bytes"]) / MIB


def test_what_does_not_fit_is_refused_with_what_is_missing_and_taken_after_room_was_made(cramped):
    stack, api, data = cramped
    one, two = song_of(20, seed=1), song_of(20, seed=2)
    first = api.upload(one)
    assert 0 < missing_mib(api.upload(two)) < 2
    assert files_in(data / "splitter" / "uploads") == []
    # Its spool takes 40 MiB, and 8 must stay; free are 28, or a little less.
    assert 20 < missing_mib(api.separate(first, model="passthrough")) < 22
    assert not stack.run("list", "separations")[1][-1]["separations"]["separations"]
    assert stack.run("delete", first.name)[0] == 0
    second = api.upload(two)
    assert second.size_bytes == len(two)
    assert stack.run("delete", second.name)[0] == 0
    # The assembler needs nine times a song as floats, so the first of these fits the splitter's disk only.
    assert 30 < missing_mib(api.separate(api.upload(song_of(4, seed=3)), model="passthrough")) < 33
    assert len(api.separate(api.upload(song_of(0.5, seed=4)), model="passthrough").outputs) == 5


@pytest.mark.parametrize("service", ["splitter", "assembler"])
def test_a_disk_that_is_nearly_full_makes_its_service_unready_but_not_dead(cramped, service):
    stack, _, data = cramped
    assert probe(stack, service, "/readyz")[0] == 200
    filler = data / service / "filler"
    filler.write_bytes(bytes((DISK_MIB - MIN_FREE_MIB) * MIB))
    await_that(lambda: probe(stack, service, "/readyz")[0] == 503, "the service still says that it is ready")
    assert "the disk is nearly full" in probe(stack, service, "/readyz")[1]
    assert probe(stack, service, "/healthz")[0] == 200
    await_that(lambda: probe(stack, "gateway", "/readyz")[0] == 503, "the gateway still says that it is ready")
    states = {state["name"]: state for state in stack.run("info")[1][-1]["info"]["services"]}
    assert not states[service]["available"]
    assert "the disk is nearly full" in states[service]["message"]
    filler.unlink()
    await_that(lambda: probe(stack, "gateway", "/readyz")[0] == 200, "the gateway does not recover")
    assert probe(stack, service, "/readyz")[0] == 200
