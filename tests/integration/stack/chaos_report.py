"""What a soak has shown, as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from chaos_more_faults import FAULTS
from chaos_run import Outcome

HEAD = """# Faults

What happens to songs when a part of Unbraid is broken while they are on their way. Made with `bench/soak.sh RUNS FIRST_SEED
FILE`; `bench/soak.sh --seed N` does one of the runs again. The suite is `tests/integration/stack/chaos.py`.

Each run sends one to three new songs of 20 to 30 s through the `unbraid` command, a stack with two workers, and a model of fixed
fractions, and breaks one thing at a byte that the seed chooses: of an upload, a download, or what goes over AMQP. Every file that
comes out is compared with what `unbraid-reference` makes of the song in one process. Parts that have ended are started again at
once. Heartbeats are 4 s and `--stall-after` is 3 s, so that what waits for them does not take minutes; one lasting fault in
twelve lasts as long as in real life.

* **lost**: songs without a result. **Wrong files**: other bytes. **Needed a hand**: songs that went on only after more than the
  restarts that any supervisor does. **Files left**: what was still there when song and separation had been deleted, but for
  beginnings of uploads whose client has gone, which are kept for a while. All are to be 0.
* **told to come later**: refusals with RESOURCE_EXHAUSTED, which a full disk is answered with; the user has tried again. Without a full
  disk there are to be none.
* **pause**: the longest silence that a user saw from the fault on; the row `none` shows what it is without one.
* **next chunk**: from the fault to the next finished chunk, in runs that had one to finish.

"""

LEGEND = """
* kill, term, freeze: SIGKILL; SIGTERM; SIGSTOP, and SIGCONT after more than three heartbeats. Broker away: nobody starts it for a
  while. Refuse: it runs, and connections to it are reset.
* cut: the connection is reset within a message that is published; within a confirm, or after confirms were lost; within a
  delivery; within an acknowledgement, or after acknowledgements were lost, so that what is done is delivered again; or all of
  them at once.
* delay, throttle, black hole: of all connections, of one service's, or of one kind, in one direction or in both.
* results doubled, reordered: copies of all result messages come again; results come in another order, half of them twice.
* memory alarm: the broker takes no messages. Disk full: not a byte is free on the disk of that service.
* client cut, client killed: the connection between `unbraid` and gateway is reset, and the command goes on by itself; the command
  is killed, and started again.
"""


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


def document(summary: str, body: str) -> str:
    """The whole page for docs."""
    return f"{HEAD}{summary}\n\n{body}\n{LEGEND}"
