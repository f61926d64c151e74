"""What a soak has shown, as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from chaos_more_faults import FAULTS
from chaos_run import Outcome


def seconds(values: Sequence[float], pick: str) -> str:
    if not values:
        return "-"
    return f"{statistics.median(values) if pick == 'median' else max(values):.1f}"


def row(name: str, outcomes: Sequence[Outcome]) -> str:
    pauses = [outcome.pause for outcome in outcomes if outcome.struck]
    chunks = [outcome.next_chunk for outcome in outcomes if outcome.next_chunk is not None]
    counts = ("songs", "lost", "wrong", "helped", "left", "refused")
    sums = [sum(getattr(outcome, what) for outcome in outcomes) for what in counts]
    times = [seconds(values, pick) for values in (pauses, chunks) for pick in ("median", "max")]
    return "| " + " | ".join([name, str(len(outcomes)), *map(str, sums), *times]) + " |"


def table(outcomes: Sequence[Outcome]) -> str:
    """One row for each fault that has happened, and one for all."""
    heads = ("fault", "runs", "songs", "lost", "wrong files", "needed a hand", "files left", "told to come later",
             "pause, s, median", "max", "next chunk, s, median", "max")
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    for name in FAULTS:
        chosen = [outcome for outcome in outcomes if outcome.fault == name]
        if chosen:
            lines.append(row(name, chosen))
    disturbed = [outcome for outcome in outcomes if outcome.fault != "none"]
    return "\n".join([*lines, row("**all faults**", disturbed)])


def memory(before: Mapping[str, float], after: Mapping[str, float]) -> str:
    lines = ["| part | resident before, MB | after, MB |", "|---|---:|---:|"]
    lines += [f"| {name} | {before[name]:.0f} | {after.get(name, 0):.0f} |" for name in before]
    return "\n".join(lines)


def troubles(outcomes: Sequence[Outcome]) -> str:
    return "\n".join(f"* seed {outcome.seed}, {outcome.fault}: {outcome.text}; {'; '.join(outcome.notes)}"
                     for outcome in outcomes if not outcome.fine() or outcome.notes)
