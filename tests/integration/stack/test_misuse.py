"""Bad input: each kind has a reason of its own and exit status 3, and the services take no harm."""

import subprocess

import pytest
import soundfile
from stack import noise


@pytest.fixture(autouse=True)
def unharmed(stack):
    before = stack.pids()
    yield
    assert stack.pids() == before


def refusal(stack, *arguments):
    """Status and last event of a command that must fail."""
    status, events = stack.run(*arguments)
    return status, events[-1]


def refused_song(stack, path):
    return refusal(stack, "separate", str(path), "-o", str(path.parent / "out"), "--model", "passthrough")


def test_an_empty_file(stack, tmp_path):
    song = tmp_path / "empty.wav"
    song.touch()
    status, event = refused_song(stack, song)
    assert (status, event["reason"]) == (3, "EMPTY_FILE"), event


def test_a_text_file_named_mp3(stack, tmp_path):
    song = tmp_path / "text.mp3"
    song.write_text("la la la\n" * 1000)
    status, event = refused_song(stack, song)
    assert (status, event["reason"]) == (3, "UNKNOWN_FORMAT"), event


def test_a_known_format_without_a_decoder(stack, tmp_path):
    """Case 32: told apart from what nobody knows."""
    song = tmp_path / "song.wav"
    song.write_bytes(b"MThd\0\0\0\x06\0\0" + bytes(2000))
    status, event = refused_song(stack, song)
    assert (status, event["reason"]) == (3, "NO_DECODER"), event
    assert "MIDI" in event["message"]


def test_a_known_format_with_nothing_sound_in_it(stack, tmp_path):
    song = tmp_path / "song.wav"
    song.write_bytes(b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(2000))
    status, event = refused_song(stack, song)
    assert (status, event["reason"]) == (3, "CORRUPT_AUDIO"), event
    assert "MP4" in event["message"]


def test_a_truncated_flac(stack, tmp_path):
    song = tmp_path / "song.flac"
    noise(song, 500_000, subtype="PCM_16")
    song.write_bytes(song.read_bytes()[: song.stat().st_size // 2])
    status, event = refused_song(stack, song)
    assert (status, event["reason"]) == (3, "CORRUPT_AUDIO"), event


def test_an_unknown_model_is_refused_with_a_list(stack, tmp_path):
    song = tmp_path / "song.wav"
    noise(song, 1000)
    status, event = refusal(stack, "separate", str(song), "-o", str(tmp_path / "out"), "--model", "nonesuch")
    assert (status, event["reason"]) == (3, "UNKNOWN_MODEL"), event
    assert "passthrough" in event["message"]


def test_an_unknown_track(stack):
    status, event = refusal(stack, "create", "tracks/1")
    assert (status, event["reason"]) == (3, "UNKNOWN_TRACK"), event


def test_an_unknown_separation_and_a_malformed_name(stack):
    assert refusal(stack, "get", "separations/1")[1]["reason"] == "UNKNOWN_SEPARATION"
    assert refusal(stack, "get", "separations/../1")[1]["reason"] == "INVALID_NAME"


def test_an_unknown_stem_is_refused_with_a_list(stack, tmp_path):
    song = tmp_path / "song.wav"
    noise(song, 1000)
    status, event = refusal(stack, "separate", str(song), "-o", str(tmp_path / "out"), "--model", "passthrough", "--stems", "piano")
    assert (status, event["reason"]) == (3, "UNKNOWN_STEM"), event
    assert "vocals" in event["message"]


def test_results_that_cannot_be_told_are_an_error(stack):
    with open("/dev/full", "w") as full:
        done = subprocess.run(["unbraid", "--json", "models"], env=stack.environment, stdout=full, stderr=subprocess.PIPE, text=True,
                              timeout=60)
    assert (done.returncode, "the disk is full" in done.stderr) == (3, True), done.stderr


@pytest.mark.parametrize("name", ["04 絆ふぉーえばー.wav", "ó ű.wav", "new\nline.wav", "x" * 251 + ".wav"])
def test_any_name_is_only_a_label(stack, tmp_path, name):
    """Case 31."""
    song = tmp_path / name
    soundfile.write(tmp_path / "song.wav", [[0.1, 0.1]] * 1000, 44100)
    (tmp_path / "song.wav").rename(song)
    status, events = stack.run("separate", str(song), "-o", str(tmp_path / "out"), "--model", "passthrough")
    assert status == 0, events[-1]
