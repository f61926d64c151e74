"""What a model gives for a whole track in its own library, without any of the services: the measure of parity.

The track goes through `demucs.apply.apply_model`, whatever the model: it is the cutting and joining that the services restate. The samples are scaled before and after as `demucs.separate` does it, where the package asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from itertools import cycle
from unittest import mock

import numpy as np
import torch
from torch import nn

from .exporters import SAMPLE_RATE, Exporter


def expected(exporter: Exporter, models: Sequence[nn.Module], track: np.ndarray, narrow: bool,
             fixed_length: bool = True, silences: Sequence[int] = ()) -> np.ndarray:
    """[frames, 2] float32 at 44.1 kHz -> [stems, frames, 2] float32.

    Demucs gives every model but its transformers a shorter input where the track ends within a window. A traced graph has
    one length; it gets the track's own samples from before, as the transformers do. `fixed_length` asks for that of all
    models; without it, a short chunk is computed as Demucs does. `silences`: frames before the track in each of several
    passes, in place of what Demucs would draw for its `shifts`.
    """
    from demucs import apply

    mix = torch.from_numpy(track.T.copy())
    mono = mix.mean(0)
    scaled = exporter.normalisation == "track"
    mean, deviation = (mono.mean(), mono.std()) if scaled else (torch.tensor(0.0), torch.tensor(1.0))
    bag = _bag(exporter, models, narrow, fixed_length)
    # Not the quotient of frames: it may be rounded so that the stride is a frame shorter.
    overlap = 0.25 if exporter.overlap_frames is None else exporter.overlap_frames / exporter.window(narrow)
    drawn = cycle(silences)  # each model of a bag draws for itself
    places = mock.patch.object(apply.random, "randint", lambda _, largest: largest - next(drawn)) if silences else nullcontext()
    with places:
        out = apply.apply_model(bag, ((mix - mean) / deviation)[None], shifts=len(silences), split=True, overlap=overlap)[0]
    return (out * deviation + mean).numpy().transpose(0, 2, 1)


def _bag(exporter: Exporter, models: Sequence[nn.Module], narrow: bool, fixed_length: bool) -> nn.Module:
    from demucs.apply import BagOfModels
    from demucs.htdemucs import HTDemucs

    window = exporter.window(narrow)
    for model in models:
        if isinstance(model, HTDemucs):
            continue  # It has all of this, and says itself what it takes.
        model.sources, model.samplerate, model.audio_channels = list(exporter.stems), SAMPLE_RATE, 2
        model.segment = exporter.segment_of(narrow)
        if fixed_length:
            model.valid_length = lambda length: window
        elif hasattr(model, "valid_length"):
            del model.valid_length
    return BagOfModels(list(models), exporter.bag_weights)
