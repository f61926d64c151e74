"""The table of faults: where the moment of each may lie, how it is done, and how it is taken back.

A fault is made of a seed's dice alone, so it can be drawn again. `prepare` comes before the songs, `strike` at the moment,
while the proxies hold everything back, and `after` when they have let go.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from broker_proxy import Match, Trap
from chaos_jobs import Job, Song
from chaos_scene import HEARTBEAT_SECONDS, Scene

RESULTS = "unbraid.results.assembler-1"
CONFIRM_BYTES = 21  # of a basic.ack with its frame
SERVICES = ("gateway", "splitter", "assembler", "worker-1")
# A connection of which nothing is heard is given up after two to three heartbeats.
SILENCE_SECONDS = 3 * HEARTBEAT_SECONDS + 1


@dataclass(frozen=True)
class Moment:
    """After so many bytes of the songs, at one of the two proxies."""

    proxy: str  # "api" or "amqp"
    match: Match
    count: int
    lag: float = 0.0  # s that go by after it

    def __str__(self) -> str:
        place = " ".join(filter(None, (self.match.who, self.match.role, self.match.way)))
        return f"{self.proxy} {place}".strip() + f" byte {self.count}" + (f" and {self.lag:.2f} s" if self.lag else "")


def total(songs: Sequence[Song], bytes_of: Callable[[Song], int]) -> int:
    return sum(bytes_of(song) for song in songs)


def upload_moment(dice: random.Random, songs: Sequence[Song]) -> Moment:
    return Moment("api", Match(way="up"), 1 + int(dice.random() * total(songs, Song.upload_bytes)))


def work_moment(dice: random.Random, songs: Sequence[Song]) -> Moment:
    everything = 2 * total(songs, Song.task_bytes) + 2 * total(songs, Song.result_bytes)
    return Moment("amqp", Match(), 1 + int(dice.random() * 0.95 * everything))


def download_moment(dice: random.Random, songs: Sequence[Song]) -> Moment:
    return Moment("api", Match(way="down"), 1 + int(dice.random() * total(songs, Song.download_bytes)))


def late_moment(dice: random.Random, songs: Sequence[Song]) -> Moment:
    """Among the last chunks, or while files are made of them, when no byte tells how far that is."""
    everything = 2 * total(songs, Song.task_bytes) + 2 * total(songs, Song.result_bytes)
    return Moment("amqp", Match(), everything, dice.uniform(0, 1.2))


def any_moment(dice: random.Random, songs: Sequence[Song]) -> Moment:
    return dice.choices((upload_moment, work_moment, download_moment), (15, 70, 15))[0](dice, songs)


def link_moment(who: str, role: str, way: str, bytes_of: Callable[[Song], int]) -> Callable[..., Moment]:
    def draw(dice: random.Random, songs: Sequence[Song]) -> Moment:
        return Moment("amqp", Match(who, role, way), 1 + int(dice.random() * 0.9 * total(songs, bytes_of)))

    return draw


publishing = (link_moment("splitter", "publish", "up", Song.task_bytes),
              link_moment("worker", "publish", "up", Song.result_bytes))
consuming = (link_moment("worker", "consume", "down", Song.task_bytes),
             link_moment("assembler", "consume", "down", Song.result_bytes))


def confirm_bytes(per_chunk: int) -> Callable[[Song], int]:
    # Some confirm several messages, so that there are fewer of them.
    return lambda song: max(1, song.chunks() * per_chunk * CONFIRM_BYTES // 2)


confirming = (link_moment("splitter", "publish", "down", confirm_bytes(1)),
              link_moment("worker", "publish", "down", confirm_bytes(4)))
settling = (link_moment("worker", "consume", "up", confirm_bytes(1)),
            link_moment("assembler", "consume", "up", confirm_bytes(4)))


class Fault:
    """Does nothing: the undisturbed run."""

    may_be_late = False  # whether it makes sense when no chunk is under way any more

    def __init__(self, name: str, dice: random.Random, songs: Sequence[Song], patient: bool) -> None:
        """A patient fault lasts as long as a real one would, and not as short as a test would like."""
        self.name = name
        self.moment = any_moment(dice, songs)
        self.text = "nothing"

    def prepare(self, scene: Scene) -> None:
        pass

    def strike(self, scene: Scene, trap: Trap, jobs: Sequence[Job]) -> None:
        pass

    def after(self, scene: Scene, jobs: Sequence[Job]) -> None:
        pass


class Signal(Fault):
    """Ends a part; the supervisor starts it again at once."""

    may_be_late = True

    def __init__(self, name: str, dice: random.Random, songs: Sequence[Song], patient: bool) -> None:
        super().__init__(name, dice, songs, patient)
        kind, _, self.target = name.partition(" ")
        self.number = signal.SIGKILL if kind == "kill" else signal.SIGTERM
        self.text = f"{self.number.name} to {self.target}"

    def prepare(self, scene: Scene) -> None:
        if self.target == "rabbitmq":
            scene.await_old_queues()

    def strike(self, scene: Scene, trap: Trap, jobs: Sequence[Job]) -> None:
        scene.supervisor.signal(self.target, self.number)


class Freeze(Fault):
    """A part that stands still for longer than its connections are given, and goes on as if nothing had been."""

    may_be_late = True

    def __init__(self, name: str, dice: random.Random, songs: Sequence[Song], patient: bool) -> None:
        super().__init__(name, dice, songs, patient)
        self.target = name.partition(" ")[2]
        self.seconds = dice.uniform(25, 40) if patient else SILENCE_SECONDS
        self.text = f"SIGSTOP to {self.target} for {self.seconds:.1f} s"

    def strike(self, scene: Scene, trap: Trap, jobs: Sequence[Job]) -> None:
        scene.supervisor.signal(self.target, signal.SIGSTOP)

    def after(self, scene: Scene, jobs: Sequence[Job]) -> None:
        time.sleep(self.seconds)
        scene.supervisor.signal(self.target, signal.SIGCONT)


class BrokerAway(Fault):
    """Nobody starts the broker for a while."""

    def __init__(self, name: str, dice: random.Random, songs: Sequence[Song], patient: bool) -> None:
        super().__init__(name, dice, songs, patient)
        self.moment = work_moment(dice, songs)
        self.seconds = dice.uniform(60, 180) if patient else dice.uniform(2, 5)
        self.number = dice.choice((signal.SIGKILL, signal.SIGTERM))
        self.text = f"broker away for {self.seconds:.1f} s after {self.number.name}"

    def prepare(self, scene: Scene) -> None:
        scene.await_old_queues()

    def strike(self, scene: Scene, trap: Trap, jobs: Sequence[Job]) -> None:
        scene.supervisor.hold("rabbitmq")
        scene.supervisor.signal("rabbitmq", self.number)

    def after(self, scene: Scene, jobs: Sequence[Job]) -> None:
        time.sleep(self.seconds)
        scene.supervisor.let_go("rabbitmq")


class Cut(Fault):
    """Connections are reset in the middle of a message; with a delay, what was under way in that direction is lost before."""

    moments = {"cut publishing": publishing, "cut confirming": confirming, "cut consuming": consuming, "cut settling": settling}

    def __init__(self, name: str, dice: random.Random, songs: Sequence[Song], patient: bool) -> None:
        super().__init__(name, dice, songs, patient)
        moments = self.moments.get(name)
        self.moment = dice.choice(moments)(dice, songs) if moments else work_moment(dice, songs)
        self.all = moments is None
        # What goes the other way is done meanwhile, so the two sides differ in what they think has happened.
        self.lost_seconds = dice.choice((0.0, 0.3)) if name in ("cut confirming", "cut settling") else 0.0
        self.text = f"{'all connections' if self.all else 'the connection'} cut"
        if self.lost_seconds:
            self.text += f" after {self.lost_seconds} s in which nothing came through"

    def strike(self, scene: Scene, trap: Trap, jobs: Sequence[Job]) -> None:
        if self.lost_seconds:
            scene.amqp.add(self.moment.match, swallow=True)
        elif self.all:
            scene.amqp.cut(Match())
        elif trap.link:
            scene.amqp.cut_link(trap.link)
        self.link = trap.link

    def after(self, scene: Scene, jobs: Sequence[Job]) -> None:
        if self.lost_seconds:
            time.sleep(self.lost_seconds)
            if self.link:
                scene.amqp.cut_link(self.link)
            scene.amqp.heal()


class Refuse(Fault):
    """The broker cannot be reached: connections are reset, and new ones as well."""

    def __init__(self, name: str, dice: random.Random, songs: Sequence[Song], patient: bool) -> None:
        super().__init__(name, dice, songs, patient)
        self.moment = work_moment(dice, songs)
        self.seconds = dice.uniform(60, 120) if patient else dice.uniform(0.5, 4)
        self.text = f"connections refused for {self.seconds:.1f} s"

    def strike(self, scene: Scene, trap: Trap, jobs: Sequence[Job]) -> None:
        scene.amqp.refuse()

    def after(self, scene: Scene, jobs: Sequence[Job]) -> None:
        time.sleep(self.seconds)
        scene.amqp.heal()


class Weather(Fault):
    """The network is slow, narrow, or swallows everything, for some or for all, in one direction or both."""

    def __init__(self, name: str, dice: random.Random, songs: Sequence[Song], patient: bool) -> None:
        super().__init__(name, dice, songs, patient)
        self.moment = work_moment(dice, songs)
        self.match = Match(dice.choice(("", "splitter", "assembler", "worker", "worker-1")),
                           dice.choice(("", "publish", "consume")), dice.choice(("", "up", "down")))
        self.seconds = dice.uniform(2, 5)
        if name == "delay":
            self.what = {"delay": dice.uniform(0.02, 0.5)}
        elif name == "throttle":
            self.what = {"rate": dice.uniform(2e5, 4e6)}
        else:
            self.what = {"swallow": True}
            self.seconds = dice.uniform(25, 60) if patient else dice.choice((dice.uniform(1, 4), SILENCE_SECONDS))
        meant = " ".join(filter(None, (self.match.who, self.match.role, self.match.way))) or "everything"
        self.text = f"{name} {self.what} of {meant} for {self.seconds:.1f} s"

    def strike(self, scene: Scene, trap: Trap, jobs: Sequence[Job]) -> None:
        scene.amqp.add(self.match, **self.what)

    def after(self, scene: Scene, jobs: Sequence[Job]) -> None:
        time.sleep(self.seconds)
        scene.amqp.heal()
