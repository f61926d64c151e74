#!/usr/bin/python3
"""What decoding, resampling and encoding cost here, against ffmpeg and sox: Markdown tables.

    bench/codecs.py [--seconds N]       140 s of the demo song, which has 143, at 48 kHz

Split: a 24-bit FLAC at 48 kHz becomes float32 at 44.1 kHz. Assemble: four stems in float32 at 44.1 kHz become five 24-bit FLAC files at
48 kHz, themselves and their sum. Ours is the code of the services (`bench/codecs`) with all that they do besides: decoding in a
confined child, statistics, levels, checks of every sample and file, SHA-256, syncing. The others run at the same quality: resampling
by soxr at 28 bits in ffmpeg, `rate -v` in sox, FLAC without dither, of which ffmpeg's and sox's level 5 is the default, ours is 4, and the
sizes stand in the table. ffmpeg's own resampler, which is less exact, stands beside them. Everything is held on one processor. In each round
all are run in turn; CPU seconds are those of the processes and their children, user and system. A ratio is that of one round's CPU seconds,
ours against the other's; the rows of `--json` have the × real time of a core instead, and the sizes. Needs a build, ffmpeg and sox.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile

from rows import Row, arguments, positive, write

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration" / "stack"))
from stack import BIN, demo_song  # noqa: E402: the path must be set first

OURS = str(BIN / "unbraid-codecs")
CHECK = "the check of an upload (ours, once a track)"
GAINS = (0.4, 0.3, 0.2, 0.1)
RATE = 48000
SOXR = "resampler=soxr:precision=28"
FFMPEG = ["ffmpeg", "-y", "-loglevel", "error", "-threads", "1", "-filter_complex_threads", "1"]
SOX = ["sox", "--single-threaded", "-D"]
FLAC24 = ["-c:a", "flac", "-compression_level", "5", "-sample_fmt", "s32", "-bits_per_raw_sample", "24"]


@dataclass(frozen=True)
class Cost:
    cpu_seconds: float
    seconds: float
    flac_bytes: int = 0


def run(*commands: list[str]) -> Cost:
    """One after the other; the costs of all."""
    begin, cpu = time.monotonic(), 0.0
    for command in commands:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, command
        cpu += usage.ru_utime + usage.ru_stime
    return Cost(cpu, time.monotonic() - begin)


def make_inputs(folder: Path, seconds: int) -> int:
    """The track, and the joined files of its stems, where an assembler would have them. Gives the track's frames."""
    song = demo_song(seconds)
    have = soundfile.info(song).duration
    if have < seconds:
        sys.exit(f"the demo song has {have:.0f} s, which is less than the {seconds} s that are wanted")
    track = folder / "track.flac"
    run([*FFMPEG, "-i", str(song), "-af", f"aresample={RATE}:{SOXR}", *FLAC24, str(track)])
    samples = soundfile.read(song, dtype="float32", always_2d=True)[0]
    joined = folder / "separations/1/1/joined"
    joined.mkdir(parents=True)
    for stem, gain in enumerate(GAINS):
        (samples * np.float32(gain)).astype("<f4").tofile(joined / str(stem))
    frames = subprocess.run([OURS, "check", str(track)], check=True, capture_output=True, text=True).stdout
    return int(frames)


def ffmpeg_assemble(folder: Path, resampler: str) -> list[str]:
    command, graph = list(FFMPEG), []
    for stem in range(4):
        command += ["-f", "f32le", "-ar", "44100", "-ac", "2", "-i", str(folder / f"separations/1/1/joined/{stem}")]
        graph.append(f"[{stem}:a]aresample={RATE}{resampler},asplit[s{stem}][m{stem}]")
    graph.append("[m0][m1][m2][m3]amix=inputs=4:normalize=0[mix]")
    command += ["-filter_complex", ";".join(graph)]
    for name in ("s0", "s1", "s2", "s3", "mix"):
        command += ["-map", f"[{name}]", *FLAC24, str(folder / f"ffmpeg-{name}.flac")]
    return command


def sox_assemble(folder: Path) -> list[list[str]]:
    stems = [["-t", "f32", "-r", "44100", "-c", "2", str(folder / f"separations/1/1/joined/{stem}")] for stem in range(4)]
    end = ["rate", "-v", str(RATE)]
    out = [["-b", "24", "-C", "5", str(folder / f"sox-{name}.flac")] for name in range(5)]
    mix = [*SOX, "-m", *(word for stem in stems for word in ["-v", "1", *stem]), *out[4], *end]
    return [[*SOX, *stem, *to, *end] for stem, to in zip(stems, out)] + [mix]


def splitting(folder: Path, frames: int) -> dict[str, Callable[[], Cost]]:
    track, out = str(folder / "track.flac"), str(folder / "out.wav")
    pcm = ["-c:a", "pcm_f32le", out]
    return {
        "unbraid": lambda: run([OURS, "split", track, str(RATE), str(frames), str(folder / "spool")]),
        "ffmpeg, soxr": lambda: run([*FFMPEG, "-i", track, "-af", f"aresample=44100:{SOXR}", *pcm]),
        "sox": lambda: run([*SOX, track, "-b", "32", "-e", "floating-point", out, "rate", "-v", "44100"]),
        "ffmpeg, its own resampler": lambda: run([*FFMPEG, "-i", track, "-af", "aresample=44100", *pcm]),
        CHECK: lambda: run([OURS, "check", track]),
    }


def assembling(folder: Path, frames: int) -> dict[str, Callable[[], Cost]]:
    return {
        "unbraid": lambda: run([OURS, "assemble", str(folder), str(RATE), str(frames)]),
        "ffmpeg, soxr": lambda: run(ffmpeg_assemble(folder, f":{SOXR}")),
        "sox": lambda: run(*sox_assemble(folder)),
        "ffmpeg, its own resampler": lambda: run(ffmpeg_assemble(folder, "")),
    }


def spread(values: list[float], digits: int) -> str:
    return " | ".join(f"{value:.{digits}f}" for value in (statistics.median(values), min(values), max(values)))


def report(what: str, costs: dict[str, list[Cost]], seconds: float) -> None:
    print(f"| {what} | CPU s | smallest | largest | seconds | × real time of a core | unbraid's CPU against it | smallest | largest | FLAC, MB |")
    print("|---|" + "---:|" * 9)
    ours = costs["unbraid"]
    for name, row in costs.items():
        cpu = [cost.cpu_seconds for cost in row]
        ratios = [mine.cpu_seconds / cost.cpu_seconds for mine, cost in zip(ours, row)]
        print(f"| {name} | {spread(cpu, 2)} | {statistics.median(cost.seconds for cost in row):.2f} "
              f"| {seconds / statistics.median(cpu):.0f} | {spread(ratios, 2)} | {row[-1].flac_bytes / 1e6:.1f} |")
    print()


def speed_row(what: str, against: str, ours: list[Cost], base: list[Cost], seconds: float) -> Row:
    return Row(what, against, "× real time of a core", *([seconds / cost.cpu_seconds for cost in costs] for costs in (ours, base)))


def rows_of(what: str, costs: dict[str, list[Cost]], seconds: float) -> list[Row]:
    """Speeds against each of the others, and the sizes of the files where there are some; an upload's check against what is checked for."""
    ours = costs["unbraid"]
    others = [(name, base) for name, base in costs.items() if name not in ("unbraid", CHECK)]
    rows = [speed_row(what, name, ours, base, seconds) for name, base in others]
    if CHECK in costs:
        rows.append(speed_row("check of an upload", what, costs[CHECK], ours, seconds))
    if ours[0].flac_bytes:
        rows += [Row(f"{what}: size of the FLAC files", name, "MB",
                     *([cost.flac_bytes / 1e6 for cost in each] for each in (ours, base))) for name, base in others]
    return rows


def measure(programs: dict[str, Callable[[], Cost]], folder: Path, rounds: int) -> dict[str, list[Cost]]:
    """All in turn in each round."""
    costs: dict[str, list[Cost]] = {program: [] for program in programs}
    for number in range(rounds + 1):
        for program, work in programs.items():
            for old in folder.rglob("*-?*.flac"):
                old.unlink()
            cost = work()
            made = [*folder.rglob("out/*.flac")] if program == "unbraid" else [*folder.glob("*-*.flac")]
            cost = replace(cost, flac_bytes=sum(file.stat().st_size for file in made))
            if number > 0:  # the first warms everything up
                costs[program].append(cost)
    return costs


def main() -> None:
    parser = arguments(__doc__, repeats=5)
    parser.add_argument("--seconds", type=positive, default=140)
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rows = []
    with tempfile.TemporaryDirectory(prefix="unbraid-codecs-") as name:
        folder = Path(name)
        frames = make_inputs(folder, options.seconds)
        seconds = frames / RATE
        if not options.json:
            print(f"{seconds:.0f} s of music, {options.repeats} rounds, one processor.\n")
        for what, programs in (("split", splitting(folder, frames)), ("assemble", assembling(folder, frames))):
            costs = measure(programs, folder, options.repeats)
            if options.json:
                rows += rows_of(f"{what}, {seconds:.0f} s of music", costs, seconds)
            else:
                report(what, costs, seconds)
    if options.json:
        write(rows, as_json=True)


if __name__ == "__main__":
    main()
