"""SoundFonts rendered by FluidSynth, through its C library. Its reverb and chorus are off: effects are ours."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_double, c_float, c_int, c_void_p
from functools import lru_cache

import numpy as np

from .audio import RATE
from .sources import permitted

Note = tuple[float, int, float, float]
"""Begin in seconds, MIDI note, velocity, duration in seconds."""
Bend = tuple[float, int]
"""Time in seconds, pitch wheel from 0 to 16383."""

Event = tuple[int, int, int, float]
"""Sample, what happens, note or wheel, velocity."""

DRUM_BANK = 128
_DRUM_CHANNEL = 9
_OFF, _ON, _BEND = range(3)


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL("libfluidsynth.so.3")
    pointer = POINTER(c_float)
    for name, result, arguments in (
        ("new_fluid_settings", c_void_p, ()),
        ("fluid_settings_setnum", c_int, (c_void_p, c_char_p, c_double)),
        ("fluid_settings_setint", c_int, (c_void_p, c_char_p, c_int)),
        ("new_fluid_synth", c_void_p, (c_void_p,)),
        ("fluid_synth_sfload", c_int, (c_void_p, c_char_p, c_int)),
        ("delete_fluid_synth", None, (c_void_p,)),
        ("fluid_synth_program_select", c_int, (c_void_p, c_int, c_int, c_int, c_int)),
        ("fluid_synth_noteon", c_int, (c_void_p, c_int, c_int, c_int)),
        ("fluid_synth_noteoff", c_int, (c_void_p, c_int, c_int)),
        ("fluid_synth_pitch_bend", c_int, (c_void_p, c_int, c_int)),
        ("fluid_synth_write_float", c_int, (c_void_p, c_int, pointer, c_int, c_int, pointer, c_int, c_int)),
        ("fluid_set_log_function", c_void_p, (c_int, c_void_p, c_void_p)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    for level in range(5):
        library.fluid_set_log_function(level, None, None)
    return library


class SoundFont:
    """One SoundFont. Every part gets a synthesiser of its own: after a reset voices ring on, some for longer than ten seconds, and would
    be heard in the next part, which is another stem."""

    def __init__(self, path: str) -> None:
        self.library, self.path = _library(), path
        self.settings = self.library.new_fluid_settings()
        self.library.fluid_settings_setnum(self.settings, b"synth.sample-rate", RATE)
        self.library.fluid_settings_setnum(self.settings, b"synth.gain", 0.3)
        for option in (b"synth.reverb.active", b"synth.chorus.active"):
            self.library.fluid_settings_setint(self.settings, option, 0)
        self.library.fluid_settings_setint(self.settings, b"synth.dynamic-sample-loading", 1)

    def render(self, bank: int, program: int, notes: list[Note], length: int, bends: list[Bend] | None = None) -> np.ndarray:
        """[2, length] float32, whatever was rendered before. A program that the bank lacks is replaced by the bank's first."""
        synth = self.library.new_fluid_synth(self.settings)
        try:
            font = self.library.fluid_synth_sfload(synth, self.path.encode(), 1)
            if font < 0:
                raise FileNotFoundError(f"FluidSynth cannot load {self.path}; models/training/install.sh installs it")
            channel = _DRUM_CHANNEL if bank == DRUM_BANK else 0
            if self.library.fluid_synth_program_select(synth, channel, font, bank, program) != 0:
                self.library.fluid_synth_program_select(synth, channel, font, bank, 0)
            return self._play(synth, channel, _events(notes, bends or [], length), length)
        finally:
            self.library.delete_fluid_synth(synth)

    def _play(self, synth: int, channel: int, events: list[Event], length: int) -> np.ndarray:
        library = self.library
        out = np.zeros((2, length), np.float32)
        position = 0
        for at, what, value, velocity in events:
            self._write(synth, out, position, at)
            position = at
            if what == _ON:
                library.fluid_synth_noteon(synth, channel, value, int(np.clip(velocity, 1, 127)))
            elif what == _OFF:
                library.fluid_synth_noteoff(synth, channel, value)
            else:
                library.fluid_synth_pitch_bend(synth, channel, value)
        self._write(synth, out, position, length)
        return out

    def _write(self, synth: int, out: np.ndarray, begin: int, end: int) -> None:
        if end > begin:
            left, right = (row.ctypes.data_as(POINTER(c_float)) for row in out)
            self.library.fluid_synth_write_float(synth, end - begin, left, begin, 1, right, begin, 1)


def _events(notes: list[Note], bends: list[Bend], length: int) -> list[Event]:
    """In order of time; at the same time, notes end before others begin."""
    events = [(int(time * RATE), _BEND, int(wheel), 0.0) for time, wheel in bends]
    for time, note, velocity, duration in notes:
        events.append((int(time * RATE), _ON, int(note), velocity))
        events.append((int((time + duration) * RATE), _OFF, int(note), 0.0))
    return sorted(event for event in events if 0 <= event[0] < length)


@lru_cache(maxsize=None)
def soundfont(source: str) -> SoundFont:
    """The SoundFont of a listed source."""
    return SoundFont(permitted(source).path)
