"""A model through all services, and the same model in its own library: both from the same weights, of the same song."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from stack import ROOT, Stack, read

sys.path.insert(0, str(ROOT / "models"))

SEED = 1
CACHE = ROOT / "build" / "cache" / "models"
# Its published weights can be had wherever this can be built; the others' cannot.
_WITH_WEIGHTS = ("spleeter-2stems",)
READY_SECONDS = 900
# Of full scale.
MOST_DIFFERENCE = 1e-4


@dataclass(frozen=True)
class Difference:
    """Both of full scale: the largest difference of any sample, and the largest sample of what is expected."""

    largest: float
    peak: float


def export(name: str, out: Path, narrow: bool) -> None:
    """Exports a model with random weights, or as it is published where that can be; what is current is kept."""
    options = [] if name in _WITH_WEIGHTS else ["--random-weights", str(SEED)] + ["--narrow"] * narrow
    subprocess.run([ROOT / "models" / "export.sh", name, *options, "--out", out], check=True, stdout=subprocess.DEVNULL)


def models_of(name: str, narrow: bool) -> list:
    """The models that `export` took, in their own library."""
    from unbraid_models.export.exporters import EXPORTERS
    from unbraid_models.export.libraries import provide

    provide(CACHE)
    exporter = EXPORTERS[name]
    return exporter.load(exporter.fetch(CACHE)) if name in _WITH_WEIGHTS else exporter.random_models(SEED, narrow)


def expected(name: str, narrow: bool, song: Path, fixed_length: bool = True, shifts: int = 0, seed: int = 0,
             wanted: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    """[frames, 2] of each stem, as the model's own library gives it; with `shifts`, as it does at the places that `seed` chooses.

    `wanted`: these stems alone (all, where it is empty); models of a bag that have no say in them are left out of it.
    """
    from unbraid_models.export import reference
    from unbraid_models.export.exporters import EXPORTERS, SAMPLE_RATE
    from unbraid_models.reference import pass_silences

    exporter, models, stems = EXPORTERS[name], models_of(name, narrow), EXPORTERS[name].stems
    if wanted and exporter.bag_weights:
        heard = [number for number, row in enumerate(exporter.bag_weights) if any(row[stems.index(stem)] for stem in wanted)]
        models = [models[number] for number in heard]
        exporter = replace(exporter, bag_weights=[exporter.bag_weights[number] for number in heard])
    track = read(song).astype(np.float32)
    silences = pass_silences(shifts, seed, SAMPLE_RATE) if shifts else ()
    made = dict(zip(stems, reference.expected(exporter, models, track, narrow, fixed_length, silences)))
    return {stem: made[stem] for stem in wanted or stems}


def stack_of(out: Path, names: tuple[str, ...]) -> Stack:
    """A stack of one worker whose catalogue is the folder `out`; large models take a while to warm up."""
    stack = Stack(workers=1, models=names, ready_seconds=READY_SECONDS)
    stack.environment["UNBRAID_MODELS"] = str(out)
    return stack


def difference(made: Path, wanted: dict[str, np.ndarray]) -> Difference:
    """Between the files `<made>/<stem>.wav` and what is expected of these stems."""
    largest = peak = 0.0
    for stem, samples in wanted.items():
        got = read(made / f"{stem}.wav")
        assert got.shape == samples.shape, stem
        assert np.isfinite(got).all() and np.isfinite(samples).all(), stem
        largest = max(largest, float(np.abs(got - samples).max()))
        peak = max(peak, float(np.abs(samples).max()))
    return Difference(largest, peak)
