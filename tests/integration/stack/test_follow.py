"""A stem that is heard while it is computed: the same samples as in the file that is written in the end."""

import os
import signal
import subprocess

import numpy as np
import pytest
import soundfile
from stack import Stack, demo_song, noise

HEADER_BYTES = 56


@pytest.fixture(scope="module")
def stack():
    with Stack(workers=1) as running:
        yield running


def play(stack, errors, *arguments):
    """The command in the background, with a stem on its standard output."""
    return subprocess.Popen(["unbraid", "--json", *map(str, arguments)], env=stack.environment, stdout=subprocess.PIPE,
                            stderr=errors)


def newest(stack):
    return stack.run("list")[1][0]["separations"]["separations"][0]


def forget(stack):
    """A finished result would be served again."""
    status, events = stack.run("delete", newest(stack)["name"])
    assert status == 0, events


def at_rate(song, rate, seconds, target):
    subprocess.run(["ffmpeg", "-v", "error", "-t", str(seconds), "-i", song, "-ar", str(rate), target], check=True)
    return target


def float_bytes(path):
    info = soundfile.info(path)
    assert info.subtype == "FLOAT"
    return soundfile.read(path, dtype="float32", always_2d=True)[0].tobytes()


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("stem", ["drums", "mix"])
def test_what_is_heard_while_the_model_works_is_what_is_written(stack, tmp_path, rate, stem):
    song = at_rate(demo_song(60), rate, 17, tmp_path / "song.wav")
    with open(tmp_path / "errors", "wb") as errors:
        player = play(stack, errors, "separate", song, "-o", tmp_path / "out", "--sample-format", "f32", "--play-stem", stem,
                      "--stdout")
        heard = player.stdout.read(200_000)
        assert newest(stack)["state"] == "STATE_SEPARATING"
        heard += player.stdout.read()
    assert player.wait(timeout=60) == 0, (tmp_path / "errors").read_text()
    assert heard[HEADER_BYTES:] == float_bytes(tmp_path / "out" / f"{stem}.wav")
    assert len(heard) == HEADER_BYTES + soundfile.info(song).frames * 8
    (tmp_path / "heard.wav").write_bytes(heard)
    assert np.array_equal(soundfile.read(tmp_path / "heard.wav")[0], soundfile.read(tmp_path / "out" / f"{stem}.wav")[0])
    forget(stack)


@pytest.mark.parametrize("rate,channels", [(44100, 2), (48000, 2), (96000, 1)])
def test_a_model_of_fixed_fractions_is_heard_as_it_is_written(stack, tmp_path, rate, channels):
    song = tmp_path / "song.wav"
    noise(song, 2_345_678, channels, rate)
    with open(tmp_path / "errors", "wb") as errors:
        player = play(stack, errors, "separate", song, "-o", tmp_path / "out", "--model", "passthrough", "--play-stem", "vocals",
                      "--stdout", "--raw")
        heard = player.stdout.read()
    assert player.wait(timeout=60) == 0, (tmp_path / "errors").read_text()
    assert heard == float_bytes(tmp_path / "out/vocals.wav")
    name = newest(stack)["name"]
    again = subprocess.run(["unbraid", "download", name, "--follow", "vocals", "--stdout", "--raw"], env=stack.environment,
                           capture_output=True, timeout=120)
    assert again.returncode == 0, again.stderr
    assert again.stdout == heard


def test_an_assembler_killed_in_between_changes_no_byte(stack, tmp_path):
    song = at_rate(demo_song(60), 48000, 25, tmp_path / "song.wav")
    with open(tmp_path / "errors", "wb") as errors:
        player = play(stack, errors, "separate", song, "-o", tmp_path / "out", "--sample-format", "f32", "--play-stem", "other",
                      "--stdout", "--raw")
        heard = player.stdout.read(100_000)
        assert newest(stack)["state"] == "STATE_SEPARATING"
        os.kill(stack.pids()["assembler"], signal.SIGKILL)
        stack.script("restart", "assembler")
        heard += player.stdout.read(500_000)
        stack.script("stop", "assembler")
        stack.script("restart", "assembler")
        heard += player.stdout.read()
    assert player.wait(timeout=60) == 0, (tmp_path / "errors").read_text()
    assert heard == float_bytes(tmp_path / "out/other.wav")
    forget(stack)


# sox computes in integers of its own.
@pytest.mark.parametrize("command,tolerance", [("ffmpeg -v error -i - -f f32le -", 0), ("sox - -t f32 -", 1e-7)])
def test_players_take_the_stream_from_a_pipe(stack, tmp_path, command, tolerance):
    song = tmp_path / "song.wav"
    noise(song, 500_000)
    stack.separate(song, tmp_path / "out", "--model", "passthrough")
    name = newest(stack)["name"]
    piped = subprocess.run(["bash", "-o", "pipefail", "-c", f'unbraid download "$1" --follow drums --stdout | {command}', "-", name],
                           env=stack.environment, capture_output=True, timeout=120)
    assert piped.returncode == 0, piped.stderr
    heard = np.frombuffer(piped.stdout, np.float32)
    written = np.frombuffer(float_bytes(tmp_path / "out/drums.wav"), np.float32)
    assert heard.shape == written.shape
    assert np.max(np.abs(heard - written)) <= tolerance


@pytest.mark.parametrize("files", [True, False])
def test_a_player_that_closes_is_no_failure_and_the_files_are_still_written(stack, tmp_path, files):
    song = tmp_path / "song.wav"
    noise(song, 3_000_000)
    options = ["-o", str(tmp_path / "out")] if files else ["--no-files"]
    with open(tmp_path / "errors", "wb") as errors:
        player = play(stack, errors, "separate", song, "--model", "passthrough", "--play-stem", "bass", "--stdout", *options)
        assert player.stdout.read(4) == b"RIFF"
        player.stdout.close()
        assert player.wait(timeout=60) == 0, (tmp_path / "errors").read_text()
    written = sorted(path.name for path in (tmp_path / "out").iterdir()) if files else []
    assert written == (["bass.wav", "drums.wav", "mix.wav", "other.wav", "vocals.wav"] if files else [])
    assert not list(tmp_path.glob("song/*"))
    forget(stack)


def test_no_files_streams_all_and_writes_nothing(stack, tmp_path):
    song = tmp_path / "song.wav"
    samples = noise(song, 700_001)
    done = subprocess.run(["unbraid", "separate", str(song), "--model", "passthrough", "--play-stem", "vocals", "--stdout", "--raw",
                           "--no-files"], env=stack.environment, cwd=tmp_path, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (samples * np.float32(0.5)).tobytes()
    assert [path.name for path in tmp_path.iterdir()] == ["song.wav"]


def test_what_is_cancelled_ends_the_stream_with_its_reason(stack, tmp_path):
    with open(tmp_path / "errors", "wb") as errors:
        player = play(stack, errors, "separate", demo_song(60), "--play-stem", "drums", "--stdout", "--no-files")
        player.stdout.read(100)
        assert stack.run("cancel", newest(stack)["name"])[0] == 0
        player.stdout.read()
        assert player.wait(timeout=60) == 130
    assert "SEPARATION_CANCELLED" in (tmp_path / "errors").read_text()
