"""Every kind of file through the whole stack with `passthrough`: what comes back is what went in, frame by frame.

docs/formats.md shows the result of each row. Make it anew with:
    UNBRAID_WRITE_DOCS=1 python3 -m pytest tests/integration/stack/test_formats.py
"""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
import soundfile
from api import Api, Refusal
from format_rows import RESAMPLED_DB, SECONDS, Row, rows, signal, stereo
from stack import ROOT, Stack

# All rows are one fixture.
pytestmark = pytest.mark.seconds(600)

PAGE = ROOT / "docs" / "formats.md"
AT_ONCE = 6

HEAD = """# Formats that go in

Each row is a file that went through gateway, splitter, broker, worker and assembler with the model `passthrough`, whose four stems add up
to the song, and came back as its `mix` in 32-bit floats. Made by `tests/integration/stack/test_formats.py`, which is one of the tests: it
fails when a row is not as it is here.

* *Frames in*: what the encoder was given, or, for formats that do not tell their delay, what another decoder makes of the file. *Frames
  out*: frames of the mix.
* *Fidelity*: the SDR of the mix against the same. "exact": the same samples to the rounding of a 32-bit float. "resampled": through the
  model's 44.1 kHz and back, or mixed down from 5.1, at more than 75 dB (the ripple of two filters, some
  0.002 dB), or at what the file's own depth leaves. Others are lossy.

| file | rate | channels | frames in | frames out | fidelity | |
|---|--:|--:|--:|--:|--:|---|
"""


@dataclass(frozen=True)
class Result:
    row: Row
    frames_in: int
    frames_out: int
    sdr_db: float
    problem: str

    def line(self) -> str:
        bound = {np.inf: "exact", -np.inf: "", RESAMPLED_DB: "resampled"}.get(self.row.bound_db, f"> {self.row.bound_db:.0f} dB")
        verdict = self.problem or "ok"
        row = self.row
        return f"| {row.kind} | {row.rate} | {row.channels} | {self.frames_in} | {self.frames_out} | {bound} | {verdict} |"


def sdr(wanted: np.ndarray, got: np.ndarray) -> float:
    """In dB; infinite when no sample differs by more than the rounding of a 32-bit float."""
    difference = wanted.astype(np.float64) - got
    if np.abs(difference).max() <= 2.0**-23:
        return np.inf
    return 10 * np.log10(np.sum(wanted.astype(np.float64) ** 2) / np.sum(difference**2))


def examine(api: Api, row: Row) -> Result:
    samples = signal(row.frames or 2 * int(SECONDS * row.rate / 2), row.channels, row.rate)
    if row.in_steps:
        samples = np.round(samples * 2**15) / 2**15
    content = row.make(samples, row.rate)
    wanted = stereo(row.witness(content, row.channels) if row.witness else samples)

    def failed(problem: str) -> Result:
        return Result(row, len(wanted), 0, -np.inf, problem)

    track = api.upload(content)
    if isinstance(track, Refusal):
        return failed(track.message)
    separation = api.separate(track, model="passthrough", stems=["vocals"], mix={"gains": dict.fromkeys(("vocals", "drums", "bass", "other"), 1)})
    if isinstance(separation, Refusal):
        return failed(separation.message)
    if separation.state != separation.STATE_SUCCEEDED:
        return failed(separation.failure.message)
    mix, rate = soundfile.read(io.BytesIO(api.download(separation, "mix")), always_2d=True, dtype="float64")
    if rate != row.rate or mix.shape[1] != wanted.shape[1] or track.source_channels != row.channels:
        return failed(f"came back at {rate} Hz with {mix.shape[1]} channels")
    if len(mix) != len(wanted) or track.frames != len(wanted):
        return Result(row, len(wanted), len(mix), -np.inf, f"{len(mix) - len(wanted):+d} frames")
    measured = sdr(wanted, mix)
    # The noise of a coarse depth reaches up to half the rate, and a resampler's filter takes the uppermost part of it away.
    bound = min(row.bound_db, sdr(stereo(samples), wanted) - 3) if row.bound_db == RESAMPLED_DB else row.bound_db
    return Result(row, len(wanted), len(mix), measured, "" if measured >= bound else f"only {measured:.1f} dB")


@pytest.fixture(scope="module")
def results():
    with Stack(workers=2, models=("passthrough",)) as stack, Api(stack) as api, ThreadPoolExecutor(AT_ONCE) as pool:
        yield list(pool.map(lambda row: examine(api, row), rows()))


def test_every_row_comes_back_as_it_went_in(results):
    assert len(results) > 400
    assert [result.line() for result in results if result.problem] == []


def test_the_page_shows_what_is(results):
    page = HEAD + "".join(result.line() + "\n" for result in results)
    if os.environ.get("UNBRAID_WRITE_DOCS"):
        PAGE.write_text(page)
    assert PAGE.read_text() == page, "the table is out of date; the head of this file says how to make it"
