"""As much of AMQP 0-9-1 as a test needs to take messages out of a queue and to put them into another, as they are."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
ANSWER_SECONDS = 20


def short(text: str) -> bytes:
    return struct.pack(">B", len(text)) + text.encode()


def long(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


NO_TABLE = long(b"")


@dataclass(frozen=True)
class Message:
    header: bytes  # class, size and properties, as they came
    body: bytes


class AmqpClient:
    """One connection with one channel in confirm mode. Not thread-safe; any trouble is an exception."""

    def __init__(self, port: int, user: str, password: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS)
        self._stream = self._socket.makefile("rb")
        self._socket.sendall(b"AMQP\x00\x00\x09\x01")
        self._await(0, 10, 10)
        self._send(0, 10, 11, NO_TABLE + short("PLAIN") + long(f"\0{user}\0{password}".encode()) + short("en_US"))
        tune = self._await(0, 10, 30)
        _, self._frame_bytes = struct.unpack_from(">HI", tune)
        self._send(0, 10, 31, struct.pack(">HIH", 1, self._frame_bytes, 0))
        self._ask(0, (10, 40), 41, short("/") + short("") + b"\0")
        self._ask(1, (20, 10), 11, short(""))
        self._ask(1, (85, 10), 11, b"\0")

    def __enter__(self) -> "AmqpClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def declare(self, queue: str) -> None:
        """A queue that goes with the connection."""
        self._ask(1, (50, 10), 11, b"\0\0" + short(queue) + b"\x04" + NO_TABLE)

    def ready(self, queue: str) -> int:
        """How many messages wait in a queue that exists."""
        answer = self._ask(1, (50, 10), 11, b"\0\0" + short(queue) + b"\x01" + NO_TABLE)
        return struct.unpack_from(">I", answer, 1 + answer[0])[0]

    def bind(self, queue: str, exchange: str, key: str) -> None:
        self._ask(1, (50, 20), 21, b"\0\0" + short(queue) + short(exchange) + short(key) + b"\0" + NO_TABLE)

    def unbind(self, queue: str, exchange: str, key: str) -> None:
        self._ask(1, (50, 50), 51, b"\0\0" + short(queue) + short(exchange) + short(key) + NO_TABLE)

    def purge(self, queue: str) -> int:
        """How many messages it has thrown away."""
        return struct.unpack(">I", self._ask(1, (50, 30), 31, b"\0\0" + short(queue) + b"\0"))[0]

    def delete(self, queue: str) -> int:
        """How many messages went with it."""
        return struct.unpack(">I", self._ask(1, (50, 40), 41, b"\0\0" + short(queue) + b"\0"))[0]

    def get(self, queue: str) -> Message | None:
        """The first message, which is taken out of the queue; None when there is none."""
        self._send(1, 60, 70, b"\0\0" + short(queue) + b"\x01")
        kind, payload = self._frame()
        if kind != METHOD or struct.unpack_from(">HH", payload) != (60, 71):
            return None
        _, header = self._frame()
        size, body = struct.unpack_from(">Q", header, 4)[0], b""
        while len(body) < size:
            body += self._frame()[1]
        return Message(header, body)

    def publish(self, queue: str, message: Message) -> None:
        """Returns when the broker has confirmed it."""
        self._send(1, 60, 40, b"\0\0" + short("") + short(queue) + b"\0")
        self._write(HEADER, 1, message.header)
        piece = self._frame_bytes - 8
        for begin in range(0, len(message.body), piece):
            self._write(BODY, 1, message.body[begin : begin + piece])
        self._await(1, 60, 80)

    def _ask(self, channel: int, question: tuple[int, int], answer: int, arguments: bytes) -> bytes:
        self._send(channel, *question, arguments)
        return self._await(channel, question[0], answer)

    def _send(self, channel: int, kind: int, method: int, arguments: bytes) -> None:
        self._write(METHOD, channel, struct.pack(">HH", kind, method) + arguments)

    def _write(self, kind: int, channel: int, payload: bytes) -> None:
        self._socket.sendall(struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce")

    def _frame(self) -> tuple[int, bytes]:
        while True:
            head = self._stream.read(7)
            if len(head) < 7:
                raise ConnectionError("the broker has closed the connection")
            kind, _, size = struct.unpack(">BHI", head)
            payload = self._stream.read(size + 1)[:-1]
            if kind != HEARTBEAT:
                return kind, payload

    def _await(self, channel: int, kind: int, method: int) -> bytes:
        _, payload = self._frame()
        got = struct.unpack_from(">HH", payload)
        if got != (kind, method):
            raise ConnectionError(f"the broker says {got} on channel {channel} instead of {(kind, method)}: {payload[4:]!r}")
        return payload[4:]
