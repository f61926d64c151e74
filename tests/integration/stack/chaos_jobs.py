"""What runs while faults happen: songs that nobody has seen before, the `unbraid` command, and what must come out."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import random
import subprocess
import tempfile
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from chaos_scene import Scene
from stack import BIN, ROOT

WINDOW, STRIDE, STEMS = 262144, 220500, 4
# A message has more that names its audio instead of carrying it.
NAMING_BYTES = 400
MODEL = "passthrough"
# What a user is told to try again later; everything else that a client ends with is an error of the suite.
TRY_AGAIN_LATER = "RESOURCE_EXHAUSTED"
# Of those, what a full disk is answered with.
DISK_FULL = "DISK_FULL"
CLIENT_PATIENCE_SECONDS = 300
# How long songs may take, before a fault has come, while it lasts for their sake, and after it; then they count as stuck.
RUN_SECONDS = 120


@dataclass(frozen=True)
class Song:
    """One separation: content and options, made of a seed."""

    seed: int
    seconds: float
    rate: int
    channels: int
    residual: bool
    floats: bool
    beside: bool = False  # the audio of its messages

    @staticmethod
    def draw(dice: random.Random, beside: bool = False) -> "Song":
        return Song(seed=dice.getrandbits(48), seconds=dice.uniform(20, 30), rate=dice.choice((44100,) * 8 + (48000, 22050)),
                    channels=dice.choice((2, 2, 2, 1)), residual=dice.random() < 0.25, floats=dice.random() < 0.3, beside=beside)

    def options(self) -> list[str]:
        return ["--sample-format", "f32" if self.floats else "s16", *(["--residual"] if self.residual else [])]

    def write(self, path: Path) -> None:
        dice = np.random.default_rng(self.seed)
        samples = dice.integers(-12000, 12000, (int(self.seconds * self.rate), self.channels), dtype=np.int16)
        soundfile.write(path, samples, self.rate, subtype="PCM_16")

    def upload_bytes(self) -> int:
        return int(self.seconds * self.rate) * self.channels * 2

    def chunks(self) -> int:
        return -(-int(self.seconds * 44100) // STRIDE)

    def task_bytes(self) -> int:
        return self.chunks() * NAMING_BYTES if self.beside else self.chunks() * WINDOW * self.channels * 4

    def result_bytes(self) -> int:
        # The overlaps come on top, and are left out: a moment must not lie behind the end.
        if self.beside:
            return self.chunks() * STEMS * NAMING_BYTES
        return int(self.seconds * 44100) * self.channels * 4 * STEMS

    def download_bytes(self) -> int:
        return self.upload_bytes() * (2 if self.floats else 1) * (STEMS + 1 + self.residual)


@dataclass
class Job:
    """A song on its way through `unbraid separate`, which is started again where a user would."""

    song: Song
    folder: Path
    signs: list[float] = field(default_factory=list)   # when something was heard of it
    chunks: list[float] = field(default_factory=list)  # when a chunk was finished
    refusals: list[str] = field(default_factory=list)  # for the time being, with RESOURCE_EXHAUSTED
    trouble: str = ""                                  # anything else
    names: set[str] = field(default_factory=set)       # of the track and of the separation
    done: bool = False
    client: subprocess.Popen | None = None
    kills: int = 0
    gone: bool = False

    def start(self, scene: Scene) -> None:
        self.folder.mkdir(parents=True)
        self.song.write(self.folder / "song.wav")
        self._thread = threading.Thread(target=self._run, args=(scene,), daemon=True)
        self._thread.start()

    def join(self, deadline: float) -> bool:
        """False: it is not over by then."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        return not self._thread.is_alive()

    def over(self) -> bool:
        return self.done or bool(self.trouble)

    def unfounded(self) -> list[str]:
        """Refusals that a full disk does not explain."""
        return [refusal for refusal in self.refusals if DISK_FULL not in refusal]

    def abandon(self) -> None:
        self.gone = True
        if self.client is not None:
            self.client.kill()
        self._thread.join(10)

    def kill_client(self) -> None:
        """As if the user's machine had lost power; the user starts it again."""
        if self.client is not None and self.client.poll() is None:
            self.kills += 1
            self.client.kill()

    def _run(self, scene: Scene) -> None:
        try:
            self._separate(scene)
        except Exception:  # whatever it is, it is a finding
            self.trouble = traceback.format_exc()

    def _separate(self, scene: Scene) -> None:
        command = ["unbraid", "--json", "--patience", str(CLIENT_PATIENCE_SECONDS), "separate", str(self.folder / "song.wav"),
                   "-o", str(self.folder / "out"), "--model", MODEL, *self.song.options()]
        while not self.gone:
            kills = self.kills
            self.client = subprocess.Popen(command, env=scene.stack.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                           text=True)
            last, most = {}, 0
            for line in self.client.stdout:
                last = json.loads(line)
                most = self._hear(last, most)
            complaint = self.client.stderr.read()
            status = self.client.wait()
            if status == 0:
                self.done = True
                return
            if status < 0 and self.kills > kills:
                continue
            text = f"status {status}: {json.dumps(last) if last.get('event') == 'error' else complaint.strip() or last}"
            if TRY_AGAIN_LATER not in text:
                self.trouble = text
                return
            self.refusals.append(text)
            time.sleep(0.3)  # a user's patience

    def _hear(self, event: dict, most: int) -> int:
        """Takes an event of the client down; gives the largest number of finished chunks so far."""
        now = time.monotonic()
        kind = event["event"]
        if kind == "uploaded":
            self.names.add(event["track"]["name"])
        if kind in ("progress", "done"):
            separation = event.get("separation") or event["done"]
            self.names.add(separation["name"])
            finished = int(separation["progress"].get("chunks_done", 0))
            if finished > most:
                self.chunks.append(now)
                most = finished
        self.signs.append(now)
        return most

    def differences(self) -> list[str]:
        """Files that are not what an undisturbed run gives."""
        wanted, got = undisturbed(self.song), digests(self.folder / "out")
        return sorted(name for name in wanted.keys() | got.keys() if wanted.get(name) != got.get(name))


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@functools.lru_cache(maxsize=4)
def undisturbed(song: Song) -> dict[str, str]:
    """What one process without broker and services makes of the song."""
    models = Path(os.environ.get("UNBRAID_MODELS", ROOT / "build/models"))
    with tempfile.TemporaryDirectory(prefix="unbraid-reference-") as folder:
        source, out = Path(folder) / "song.wav", Path(folder) / "out"
        song.write(source)
        subprocess.run([BIN / "unbraid-reference", "--model", models / MODEL, *song.options(), source, out],
                       check=True, stdout=subprocess.DEVNULL)
        made = digests(out)
    assert len(made) == STEMS + 1 + song.residual, made
    return made
