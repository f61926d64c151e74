#!/usr/bin/python3
"""Many short separations from many clients at once: all must succeed, and memory must not grow with their number. Two Markdown tables.

    bench/many.py [SEPARATIONS [CLIENTS]]       1000 separations of half a second, 20 clients, model passthrough

The first tenth warms the services up; memory is the resident set of each part after it, against that after the last separation. Fails
when a separation fails, when a sample of a result is wrong, or when a service of ours has grown by a third and 32 MB. Needs a build.
"""

from __future__ import annotations

import io
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration" / "stack"))
from api import Api, Refusal  # noqa: E402: the path must be set first
from stack import Stack  # noqa: E402

RATE = 44100
FRAMES = RATE // 2
VOCALS_SHARE = 0.5  # of passthrough
MOST_GROWTH = 4 / 3
MOST_GROWTH_MB = 32


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def resident(stack: Stack) -> dict[str, float]:
    return {name: resident_mb(pid) for name, pid in stack.pids().items() if name != "epmd"}


def separate(api: Api, number: int) -> str:
    """What went wrong, or nothing."""
    song = np.random.default_rng(number).uniform(-0.5, 0.5, (FRAMES, 2)).astype(np.float32)
    file = io.BytesIO()
    soundfile.write(file, song, RATE, format="WAV", subtype="FLOAT")
    track = api.upload(file.getvalue(), f"song {number}")
    if isinstance(track, Refusal):
        return f"upload: {track}"
    done = api.separate(track, seconds=600, model="passthrough")
    if isinstance(done, Refusal):
        return f"separation: {done}"
    if not done.outputs:
        return f"separation: {done}"
    vocals, rate = soundfile.read(io.BytesIO(api.download(done, "vocals")), dtype="float32")
    if rate != RATE or not np.array_equal(vocals, song * np.float32(VOCALS_SHARE)):
        return "wrong samples"
    return ""


def run(stack: Stack, clients: int, numbers: range) -> tuple[list[str], float]:
    """What went wrong, and the seconds."""
    mine = local()

    def work(number: int) -> str:
        if not hasattr(mine, "api"):
            mine.api = Api(stack)
        return separate(mine.api, number)

    begin = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        trouble = [text for text in pool.map(work, numbers) if text]
    return trouble, time.monotonic() - begin


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    clients = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    warm = max(count // 10, 1)
    with Stack(workers=2, models=("passthrough",)) as stack:
        trouble, _ = run(stack, clients, range(warm))
        before = resident(stack)
        more_trouble, seconds = run(stack, clients, range(warm, count))
        after = resident(stack)
    trouble += more_trouble
    print("| separations | clients | failed | seconds | separations per second |\n|---:|---:|---:|---:|---:|")
    print(f"| {count} | {clients} | {len(trouble)} | {seconds:.0f} | {(count - warm) / seconds:.1f} |\n")
    print(f"| part | MB after {warm} separations | MB after {count} |\n|---|---:|---:|")
    grown = []
    for name in before:
        print(f"| {name} | {before[name]:.0f} | {after[name]:.0f} |")
        if name != "rabbitmq" and after[name] > before[name] * MOST_GROWTH and after[name] > before[name] + MOST_GROWTH_MB:
            grown.append(name)
    for text in [*trouble[:10], *(f"{name} has grown" for name in grown)]:
        print(text, file=sys.stderr)
    return 1 if trouble or grown else 0


sys.exit(main())
