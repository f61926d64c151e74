"""A proxy on loopback that plays a bad network: it cuts, delays, throttles and swallows, at an exact byte if need be.

It stands between the services and RabbitMQ, where it tells connections apart by what they say, or before any other port.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

BLOCK_BYTES = 64 * 1024
CALL_SECONDS = 10


@dataclass(frozen=True)
class Match:
    """Which bytes are meant. An empty field means all of them."""

    who: str = ""   # beginning of the name that the client gave itself, such as "worker-1"
    role: str = ""  # "publish" or "consume"
    way: str = ""   # "up" to the broker, "down" from it

    def fits(self, link: Link, way: str) -> bool:
        return self.fits_link(link) and self.way in ("", way)

    def fits_link(self, link: Link) -> bool:
        return link.who.startswith(self.who) and self.role in ("", link.role)


@dataclass
class Link:
    """One connection of a client, with the one that was made for it."""

    client: asyncio.StreamWriter
    broker: asyncio.StreamWriter
    who: str = ""
    role: str = ""
    tasks: list[asyncio.Task] = field(default_factory=list)
    said: bytearray | None = field(default_factory=bytearray)

    def listen(self, data: bytes) -> None:
        """Learns from the client's first frames who it is and what it does."""
        if self.said is None:
            return
        self.said += data
        begin = 8  # the protocol header
        while len(self.said) >= begin + 7 and not self.role:
            kind, _, size = struct.unpack_from(">BHI", self.said, begin)
            if len(self.said) < begin + 8 + size:
                break
            if kind == 1:
                self._method(bytes(self.said[begin + 7 : begin + 7 + size]))
            begin += 8 + size
        if self.role:
            self.said = None

    def _method(self, payload: bytes) -> None:
        method = struct.unpack_from(">HH", payload)
        if method == (10, 11):  # connection.start-ok
            name = re.search(rb"connection_nameS....([ -~]+)", payload, re.DOTALL)
            self.who = name.group(1).decode().split()[-1] if name else ""
        elif method == (85, 10):  # confirm.select
            self.role = "publish"
        elif method == (60, 20):  # basic.consume
            self.role = "consume"

    def reset(self) -> None:
        for side in (self.client, self.broker):
            tcp = side.get_extra_info("socket")
            if tcp is not None and tcp.fileno() >= 0:
                tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            side.transport.abort()
        for task in self.tasks:
            task.cancel()


@dataclass
class Rule:
    """What happens to matching bytes, until the proxy is healed."""

    match: Match
    delay: float = 0.0        # seconds that each block waits
    rate: float = 0.0         # bytes per second; 0: no limit
    swallow: bool = False     # nothing comes through, nothing is closed
    healed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Trap:
    """Springs after `left` further matching bytes. From then on nothing passes the proxy until it is released."""

    match: Match
    left: int
    sprung: threading.Event = field(default_factory=threading.Event)
    link: Link | None = None


class Proxy:
    """Thread-safe; its loop has a thread of its own. Every call returns when it is in force."""

    def __init__(self, target_port: Callable[[], int]) -> None:
        """`target_port` is asked for each connection, so what stands behind may start later, and move."""
        self._target_port = target_port
        self._links: list[Link] = []
        self._rules: list[Rule] = []
        self._trap: Trap | None = None
        self._refusing = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._open = self._call(self._event())
        self._server = self._call(asyncio.start_server(self._accepted, "127.0.0.1", 0, limit=BLOCK_BYTES))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        self.heal()
        self.cut(Match())
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_SECONDS)

    def trap(self, match: Match, count: int) -> Trap:
        """Stops everything after exactly that many further bytes; the caller waits for `sprung`."""
        trap = Trap(match, count)
        self._run(lambda: setattr(self, "_trap", trap))
        return trap

    def release(self) -> None:
        """Lets go what a trap holds, and takes it away."""
        self._run(self._release)

    def add(self, match: Match, **what: Any) -> None:
        """delay, rate or swallow; see Rule."""
        self._run(lambda: self._rules.append(Rule(match, **what)))

    def cut(self, match: Match) -> int:
        """Resets every connection that matches; says how many."""
        return self._run(lambda: self._cut([link for link in self._links if match.fits_link(link)]))

    def cut_link(self, link: Link) -> int:
        return self._run(lambda: self._cut([link] if link in self._links else []))

    def refuse(self) -> None:
        """Cuts everything, and whoever comes is reset, until the proxy is healed."""
        self._run(lambda: setattr(self, "_refusing", True))
        self.cut(Match())

    def heal(self) -> None:
        """Takes back everything. What was swallowed comes through now, unless its connection has gone."""
        self._run(self._heal)

    def _heal(self) -> None:
        for rule in self._rules:
            rule.healed.set()
        self._rules.clear()
        self._refusing = False
        self._release()

    def _release(self) -> None:
        self._trap = None
        self._open.set()

    def _cut(self, links: list[Link]) -> int:
        for link in links:
            link.reset()
            self._links.remove(link)
        return len(links)

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _event(self) -> asyncio.Event:
        event = asyncio.Event()
        event.set()
        return event

    def _call(self, coroutine: Coroutine) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(CALL_SECONDS)

    def _run(self, action: Callable[[], Any]) -> Any:
        async def act() -> Any:
            return action()

        return self._call(act())

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        try:
            answers, broker = await asyncio.open_connection("127.0.0.1", self._target_port(), limit=BLOCK_BYTES)
        except (OSError, ValueError):
            writer.transport.abort()
            return
        link = Link(writer, broker)
        self._links.append(link)
        link.tasks = [asyncio.create_task(self._pump(link, "up", reader, broker)),
                      asyncio.create_task(self._pump(link, "down", answers, writer))]
        await asyncio.wait(link.tasks)
        for side in (writer, broker):
            side.close()
        if link in self._links:
            self._links.remove(link)

    async def _pump(self, link: Link, way: str, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(BLOCK_BYTES):
                if way == "up":
                    link.listen(data)
                await self._forward(link, way, data, target)
            target.write_eof()
        except (OSError, RuntimeError):
            link.reset()

    async def _forward(self, link: Link, way: str, data: bytes, target: asyncio.StreamWriter) -> None:
        await self._open.wait()
        trap = self._trap
        if trap is not None and trap.link is None and trap.match.fits(link, way):
            if len(data) >= trap.left:
                target.write(data[: trap.left])
                data = data[trap.left :]
                trap.link = link
                self._open.clear()
                trap.sprung.set()
            else:
                trap.left -= len(data)
        await self._open.wait()
        for rule in [rule for rule in self._rules if rule.match.fits(link, way)]:
            await self._suffer(rule, len(data))
        await self._open.wait()
        target.write(data)
        await target.drain()

    async def _suffer(self, rule: Rule, size: int) -> None:
        if rule.swallow:
            await rule.healed.wait()
            return
        seconds = rule.delay + (size / rule.rate if rule.rate else 0)
        try:
            await asyncio.wait_for(rule.healed.wait(), seconds)
        except asyncio.TimeoutError:
            pass
