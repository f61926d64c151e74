"""Files that are broken, or made to do harm: each is answered soon, with a track or a documented reason, and nothing is harmed."""

import random
import re
import struct
import time
from pathlib import Path

import pytest
from api import Api, Refusal
from sounds import encode, ffmpeg, mutants, tone, valid_files
from stack import Stack

MUTANTS_PER_KIND = 12
ANSWER_SECONDS = 20
PEAK_LIMIT_MB = 200

# Of UploadTrack, for what is in a file.
REASONS = {"EMPTY_FILE", "UNKNOWN_FORMAT", "NO_DECODER", "CORRUPT_AUDIO", "UNSUPPORTED_AUDIO", "NON_FINITE_SAMPLE",
           "DECODER_LIMIT", "TOO_LONG"}


@pytest.fixture(scope="module")
def strict():
    """A stack of its own, for tracks of 90 s."""
    running = Stack(workers=0, models=("passthrough",))
    running.environment["UNBRAID_MAX_DURATION"] = "90s"
    with running, Api(running) as client:
        yield client


@pytest.fixture(autouse=True)
def unharmed(stack, api):
    """No service has ended, the splitter has stayed small, and it has no decoder, and no file but accepted tracks, left."""
    before = stack.pids()
    reset_peak(before["splitter"])
    yield
    assert stack.pids() == before
    assert peak_mb(before["splitter"]) < PEAK_LIMIT_MB
    assert children(before["splitter"]) == []
    data = stack.folder / "state/data/splitter"
    kept = {Path(track.name).name for track in api.tracks()}
    assert {path.name for path in (data / "tracks").iterdir()} == kept
    assert [*(data / "uploads").iterdir(), *(data / "spools").iterdir()] == []


def children(pid):
    """Decoders that go on, or have ended and are not asked for."""
    return [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]


def reset_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w") as control:
        control.write("5")


def peak_mb(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def is_sound(track):
    return track.frames > 0 and 8000 <= track.sample_rate_hz <= 192_000 and 1 <= track.source_channels <= 8


def is_explained(refusal):
    return refusal.code in ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED") and refusal.reason in REASONS and len(refusal.message) > 20


def separate(stack, content, folder):
    song = folder / "song"
    song.write_bytes(content)
    return stack.separate(song, folder / "stems", "--model", "passthrough")


@pytest.mark.parametrize("kind", valid_files())
def test_damaged_files_are_answered_and_do_no_harm(stack, api, tmp_path, kind):
    content = valid_files()[kind]
    good = api.upload(content)
    assert is_sound(good), good
    accepted = {}
    for what, damaged in mutants(kind, content, MUTANTS_PER_KIND):
        begin = time.monotonic()
        answer = api.upload(damaged, what, seconds=ANSWER_SECONDS)
        assert is_explained(answer) if isinstance(answer, Refusal) else is_sound(answer), (what, answer)
        assert time.monotonic() - begin < ANSWER_SECONDS, what
        if not isinstance(answer, Refusal):
            accepted[answer.name] = damaged
    # What was taken can be separated as well: a second pass of decoding finds what the first has found.
    if accepted:
        assert separate(stack, accepted[max(accepted)], tmp_path)["state"] == "STATE_SUCCEEDED"


def test_a_good_file_is_separated_after_all_that(stack, tmp_path):
    assert separate(stack, encode(tone(50_000), 44100, "WAV", "FLOAT"), tmp_path)["state"] == "STATE_SUCCEEDED"


def test_ten_hours_in_a_megabyte_are_refused_with_the_limit_in_minutes(api):
    bomb = ffmpeg("flac", "-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "36000", "-c:a", "flac", "-frame_size", "65535")
    assert len(bomb) < 2_000_000
    begin = time.monotonic()
    answer = api.upload(bomb)
    assert time.monotonic() - begin < ANSWER_SECONDS
    assert (answer.code, answer.reason) == ("RESOURCE_EXHAUSTED", "TOO_LONG"), answer
    assert "240 minutes" in answer.message and ("limit_minutes", "240") in answer.facts


@pytest.mark.parametrize("suffix,arguments", [
    ("opus", "-c:a libopus -b:a 6k -frame_duration 60 -compression_level 0 -vbr on"),
    ("flac", "-c:a flac"),
])
def test_a_low_limit_holds_for_an_hour_in_a_small_file(strict, suffix, arguments):
    bomb = ffmpeg(suffix, "-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "3600", *arguments.split())
    assert len(bomb) < 4_000_000
    begin = time.monotonic()
    answer = strict.upload(bomb)
    assert time.monotonic() - begin < 5
    assert (answer.code, answer.reason) == ("RESOURCE_EXHAUSTED", "TOO_LONG"), answer
    assert "1.5 minutes" in answer.message and ("limit_minutes", "1.5") in answer.facts


def test_a_header_that_claims_four_gigabytes_costs_no_memory(api):
    """Case 33: read to its true end, since a wrong length field cannot be told from a file that is cut off."""
    header = b"RIFF\xff\xff\xff\xffWAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 2, 44100, 176400, 4, 16) + b"data\xff\xff\xff\xff"
    answer = api.upload(header + bytes(100))
    assert answer.frames == 25
    answer = api.upload(header)
    assert (answer.code, answer.reason) == ("INVALID_ARGUMENT", "EMPTY_FILE"), answer


@pytest.mark.parametrize("channels,rate", [(8, 192_000), (1, 8000)])
def test_the_outermost_channels_and_rates_are_taken(api, channels, rate):
    track = api.upload(encode(tone(1000, channels), rate, "WAV", "PCM_16"))
    assert (track.source_channels, track.sample_rate_hz, track.frames) == (channels, rate, 1000), track


@pytest.mark.parametrize("channels,rate", [(9, 44100), (255, 44100), (2, 200_000), (1, 7999)])
def test_more_channels_and_other_rates_are_refused_with_the_limits(api, channels, rate):
    answer = api.upload(encode(tone(1000, channels), rate, "WAV", "PCM_16"))
    assert (answer.code, answer.reason) == ("INVALID_ARGUMENT", "UNSUPPORTED_AUDIO"), answer
    assert "1 to 8 channels" in answer.message and "8000 to 192000 Hz" in answer.message


def test_a_flac_with_a_cover_of_5_mb_is_read(api):
    content = encode(tone(30_000), 44100, "FLAC", "PCM_16")
    image = random.Random(5).randbytes(5_000_000)
    mime = b"image/jpeg"
    picture = struct.pack(">II", 3, len(mime)) + mime + struct.pack(">IIIIII", 0, 600, 600, 24, 0, len(image)) + image
    # After STREAMINFO, which is 4 + 34 bytes behind the magic, and not the last block.
    at = 4 + 4 + 34
    assert content[4] & 0x80 == 0
    track = api.upload(content[:at] + bytes([6]) + struct.pack(">I", len(picture))[1:] + picture + content[at:])
    assert (track.container, track.frames) == ("FLAC", 30_000), track


def test_an_mp3_with_a_cover_of_5_mb_is_read(api):
    """Case 34."""
    content = ffmpeg("mp3", "-f", "lavfi", "-i", "sine=r=44100:d=1", "-c:a", "libmp3lame", "-id3v2_version", "0")
    frame = b"\0image/jpeg\0\x03\0" + random.Random(5).randbytes(5_000_000)
    body = b"APIC" + struct.pack(">I", len(frame)) + b"\0\0" + frame
    size = bytes((len(body) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    track = api.upload(b"ID3\x03\0\0" + size + body + content)
    assert (track.container, track.frames) == ("MP3", 44_100), track
