#!/usr/bin/python3
"""How cost grows with the length of a track, the number of jobs and the number of workers: Markdown tables, and a plot.

    bench/scaling.py [--minutes 1,3,10,30] [--jobs 1,10,100] [--workers 1,2,4] [--model NAME] [--repeat 3] [--svg FILE]

Lengths and jobs are measured with two workers and `passthrough`, which computes nothing, so that what is seen is the suite around the
model; workers with NAME (the server's default) and a track of a minute for each worker of the largest number. Every figure is the median
of REPEAT runs, taken in turn, with the smallest and the largest beside it; the first of each row is its baseline. CPU time is that of
the processes themselves, written bytes are those that went to a disk. Needs a build and 250 MB of disk per minute; for
the plot, Debian's python3-matplotlib is installed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration" / "stack"))
from stack import Stack, long_noise  # noqa: E402: the path must be set first

JOB_SECONDS = 30
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
class Row:
    """One measured size, with the costs of its runs."""

    size: int
    audio_seconds: float
    costs: list[Cost]

    def median(self, what: Callable[[Cost], float]) -> float:
        return statistics.median(map(what, self.costs))

    def speeds(self) -> list[float]:
        """Times real time, ascending."""
        return sorted(self.audio_seconds / cost.seconds for cost in self.costs)


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
        list(pool.map(lambda song: stack.separate(song, song.with_suffix(".stems"), "--model", model), songs))
    seconds = time.monotonic() - before.seconds
    after = spent(stack)
    for song in songs:
        for file in song.with_suffix(".stems").iterdir():
            file.unlink()
    return Cost(seconds, {part: after.cpu[part] - before.cpu[part] for part in PARTS},
                {part: after.written[part] - before.written[part] for part in PARTS}, after.spared - before.spared)


def measure_all(stack: Stack, folder: Path, sizes: list[int], repeat: int, model: str,
                songs_of: Callable[[int], tuple[int, int]]) -> list[Row]:
    """Sizes in turn, as often as wanted. `songs_of` says how many songs a size has, and of how many seconds."""
    costs: dict[int, list[Cost]] = {size: [] for size in sizes}
    for run in range(repeat):
        for size in sizes:
            count, seconds = songs_of(size)
            songs = [long_noise(folder / f"{number}.wav", seconds, (run * 100 + size) * 1000 + number) for number in range(count)]
            costs[size].append(measure(stack, songs, model))
            for song in songs:
                song.unlink()
    return [Row(size, songs_of(size)[0] * songs_of(size)[1], costs[size]) for size in sizes]


def print_rows(what: str, rows: list[Row]) -> None:
    base = rows[0].median(lambda cost: cost.seconds) / rows[0].audio_seconds
    print(f"| {what} | seconds | × real time | smallest | largest | time per audio, first row = 1 |\n|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        seconds, speeds = row.median(lambda cost: cost.seconds), row.speeds()
        print(f"| {row.size} | {seconds:.1f} | {statistics.median(speeds):.1f} | {speeds[0]:.1f} | {speeds[-1]:.1f} "
              f"| {seconds / row.audio_seconds / base:.2f} |")
    print()


def print_parts(row: Row) -> None:
    hours = row.audio_seconds / 3600
    print(f"| part, tracks of {row.size} min | CPU seconds per hour of audio | GB written per hour of audio |\n|---|---:|---:|")
    for part in PARTS:
        cpu = row.median(lambda cost, part=part: cost.cpu[part]) / hours
        written = row.median(lambda cost, part=part: cost.written[part]) / hours / 1e9
        print(f"| {part} | {cpu:.0f} | {written:.1f} |")
    print(f"| removed before it was written | | −{row.median(lambda cost: cost.spared) / hours / 1e9:.1f} |\n")


def plot(path: Path, tables: Iterable[tuple[str, list[Row]]]) -> None:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "unbraid"  # the same rows, the same bytes
    from matplotlib import pyplot

    tables = list(tables)
    figure, axes = pyplot.subplots(1, len(tables), figsize=(4 * len(tables), 3), squeeze=False)
    for axis, (what, rows) in zip(axes[0], tables):
        speeds = [row.speeds() for row in rows]
        axis.plot([row.size for row in rows], [statistics.median(speed) for speed in speeds], marker="o")
        axis.fill_between([row.size for row in rows], [speed[0] for speed in speeds], [speed[-1] for speed in speeds], alpha=0.2)
        axis.set(xscale="log", xlabel=what, ylabel="× real time", ylim=(0, None))
        axis.set_xticks([row.size for row in rows], [str(row.size) for row in rows])
        axis.minorticks_off()
    figure.tight_layout()
    figure.savefig(path, format="svg", metadata={"Date": None})


def install_matplotlib() -> None:
    script = f". {ROOT}/scripts/lib/common.sh && . {ROOT}/scripts/lib/packages.sh && packages_install bench"
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], check=True)


def numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",") if number]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=numbers, default=[1, 3, 10, 30])
    parser.add_argument("--jobs", type=numbers, default=[1, 10, 100])
    parser.add_argument("--workers", type=numbers, default=[1, 2, 4])
    parser.add_argument("--model", default="unbraid-4")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--svg", type=Path)
    return parser.parse_args()


def main() -> None:
    options = parse()
    if options.svg:
        install_matplotlib()
    tables: list[tuple[str, list[Row]]] = []
    with tempfile.TemporaryDirectory(prefix="unbraid-scaling-") as name:
        folder = Path(name)
        with Stack(workers=2, models=("passthrough",)) as stack:
            measure(stack, [long_noise(folder / "warm.wav", JOB_SECONDS, 0)], "passthrough")
            for what, sizes, songs_of in (("minutes", options.minutes, lambda size: (1, size * 60)),
                                          ("jobs at once", options.jobs, lambda size: (size, JOB_SECONDS))):
                if sizes:
                    tables.append((what, measure_all(stack, folder, sizes, options.repeat, "passthrough", songs_of)))
        rows = []
        for workers in options.workers:
            with Stack(workers=workers, models=(options.model,)) as stack:
                measure(stack, [long_noise(folder / "warm.wav", JOB_SECONDS, workers)], options.model)
                songs_of = (lambda size: (1, 60 * max(options.workers)))
                rows += measure_all(stack, folder, [workers], options.repeat, options.model, songs_of)
        if rows:
            tables.append((f"workers, {options.model}", rows))
    for what, rows in tables:
        print_rows(what, rows)
        if what == "minutes":
            print_parts(rows[-1])
    if options.svg:
        plot(options.svg, tables)


main()
