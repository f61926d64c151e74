"""One run of chaos: a seed decides what happens; songs go through a stack; one fault strikes; every byte is compared."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from chaos_faults import Fault, late_moment
from chaos_jobs import RUN_SECONDS, Job, Song
from chaos_more_faults import FAULTS
from chaos_scene import Scene, until

HAND_SECONDS = 60
# How long after the end files may be there that are to go.
LEFT_SECONDS = 20
# One fault in so many of those that can last lasts as long as a real one.
PATIENT_SHARE = 1 / 12
# Of those that fill a disk, the name begins so; while that lasts, songs may be refused.
FILLS_A_DISK = "disk full"
# Each so-manieth seed strikes when the chunks are done.
LATE_EVERY = 8


@dataclass
class Outcome:
    """What one run has shown."""

    seed: int
    fault: str
    text: str
    moment: str
    songs: int
    lost: int = 0           # jobs that failed, or were not done at all
    wrong: int = 0          # files with other bytes than the undisturbed ones
    helped: int = 0         # jobs that went on only when somebody helped
    left: int = 0           # files that nobody needs any more
    refused: int = 0        # "try again later"; nothing is lost by it
    unfounded: int = 0      # those of them that no full disk explains
    struck: bool = False    # the moment came; otherwise the fault came after the songs
    pause: float = 0.0      # s; longest silence from the fault on
    next_chunk: float | None = None  # s; from the fault to the next finished chunk
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    def fine(self) -> bool:
        return not (self.lost or self.wrong or self.helped or self.left or self.unfounded)

    def record(self) -> dict[str, Any]:
        return asdict(self)


def draw(seed: int, name: str = "", beside: bool = False) -> tuple[Fault, list[Song]]:
    """Everything that a seed decides; a name takes the place of the fault that it would choose. `beside`: where audio travels."""
    dice = random.Random(seed)
    drawn = dice.choices(list(FAULTS), [kind.weight for kind in FAULTS.values()])[0]
    songs = [Song.draw(dice, beside) for _ in range(dice.choices((1, 2, 3), (75, 20, 5))[0])]
    patient = dice.random() < PATIENT_SHARE and not name
    name = name or drawn
    fault = FAULTS[name].make(name, dice, songs, patient)
    if seed % LATE_EVERY == 0 and fault.may_be_late:
        fault.moment = late_moment(dice, songs)
    return fault, songs


def strike(scene: Scene, fault: Fault, jobs: list[Job], outcome: Outcome) -> float:
    """Waits for the moment and does it; gives the time of the fault."""
    proxy = scene.amqp if fault.moment.proxy == "amqp" else scene.api
    trap = proxy.trap(fault.moment.match, fault.moment.count)
    for job in jobs:
        job.start(scene)
    try:
        until(lambda: trap.sprung.is_set() or all(job.over() for job in jobs), RUN_SECONDS, "the moment")
    except TimeoutError as error:
        outcome.notes.append(str(error))
    outcome.struck = trap.sprung.is_set()
    if fault.moment.lag and outcome.struck:
        proxy.release()
        time.sleep(fault.moment.lag)
    now = time.monotonic()
    fault.strike(scene, trap, jobs)
    proxy.release()
    fault.after(scene, jobs)
    return now


def finish(scene: Scene, jobs: list[Job], outcome: Outcome) -> None:
    """Waits for the songs; helps those that have stopped, which counts against the suite."""
    deadline = time.monotonic() + RUN_SECONDS
    stuck = [job for job in jobs if not job.join(deadline)]
    outcome.helped = len(stuck)
    if stuck:
        scene.settle()
        for part in scene.supervisor.names():
            scene.stack.script("restart", part)
        deadline = time.monotonic() + HAND_SECONDS
    for job in stuck:
        if not job.join(deadline):
            job.abandon()
    for job in jobs:
        outcome.notes += [job.trouble] if job.trouble else []
        count_refusals(job, outcome)
        if not job.done:
            outcome.lost += 1
            continue
        different = job.differences()
        outcome.wrong += len(different)
        outcome.notes += different


def count_refusals(job: Job, outcome: Outcome) -> None:
    unfounded = job.unfounded() if outcome.fault.startswith(FILLS_A_DISK) else job.refusals
    outcome.refused += len(job.refusals)
    outcome.unfounded += len(unfounded)
    if unfounded:
        outcome.notes.append(f"refused {len(unfounded)} times, at first with {unfounded[0]}")


def measure(jobs: list[Job], began: float, struck: float, outcome: Outcome) -> None:
    signs = sorted(sign for job in jobs for sign in job.signs)
    times = [began, *signs]
    outcome.pause = max((after - before for before, after in zip(times, times[1:]) if after >= struck), default=0.0)
    later = [chunk for job in jobs for chunk in job.chunks if chunk > struck]
    outcome.next_chunk = min(later) - struck if later else None


def delete(scene: Scene, name: str, outcome: Outcome) -> None:
    """A splitter that has just lost the assembler hears of the end a moment later, and lets nobody delete the track until then."""
    deadline = time.monotonic() + LEFT_SECONDS
    while True:
        status, events = scene.stack.run("delete", name)
        if status == 0 or events[-1]["reason"] != "TRACK_IN_USE" or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    if status != 0:
        outcome.notes.append(f"delete {name}: {events[-1:]}")


def clean(scene: Scene, jobs: list[Job], outcome: Outcome) -> None:
    """Deletes what a run has made, so that a long soak needs no more room than a short one."""
    for name in sorted(name for job in jobs for name in job.names):  # separations before their tracks
        delete(scene, name, outcome)
    if any(job.kills or job.refusals for job in jobs):
        # Nobody goes on with what a client had begun to upload that is gone; it is kept for --upload-retention.
        scene.known_left |= {path for path in scene.left_files() if path.startswith("splitter/uploads/")}
    try:
        until(lambda: not set(scene.left_files()) - scene.known_left, LEFT_SECONDS, "nothing left")
    except TimeoutError:
        left = set(scene.left_files()) - scene.known_left
        scene.known_left |= left
        outcome.left = len(left)
        outcome.notes.append(f"left: {sorted(left)}")


def run(scene: Scene, seed: int, name: str = "") -> Outcome:
    return play(scene, seed, *draw(seed, name, scene.beside))


def play(scene: Scene, seed: int, fault: Fault, songs: list[Song]) -> Outcome:
    """The scene is settled before and after, whatever happens between."""
    outcome = Outcome(seed, fault.name, "", str(fault.moment), len(songs))
    folder = Path(tempfile.mkdtemp(prefix="unbraid-chaos-"))
    jobs = [Job(song, folder / str(number)) for number, song in enumerate(songs)]
    surprises = len(scene.supervisor.surprises)
    try:
        fault.prepare(scene)
        began = time.monotonic()
        struck = strike(scene, fault, jobs, outcome)
        scene.heal()
        finish(scene, jobs, outcome)
        measure(jobs, began, struck, outcome)
        outcome.seconds = time.monotonic() - began
        scene.settle()
        clean(scene, jobs, outcome)
    finally:
        outcome.text = fault.text
        shutil.rmtree(folder, ignore_errors=True)
    outcome.notes += [f"ended by itself: {part}" for part in scene.supervisor.surprises[surprises:]]
    return outcome
