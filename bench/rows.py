"""Rows of the table of benchmarks: each is a ratio of two things that were measured in turn in the same run, several times."""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

Figure = TypeVar("Figure")

HEAD = ("| what | against | unit | it | against | ratio | smallest | largest |\n"
        "|---|---|---|---:|---:|---:|---:|---:|")


@dataclass(frozen=True)
class Row:
    """`ours` and `base` are figures in `unit`, one of each per round, of `what` and of `against`; the ratio is that of a round."""

    what: str
    against: str
    unit: str
    ours: list[float]
    base: list[float]

    def ratios(self) -> list[float]:
        return [ours / base for ours, base in zip(self.ours, self.base, strict=True)]

    def __str__(self) -> str:
        ratios = self.ratios()
        figures = [_figure(statistics.median(self.ours)), _figure(statistics.median(self.base)), f"{statistics.median(ratios):.2f}",
                   f"{min(ratios):.2f}", f"{max(ratios):.2f}"]
        return f"| {self.what} | {self.against} | {self.unit} | {' | '.join(figures)} |"


def _figure(value: float) -> str:
    """Three digits, and all of those before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def in_turn(rounds: int, ours: Callable[[], Figure], base: Callable[[], Figure],
            warm_up: bool = True) -> tuple[list[Figure], list[Figure]]:
    """Both, one after the other, as often as there are rounds; which goes first alternates. A round before may warm both up."""
    if warm_up:
        ours(), base()
    figures: tuple[list[Figure], list[Figure]] = ([], [])
    for number in range(rounds):
        for which in (0, 1) if number % 2 == 0 else (1, 0):
            figures[which].append((ours, base)[which]())
    return figures


def table(rows: Iterable[Row]) -> str:
    return "\n".join([HEAD, *map(str, rows)])


def positive(text: str) -> int:
    """A type for argparse: a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def numbers(text: str) -> list[int]:
    """A type for argparse: whole numbers of at least 1, separated by commas; none where the text is empty."""
    return [positive(number) for number in text.split(",")] if text else []


def arguments(description: str | None, repeats: int) -> argparse.ArgumentParser:
    """What every script of rows takes. From now on SIGTERM and SIGHUP end it as Ctrl-C does, so that no stack stays behind."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=positive, default=repeats, help="rounds of each row; %(default)s")
    parser.add_argument("--json", action="store_true", help="one line of JSON in place of the table, for bench/run.py")
    return parser


def write(rows: Sequence[Row], as_json: bool) -> None:
    print(json.dumps({"rows": [asdict(row) for row in rows]}) if as_json else table(rows), flush=True)


def read(line: str) -> list[Row]:
    """What `write` has written as JSON."""
    return [Row(**row) for row in json.loads(line)["rows"]]
