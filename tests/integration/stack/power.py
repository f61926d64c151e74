"""A stack whose power can be cut, and a client that asks again while services are away."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
from api import PART_BYTES, Api, Refusal
from google.protobuf.empty_pb2 import Empty
from stack import ROOT, Stack

BUILD = ROOT / "build" / "release"
# How long a service that was started again, and all who call it, may take to find each other.
PATIENCE = 60


def await_end(pid: int) -> None:
    """Waits for a process that is nobody's child."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    with os.fdopen(descriptor):
        assert select.select([descriptor], [], [], PATIENCE)[0], f"{pid} still runs"


class PowerStack(Stack):
    """Splitter and assembler keep their data on a disk that forgets what was not synced; see tests/support/forgetful_disk.h.
    So does the folder of audio beside messages, which is on the disk of whichever loses its power."""

    def __init__(self) -> None:
        super().__init__(workers=1, models=("passthrough",))
        self.environment["UNBRAID_STACK_OBJECTS"] = str(self.folder / "state" / "objects")
        self.data = self.folder.resolve() / "data"
        self.disk = self.folder.resolve() / "disk"
        self.data.mkdir()
        self.arguments += ["--data", str(self.data)]
        self.programs = self.folder / "bin"
        self.programs.mkdir()
        for program in (BUILD / "bin").iterdir():
            (self.programs / program.name).symlink_to(program)
        for service in ("splitter", "assembler"):
            self._wrap(service)
        self.environment["UNBRAID_BIN"] = str(self.programs)

    def _wrap(self, service: str) -> None:
        program = self.programs / f"unbraid-{service}"
        real = program.readlink()
        program.unlink()
        program.write_text(f"#!/bin/sh\nexport LD_PRELOAD={BUILD}/tests/support/libunbraid_forgetful.so\n"
                           f"export UNBRAID_FORGETFUL_FOLDER={self.data} UNBRAID_FORGETFUL_DISK={self.disk}\n"
                           f'exec {real} "$@"\n')
        program.chmod(0o755)

    def lose_objects(self) -> None:
        """Audio beside messages is never synced, so all of it goes."""
        for folder, _, names in os.walk(self.folder / "state" / "objects"):
            for name in names:
                Path(folder, name).unlink(missing_ok=True)

    def kill(self, *names: str) -> None:
        pids = self.pids()
        for name in names:
            os.kill(pids[name], signal.SIGKILL)
        for name in names:
            await_end(pids[name])

    def cut_power(self, *services: str) -> None:
        """Of the machine of a service, or of the one machine of both; then they are started again."""
        self.kill(*services)
        folder = self.data if len(services) > 1 else self.data / services[0]
        subprocess.run([str(BUILD / "bin" / "unbraid-cut-power"), str(folder), str(self.disk)], check=True)
        self.lose_objects()
        for service in sorted(services):
            self.script("restart", service)


class PatientApi(Api):
    """Asks again as long as services are away, as the rules for clients say."""

    def _unary(self, method: str, request: Any, answer: Any) -> Any:
        stub = self._channel.unary_unary(f"/unbraid.v1.{method}", type(request).SerializeToString, answer.FromString)
        return self.patiently(lambda: stub(request, timeout=20))

    def patiently(self, call: Callable[[], Any]) -> Any:
        end = time.monotonic() + PATIENCE
        while True:
            answer = self._answer(call)
            away = isinstance(answer, Refusal) and answer.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
            if not away or time.monotonic() > end:
                return answer
            time.sleep(0.1)  # between two attempts

    def committed_size(self, upload_id: str) -> int:
        """-1 when there is no such upload."""
        messages = self.messages
        upload = self._unary("TrackService/GetUpload", messages.GetUploadRequest(upload_id=upload_id), messages.Upload)
        return -1 if isinstance(upload, Refusal) else upload.committed_size

    def await_committed(self, upload_id: str, size: int) -> None:
        """Waits until at least so much is told to be stored."""
        end = time.monotonic() + PATIENCE
        while (told := self.committed_size(upload_id)) < size:
            assert time.monotonic() < end, told

    def send(self, content: bytes, upload_id: str, begin: int = 0, finish: bool = True,
             hold: threading.Event | None = None) -> Any:
        """Sends from `begin` to the end; the response or a Refusal. With `hold` the stream stays open until that is set."""
        messages = self.messages
        stub = self._channel.stream_unary("/unbraid.v1.TrackService/UploadTrack", messages.UploadTrackRequest.SerializeToString,
                                          messages.UploadTrackResponse.FromString)

        def parts() -> Iterator[Any]:
            for offset in range(begin, len(content), PART_BYTES):
                part = messages.UploadTrackRequest(write_offset=offset, data=content[offset : offset + PART_BYTES])
                if offset == begin:
                    part.spec.upload_id = upload_id
                part.finish_write = finish and offset + PART_BYTES >= len(content)
                yield part
            if hold:
                hold.wait(PATIENCE)

        return self._answer(lambda: stub(parts(), timeout=PATIENCE))

    def create(self, track: str, **options: Any) -> Any:
        wanted = self._separation.Separation(track=track, model="passthrough", **options)
        wanted.output_format.sample_format = self._track.SAMPLE_FORMAT_F32
        return self._unary("SeparationService/CreateSeparation", self._calls.CreateSeparationRequest(separation=wanted),
                           self._separation.Separation)

    def get(self, name: str) -> Any:
        return self._unary("SeparationService/GetSeparation", self._calls.GetSeparationRequest(name=name),
                           self._separation.Separation)

    def delete(self, name: str) -> None:
        answer = self._unary("SeparationService/DeleteSeparation", self._calls.DeleteSeparationRequest(name=name), Empty)
        assert not isinstance(answer, Refusal), answer

    def await_separation(self, name: str, reached: Callable[[Any], bool]) -> Any:
        """The separation at the first news at which `reached` holds; watches again when a stream breaks."""
        end = time.monotonic() + 2 * PATIENCE
        watch = self._channel.unary_stream("/unbraid.v1.SeparationService/WatchSeparation",
                                           self._calls.WatchSeparationRequest.SerializeToString,
                                           self._calls.WatchSeparationResponse.FromString)
        while time.monotonic() < end:
            try:
                for news in watch(self._calls.WatchSeparationRequest(name=name), timeout=2 * PATIENCE):
                    if reached(news.separation):
                        return news.separation
            except grpc.RpcError as error:
                assert error.code().name == "UNAVAILABLE", error
                time.sleep(0.1)  # between two attempts
        raise AssertionError(f"{name} came to a stop: {self.get(name)}")

    def state(self, separation: Any) -> str:
        return self._separation.Separation.State.Name(separation.state)
