"""The public API as a client in Python sees it. The messages are made from the proto files, into a folder that goes with the test."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import grpc
from stack import ROOT, Stack

PART_BYTES = 256 * 1024
PROTOS = ("google/rpc/error_details", "google/rpc/status", "unbraid/v1/track", "unbraid/v1/track_service", "unbraid/v1/chunk",
          "unbraid/v1/separation", "unbraid/v1/separation_service", "unbraid/v1/system_service")


@dataclass(frozen=True)
class Refusal:
    """An error as a program reads it."""

    code: str
    reason: str
    message: str
    facts: tuple[tuple[str, str], ...] = ()


class Api:
    """Calls on the gateway of a running stack. Every one has a deadline."""

    def __init__(self, stack: Stack) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="unbraid-messages-")
        command = ["protoc", "-I", str(ROOT / "proto"), f"--python_out={self._folder.name}"]
        subprocess.run([*command, *(f"{proto}.proto" for proto in PROTOS)], check=True)
        modules = map(self._module, PROTOS)
        self._details, self._status, self._track, self.messages, _, self._separation, self._calls, self._system = modules
        self._channel = grpc.insecure_channel(stack.environment["UNBRAID_GATEWAY"])

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()
        self._folder.cleanup()

    def _module(self, proto: str) -> ModuleType:
        # `google` is a package that is there already, without the rpc of ours.
        package = importlib.import_module("google")
        folder = f"{self._folder.name}/google"
        if folder not in package.__path__:
            package.__path__.append(folder)
        if self._folder.name not in sys.path:
            sys.path.append(self._folder.name)
        return importlib.import_module(proto.replace("/", ".") + "_pb2")

    def _call(self, method: str, request: Any, answer: Any) -> Any:
        stub = self._channel.unary_unary(f"/unbraid.v1.TrackService/{method}", type(request).SerializeToString, answer.FromString)
        return self._answer(lambda: stub(request, timeout=20))

    def track(self, name: str) -> Any:
        """The track of that name, or a Refusal."""
        return self._call("GetTrack", self.messages.GetTrackRequest(name=name), self._track.Track)

    def upload(self, content: bytes, name: str = "", seconds: float = 20, damage: Callable[[bytes], bytes] = bytes,
               **spec: Any) -> Any:
        """The track, or a Refusal. `damage` changes the messages on their way."""
        messages = self.messages
        stub = self._channel.stream_unary("/unbraid.v1.TrackService/UploadTrack", lambda part: damage(part.SerializeToString()),
                                          messages.UploadTrackResponse.FromString)

        def parts():
            # An empty file is one empty part.
            for begin in range(0, max(len(content), 1), PART_BYTES):
                part = messages.UploadTrackRequest(write_offset=begin, data=content[begin : begin + PART_BYTES])
                if begin == 0:
                    part.spec.CopyFrom(messages.UploadSpec(display_name=name, total_bytes=len(content), **spec))
                part.finish_write = begin + PART_BYTES >= len(content)
                yield part

        answer = self._answer(lambda: stub(parts(), timeout=seconds))
        return answer if isinstance(answer, Refusal) else answer.track

    def tracks(self) -> list[Any]:
        """Every track that there is."""
        messages, found, token = self.messages, [], ""
        while True:
            page = self._call("ListTracks", messages.ListTracksRequest(page_size=100, page_token=token), messages.ListTracksResponse)
            assert not isinstance(page, Refusal), page
            found += page.tracks
            token = page.next_page_token
            if not token:
                return found

    def separate(self, track: Any, seconds: float = 120, **options: Any) -> Any:
        """The separation of a track once it has ended; `options` are fields of Separation, the output format aside: f32 WAV."""
        wanted = self._separation.Separation(track=track.name, **options)
        wanted.output_format.sample_format = self._track.SAMPLE_FORMAT_F32
        stub = self._channel.unary_unary("/unbraid.v1.SeparationService/CreateSeparation",
                                         self._calls.CreateSeparationRequest.SerializeToString, self._separation.Separation.FromString)
        created = self._answer(lambda: stub(self._calls.CreateSeparationRequest(separation=wanted), timeout=20))
        if isinstance(created, Refusal):
            return created
        watch = self._channel.unary_stream("/unbraid.v1.SeparationService/WatchSeparation",
                                           self._calls.WatchSeparationRequest.SerializeToString,
                                           self._calls.WatchSeparationResponse.FromString)
        *_, last = watch(self._calls.WatchSeparationRequest(name=created.name), timeout=seconds)
        return last.separation

    def download(self, separation: Any, stem: str, seconds: float = 60) -> bytes:
        stub = self._channel.unary_stream("/unbraid.v1.SeparationService/DownloadStem",
                                          self._calls.DownloadStemRequest.SerializeToString,
                                          self._calls.DownloadStemResponse.FromString)
        request = self._calls.DownloadStemRequest(name=f"{separation.name}/stems/{stem}")
        return b"".join(part.data for part in stub(request, timeout=seconds))

    def create(self, track: str, **options: Any) -> Any:
        """The separation as it was begun, or a Refusal."""
        wanted = self._separation.Separation(track=track, **options)
        request = self._calls.CreateSeparationRequest(separation=wanted)
        return self._separations("CreateSeparation", request, self._separation.Separation)

    def get(self, name: str) -> Any:
        return self._separations("GetSeparation", self._calls.GetSeparationRequest(name=name), self._separation.Separation)

    def chunks(self, name: str) -> list[Any]:
        """The chunks of a separation, at most 1000."""
        request = self._calls.ListChunksRequest(parent=name, page_size=1000)
        return self._separations("ListChunks", request, self._calls.ListChunksResponse).chunks

    def cancel(self, name: str, seconds: float = 20) -> Any:
        return self._separations("CancelSeparation", self._calls.CancelSeparationRequest(name=name), self._separation.Separation,
                                 seconds)

    def delete(self, name: str) -> Any:
        empty = importlib.import_module("google.protobuf.empty_pb2").Empty
        return self._separations("DeleteSeparation", self._calls.DeleteSeparationRequest(name=name), empty)

    def watch(self, name: str, seconds: float = 120, channel: Any = None) -> Any:
        """The call; each answer has the field `separation`."""
        stub = (channel or self._channel).unary_stream("/unbraid.v1.SeparationService/WatchSeparation",
                                                       self._calls.WatchSeparationRequest.SerializeToString,
                                                       self._calls.WatchSeparationResponse.FromString)
        return stub(self._calls.WatchSeparationRequest(name=name), timeout=seconds)

    def separate_call(self, requests: Any, seconds: float = 120) -> Any:
        """The call Separate."""
        stub = self._channel.stream_stream("/unbraid.v1.SeparationService/Separate",
                                           self._calls.SeparateRequest.SerializeToString,
                                           self._calls.SeparateResponse.FromString)
        return stub(requests, timeout=seconds)

    def state(self, separation: Any) -> str:
        """The state without its prefix."""
        return self._separation.Separation.State.Name(separation.state).removeprefix("STATE_")

    def info(self) -> Any:
        stub = self._channel.unary_unary("/unbraid.v1.SystemService/GetServerInfo",
                                         self._system.GetServerInfoRequest.SerializeToString, self._system.ServerInfo.FromString)
        return stub(self._system.GetServerInfoRequest(), timeout=20)

    def upload_parts(self, parts: Any, seconds: float = 20) -> Any:
        """The call UploadTrack with messages of one's own."""
        stub = self._channel.stream_unary("/unbraid.v1.TrackService/UploadTrack",
                                          self.messages.UploadTrackRequest.SerializeToString,
                                          self.messages.UploadTrackResponse.FromString)
        return self._answer(lambda: stub(parts, timeout=seconds))

    def committed(self, upload_id: str) -> Any:
        """The upload as it stands, or a Refusal."""
        return self._call("GetUpload", self.messages.GetUploadRequest(upload_id=upload_id), self.messages.Upload)

    def start_request(self, **spec: Any) -> Any:
        start = self._calls.SeparateStart(upload=self.messages.UploadSpec(**spec))
        return self._calls.SeparateRequest(start=start)

    def part_request(self, offset: int, data: bytes, last: bool) -> Any:
        part = self.messages.UploadTrackRequest(write_offset=offset, data=data, finish_write=last)
        return self._calls.SeparateRequest(part=part)

    def _separations(self, method: str, request: Any, answer: Any, seconds: float = 20) -> Any:
        stub = self._channel.unary_unary(f"/unbraid.v1.SeparationService/{method}", type(request).SerializeToString,
                                         answer.FromString)
        return self._answer(lambda: stub(request, timeout=seconds))

    def _answer(self, call: Any) -> Any:
        try:
            return call()
        except grpc.RpcError as error:
            return self._refusal(error)

    def _refusal(self, error: Any) -> Refusal:
        details = {key: value for key, value in error.trailing_metadata() or ()}
        status = self._status.Status.FromString(details.get("grpc-status-details-bin", b""))
        info = self._details.ErrorInfo()
        for detail in status.details:
            detail.Unpack(info)
        return Refusal(error.code().name, info.reason, error.details(), tuple(sorted(info.metadata.items())))
