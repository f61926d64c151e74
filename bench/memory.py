#!/usr/bin/python3
"""Memory and disk of every part while tracks of several lengths are taken apart: a Markdown table for each length.

    bench/memory.py [--minutes 6,60] [--model NAME]       passthrough

Fails when the gateway, the splitter or the assembler needs 200 MB or more: their memory must not depend on the length of the song. All are
looked at twice a second: memory is the resident set, of which the median tells what a part keeps, and the peak, which the kernel remembers,
what it needed for a moment; disk is what the part's folder occupies. In each round every length is taken in turn, with a stack of its own,
since a process gives back little of what a longer track made it take. Of several rounds the table has the median of medians and of seconds,
and the largest peak and disk. `--json` compares each length but the first with the first. Needs a build, and about 250 MB of disk per
minute, in the folder for temporary files (TMPDIR).
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from rows import Row, arguments, numbers, write

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration" / "stack"))
from stack import Stack, long_noise  # noqa: E402: the path must be set first

LIMIT_MB = 200
LIMITED = ("gateway", "splitter", "assembler")
# Where the parts that keep something keep it, in the stack's folder.
FOLDERS = {"splitter": "state/data/splitter", "assembler": "state/data/assembler", "rabbitmq": "state/broker/mnesia"}
WORKERS = 2
LOOK_SECONDS = 0.5
# What a separation may take beside the length of its track.
SPARE_SECONDS = 300


@dataclass(frozen=True)
class Usage:
    """What one part has used, in MB; no disk where it has no folder."""

    median: float
    peak: float
    disk: float


@dataclass(frozen=True)
class Run:
    """One track in a stack of its own."""

    seconds: float
    parts: dict[str, Usage]


Runs = dict[int, list[Run]]


def memory_mb(pid: int, field: str) -> float:
    """A process that has ended has no such field, and is an error."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status[field].split()[0]) * 1024 / 1e6


def disk_mb(folder: Path) -> float:
    """Files go meanwhile, of which du complains; the sum of the others it prints all the same."""
    done = subprocess.run(["du", "-s", "-B", "1000000", str(folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return float(done.stdout.split()[0])


def separate(stack: Stack, song: Path, out: Path, model: str, minutes: int) -> float:
    """Seconds from the command's start to its last file."""
    begin = time.monotonic()
    process = stack.start("separate", str(song), "-o", str(out), "--model", model)  # which ends with the stack
    events = process.communicate(timeout=60 * minutes + SPARE_SECONDS)[0].splitlines()
    if process.returncode != 0:
        raise RuntimeError(f"the separation did not work: {events[-1:]}")
    return time.monotonic() - begin


def run(folder: Path, minutes: int, model: str, seed: int) -> Run:
    song, out = long_noise(folder / "song.wav", 60 * minutes, seed), folder / "stems"
    # The stack ends first, so that a separation that cannot go on is not waited for.
    with ThreadPoolExecutor(1) as pool, Stack(workers=WORKERS, models=(model,)) as stack:
        pids = {name: pid for name, pid in stack.pids().items() if name != "epmd"}
        resident: dict[str, list[float]] = {name: [] for name in pids}
        disk = dict.fromkeys(pids, 0.0)
        separation = pool.submit(separate, stack, song, out, model, minutes)
        done = False
        while not done:
            done = separation.done()  # asked first, so that the last look is after the end
            for name, pid in pids.items():
                resident[name].append(memory_mb(pid, "VmRSS"))
            for name, place in FOLDERS.items():
                disk[name] = max(disk[name], disk_mb(stack.folder / place))
            wait([separation], LOOK_SECONDS)
        seconds = separation.result()
        parts = {name: Usage(statistics.median(resident[name]), memory_mb(pid, "VmHWM"), disk[name]) for name, pid in pids.items()}
    shutil.rmtree(out)
    return Run(seconds, parts)


def measure(minutes: list[int], model: str, rounds: int) -> Runs:
    """All lengths in turn in each round; every other round goes backwards."""
    runs: Runs = {length: [] for length in minutes}
    with tempfile.TemporaryDirectory(prefix="unbraid-memory-") as folder:
        for number in range(rounds):
            for length in runs if number % 2 == 0 else reversed(runs):
                runs[length].append(run(Path(folder), length, model, number))
    return runs


def together(runs: list[Run]) -> dict[str, Usage]:
    """Of all rounds the median of the medians, and the largest peak and disk."""
    parts = {name: [once.parts[name] for once in runs] for name in runs[0].parts}
    return {name: Usage(statistics.median(each.median for each in usages), max(each.peak for each in usages),
                        max(each.disk for each in usages)) for name, usages in parts.items()}


def over_limit(runs: Runs) -> list[str]:
    """A sentence for each part that needed too much."""
    return [f"{name} needed {usage.peak:.0f} MB for a track of {minutes} minutes; the limit is {LIMIT_MB} MB"
            for minutes, of_length in runs.items() for name, usage in together(of_length).items()
            if name in LIMITED and usage.peak >= LIMIT_MB]


def rows_of(runs: Runs, model: str) -> list[Row]:
    """Peaks and medians of every part with each length but the first, against those with the first."""
    first, *others = runs
    return [Row(f"{part}, {kind} memory: a track of {length} min, {model}", f"of {first} min", "MB",
                *([getattr(once.parts[part], kind) for once in runs[minutes]] for minutes in (length, first)))
            for length in others for kind in ("peak", "median") for part in runs[first][0].parts]


def report(runs: Runs, model: str) -> None:
    for minutes, of_length in runs.items():
        seconds = statistics.median(once.seconds for once in of_length)
        print(f"A track of {minutes} minutes, model {model}, {seconds:.0f} s.\n")
        print("| part | memory, median, MB | memory, peak, MB | limit, MB | peak disk, MB |\n|---|---:|---:|---:|---:|")
        for name, usage in together(of_length).items():
            limit, disk = LIMIT_MB if name in LIMITED else "-", f"{usage.disk:.0f}" if name in FOLDERS else "-"
            print(f"| {name} | {usage.median:.0f} | {usage.peak:.0f} | {limit} | {disk} |")
        print()


def main() -> int:
    parser = arguments(__doc__, repeats=3)
    parser.add_argument("--minutes", type=numbers, default=[6, 60])
    parser.add_argument("--model", default="passthrough")
    options = parser.parse_args()
    if len(set(options.minutes)) < (2 if options.json else 1):
        parser.error("--minutes needs a length, and two of them for --json")
    runs = measure(options.minutes, options.model, options.repeats)
    if options.json:
        write(rows_of(runs, options.model), as_json=True)
    else:
        report(runs, options.model)
    trouble = over_limit(runs)
    print("".join(f"{line}\n" for line in trouble), end="", file=sys.stderr)
    return 1 if trouble else 0


if __name__ == "__main__":
    sys.exit(main())
