#!/usr/bin/env python3
"""Makes the corpora that the fuzz targets begin with: small sound files of every kind, and messages as the services send them.

usage: seeds.py OUT MESSAGES    where MESSAGES is the folder of protoc's Python output
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import soundfile

RATE = 8000
FRAMES = 400

# Suffix, soundfile's format, its subtypes.
WITH_SOUNDFILE = [
    ("wav", "WAV", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT", "DOUBLE", "ULAW", "IMA_ADPCM", "MS_ADPCM", "GSM610"]),
    ("wavex", "WAVEX", ["PCM_16", "FLOAT"]),
    ("rf64", "RF64", ["PCM_16"]),
    ("w64", "W64", ["PCM_16", "FLOAT"]),
    ("aiff", "AIFF", ["PCM_16", "PCM_24", "FLOAT"]),
    ("au", "AU", ["PCM_16", "ULAW"]),
    ("caf", "CAF", ["PCM_16", "FLOAT", "ALAC_16"]),
    ("flac", "FLAC", ["PCM_16"]),
    ("ogg", "OGG", ["VORBIS", "OPUS"]),
]

# Suffix, ffmpeg's arguments. What this ffmpeg cannot write is left out.
WITH_FFMPEG = [
    ("mp3", "-c:a libmp3lame -b:a 32k"),
    ("mp2", "-c:a mp2 -b:a 64k -ar 22050"),
    ("m4a", "-c:a aac"),
    ("alac.m4a", "-c:a alac"),
    ("aac", "-c:a aac -f adts"),
    ("wma", "-c:a wmav2"),
    ("mka", "-c:a flac -f matroska"),
    ("webm", "-c:a libopus"),
    ("tta", "-c:a tta"),
    ("wv", "-c:a wavpack"),
    ("avi", "-c:a pcm_s16le -f avi"),
    ("speex.ogg", "-c:a libspeex -f ogg"),
    ("ac3", "-c:a ac3 -ar 32000"),
]


def tone(channels: int) -> np.ndarray:
    generator = np.random.default_rng(channels)
    wave = 0.3 * np.sin(np.arange(FRAMES)[:, None] * 0.3) + generator.uniform(-0.05, 0.05, (FRAMES, channels))
    return wave.astype(np.float32)


def sound_files(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, kind, subtypes in WITH_SOUNDFILE:
        for subtype in subtypes:
            # Opus has rates of its own; IMA ADPCM wants whole blocks, which libsndfile sees to.
            rate = 48000 if subtype == "OPUS" else RATE
            channels = 1 if subtype == "GSM610" else 2
            soundfile.write(folder / f"{subtype}.{suffix}", tone(channels), rate, format=kind, subtype=subtype)
    for suffix, arguments in WITH_FFMPEG:
        target = folder / f"ffmpeg.{suffix}"
        command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", f"sine=r={RATE}:d=0.08", *arguments.split(), str(target)]
        if subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode != 0:
            target.unlink(missing_ok=True)
    for suffix in ("mp3", "m4a", "tta", "wv"):
        if (source := folder / f"ffmpeg.{suffix}").exists():
            (folder / f"tagged.{suffix}").write_bytes(b"ID3\x04\0\0\0\0\x01\x00" + bytes(128) + source.read_bytes())
    endless_lengths(folder)
    (folder / "empty").touch()
    (folder / "text.txt").write_text("la la la\n" * 20)


def endless_lengths(folder: Path) -> None:
    """Two files that claim lengths at the ends of 64 bits, which a mutation seldom writes."""
    rf64 = bytearray((folder / "PCM_16.rf64").read_bytes())
    at = rf64.index(b"ds64") + 16
    rf64[at : at + 8] = (2**63 - 1).to_bytes(8, "little")
    (folder / "endless.rf64").write_bytes(rf64)

    # The header of an MP4's media with 64 bits for its times and its length, of which that is the least of all.
    mp4 = bytearray((folder / "ffmpeg.m4a").read_bytes())
    for box in (b"mdhd", b"mdia", b"trak", b"moov"):
        at = mp4.index(box) - 4
        mp4[at : at + 4] = (int.from_bytes(mp4[at : at + 4], "big") + 12).to_bytes(4, "big")
    at = mp4.index(b"mdhd") + 4
    mp4[at : at + 20] = b"\1\0\0\0" + bytes(16) + mp4[at + 12 : at + 16] + (-(2**63)).to_bytes(8, "big", signed=True)
    (folder / "endless.m4a").write_bytes(mp4)


def chunk_results(folder: Path, work: ModuleType) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for channels in (1, 2):
        result = work.ChunkResult(separation_id=1 << 60, attempt=1, chunk_index=3, worker="w", compute_seconds=0.5)
        setattr(result, "try", 1)
        result.stem.stem_index = 1
        result.stem.channels = channels
        result.stem.frames = 4
        result.stem.samples = np.linspace(-1, 1, 4 * channels, dtype="<f4").tobytes()
        (folder / f"stem-{channels}").write_bytes(result.SerializeToString())
    failure = work.ChunkResult(separation_id=7, attempt=2, chunk_index=1)
    failure.failure.reason = "MODEL_ERROR"
    failure.failure.message = "out of memory"
    (folder / "failure").write_bytes(failure.SerializeToString())


def chunk_tasks(folder: Path, work: ModuleType) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for channels in (1, 2):
        samples = np.linspace(-1, 1, 8 * channels, dtype="<f4").tobytes()
        task = work.ChunkTask(separation_id=1 << 60, attempt=1, chunk_index=2, assembler="a", model="tiny", model_sha256="00",
                              stem_indexes=[0, 1, 3], channels=channels, window_frames=8, keep_offset=2, keep_frames=4,
                              mean=0.1, scale=0.5, track_offset=1, samples=samples,
                              trace_parent="00-" + "1" * 32 + "-" + "2" * 16 + "-01", owner="default")
        (folder / f"task-{channels}").write_bytes(task.SerializeToString())
    (folder / "notice").write_bytes(work.CancelNotice(separation_id=9, attempt=2).SerializeToString())


def decoder_messages(folder: Path, decoder: ModuleType) -> None:
    """What a decoder writes into its pipe for a whole file, for one that it refuses, and for two that it breaks off."""
    folder.mkdir(parents=True, exist_ok=True)
    start = decoder.DecoderMessage()
    start.format.CopyFrom(decoder.DecodedFormat(container="WAV", codec="PCM_S16", sample_format=2, rate_hz=RATE, speakers=[0, 1],
                                                title="Title", artist="ó", album=""))
    samples = decoder.DecoderMessage(samples=np.linspace(-1, 1, 16, dtype="<f4").tobytes())
    end = decoder.DecoderMessage(end=decoder.DecodedEnd(frames=16, silenced_samples=1))
    refusal = decoder.DecoderMessage(failure=decoder.DecoderFailure(code=3, reason="CORRUPT_AUDIO", message="It is broken."))
    too_long = decoder.DecoderMessage(failure=decoder.DecoderFailure(code=8, reason="TOO_LONG", message="Too long."))
    talks = {"whole": [start, samples, samples, end], "refused": [refusal], "damaged": [start, samples, refusal],
             "too-long": [start, samples, too_long], "crashed": [start, samples]}
    for name, talk in talks.items():
        bodies = [message.SerializeToString() for message in talk]
        (folder / name).write_bytes(b"".join(len(body).to_bytes(4, "little") + body for body in bodies))


def names(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    token = base64.urlsafe_b64encode(b"before:42").decode().rstrip("=")
    texts = ["tracks/0", f"tracks/{2**63 - 1}", "separations/12", "separations/12/stems/vocals", "separations/12/stems/../x",
             "tracks/ü", "tracks/-1", "tracks/01", token, "127.0.0.1:50052", "[::1]:1", "localhost:0", "folder:a/1.1/0f",
             "folder:../a/b", ""]
    for number, text in enumerate(texts):
        (folder / str(number)).write_text(text)


def packages(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    package = {"format": 1, "name": "tiny", "version": "1", "title": "Tiny", "sample_rate": 44100, "channels": 2,
               "window": 8, "overlap": 4, "stems": ["vocals", "drums"], "normalisation": "track",
               "graph": {"file": "model.pt", "sha256": hashlib.sha256(b"").hexdigest()},
               "licence": {"weights": "MIT"}, "source": "nowhere"}
    (folder / "whole").write_text(json.dumps(package))
    (folder / "floats").write_text(json.dumps(dict(package, window=1e30, overlap=-1e30, channels=1e10)))
    graphs = [{"file": f"{stem}.pt", "sha256": hashlib.sha256(b"").hexdigest(), "stems": [stem]} for stem in package["stems"]]
    (folder / "several").write_text(json.dumps(dict(package, format=2, graphs=graphs)))
    (folder / "twice").write_text(json.dumps(dict(package, format=2, graphs=[graphs[0], graphs[0]])))
    (folder / "types").write_text(json.dumps(dict(package, graph=[], stems={"a": 1})))
    (folder / "bare").write_text("{}")


def main() -> None:
    out, messages = Path(sys.argv[1]), sys.argv[2]
    sys.path.insert(0, messages)
    from unbraid.internal.v1 import decoder_pb2, work_pb2

    sound_files(out / "sniff")
    sound_files(out / "containers")
    sound_files(out / "decoder")
    decoder_messages(out / "decoder_messages", decoder_pb2)
    chunk_results(out / "chunk_result", work_pb2)
    chunk_tasks(out / "chunk_task", work_pb2)
    names(out / "names")
    packages(out / "model_package")


if __name__ == "__main__":
    main()
