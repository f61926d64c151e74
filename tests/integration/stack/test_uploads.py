"""Uploads that break: cut anywhere, damaged, taken over, or with a service that dies in the middle."""

import hashlib
import json
import os
import random
import signal
import socket
import threading

import grpc
import pytest
from api import PART_BYTES, Refusal
from stack import noise
from supervisor import await_that


class Cutter:
    """In front of the gateway; each of the first connections is cut when it has carried so many bytes up."""

    def __init__(self, gateway, limits):
        host, port = gateway.split(":")
        self._gateway = (host, int(port))
        self._limits = list(limits)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._gateway)
            limit = self._limits.pop(0) if self._limits else None
            threading.Thread(target=self._carry, args=(client, server, limit), daemon=True).start()
            threading.Thread(target=self._carry, args=(server, client, None), daemon=True).start()

    def _carry(self, source, target, limit):
        carried = 0
        try:
            while data := source.recv(65536 if limit is None else max(1, min(65536, limit - carried))):
                target.sendall(data)
                carried += len(data)
                if limit is not None and carried >= limit:
                    self.cuts += 1
                    break
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def parts_of(api, content, upload_id, begin=0):
    for offset in range(begin, len(content), PART_BYTES):
        part = api.messages.UploadTrackRequest(write_offset=offset, data=content[offset : offset + PART_BYTES],
                                               finish_write=offset + PART_BYTES >= len(content))
        if offset == begin:
            part.spec.CopyFrom(api.messages.UploadSpec(upload_id=upload_id, total_bytes=len(content)))
        yield part


def go_on(api, content, upload_id):
    """The rest of a broken upload. What the broken stream had carried may still be on its way to the disk after the size was
    asked for; the refusal then tells the new size, and from now on only this stream writes."""
    upload = api.committed(upload_id)
    committed = 0 if isinstance(upload, Refusal) else upload.committed_size
    assert committed < len(content)
    answer = api.upload_parts(parts_of(api, content, upload_id, committed))
    if isinstance(answer, Refusal) and answer.reason == "WRITE_OFFSET_MISMATCH":
        answer = api.upload_parts(parts_of(api, content, upload_id, int(dict(answer.facts)["committed_size"])))
    return answer


def wav(tmp_path, frames):
    noise(tmp_path / "song.wav", frames)
    return (tmp_path / "song.wav").read_bytes()


@pytest.mark.parametrize("seed", range(6))
def test_cut_at_any_byte_it_goes_on_at_the_committed_size(stack, api, tmp_path, seed):
    content = wav(tmp_path, 300_000 + seed)
    cutter = Cutter(stack.environment["UNBRAID_GATEWAY"], [random.Random(seed).randrange(len(content))])
    upload_id = f"cut-{seed}"
    with grpc.insecure_channel(cutter.address, options=[("grpc.enable_retries", 0)]) as channel:
        stub = channel.stream_unary("/unbraid.v1.TrackService/UploadTrack", lambda part: part.SerializeToString(), bytes)
        with pytest.raises(grpc.RpcError) as cut:
            stub(parts_of(api, content, upload_id), timeout=20)
        assert cut.value.code().name == "UNAVAILABLE"
    cutter.close()
    done = go_on(api, content, upload_id)
    assert not isinstance(done, Refusal), done
    assert done.track.sha256 == hashlib.sha256(content).hexdigest()
    assert api.committed(upload_id).track.name == done.track.name


def test_the_command_resumes_by_itself_however_often_it_is_cut(stack, tmp_path):
    content = wav(tmp_path, 1_000_000)
    seeded = random.Random(7)
    cutter = Cutter(stack.environment["UNBRAID_GATEWAY"], [seeded.randrange(1, 3_000_000) for _ in range(5)])
    status, events = stack.run("--gateway", cutter.address, "upload", str(tmp_path / "song.wav"))
    assert status == 0, events[-1]
    assert cutter.cuts >= 2
    assert events[-1]["track"]["sha256"] == hashlib.sha256(content).hexdigest()
    cutter.close()


def test_a_damaged_part_is_refused_and_what_came_before_it_stays(api, tmp_path):
    content = wav(tmp_path, 100_001)
    part = api.messages.UploadTrackRequest
    spec = api.messages.UploadSpec(upload_id="damaged", total_bytes=len(content))
    good = part(spec=spec, write_offset=0, data=content[:1000])
    bad = part(write_offset=1000, data=content[1000:2000], crc32c=1, finish_write=True)
    refusal = api.upload_parts(iter([good, bad]))
    assert (refusal.code, refusal.reason) == ("DATA_LOSS", "CHECKSUM_MISMATCH"), refusal
    assert "offset 1000" in refusal.message
    assert api.committed("damaged").committed_size == 1000
    assert api.upload_parts(parts_of(api, content, "damaged", 1000)).track.sha256 == hashlib.sha256(content).hexdigest()


def test_the_second_writer_takes_over_and_the_first_is_told(api, tmp_path):
    content = wav(tmp_path, 100_002)
    go_on = threading.Event()
    part = api.messages.UploadTrackRequest

    def slow():
        yield part(spec=api.messages.UploadSpec(upload_id="shared"), write_offset=0, data=content[:5000])
        go_on.wait(30)

    answers = []
    first = threading.Thread(target=lambda: answers.append(api.upload_parts(slow(), seconds=60)))
    first.start()
    await_that(lambda: not isinstance(api.committed("shared"), Refusal) and api.committed("shared").committed_size == 5000,
               "the first part is stored")
    second = api.upload_parts(parts_of(api, content, "shared", 5000))
    assert second.track.sha256 == hashlib.sha256(content).hexdigest(), second
    first.join(timeout=30)
    go_on.set()
    assert [(answer.code, answer.reason) for answer in answers] == [("ABORTED", "UPLOAD_TAKEN_OVER")]


@pytest.mark.parametrize("victim", ["gateway", "splitter"])
def test_the_command_goes_on_when_a_service_is_killed_in_the_middle(stack, tmp_path, victim):
    song = tmp_path / "long.wav"
    noise(song, 20_000_000 + len(victim))
    total = song.stat().st_size
    client = stack.start("upload", str(song))
    events = []
    for line in client.stdout:
        events.append(json.loads(line))
        if events[-1]["event"] == "uploading" and 0 < events[-1]["sent_bytes"] < total:
            break
    os.kill(stack.pids()[victim], signal.SIGKILL)
    at_kill = len(events)
    stack.script("restart", victim)
    out, _ = client.communicate(timeout=120)
    events += [json.loads(line) for line in out.splitlines()]
    assert client.returncode == 0, events[-1]
    assert events[-1]["track"]["sha256"] == hashlib.sha256(song.read_bytes()).hexdigest()
    # It did not begin anew.
    assert min(event["sent_bytes"] for event in events[at_kill:] if event["event"] == "uploading") > PART_BYTES
