"""Drum kits of single shots: of Hydrogen, of Sonic Pi, of SoundFonts, made here, and mixed of all of them."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

from . import tones
from .audio import RATE
from .effects import pitched
from .fluidsynth import DRUM_BANK, Note, soundfont
from .sources import permitted

Shot = str | tuple[str, int, int, int]
"""A file, or source, program, note and velocity of a SoundFont."""
Kit = dict[str, list[Shot]]
"""Shots of each class of drum. What is missing is made by `tones.drum`."""

CLASS_OF_NOTE = {
    36: "kick", 35: "kick", 38: "snare", 40: "snare", 37: "rim", 39: "clap", 42: "hat", 44: "hat", 46: "open", 49: "crash", 57: "crash",
    51: "ride", 53: "ride", 41: "tom", 43: "tom", 45: "tom", 47: "tom", 48: "tom", 50: "tom", 56: "perc", 54: "perc", 69: "perc",
    70: "perc", 62: "perc", 63: "perc", 64: "perc",
}
"""General MIDI drum notes."""
CLASSES = sorted(set(CLASS_OF_NOTE.values()))
PROGRAMS = [0, 0, 8, 16, 24, 25, 32, 40, 48]
"""Drum presets of the SoundFonts; the standard kit counts twice."""

# The first pattern that fits a name tells its class.
_NAMES = (
    ("open", r"open|\bohh|_op_"), ("hat", r"hat|hh|cl\b"), ("kick", r"kick|bd|bass ?drum|^bass|thump"), ("clap", r"clap"),
    ("rim", r"rim|stick|click"), ("snare", r"snare|^sn|sd_|slap"), ("tom", r"tom|^t\d|tone|head"), ("ride", r"ride|^rd|bell"),
    ("crash", r"crash|china|splash|cymb"), ("perc", r"cow|conga|bongo|agogo|tamb|maraca|clave|snap|shak|block"),
)
_SONIC_PI = {
    "kick": ["bd_*", "drum_bass_*", "drum_heavy_kick", "elec_hollow_kick", "elec_soft_kick"],
    "snare": ["drum_snare_*", "elec_*snare", "sn_*"],
    "hat": ["drum_cymbal_closed", "drum_cymbal_pedal", "elec_tick", "elec_ping"],
    "open": ["drum_cymbal_open", "elec_cymbal"],
    "tom": ["drum_tom_*", "elec_fuzz_tom"],
    "crash": ["drum_cymbal_hard", "drum_splash_*"],
    "ride": ["drum_cymbal_soft"],
    "rim": ["elec_wood", "elec_pop", "perc_snap*"],
    "perc": ["tabla_*", "drum_cowbell", "perc_bell*", "elec_triangle"],
    "clap": ["perc_snap*", "elec_hi_snare"],
}
_CYMBALS = ("hat", "open", "ride", "crash")
_FONT_KITS = 4


def drum_class(name: str) -> str | None:
    """The class that a name of an instrument or a file tells, if any."""
    name = name.lower()
    for kind, pattern in _NAMES:
        if re.search(pattern, name) and (kind != "open" or "h" in name):
            return kind
    return None


@lru_cache(maxsize=None)
def _hydrogen(source: str) -> Kit:
    """Told by the instruments' names in drumkit.xml: those of the files often say nothing."""
    folder = Path(permitted(source).path)
    kit: Kit = {}
    description = (folder / "drumkit.xml").read_text(errors="ignore")
    for instrument in re.findall(r"<instrument>(.*?)</instrument>", description, re.DOTALL):
        names = re.findall(r"<name>(.*?)</name>", instrument) or [""]
        name = re.sub(r"^[a-g]#?\d - ", "", names[0])
        for file in re.findall(r"<filename>(.*?)</filename>", instrument):
            kind = drum_class(name) or drum_class(file.rsplit(".", 1)[0])
            if kind and (folder / file).exists():
                kit.setdefault(kind, []).append(str(folder / file))
    return kit


@lru_cache(maxsize=None)
def _sonic_pi() -> Kit:
    folder = Path(permitted("sonicpi").path)
    return {kind: [str(file) for pattern in patterns for file in sorted(folder.glob(f"{pattern}.flac"))]
            for kind, patterns in _SONIC_PI.items()}


def _of_fonts(rng: np.random.Generator) -> Kit:
    kit: Kit = {}
    for note, kind in CLASS_OF_NOTE.items():
        source, program = str(rng.choice(["fluid", "muse"])), int(rng.choice(PROGRAMS))
        kit.setdefault(kind, []).append((source, program, note, int(rng.integers(60, 127))))
    return kit


def _mixed(rng: np.random.Generator) -> Kit:
    """Each class from a random kit: far more distinct kits than there are sources."""
    kits = [_hydrogen("audiophob"), _sonic_pi(), *(_of_fonts(rng) for _ in range(_FONT_KITS)), {}]
    return {kind: kits[int(rng.integers(len(kits)))].get(kind, []) for kind in CLASSES}


def kit_of(source: str, rng: np.random.Generator) -> Kit:
    """The kit of a source that has single shots."""
    permitted(source)
    if source == "mixed":
        return _mixed(rng)
    return {"sonicpi": _sonic_pi, "audiophob": lambda: _hydrogen("audiophob"), "synth": dict}[source]()


@lru_cache(maxsize=None)
def _load(shot: Shot) -> np.ndarray:
    """[2, n] float32, at most 4 s of a file, or a second of a SoundFont with what rings on."""
    if isinstance(shot, tuple):
        source, program, note, velocity = shot
        x = soundfont(source).render(DRUM_BANK, program, [(0, note, velocity, 1.0)], 2 * RATE)
        level = np.abs(x).max(0)
        heard = np.nonzero(level > 1e-4 * max(level.max(), 1e-6))[0]
        return x[:, :(heard[-1] if len(heard) else 0) + 64]
    samples, rate = soundfile.read(shot, dtype="float32", always_2d=True)
    x = samples.T[:2]
    if len(x) == 1:
        x = np.concatenate([x, x])
    if rate != RATE:
        common = np.gcd(rate, RATE)
        x = resample_poly(x, RATE // common, rate // common, axis=1).astype(np.float32)
    return x[:, :RATE * 4]


def _takes(shots: list[Shot], kind: str, tuning: float, rng: np.random.Generator) -> list[np.ndarray]:
    """One shot, or up to three that take turns, at a peak of one."""
    if shots:
        order = rng.permutation(len(shots))
        takes = [_load(shots[i]) for i in order[:3 if rng.random() < 0.3 else 1]]
    else:
        takes = [tones.drum(kind, rng)]
    takes = [pitched(take, tuning) for take in takes]
    return [take / (np.abs(take).max() + 1e-6) for take in takes]


def render(kit: Kit, notes: list[Note], length: int, rng: np.random.Generator) -> np.ndarray:
    """[2, length]: each drum at a random level, tuning and place."""
    out = np.zeros((2, length), np.float32)
    gains = {kind: 10 ** (rng.uniform(-4, 4) / 20) * (0.45 if kind in _CYMBALS else 1) for kind in CLASSES}
    tunings = {kind: 2 ** (rng.uniform(-3, 3) / 12) for kind in CLASSES}
    takes: dict[int, list[np.ndarray]] = {}
    pans: dict[int, np.ndarray] = {}
    for time, note, velocity, _ in notes:
        kind = CLASS_OF_NOTE.get(note, "perc")
        if note not in takes:
            takes[note] = _takes(kit.get(kind, []), kind, tunings[kind], rng)
            pan = rng.uniform(-0.1, 0.1) if kind in ("kick", "snare") else rng.uniform(-0.6, 0.6)
            pans[note] = np.array([[1 - max(pan, 0)], [1 + min(pan, 0)]], np.float32)
        take = takes[note][int(rng.integers(len(takes[note])))]
        begin = int(time * RATE)
        if 0 <= begin < length:
            count = min(take.shape[1], length - begin, int(0.5 * RATE) if kind == "hat" else length)
            out[:, begin:begin + count] += take[:, :count] * pans[note] * gains[kind] * (velocity / 110) ** 1.6
    return out
