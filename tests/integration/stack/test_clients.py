"""Several clients, cancelling, and services that end or are killed."""

import os
import signal
import subprocess

import pytest
from stack import BIN, ROOT, Stack, demo_song, finished, interrupt, noise, read


@pytest.fixture(scope="module")
def stack():
    with Stack(workers=2) as running:
        yield running


def events_of(process):
    import json

    out, _ = process.communicate(timeout=300)
    return [json.loads(line) for line in out.splitlines()]


def test_two_clients_at_once_both_get_their_stems(stack, tmp_path):
    songs = [tmp_path / "a.wav", tmp_path / "b.wav"]
    for number, song in enumerate(songs):
        noise(song, 600_000 + number)
    clients = [stack.start("separate", str(song), "-o", str(tmp_path / song.stem)) for song in songs]
    for client, song in zip(clients, songs):
        events = events_of(client)
        assert client.returncode == 0, events[-1]
        assert finished(events)["state"] == "STATE_SUCCEEDED"
        assert len(read(tmp_path / song.stem / "vocals.wav")) == len(read(song))


def test_ctrl_c_cancels_the_separation_and_leaves_no_file(stack, tmp_path):
    client = stack.start("separate", str(demo_song(60)), "-o", str(tmp_path))
    for line in client.stdout:
        if '"STATE_SEPARATING"' in line:
            break
    assert interrupt(client) == 130
    status, events = stack.run("list")
    assert status == 0
    assert events[0]["separations"]["separations"][0]["state"] == "STATE_CANCELLED"
    assert not list(tmp_path.iterdir())


def test_a_killed_assembler_goes_on_where_it_was(stack, tmp_path):
    song = tmp_path / "song.wav"
    noise(song, 2_500_000)
    client = stack.start("separate", str(song), "-o", str(tmp_path / "out"))
    for line in client.stdout:
        if '"STATE_SEPARATING"' in line:
            break
    os.kill(stack.pids()["assembler"], signal.SIGKILL)
    stack.script("restart", "assembler")
    events = events_of(client)
    assert client.returncode == 0, events[-1]
    assert len(read(tmp_path / "out/other.wav")) == 2_500_000


def test_services_end_with_status_0_on_sigterm(stack, tmp_path):
    gateway = subprocess.Popen([BIN / "unbraid-gateway", "--listen", "127.0.0.1:0", "--models", ROOT / "build/models",
                                "--address-file", tmp_path / "address"], stdout=subprocess.PIPE, text=True)
    assert "gateway is up" in gateway.stdout.readline()
    gateway.send_signal(signal.SIGTERM)
    assert gateway.wait(timeout=30) == 0
    before = stack.pids()
    for name in ("worker-1", "splitter", "assembler"):
        stack.script("stop", name)
        stack.script("restart", name)
    assert set(stack.pids()) == set(before)
    assert stack.run("info")[0] == 0
