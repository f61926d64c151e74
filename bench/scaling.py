#!/usr/bin/python3
"""How cost grows with the length of a track, the number of jobs and the number of workers: Markdown tables, and a plot.

    bench/scaling.py [--minutes 1,3,10,30] [--jobs 1,10,100] [--workers 1,2,4] [--model NAME] [--svg FILE]       '': leave them out

Lengths and jobs are measured with two workers and `passthrough`, which computes nothing, so that what is seen is the suite around the
model; workers with NAME (the server's default) and a track of a minute for each worker of the largest number, in stacks that stand side by
side. Every figure is the median of some rounds, in each of which all sizes are taken in turn, with the smallest and the largest beside it;
the first of each table is its baseline. CPU time is that of the processes themselves, written bytes are those that went to a disk. Jobs have
a group of rows of their own (bench/jobs.py), so that `--json` measures them for the plot only. Needs a build and disk: 250 MB for a minute of the
longest track, and 70 MB for each minute of all others in all rounds, which stay until the end. For the plot, Debian's python3-matplotlib is installed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from rows import Row, arguments, numbers, write

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration" / "stack"))
from stack import Stack, long_noise  # noqa: E402: the path must be set first

JOB_SECONDS = 30
WARM_SEED = 0
LONGEST = 3600  # seconds of a separation
# Of the stack in which lengths and jobs are measured.
SUITE_WORKERS = 2
UNIT = "× real time"
TICKS = os.sysconf("SC_CLK_TCK")
PARTS = ("gateway", "splitter", "rabbitmq", "worker", "assembler")


@dataclass(frozen=True)
class Cost:
    """What something has cost: wall time in seconds, and by part CPU seconds and bytes written. Some of the bytes never went to a disk."""

    seconds: float
    cpu: dict[str, float]
    written: dict[str, float]
    spared: float


@dataclass(frozen=True)
class Measured:
    """One size, with the cost of each round."""

    size: int
    audio_seconds: float
    costs: list[Cost]

    def median(self, what: Callable[[Cost], float]) -> float:
        return statistics.median(map(what, self.costs))

    def speeds(self) -> list[float]:
        """Times real time, of each round."""
        return [self.audio_seconds / cost.seconds for cost in self.costs]


# What was measured, by what it grows with; a table each.
Tables = dict[str, list[Measured]]


def spent(stack: Stack) -> Cost:
    """All of it so far, workers together."""
    spared, cpu, written = 0.0, dict.fromkeys(PARTS, 0.0), dict.fromkeys(PARTS, 0.0)
    for name, pid in stack.pids().items():
        part = name.split("-")[0]
        if part in cpu:
            user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
            cpu[part] += (int(user) + int(system)) / TICKS
            counters = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
            written[part] += int(counters["write_bytes"])
            spared += int(counters["cancelled_write_bytes"])  # counted at whoever removes the file
    return Cost(time.monotonic(), cpu, written, spared)


def measure(stack: Stack, songs: list[Path], model: str) -> Cost:
    """All songs at once, from the first command's start to the last file of the last one."""
    before = spent(stack)
    with ThreadPoolExecutor(len(songs)) as pool:
        list(pool.map(lambda song: stack.separate(song, song.with_suffix(".stems"), "--model", model, timeout=LONGEST), songs))
    seconds = time.monotonic() - before.seconds
    after = spent(stack)
    for song in songs:
        for file in song.with_suffix(".stems").iterdir():
            file.unlink()
    return Cost(seconds, {part: after.cpu[part] - before.cpu[part] for part in PARTS},
                {part: after.written[part] - before.written[part] for part in PARTS}, after.spared - before.spared)


def measure_all(stacks: dict[int, Stack], folder: Path, rounds: int, model: str,
                songs_of: Callable[[int], tuple[int, int]]) -> list[Measured]:
    """All sizes in turn in each round, each at its stack; every other round goes backwards. `songs_of` says how many songs a size has, and of
    how many seconds. No song comes twice, so that no result is known already."""
    costs: dict[int, list[Cost]] = {size: [] for size in stacks}
    seeds = count(WARM_SEED + 1)
    for number in range(rounds):
        for size in stacks if number % 2 == 0 else reversed(stacks):
            songs_wanted, seconds = songs_of(size)
            songs = [long_noise(folder / f"{song}.wav", seconds, next(seeds)) for song in range(songs_wanted)]
            costs[size].append(measure(stacks[size], songs, model))
            for song in songs:
                song.unlink()
    return [Measured(size, songs_of(size)[0] * songs_of(size)[1], costs[size]) for size in stacks]


def print_sizes(what: str, sizes: list[Measured]) -> None:
    base = sizes[0].median(lambda cost: cost.seconds) / sizes[0].audio_seconds
    print(f"| {what} | seconds | × real time | smallest | largest | time per audio, first row = 1 |\n|---:|---:|---:|---:|---:|---:|")
    for each in sizes:
        seconds, speeds = each.median(lambda cost: cost.seconds), each.speeds()
        print(f"| {each.size} | {seconds:.1f} | {statistics.median(speeds):.1f} | {min(speeds):.1f} | {max(speeds):.1f} "
              f"| {seconds / each.audio_seconds / base:.2f} |")
    print()


def print_parts(tracks: Measured) -> None:
    hours = tracks.audio_seconds / 3600
    print(f"| part, tracks of {tracks.size} min | CPU seconds per hour of audio | GB written per hour of audio |\n|---|---:|---:|")
    for part in PARTS:
        cpu = tracks.median(lambda cost, part=part: cost.cpu[part]) / hours
        written = tracks.median(lambda cost, part=part: cost.written[part]) / hours / 1e9
        print(f"| {part} | {cpu:.0f} | {written:.1f} |")
    print(f"| removed before it was written | | −{tracks.median(lambda cost: cost.spared) / hours / 1e9:.1f} |\n")


def workers_text(number: int) -> str:
    return f"{number} worker{'s' * (number > 1)}"


def rows_of(lengths: list[Measured], workers: list[Measured], model: str) -> list[Row]:
    """Each size but the first against the first, and the longest track against real time."""
    suite = f"passthrough, {workers_text(SUITE_WORKERS)}"
    rows = [Row(f"a track of {each.size} min, {suite}", f"of {lengths[0].size} min", UNIT, each.speeds(), lengths[0].speeds())
            for each in lengths[1:]]
    if lengths:
        longest = max(lengths, key=lambda each: each.size)
        rows.append(Row(f"a track of {longest.size} min through everything, {suite}", "real time", UNIT, longest.speeds(),
                        [1.0] * len(longest.costs)))
    return rows + [Row(f"{model}, {workers_text(each.size)}", workers_text(workers[0].size), UNIT, each.speeds(), workers[0].speeds())
                   for each in workers[1:]]


def plot(path: Path, tables: Tables) -> None:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "unbraid"  # the same rows, the same bytes
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(tables), figsize=(4 * len(tables), 3), squeeze=False)
    for axis, (what, measured) in zip(axes[0], tables.items()):
        sizes, speeds = [each.size for each in measured], [each.speeds() for each in measured]
        axis.plot(sizes, [statistics.median(speed) for speed in speeds], marker="o")
        axis.fill_between(sizes, [min(speed) for speed in speeds], [max(speed) for speed in speeds], alpha=0.2)
        axis.set(xscale="log", xlabel=what, ylabel="× real time", ylim=(0, None))
        axis.set_xticks(sizes, [str(size) for size in sizes])
        axis.minorticks_off()
    figure.tight_layout()
    figure.savefig(path, format="svg", metadata={"Date": None})


def install_matplotlib() -> None:
    script = f". {ROOT}/scripts/lib/common.sh && . {ROOT}/scripts/lib/packages.sh && packages_install bench"
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], check=True)


def warm_up(stack: Stack, folder: Path, model: str) -> None:
    measure(stack, [long_noise(folder / "warm.wav", JOB_SECONDS, WARM_SEED)], model)


def around_the_model(folder: Path, minutes: list[int], jobs: list[int], rounds: int) -> Tables:
    tables: Tables = {}
    if not minutes and not jobs:
        return tables
    with Stack(workers=SUITE_WORKERS, models=("passthrough",)) as stack:
        warm_up(stack, folder, "passthrough")
        if minutes:
            tables["minutes"] = measure_all(dict.fromkeys(minutes, stack), folder, rounds, "passthrough", lambda size: (1, size * 60))
        if jobs:
            tables["jobs at once"] = measure_all(dict.fromkeys(jobs, stack), folder, rounds, "passthrough",
                                                 lambda size: (size, JOB_SECONDS))
    return tables


def by_workers(folder: Path, workers: list[int], model: str, rounds: int) -> list[Measured]:
    """With a stack for each number of workers; those that wait their turn take no time from the one that computes."""
    with ExitStack() as side_by_side:
        stacks = {number: side_by_side.enter_context(Stack(workers=number, models=(model,))) for number in workers}
        for stack in stacks.values():
            warm_up(stack, folder, model)
        return measure_all(stacks, folder, rounds, model, lambda _: (1, 60 * max(workers)))


def parse() -> argparse.Namespace:
    parser = arguments(__doc__, repeats=3)
    parser.add_argument("--minutes", type=numbers, default=[1, 3, 10, 30])
    parser.add_argument("--jobs", type=numbers, default=[1, 10, 100])
    parser.add_argument("--workers", type=numbers, default=[1, 2, 4])
    parser.add_argument("--model", default="unbraid-4")
    parser.add_argument("--svg", type=Path)
    options = parser.parse_args()
    if options.json and not options.minutes and len(options.workers) < 2:
        parser.error("there is nothing to compare: --json needs --minutes, or two numbers of --workers")
    return options


def main() -> None:
    options = parse()
    if options.svg:
        install_matplotlib()
    jobs = options.jobs if options.svg or not options.json else []
    with tempfile.TemporaryDirectory(prefix="unbraid-scaling-") as name:
        tables = around_the_model(Path(name), options.minutes, jobs, options.repeats)
        workers = by_workers(Path(name), options.workers, options.model, options.repeats) if options.workers else []
    if workers:
        tables[f"workers, {options.model}"] = workers
    if options.svg:
        plot(options.svg, tables)
    if options.json:
        write(rows_of(tables.get("minutes", []), workers, options.model), as_json=True)
        return
    for what, sizes in tables.items():
        print_sizes(what, sizes)
        if what == "minutes":
            print_parts(sizes[-1])


if __name__ == "__main__":
    main()
