#!/usr/bin/python3
"""Lets Spin look at every order of events of separation.pml: the protocol keeps its promises, and does not without any of its rules.

    check.py            what the tests run
    check.py --large    larger systems as well; about half an hour

Each line shows what was looked at, the number of states, and the verdict. It fails where a promise is broken, and where a rule was
taken away and no promise broke: then the check would not see a mistake either.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

MODEL = Path(__file__).with_name("separation.pml")
MINUTES_AT_MOST = 30


@dataclass(frozen=True)
class Case:
    """A system, and one promise about it. Every case also demands what the model asserts of a separation that has SUCCEEDED."""

    promise: str
    defines: str
    holds: bool = True


KEPT = [
    Case("finishes", "FAULTS=2"),
    Case("never_fails", "FAULTS=2"),
    Case("finishes", "FAULTS=1 STEMS=2"),
    Case("never_fails", "FAULTS=1 STEMS=2"),
    Case("finishes", "FAULTS=1 CANCELS=1 WORKERS=1"),
    Case("never_fails", "FAULTS=1 CANCELS=1"),
    Case("is_told", "FAULTS=1 POISON"),
    Case("is_told", "FAULTS=1 STUBBORN"),
    # Only a broker that loses messages makes it necessary to look for what has stalled.
    Case("finishes", "FAULTS=1 NO_LOSSES BREAK_STALL"),
    # What was acknowledged too early is asked for with the snapshot: the rule saves work, not the job.
    Case("finishes", "FAULTS=1 NO_LOSSES BREAK_STALL BREAK_ACKNOWLEDGEMENT"),
]
BROKEN = [
    Case("finishes", "FAULTS=1 BREAK_CUT", holds=False),
    Case("finishes", "FAULTS=1 STEMS=2 BREAK_DUPLICATES", holds=False),
    Case("finishes", "FAULTS=1 CANCELS=1 BREAK_ATTEMPTS", holds=False),
    Case("finishes", "FAULTS=1 BREAK_STALL", holds=False),
    Case("finishes", "FAULTS=1 NO_LOSSES BREAK_STALL BREAK_SNAPSHOT", holds=False),
]
LARGE = [
    Case("finishes", "FAULTS=3"),
    Case("never_fails", "FAULTS=3"),
    Case("finishes", "FAULTS=2 STEMS=2"),
    Case("finishes", "FAULTS=2 CANCELS=1"),
    Case("finishes", "FAULTS=1 CHUNKS=3"),
    Case("never_fails", "FAULTS=2 CHUNKS=3"),
]


def run(folder: str, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=60 * MINUTES_AT_MOST)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}")
    return done.stdout


def verify(case: Case) -> tuple[bool, int]:
    """Whether the promise is kept in every order of events, and how many states there are."""
    with tempfile.TemporaryDirectory(prefix="unbraid-protocol-") as folder:
        defines = [f"-D{each}" for each in case.defines.split()]
        run(folder, "spin", *defines, "-a", str(MODEL))
        # NFAIR: enough for weak fairness among all processes. Spin's own code is not free of warnings.
        run(folder, "gcc", "-O2", "-w", "-DNFAIR=3", "-DVECTORSZ=2048", "-o", "pan", "pan.c")
        report = run(folder, "./pan", "-a", "-f", "-m1000000", "-w24", "-N", case.promise)
    errors, states = re.search(r"errors: (\d+)", report), re.search(r"(\d+) states, stored", report)
    complete = "max search depth too small" not in report and (int(errors[1]) > 0 or "Search not completed" not in report)
    if not complete:
        sys.exit(f"{case} was not looked at to the end:\n{report}")
    return errors[1] == "0", int(states[1])


def main() -> None:
    large = LARGE if "--large" in sys.argv[1:] else []
    wrong = 0
    for case in [*KEPT, *BROKEN, *large]:
        holds, states = verify(case)
        as_wanted = holds == case.holds
        wrong += not as_wanted
        verdict = ("holds" if holds else "is broken") + ("" if as_wanted else ", AND SHOULD NOT")
        print(f"{case.promise:12} {case.defines:54} {states:>9} states  {verdict}", flush=True)
    sys.exit(1 if wrong else 0)


main()
