"""The rows of docs/formats.md: sound files of every kind, rate and channel count, and what must come back of each.

A signal is made of sines below every filter's edge, and swells up and down, so that what a resampler does to the ends of a file is
told from what it does to music.
"""

from __future__ import annotations

import io
import itertools
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

RATES = (8000, 11025, 16000, 22050, 32000, 44100, 48000, 88200, 96000, 176400, 192000)
FEW_RATES = (8000, 22050, 44100, 48000, 96000, 192000)
CHANNELS = (1, 2, 6)
SECONDS = 0.3
MODEL_RATE = 44100
# Of what a lossy codec makes of these signals; one frame of delay would leave less than nothing.
LOSSY_DB = 10
# Twice through a resampler, whose filters are flat to some 0.002 dB below 0.4 of the rate. That it adds nothing of its own is
# measured by test_sweep.py.
RESAMPLED_DB = 75
# The same where the noise of 16-bit steps reaches up to half the rate, of which a filter takes the uppermost part away.
STEPS_DB = 60


@dataclass(frozen=True)
class Row:
    """One file: what it is, how it is made, and what must come back."""

    kind: str
    rate: int
    channels: int
    make: Callable[[np.ndarray, int], bytes]  # samples and rate to the file's bytes
    # What a witness that is not ours decodes it to, or None: the samples that went in.
    witness: Callable[[bytes, int], np.ndarray] | None = None
    db: float = RESAMPLED_DB
    frames: int = 0  # 0: SECONDS of it
    in_steps: bool = False  # the samples are multiples of a 16-bit step

    @property
    def bound_db(self) -> float:
        """Infinite where nothing may change at all."""
        lossless = self.in_steps or self.db == RESAMPLED_DB
        return np.inf if lossless and self.rate == MODEL_RATE and self.channels <= 2 else self.db


def signal(frames: int, channels: int, rate: int) -> np.ndarray:
    """[frames, channels], at most 0.5, other sines in every channel."""
    dice = np.random.default_rng([frames, channels, rate])
    time = np.arange(frames)[:, None] / rate
    top = 0.4 * min(rate, MODEL_RATE)
    sound = np.zeros((frames, channels))
    for _ in range(12):
        sound += np.sin(2 * np.pi * dice.uniform(60, top, channels) * time + dice.uniform(0, 6, channels))
    # So smooth that what rises and falls has no sound of its own.
    swell = np.sin(np.pi * (np.arange(frames)[:, None] + 0.5) / frames) ** 6
    return (sound / 24 * swell).astype(np.float32)


def stereo(samples: np.ndarray) -> np.ndarray:
    """What the song of a file is: 5.1 mixed down by ITU-R BS.775 without the LFE, everything else as it is."""
    if samples.shape[1] <= 2:
        return samples
    left, right, centre, _, left_back, right_back = samples.T
    return np.stack([left + np.sqrt(0.5) * (centre + left_back), right + np.sqrt(0.5) * (centre + right_back)], axis=1)


def by_soundfile(container: str, subtype: str) -> Callable[[np.ndarray, int], bytes]:
    def make(samples: np.ndarray, rate: int) -> bytes:
        out = io.BytesIO()
        soundfile.write(out, samples, rate, format=container, subtype=subtype)
        return out.getvalue()

    return make


def by_ffmpeg(suffix: str, *options: str) -> Callable[[np.ndarray, int], bytes]:
    def make(samples: np.ndarray, rate: int) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "source.wav", Path(folder) / f"made.{suffix}"
            soundfile.write(source, samples, rate, subtype="PCM_24")
            subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", source, *options, "-strict", "-2", target], check=True)
            return target.read_bytes()

    return make


def soundfile_reads(content: bytes, _: int) -> np.ndarray:
    return soundfile.read(io.BytesIO(content), always_2d=True, dtype="float64")[0]


def ffmpeg_reads(content: bytes, channels: int) -> np.ndarray:
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", "-", "-f", "f32le", "-"], input=content, stdout=subprocess.PIPE, check=True)
    return np.frombuffer(done.stdout, np.float32).reshape(-1, channels)


def patched(make: Callable[[np.ndarray, int], bytes], length: int) -> Callable[[np.ndarray, int], bytes]:
    """A WAV file whose data chunk claims `length` bytes."""

    def patch(samples: np.ndarray, rate: int) -> bytes:
        content = bytearray(make(samples, rate))
        at = content.index(b"data") + 4
        content[at : at + 4] = struct.pack("<I", length)
        return bytes(content)

    return patch


def without_total(make: Callable[[np.ndarray, int], bytes]) -> Callable[[np.ndarray, int], bytes]:
    """A FLAC file whose header does not tell the number of its frames, as a recorder writes it that cannot go back."""

    def patch(samples: np.ndarray, rate: int) -> bytes:
        content = bytearray(make(samples, rate))
        content[21] &= 0xF0  # the upper four of 36 bits
        content[22:26] = bytes(4)
        return bytes(content)

    return patch


def tagged_mp3(make: Callable[[np.ndarray, int], bytes]) -> Callable[[np.ndarray, int], bytes]:
    """Junk, an ID3v2 tag with a large picture, the song, an ID3v1 tag."""

    def patch(samples: np.ndarray, rate: int) -> bytes:
        picture = b"\0image/png\0\x03\0" + b"\xff\xfb\x90\x64" * 50_000
        frame = b"APIC" + struct.pack(">I", len(picture)) + b"\0\0" + picture
        digits = bytes((len(frame) >> shift) & 0x7F for shift in (21, 14, 7, 0))
        return b"ID3\x03\0\0" + digits + frame + make(samples, rate) + b"TAG" + bytes(125)

    return patch


_PCM = {
    "WAV": ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAW", "ULAW"),
    "WAVEX": ("PCM_16", "PCM_24", "FLOAT"),
    "RF64": ("PCM_16", "PCM_24", "FLOAT"),
    "W64": ("PCM_16", "PCM_24", "PCM_32"),
    "AIFF": ("PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"),
    "CAF": ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "ALAC_16"),
    "AU": ("PCM_16", "PCM_24", "FLOAT", "ULAW"),
    "FLAC": ("PCM_16", "PCM_24"),
}


def _pcm_rows() -> Iterator[Row]:
    for container, subtypes in _PCM.items():
        for subtype in subtypes:
            rates = RATES if (container, subtype) in (("WAV", "PCM_16"), ("FLAC", "PCM_24")) else FEW_RATES
            for rate, channels in itertools.product(rates, CHANNELS):
                yield Row(f"{container} {subtype}", rate, channels, by_soundfile(container, subtype), soundfile_reads)


def _odd_rows() -> Iterator[Row]:
    wav, flac = by_soundfile("WAV", "PCM_16"), by_soundfile("FLAC", "PCM_16")
    for name, make in {
        "WAV, length 0": patched(wav, 0),
        "WAV, length 0xFFFFFFFF": patched(wav, 0xFFFFFFFF),
        "WAV, length too large": patched(wav, 10_000_000),
        "FLAC without a total": without_total(flac),
    }.items():
        for rate in (44100, 48000):
            yield Row(name, rate, 2, make, None, STEPS_DB, in_steps=True)
    for frames in (1, 2, 22, 100, 44099, 44100, 44101):
        for rate in (44100, 48000):
            # So short a signal is all edge: only its length is looked at, unless nothing is resampled.
            yield Row(f"WAV PCM_16, {frames} frames", rate, 2, wav, None, STEPS_DB if frames > 1000 else -np.inf, frames, True)


def _ffmpeg_lossless_rows() -> Iterator[Row]:
    for name, suffix, codec, rates in (
        ("M4A ALAC", "m4a", "alac", FEW_RATES),
        ("WavPack", "wv", "wavpack", FEW_RATES),
        ("True Audio", "tta", "tta", FEW_RATES),
        ("FLAC in Ogg", "oga", "flac", (44100, 96000)),
        ("FLAC in Matroska", "mkv", "flac", (44100, 96000)),
        ("PCM in QuickTime", "mov", "pcm_s24le", (44100, 48000)),
        ("PCM in AVI", "avi", "pcm_s16le", (44100, 48000)),
    ):
        for rate, channels in itertools.product(rates, (1, 2)):
            yield Row(name, rate, channels, by_ffmpeg(suffix, "-c:a", codec), ffmpeg_reads_any)


def ffmpeg_reads_any(content: bytes, channels: int) -> np.ndarray:
    """Like ffmpeg_reads, for containers that must be a file that can be sought in."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        done = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", file.name, "-f", "f32le", "-"], stdout=subprocess.PIPE, check=True)
    return np.frombuffer(done.stdout, np.float32).reshape(-1, channels)


def _gapless_rows() -> Iterator[Row]:
    """Lossy, and the container tells what to cut: the frames that went in come back, in their places."""
    mp3 = by_ffmpeg("mp3", "-c:a", "libmp3lame", "-b:a", "192k")
    for name, make, rates in (
        ("Ogg Vorbis", by_soundfile("OGG", "VORBIS"), FEW_RATES[1:5]),
        ("MP3 CBR, LAME header", mp3, (22050, 44100, 48000)),
        ("MP3 VBR, LAME header", by_ffmpeg("mp3", "-c:a", "libmp3lame", "-q:a", "2"), (22050, 44100, 48000)),
        ("MP3, ID3v2 with a picture, ID3v1", tagged_mp3(mp3), (44100,)),
        ("M4A AAC", by_ffmpeg("m4a", "-c:a", "aac", "-b:a", "192k"), (22050, 44100, 48000, 96000)),
        ("MP4 video, AAC", by_ffmpeg("mp4", "-f", "lavfi", "-i", "color=size=32x32:rate=10:duration=0.3", "-map", "0:a", "-map", "1:v",
                                     "-c:v", "mpeg4", "-c:a", "aac", "-b:a", "192k"), (44100, 48000)),
    ):
        for rate, channels in itertools.product(rates, (1, 2)):
            yield Row(name, rate, channels, make, None, LOSSY_DB)
    for name, make in (("Ogg Opus", by_ffmpeg("opus", "-c:a", "libopus", "-b:a", "192k")),
                       ("WebM Opus", by_ffmpeg("webm", "-c:a", "libopus", "-b:a", "192k"))):
        for channels in (1, 2):
            yield Row(name, 48000, channels, make, None, LOSSY_DB)


def _raw_rows() -> Iterator[Row]:
    """Lossy, and nothing tells what to cut: it comes back as another decoder has it."""
    for name, suffix, options, rate in (
        ("AAC, ADTS", "aac", ("-c:a", "aac"), 44100),
        ("Windows Media", "wma", ("-c:a", "wmav2", "-b:a", "192k"), 44100),
        ("Matroska Vorbis", "mkv", ("-c:a", "libvorbis"), 44100),
        ("AC-3", "ac3", ("-c:a", "ac3", "-b:a", "384k"), 48000),
        ("MPEG video, MP2", "mpg", ("-c:a", "mp2", "-b:a", "256k"), 48000),
        ("MPEG transport stream, AAC", "ts", ("-c:a", "aac"), 48000),
        ("Flash video, AAC", "flv", ("-c:a", "aac"), 44100),
    ):
        for channels in (1, 2):
            yield Row(name, rate, channels, by_ffmpeg(suffix, *options), ffmpeg_reads_any, 60)


def rows() -> list[Row]:
    return [*_pcm_rows(), *_odd_rows(), *_ffmpeg_lossless_rows(), *_gapless_rows(), *_raw_rows()]
