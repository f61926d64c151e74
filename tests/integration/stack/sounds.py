"""Small sound files of every kind that the stack reads, as bytes, made on the spot; and the same, damaged."""

from __future__ import annotations

import functools
import io
import random
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

FRAMES = 6000

# libsndfile's format and subtype, rate.
_SOUNDFILE = {
    "wav-u8": ("WAV", "PCM_U8", 8000),
    "wav-s16": ("WAV", "PCM_16", 44100),
    "wav-s24": ("WAVEX", "PCM_24", 48000),
    "wav-f32": ("WAV", "FLOAT", 44100),
    "wav-f64": ("WAV", "DOUBLE", 44100),
    "wav-ulaw": ("WAV", "ULAW", 8000),
    "wav-adpcm": ("WAV", "MS_ADPCM", 22050),
    "aiff": ("AIFF", "PCM_16", 44100),
    "aifc": ("AIFF", "FLOAT", 44100),
    "au": ("AU", "PCM_16", 44100),
    "caf": ("CAF", "PCM_24", 44100),
    "caf-alac": ("CAF", "ALAC_16", 44100),
    "w64": ("W64", "PCM_16", 44100),
    "rf64": ("RF64", "PCM_16", 44100),
    "flac": ("FLAC", "PCM_16", 44100),
    "vorbis": ("OGG", "VORBIS", 44100),
    "opus": ("OGG", "OPUS", 48000),
}

# Suffix, ffmpeg's arguments.
_FFMPEG = {
    "mp3": ("mp3", "-c:a libmp3lame -b:a 64k"),
    "aac": ("aac", "-c:a aac"),
    "m4a-aac": ("m4a", "-c:a aac -metadata title=t"),
    "m4a-alac": ("m4a", "-c:a alac -movflags faststart"),
    "wma": ("wma", "-c:a wmav2"),
    "matroska": ("mka", "-c:a flac"),
    "webm": ("webm", "-c:a libopus -ar 48000"),
    "avi": ("avi", "-c:a libmp3lame"),
    "mpegts": ("ts", "-c:a mp2"),
    "flv": ("flv", "-c:a libmp3lame"),
    "ac3": ("ac3", "-c:a ac3"),
    "wavpack": ("wv", "-c:a wavpack"),
    "tta": ("tta", "-c:a tta"),
    "mp4-video": ("mp4", "-f lavfi -i testsrc=s=64x48:r=10:d=0.2 -c:a aac -c:v mpeg4"),
    "mp3-vbr": ("mp3", "-c:a libmp3lame -q:a 4 -write_xing 0 -id3v2_version 3 -metadata title=t"),
}


def tone(frames: int, channels: int = 2) -> np.ndarray:
    noise = np.random.default_rng(frames).uniform(-0.1, 0.1, (frames, channels))
    return (0.4 * np.sin(np.arange(frames)[:, None] * 0.05) + noise).astype(np.float32)


def encode(samples: np.ndarray, rate: int, container: str, subtype: str) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format=container, subtype=subtype)
    return out.getvalue()


def ffmpeg(suffix: str, *arguments: str) -> bytes:
    """What ffmpeg makes of its arguments; an MP4 wants a file that it can seek in."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"made.{suffix}"
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", *arguments, str(target)], check=True)
        return target.read_bytes()


@functools.lru_cache(maxsize=None)
def valid_files() -> dict[str, bytes]:
    files = {kind: encode(tone(FRAMES), rate, *how) for kind, (*how, rate) in _SOUNDFILE.items()}
    for kind, (suffix, arguments) in _FFMPEG.items():
        files[kind] = ffmpeg(suffix, "-f", "lavfi", "-i", "sine=r=44100:d=0.2", *arguments.split())
    return files


def mutants(kind: str, content: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """`count` damaged files with what was done to each. The same on every run."""
    dice = random.Random(kind)
    makers = [_flip_bits, _flip_head, _cut_off, _swap_blocks, _repeat_block, _remove_block, _extreme_length, _random_after_head]
    for number in range(count):
        maker = makers[number % len(makers)]
        yield f"{kind}/{maker.__name__.strip('_')}/{number}", maker(dice, content)


def _flip_bits(dice: random.Random, content: bytes, end: int | None = None) -> bytes:
    damaged = bytearray(content)
    for _ in range(dice.choice([1, 3, 30])):
        damaged[dice.randrange(end or len(damaged))] ^= 1 << dice.randrange(8)
    return bytes(damaged)


def _flip_head(dice: random.Random, content: bytes) -> bytes:
    return _flip_bits(dice, content, min(128, len(content)))


def _cut_off(dice: random.Random, content: bytes) -> bytes:
    return content[: dice.choice([dice.randrange(64), dice.randrange(len(content)), len(content) - 1])]


def _block(dice: random.Random, content: bytes) -> tuple[int, int]:
    begin = dice.randrange(len(content) - 8)
    return begin, min(len(content), begin + dice.choice([1, 4, 64, 1024]))


def _swap_blocks(dice: random.Random, content: bytes) -> bytes:
    size = dice.choice([4, 32, 512])
    first, second = sorted(dice.randrange(0, len(content) - 2 * size) for _ in range(2))
    second = max(second, first + size)
    return (content[:first] + content[second : second + size] + content[first + size : second] + content[first : first + size]
            + content[second + size :])


def _repeat_block(dice: random.Random, content: bytes) -> bytes:
    begin, end = _block(dice, content)
    return content[:end] + content[begin:end] * dice.choice([1, 50]) + content[end:]


def _remove_block(dice: random.Random, content: bytes) -> bytes:
    begin, end = _block(dice, content)
    return content[:begin] + content[end:]


def _extreme_length(dice: random.Random, content: bytes) -> bytes:
    """Four bytes of the head, where lengths and counts are, become an extreme."""
    at = dice.choice([4, 16, 20, 22, 24, 28, 40, dice.randrange(4, min(200, len(content) - 4))])
    value = dice.choice([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
    return content[:at] + struct.pack(dice.choice("<>") + "I", value) + content[at + 4 :]


def _random_after_head(dice: random.Random, content: bytes) -> bytes:
    keep = dice.choice([4, 12, 16, 44, 100])
    return content[:keep] + dice.randbytes(dice.choice([0, 7, 3000]))
