"""The Demucs models, as the published checkpoints have them, and narrow ones of the same classes for tests.

Imports of `demucs` stand inside the functions: the library is there only after `libraries.provide`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from torch import nn

from .checkpoint import WrongCheckpoint, fill, load_demucs, read_state

FOUR = ("drums", "bass", "other", "vocals")
SIX = (*FOUR, "guitar", "piano")
# Seconds. HTDemucs takes windows of its training length; the bags of HDemucs say 44 in place of the checkpoints' own.
TRANSFORMER_SEGMENT = Fraction(39, 5)
HYBRID_SEGMENT = Fraction(44)
# Those of the narrow models.
NARROW_TRANSFORMER_SEGMENT = Fraction(39, 10)
NARROW_HYBRID_SEGMENT = Fraction(4)
SAMPLE_RATE = 44100


def htdemucs(stems: tuple[str, ...], narrow: bool) -> nn.Module:
    """41 984 456 parameters with four stems, 27 414 996 with six.

    Narrow: 4 channels in place of 48, two layers of attention with two heads in place of five with eight, half the length.
    """
    from demucs.htdemucs import HTDemucs

    # The published model of six stems has no wider bottom.
    bottom = 0 if stems == SIX else 512
    sizes = {"channels": 4, "dconv_comp": 4, "t_layers": 2, "t_heads": 2, "bottom_channels": bottom // 16}
    if narrow:
        return HTDemucs(list(stems), dconv_mode=3, segment=NARROW_TRANSFORMER_SEGMENT, **sizes)
    return HTDemucs(list(stems), dconv_mode=3, segment=TRANSFORMER_SEGMENT, bottom_channels=bottom)


def hdemucs(stems: tuple[str, ...], narrow: bool) -> nn.Module:
    """83 637 832 parameters; narrow: 4 channels in place of 48."""
    from demucs.hdemucs import HDemucs

    return HDemucs(list(stems), channels=4 if narrow else 48)


def hdemucs_of_torchaudio(stems: tuple[str, ...], narrow: bool) -> nn.Module:
    """83 639 368 parameters; narrow: 4 channels in place of 48."""
    from torchaudio.models import HDemucs

    return HDemucs(list(stems), channels=4 if narrow else 48, nfft=4096, depth=6)


def load(paths: Sequence[Path], stems: tuple[str, ...], kind: str, segment: Fraction) -> list[nn.Module]:
    """The models of Demucs checkpoints, which must be of the class `kind` and have these stems.

    `segment`: seconds that the package takes at once; a transformer takes nothing else than what it was trained with.
    """
    models = []
    for path in paths:
        model = load_demucs(path)
        if type(model).__name__ != kind or tuple(model.sources) != stems or model.samplerate != SAMPLE_RATE:
            raise WrongCheckpoint(f"{path} is a {type(model).__name__} of {', '.join(model.sources)} at {model.samplerate} Hz; "
                                  f"wanted is a {kind} of {', '.join(stems)} at {SAMPLE_RATE} Hz")
        if kind == "HTDemucs" and int(model.segment * SAMPLE_RATE) != int(segment * SAMPLE_RATE):
            raise WrongCheckpoint(f"{path} was trained on {float(model.segment)} s, the package takes {float(segment)} s")
        models.append(model)
    return models


def load_of_torchaudio(path: Path, stems: tuple[str, ...]) -> nn.Module:
    model = hdemucs_of_torchaudio(stems, narrow=False)
    fill(model, read_state(path), path)
    return model.eval()
