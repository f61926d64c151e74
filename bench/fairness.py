#!/usr/bin/python3
"""How long short songs take while a very long one is taken apart, against what they take alone. A Markdown table.

    bench/fairness.py [MINUTES]       a track of 240 minutes and ten songs of 30 s, model passthrough

The baseline is the same ten songs, submitted at once to the same stack, before the long track is there; other noise, so that no result is
known. Fails when one of them takes more than three times as long as the slowest did alone. Needs a build, and 200 MB of free disk per minute.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration" / "stack"))
from stack import Stack, interrupt, long_noise  # noqa: E402: the path must be set first

SONGS = 10
SONG_SECONDS = 30
MOST_RATIO = 3
LONGEST_START = 1800


def take_apart(stack: Stack, song: Path) -> float:
    """Seconds from the command's start to its last file."""
    begin = time.monotonic()
    stack.separate(song, song.with_suffix(".stems"), "--model", "passthrough")
    return time.monotonic() - begin


def take_all_apart(stack: Stack, folder: Path, first_seed: int) -> list[float]:
    songs = [long_noise(folder / f"{first_seed + i}.wav", SONG_SECONDS, first_seed + i) for i in range(SONGS)]
    with ThreadPoolExecutor(SONGS) as pool:
        return list(pool.map(lambda song: take_apart(stack, song), songs))


def read_progress(process: subprocess.Popen, news: Queue[str]) -> None:
    """Takes whatever the command says, and tells that its first chunk is done ("begun"), and its last words when it has ended."""
    told, line = False, ""
    for line in process.stdout:
        separation = json.loads(line).get("separation", {})
        if not told and int(separation.get("progress", {}).get("chunks_done", 0)) > 0:
            told = True
            news.put("begun")
    news.put(line)


def main() -> int:
    minutes = int(sys.argv[1]) if len(sys.argv) > 1 else 240
    with tempfile.TemporaryDirectory(prefix="unbraid-fairness-") as name, Stack(workers=2, models=("passthrough",)) as stack:
        folder = Path(name)
        alone = take_all_apart(stack, folder, 100)
        long = long_noise(folder / "long.wav", 60 * minutes, 1)
        process = stack.start("separate", str(long), "-o", str(folder / "long"), "--model", "passthrough")
        news: Queue[str] = Queue()
        Thread(target=read_progress, args=(process, news), daemon=True).start()
        try:
            first = news.get(timeout=LONGEST_START)
        except Empty:
            first = f"no chunk within {LONGEST_START} s"
        if first != "begun":
            raise RuntimeError(f"nothing came of the long track: {first}")
        beside = take_all_apart(stack, folder, 200)
        still_running = process.poll() is None
        interrupt(process)
    ratio = max(beside) / max(alone)
    print("| ten songs of 30 s | median, s | slowest, s |\n|---|---:|---:|")
    print(f"| alone | {statistics.median(alone):.1f} | {max(alone):.1f} |")
    print(f"| beside a track of {minutes} min | {statistics.median(beside):.1f} | {max(beside):.1f} |")
    print(f"\nRatio of the slowest: {ratio:.2f} (limit {MOST_RATIO}).")
    if not still_running:
        print("the long track was done before the songs were: take more minutes", file=sys.stderr)
    return 0 if ratio <= MOST_RATIO and still_running else 1


sys.exit(main())
