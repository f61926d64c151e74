#!/usr/bin/python3
"""Breaks a whole Unbraid on purpose, and looks whether anything is lost.

  chaos.py --seed 7                 one run; the seed decides fault, target, moment and songs
  chaos.py --seed 7 --fault delay   the same with another fault
  chaos.py --seed 7 --beside        with audio beside the messages instead of in them
  chaos.py --runs 100 --seed 1      seeds 1 to 100 over one stack, and a report
  chaos.py --table LOG...           the table of runs that were logged with --log
  chaos.py --list                   the faults

SIGTERM or Ctrl-C: ends after the run that is under way, with a report. Exit status 1: a job was lost, a byte was wrong, a song
was refused without a full disk, files were left, or somebody had to help.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import traceback
from pathlib import Path

import chaos_report
from chaos_more_faults import FAULTS
from chaos_run import Outcome, run
from chaos_scene import Scene, until

LEFT_SECONDS = 60
WARM_SEED = 10**9


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="the first one")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--fault", choices=list(FAULTS), default="", metavar="NAME")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--beside", action="store_true", help="audio travels beside the messages, in a folder")
    parser.add_argument("--report", type=Path, help="file for the report; it is printed as well")
    parser.add_argument("--log", type=Path, help="file for one JSON object per run, added to what is there")
    parser.add_argument("--table", type=Path, nargs="+", default=[], metavar="LOG", help="print the table of these, and end")
    parser.add_argument("--list", action="store_true", help="print the faults, and end")
    return parser.parse_args()


def tell(outcome: Outcome, log: Path | None) -> None:
    verdict = "ok" if outcome.fine() else "FAILED"
    chunk = "-" if outcome.next_chunk is None else f"{outcome.next_chunk:.1f}"
    times = f"{outcome.seconds:5.1f} s, pause {outcome.pause:4.1f} s, next chunk {chunk:>4} s"
    print(f"{verdict:6} seed {outcome.seed:5} {outcome.fault:20} {times} | {outcome.moment} | {outcome.text}", *outcome.notes,
          sep="\n         ", flush=True)
    if log is not None:
        with log.open("a") as lines:
            lines.write(json.dumps(outcome.record()) + "\n")


class Soak:
    """Runs over one stack for as long as it can be healed; a new one, when it cannot."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self.outcomes: list[Outcome] = []
        self.left: list[str] = []
        self.memory: tuple[dict[str, float], dict[str, float]] = ({}, {})
        self.restarts = 0
        self.stacks = 0
        self._ending = False

    def end(self) -> None:
        """After the run that is under way; the report is about those that were."""
        self._ending = True

    def go(self) -> None:
        seeds = list(range(self._options.seed, self._options.seed + self._options.runs))
        while seeds and not self._ending:
            self.stacks += 1
            with Scene(self._options.workers, self._options.beside) as scene:
                self._play(scene, seeds)

    def fine(self) -> bool:
        return all(outcome.fine() for outcome in self.outcomes) and not self.left

    def _play(self, scene: Scene, seeds: list[int]) -> None:
        warm = run(scene, WARM_SEED, "none")  # what every part needs once it has worked
        assert warm.fine(), warm
        before = scene.memory_mb()
        while seeds and not self._ending:
            outcome = self._one(scene, seeds.pop(0))
            self.outcomes.append(outcome)
            tell(outcome, self._options.log)
            if not outcome.fine():
                self._keep_logs(scene, outcome)
            if outcome.helped:
                break
        self.memory = (before, scene.memory_mb())
        self.restarts += scene.supervisor.restarts
        self._look_for_left(scene)

    def _one(self, scene: Scene, seed: int) -> Outcome:
        try:
            return run(scene, seed, self._options.fault)
        except Exception:  # whatever it is, it is a finding
            return Outcome(seed, self._options.fault or "none", "", "", 1, helped=1, notes=[traceback.format_exc()])

    def _keep_logs(self, scene: Scene, outcome: Outcome) -> None:
        if self._options.log:
            target = self._options.log.parent / f"chaos-seed-{outcome.seed}.jsonl"
            target.write_text("\n".join(map(json.dumps, scene.stack.log_lines())))
            print(f"         the services' logs: {target}", flush=True)

    def _look_for_left(self, scene: Scene) -> None:
        try:
            until(lambda: not scene.left_messages(), LEFT_SECONDS, "no message left")
        except TimeoutError:
            self.left += scene.left_messages()

    def report(self) -> str:
        struck = sum(outcome.struck for outcome in self.outcomes)
        seeds = f"{self._options.seed} to {self._options.seed + len(self.outcomes) - 1}"
        summary = (f"{len(self.outcomes)} runs, seeds {seeds}; in {struck} of them the fault struck before the songs were done. "
                   f"Parts were started again {self.restarts} times; the runs took {self.stacks} stack(s).")
        parts = [chaos_report.table(self.outcomes), chaos_report.memory(*self.memory),
                 f"Queues with messages at the end: {', '.join(self.left) or 'none'}."]
        troubles = chaos_report.troubles(self.outcomes)
        return chaos_report.document(summary, "\n\n".join([*parts, *([troubles] if troubles else [])]))


def main() -> int:
    options = arguments()
    if options.list:
        print(*FAULTS, sep="\n")
        return 0
    if options.table:
        print(chaos_report.table([Outcome(**json.loads(line)) for log in options.table for line in log.open()]))
        return 0
    soak = Soak(options)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: soak.end())
    try:
        soak.go()
    finally:
        report = soak.report()
        print("\n" + report)
        if options.report:
            options.report.write_text(report)
    return 0 if soak.fine() else 1


if __name__ == "__main__":
    sys.exit(main())
