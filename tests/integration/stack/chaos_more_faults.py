"""Faults of queues, messages, disks, memory and clients; and the table of all."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from broker_proxy import Match, Trap
from chaos_faults import (RESULTS, SERVICES, BrokerAway, Cut, Fault, Freeze, Refuse, Signal, Weather, any_moment,
                          download_moment, publishing, upload_moment, work_moment)
from chaos_jobs import RUN_SECONDS, Job, Song
from chaos_scene import Scene
from stack import chunk_queue

ALARM_SECONDS = 1.5
FILL_SECONDS = 1.5
COPIES = "chaos.copies"


class Queue(Fault):
    """A queue is emptied or deleted while it has consumers, which are slow just then, so that there is something to lose."""

    def __init__(self, name: str, dice: random.Random, songs: Sequence[Song], patient: bool) -> None:
        super().__init__(name, dice, songs, patient)
        self.moment = work_moment(dice, songs)
        self.queue = dice.choice(("chunks", "results"))
        self.text = f"{name}: {self.queue}"

    def strike(self, scene: Scene, trap: Trap, jobs: Sequence[Job]) -> None:
        scene.amqp.add(Match(role="consume", way="down"), swallow=True)

    def after(self, scene: Scene, jobs: Sequence[Job]) -> None:
        queue = chunk_queue("passthrough") if self.queue == "chunks" else RESULTS
        with scene.broker() as broker:
            deadline = time.monotonic() + FILL_SECONDS
            while broker.ready(queue) == 0 and time.monotonic() < deadline:
                time.sleep(0.02)
            lost = broker.purge(queue) if self.name == "queue purged" else broker.delete(queue)
        scene.amqp.heal()
        self.text += f", {lost} messages"
        scene.queues_declared()


class Copies(Fault):
    """A second queue gets a copy of each result: they come two times more, or in another order instead of their own."""

    def __init__(self, name: str, dice: random.Random, songs: Sequence[Song], patient: bool) -> None:
        super().__init__(name, dice, songs, patient)
        self.moment = work_moment(dice, songs)
        self.dice = random.Random(dice.random())
        self.instead = name == "results reordered"
        if self.instead:
            self.moment = publishing[1](dice, songs)  # nothing else moves for certain
        self.text = "results in another order, some twice" if self.instead else "every result again, and again"

    def prepare(self, scene: Scene) -> None:
        self.broker = scene.broker()
        self.broker.declare(COPIES)
        self.broker.bind(COPIES, "unbraid.results", "assembler-1")
        if self.instead:
            self.broker.unbind(RESULTS, "unbraid.results", "assembler-1")

    def after(self, scene: Scene, jobs: Sequence[Job]) -> None:
        given = 0
        deadline = time.monotonic() + RUN_SECONDS
        while not all(job.over() for job in jobs) and time.monotonic() < deadline:
            batch = self._take()
            batch += self.dice.sample(batch, len(batch) // 2) if self.instead else batch
            self.dice.shuffle(batch)
            for message in batch:
                self.broker.publish(RESULTS, message)
            given += len(batch)
            time.sleep(0.3)
        self.text += f", {given} messages"
        self.broker.bind(RESULTS, "unbraid.results", "assembler-1")
        self.broker.__exit__()

    def _take(self) -> list:
        batch = []
        while (message := self.broker.get(COPIES)) is not None:
            batch.append(message)
        return batch


class MemoryAlarm(Fault):
    """The broker takes no more messages for a while."""

    def __init__(self, name: str, dice: random.Random, songs: Sequence[Song], patient: bool) -> None:
        super().__init__(name, dice, songs, patient)
        self.moment = work_moment(dice, songs)
        self.seconds = dice.uniform(35, 60) if patient else ALARM_SECONDS
        self.text = f"memory alarm for {self.seconds:.1f} s"

    def strike(self, scene: Scene, trap: Trap, jobs: Sequence[Job]) -> None:
        scene.memory_alarm(True)

    def after(self, scene: Scene, jobs: Sequence[Job]) -> None:
        time.sleep(self.seconds)
        scene.memory_alarm(False)


class DiskFull(Fault):
    """Not a byte of room, for a while."""

    may_be_late = True

    def __init__(self, name: str, dice: random.Random, songs: Sequence[Song], patient: bool) -> None:
        super().__init__(name, dice, songs, patient)
        self.disk = name.rpartition(" ")[2]
        self.moment = any_moment(dice, songs)
        self.seconds = dice.uniform(10, 30) if patient else dice.uniform(0.5, 3)
        self.text = f"disk of {self.disk} full for {self.seconds:.1f} s"

    def strike(self, scene: Scene, trap: Trap, jobs: Sequence[Job]) -> None:
        scene.fill(self.disk)

    def after(self, scene: Scene, jobs: Sequence[Job]) -> None:
        time.sleep(self.seconds)
        scene.make_room()


class ClientCut(Fault):
    """The connection between a client and the gateway breaks at any byte; the client goes on by itself."""

    def __init__(self, name: str, dice: random.Random, songs: Sequence[Song], patient: bool) -> None:
        super().__init__(name, dice, songs, patient)
        self.moment = (upload_moment if name.endswith("upload") else download_moment)(dice, songs)
        self.text = "the clients' connections cut"

    def strike(self, scene: Scene, trap: Trap, jobs: Sequence[Job]) -> None:
        scene.api.cut(Match())


class ClientKilled(Fault):
    """The clients end at any byte and are started again."""

    may_be_late = True

    def __init__(self, name: str, dice: random.Random, songs: Sequence[Song], patient: bool) -> None:
        super().__init__(name, dice, songs, patient)
        self.text = "the clients killed, and started again"

    def strike(self, scene: Scene, trap: Trap, jobs: Sequence[Job]) -> None:
        for job in jobs:
            job.kill_client()


@dataclass(frozen=True)
class Kind:
    make: type[Fault]
    weight: int  # how often, against the others


# Those that take long come seldom.
FAULTS: dict[str, Kind] = {
    "none": Kind(Fault, 4),
    **{f"kill {part}": Kind(Signal, 5) for part in SERVICES},
    "kill rabbitmq": Kind(Signal, 4),
    **{f"term {part}": Kind(Signal, 4) for part in SERVICES},
    "term rabbitmq": Kind(Signal, 3),
    **{f"freeze {part}": Kind(Freeze, 1) for part in (*SERVICES, "rabbitmq")},
    "broker away": Kind(BrokerAway, 3),
    "cut publishing": Kind(Cut, 6),
    "cut confirming": Kind(Cut, 6),
    "cut consuming": Kind(Cut, 6),
    "cut settling": Kind(Cut, 6),
    "cut all": Kind(Cut, 4),
    "refuse": Kind(Refuse, 3),
    "delay": Kind(Weather, 3),
    "throttle": Kind(Weather, 3),
    "black hole": Kind(Weather, 2),
    "queue purged": Kind(Queue, 4),
    "queue deleted": Kind(Queue, 4),
    "results doubled": Kind(Copies, 4),
    "results reordered": Kind(Copies, 4),
    "memory alarm": Kind(MemoryAlarm, 3),
    "disk full splitter": Kind(DiskFull, 5),
    "disk full assembler": Kind(DiskFull, 5),
    "client cut upload": Kind(ClientCut, 5),
    "client cut download": Kind(ClientCut, 5),
    "client killed": Kind(ClientKilled, 5),
}
