#!/usr/bin/python3
"""Where the guitar of real songs goes: a Markdown table, a row for each song and model. It belongs into the stem "other".

    bench/guitar.py [--model NAME|FOLDER]... [--song NAME]... [--seconds S] [--begin S]     both packages that separate by default

A judge of real music beside bench/sdr_excerpt.py: it is read after a choice, and nothing is tuned on it. The songs are those of
Debian's package fretsonfire-songs-sectoid, whose guitar is a track of its own; the mixture is that of bench/reference_songs.sh, cut to
where the guitar is loudest. In all but "Escape from chaosland" most of its energy lies below 350 Hz, where basses are. A FOLDER, a
path with a slash, is a package elsewhere, such as an older build. All in one process.

The true stems are unknown, but the true guitar is known. What our separators do to a place of the spectrum, they do to all
that sounds there. So each place of the guitar's spectrum is multiplied by what a stem has of the mixture there: the real part of
stem / mixture, between 0 and 1. The stem holds the energy of the product.

  vocals, drums, bass, other: the shares of what the four stems hold of the guitar, which add up to 100 %
  missing: the guitar's energy against what "other" holds of it, in dB; 0 is best, and half the amplitude is 6.0
  other/elsewhere: what "other" holds of the guitar against what the sum of the other stems holds of it, in dB
  rest in other: the share of the energy of all but the guitar that "other" holds. No figure is right, since keyboards belong there
      too; but a package that puts everything into "other" misses no guitar, and is found out here
  masked: the energy of the stems against that part of them which no such factor makes, in dB

It is no SDR: it does not hear what a mask does to the sound, nor what else is in the stem. It is true of masks, and nearly so of
filters over both channels: when the filter of `unbraid-4` was run on the guitar alone, on 12 s of each song, the energy that "other"
got differed by 1 % from what is told here, and that of each other stem with more than 0.1 % by 6 % at most. A separator that is
neither, such as a perfect one, would be blamed for what sounds in the same place. Stems below 16 dB "masked" are therefore refused,
and the exit status is 1: our packages have 19 and more, and the true tracks of these songs 7 to 13. The rows "mean" have the mean of
each figure over the songs, of those in dB as well; none for a model that was refused.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "models"))

SONGS = Path("/usr/share/games/fretsonfire/data/songs/sectoid")
RATE = 44100
STEMS = ("vocals", "drums", "bass", "other")
MODELS = ("spleeter-hpss", "unbraid-4")
# The transform of the packages.
FFT_SIZE = 4096
HOP = 1024
# What is added to the mixture's power in each place, of its mean.
REGULARISATION = 1e-9
# In dB; below it stems are not masks of the mixture.
MASKED_FLOOR = 16.0
# How finely the loudest part of the guitar is looked for, in frames.
STEP = RATE // 10
HEAD = ("| song | model | vocals % | drums % | bass % | other % | missing dB | other/elsewhere dB | rest in other % | masked dB |\n"
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|")


class NotMasksError(ValueError):
    """The stems are no masks of the mixture, so that the figures would not be true."""


@dataclass(frozen=True)
class Verdict:
    """The figures of a row, in the order of its columns."""

    vocals: float
    drums: float
    bass: float
    other: float
    missing: float
    against_elsewhere: float
    rest_in_other: float
    masked: float

    def row(self, song: str, model: str) -> str:
        return f"| {song} | {model} | {' | '.join(f'{getattr(self, field.name):.1f}' for field in fields(self))} |"


def decibels(above: float, below: float) -> float:
    """The ratio of two energies; infinite where one of them is nothing, and NaN where both are."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(10 * np.log10(np.float64(above) / np.float64(below)))


def energy(x: np.ndarray) -> float:
    return float(np.sum(x.real**2 + x.imag**2))


def spectra(samples: np.ndarray) -> np.ndarray:
    """[frames, channels] -> [channels, places in time, bins], complex. Silence before and after, so that every sample counts alike."""
    tail = -len(samples) % HOP
    padded = np.pad(samples.astype(np.float64), ((FFT_SIZE - HOP, FFT_SIZE - HOP + tail), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, FFT_SIZE, axis=0)[::HOP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT_SIZE) / FFT_SIZE)
    return np.fft.rfft(windows * hann, axis=-1).transpose(1, 0, 2)


class Mixture:
    """The guitar and the rest of a song, [frames, channels] each; their sum is what was separated."""

    def __init__(self, guitar: np.ndarray, rest: np.ndarray) -> None:
        self.guitar, self.rest = spectra(guitar), spectra(rest)
        if not energy(self.guitar) or not energy(self.rest):
            raise ValueError("the guitar, or all but the guitar, is silent: there is nothing to be told apart")
        self.spectra = self.guitar + self.rest
        power = self.spectra.real**2 + self.spectra.imag**2
        self.power = power + REGULARISATION * power.mean()

    def gain(self, stem: np.ndarray) -> np.ndarray:
        """What the stem, as spectra, has of the mixture in each place: 0 to 1."""
        return np.clip((stem * self.spectra.conj()).real / self.power, 0.0, 1.0)


def judge(guitar: np.ndarray, rest: np.ndarray, stems: dict[str, np.ndarray]) -> Verdict:
    """Where the guitar went. NotMasksError if the stems are not masks of guitar + rest."""
    mixture = Mixture(guitar, rest)
    held, unmasked, total, rest_in_other = {}, 0.0, 0.0, 0.0
    for name in STEMS:
        stem = spectra(stems[name])
        gain = mixture.gain(stem)
        held[name] = energy(gain * mixture.guitar)
        unmasked += energy(stem - gain * mixture.spectra)
        total += energy(stem)
        if name == "other":
            rest_in_other = energy(gain * mixture.rest) / energy(mixture.rest)
    masked = decibels(total, unmasked)
    if not masked >= MASKED_FLOOR:
        raise NotMasksError(f"its stems are no masks of the mixture: {masked:.1f} dB, and {MASKED_FLOOR:.0f} are needed")
    elsewhere = spectra(sum(stems[name].astype(np.float64) for name in STEMS if name != "other"))
    shares = [100 * held[name] / sum(held.values()) for name in STEMS]
    return Verdict(*shares, decibels(energy(mixture.guitar), held["other"]),
                   decibels(held["other"], energy(mixture.gain(elsewhere) * mixture.guitar)), 100 * rest_in_other, masked)


def mean(verdicts: list[Verdict]) -> Verdict:
    """Each figure's mean over songs, those in dB as well."""
    return Verdict(*(float(np.mean([getattr(verdict, field.name) for verdict in verdicts])) for field in fields(Verdict)))


def loudest(guitar: np.ndarray, frames: int) -> int:
    """The first frame of the loudest part of so many frames, in steps of a tenth of a second; 0 for a shorter track."""
    powers = np.square(guitar[:len(guitar) // STEP * STEP], dtype=np.float64).reshape(-1, STEP * guitar.shape[1]).sum(1)
    sums = np.concatenate([[0.0], np.cumsum(powers)])
    steps = -(-frames // STEP)
    if steps >= len(sums):
        return 0
    return int(np.argmax(sums[steps:] - sums[:-steps])) * STEP


def read_song(folder: Path, seconds: float, begin: float | None) -> tuple[np.ndarray, np.ndarray]:
    """The guitar and the rest of an excerpt, [frames, 2] float32 each, at half level, so that their sum does not clip."""
    tracks = []
    for name in ("guitar.ogg", "song.ogg"):
        samples, rate = soundfile.read(folder / name, dtype="float32", always_2d=True)
        if rate != RATE or samples.shape[1] != 2:
            raise ValueError(f"{folder / name} must have two channels at {RATE} Hz")
        tracks.append(0.5 * samples)
    length = min(len(tracks[0]), len(tracks[1]))
    frames = round(seconds * RATE)
    first = loudest(tracks[0][:length], frames) if begin is None else round(begin * RATE)
    if first >= length:
        raise ValueError(f"{folder.name} ends before {begin} s")
    guitar, rest = (track[first:min(first + frames, length)] for track in tracks)
    return guitar, rest


class Separator:
    """A package by its name in build/models, or by the path of its folder."""

    def __init__(self, model: str) -> None:
        from unbraid_models.reference import Reference

        self.reference = Reference(Path(model) if "/" in model else ROOT / "build" / "models" / model)
        description = self.reference.description
        if sorted(description["stems"]) != sorted(STEMS) or description["sample_rate"] != RATE:
            raise ValueError(f"{model} does not give the stems {', '.join(STEMS)} at {RATE} Hz")
        self.title = f"{description['name']} {description['version']}" + (f", {model}" if "/" in model else "")

    def separate(self, mix: np.ndarray) -> dict[str, np.ndarray]:
        return dict(zip(self.reference.stems, self.reference.separate(mix)))


def compare(songs: list[str], separators: list[Separator], seconds: float, begin: float | None) -> bool:
    """Prints the table; whether every model could be judged on every song."""
    print(HEAD, flush=True)
    verdicts: dict[str, list[Verdict]] = {separator.title: [] for separator in separators}
    for song in songs:
        guitar, rest = read_song(SONGS / song, seconds, begin)
        for separator in separators:
            try:
                verdict = judge(guitar, rest, separator.separate(guitar + rest))
            except NotMasksError as error:
                print(f"{song}, {separator.title}: {error}", file=sys.stderr)
                continue
            verdicts[separator.title].append(verdict)
            print(verdict.row(song, separator.title), flush=True)
    complete = {title: found for title, found in verdicts.items() if len(found) == len(songs)}
    for title, found in complete.items():
        print(mean(found).row("mean", title))
    return len(complete) == len(verdicts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", help=f"may be repeated; {' and '.join(MODELS)} by default")
    parser.add_argument("--song", action="append", help="may be repeated; all by default")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each song; %(default)s")
    parser.add_argument("--begin", type=float, help="where the excerpts begin, in seconds; where the guitar is loudest by default")
    options = parser.parse_args()
    if options.seconds <= 0 or (options.begin or 0) < 0:
        parser.error("--seconds must be above 0, and --begin not below")
    there = sorted(path.parent.name for path in SONGS.glob("*/guitar.ogg"))
    if not there:
        parser.error("the Debian package fretsonfire-songs-sectoid is not installed")
    for song in options.song or []:
        if song not in there:
            parser.error(f"there is no song {song!r}; there are {', '.join(there)}")
    try:
        # A dict: each once, in their order.
        separators = [Separator(model) for model in dict.fromkeys(options.model or MODELS)]
    except (OSError, ValueError) as error:
        parser.error(str(error))
    return 0 if compare(options.song or there, separators, options.seconds, options.begin) else 1


if __name__ == "__main__":
    sys.exit(main())
