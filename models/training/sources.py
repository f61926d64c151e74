"""Which sounds may be used to train, and under which licence. What is not listed here is refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """Where sounds come from. `path` is that of Debian's package, empty for sounds made here."""

    title: str
    licence: str
    package: str = ""
    path: str = ""


class UnlistedSource(ValueError):
    """A sound whose source is not in the table."""


SOURCES: dict[str, Source] = {
    "fluid": Source("FluidR3 GM soundfont", "MIT", "fluid-soundfont-gm", "/usr/share/sounds/sf2/FluidR3_GM.sf2"),
    "muse": Source("MuseScore General soundfont", "MIT, parts CC0 or public domain", "musescore-general-soundfont",
                   "/usr/share/sounds/sf3/MuseScore_General_Full.sf3"),
    "sonicpi": Source("Sonic Pi drum samples and loops", "CC0 1.0", "sonic-pi-samples", "/usr/share/sonic-pi/samples"),
    "audiophob": Source("Audiophob drum kit", "CC0 1.0", "hydrogen-drumkits", "/usr/share/hydrogen/data/drumkits/Audiophob"),
    "synth": Source("drums and tones made with NumPy", "own"),
    "mixed": Source("one-shots of all the others, a class of drum from each", "as the others"),
}
"""Left out on purpose: the kit rumpf_kit_z01_h2, on whose licence its files and its packaging disagree."""

LOOPS = ("breakbeat", "tabla", "industrial")
"""Drum loops of Sonic Pi, CC0 1.0. Left out on purpose: amen and amen_full, since the rights in the recording behind them are unclear."""


def permitted(name: str) -> Source:
    """The source of this name; raises UnlistedSource for any other."""
    if name not in SOURCES:
        raise UnlistedSource(f"{name!r} is no source that may be used to train; listed are {', '.join(sorted(SOURCES))}")
    return SOURCES[name]
