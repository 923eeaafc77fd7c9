"""A node that does what a test tells it: the transport's protocol without a network, under the test's own clock."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from hactl.drivers.probe import Asked, Cadence, TickProbe
from hactl.model.command import Command, Completed
from hactl.model.errors import ConnectionLostError, ParseError, TransportError
from hactl.model.facts import VersionFacts
from hactl.model.inventory import Inventory, Node, Site, SshSettings, Thresholds
from hactl.transport.protocol import Duplex, FrameSink, Peer


def inventory(*names: str, **ssh) -> Inventory:
    nodes = {name: Node(name, "192.0.2.1", "here", ("app",), SshSettings(**ssh)) for name in names}
    return Inventory("test", {"here": Site("here")}, nodes, {}, {}, {}, Thresholds())


def version(completed: Completed, asked: Asked) -> VersionFacts:
    """Facts that are easy to recognise: what the node said."""
    if completed.stdout.startswith("bad"):
        raise ParseError("it said bad")
    if completed.stdout.startswith("defect"):
        raise ZeroDivisionError("a defect of this parser")
    return VersionFacts(completed.stdout.strip())


def tick(key: str, cadence: Cadence = Cadence.FAST, deadline: float = 1.0, parse=version) -> TickProbe:
    return TickProbe(key, cadence, deadline, f"echo {key}", parse)


@dataclass
class ScriptedStream:
    """A probe loop on the node. It answers in order; `holding` names words at which it stops until `release`."""

    transport: ScriptedTransport
    sink: FrameSink
    open: bool = True
    queue: list[tuple[int, int]] = field(default_factory=list)
    heard: list[tuple[int, int]] = field(default_factory=list)

    def write(self, data: bytes) -> None:
        if not self.open:
            raise ConnectionLostError(self.transport.node, "the stream has ended")
        for line in data.decode().splitlines():
            sequence, word = map(int, line.split())
            self.heard.append((sequence, word))
            self.queue.append((sequence, word))
        self.work()

    def work(self) -> None:
        while self.open and self.queue and self.queue[0][1] not in self.transport.holding:
            sequence, word = self.queue.pop(0)
            text = self.transport.says(word)
            asyncio.get_running_loop().call_soon(self.sink.frame, f"{text}\n\n{sequence} 0")

    def close(self) -> None:
        self.open = False

    def end(self, error: TransportError | None) -> None:
        if self.open:
            self.open = False
            self.sink.ended(error)


class ScriptedTransport:
    """`connects`: what each attempt to connect does, the last one for ever: None (succeeds), an error, or "hang"."""

    def __init__(
        self, node: str = "n1", *, connects=(None,), says: Callable[[int], str] = lambda word: f"answer {word}"
    ):
        self.node = node
        self.connects = list(connects)
        self.says = says
        self.holding: set[int] = set()
        self.streams: list[ScriptedStream] = []
        self.attempts = 0
        self.commands: list[Command] = []
        self.answers: dict[tuple[str, ...], Completed | Exception] = {}
        self.channels: dict[str, Callable[[], Duplex]] = {}
        self.opened: defaultdict[str, int] = defaultdict(int)
        self.refuse_streams: Exception | None = None
        self.lost: asyncio.Future[TransportError | None] | None = None
        self.closes = 0
        self.close_hangs = False

    async def connect(self) -> Peer:
        self.attempts += 1
        outcome = self.connects.pop(0) if len(self.connects) > 1 else self.connects[0]
        if outcome == "hang":
            await asyncio.Event().wait()
        if outcome is not None:
            raise outcome
        if self.lost is None or self.lost.done():
            self.lost = asyncio.get_running_loop().create_future()
        return Peer("192.0.2.1", "Scripted", "SHA256:x", "ssh-ed25519")

    async def run(self, command: Command) -> Completed:
        self.commands.append(command)
        answer = self.answers[command.argv]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def stream(self, command: Command, sink: FrameSink) -> ScriptedStream:
        if self.refuse_streams is not None:
            raise self.refuse_streams
        stream = ScriptedStream(self, sink)
        self.streams.append(stream)
        asyncio.get_running_loop().call_soon(sink.frame, "Welcome to this node!\n")
        first = iter(command.argv[4:])
        stream.write("".join(f"{sequence} {word}\n" for sequence, word in zip(first, first, strict=True)).encode())
        return stream

    async def open_unix(self, path: str) -> Duplex:
        self.opened[path] += 1
        return self.channels[path]()

    async def open_tcp(self, host: str, port: int) -> Duplex:
        self.opened[f"{host}:{port}"] += 1
        return self.channels[f"{host}:{port}"]()

    async def closed(self) -> TransportError | None:
        return await asyncio.shield(self.lost) if self.lost is not None else None

    async def close(self) -> None:
        self.closes += 1
        if self.close_hangs:
            await asyncio.Event().wait()
        self.lose(None)

    def lose(self, error: TransportError | None) -> None:
        """The connection ends, and with it every stream."""
        for stream in self.streams:
            stream.end(error)
        if self.lost is not None and not self.lost.done():
            self.lost.set_result(error)

    def release(self, word: int) -> None:
        """The node gets over the question that it hung at."""
        self.holding.discard(word)
        for stream in self.streams:
            stream.work()


class ScriptedChannel:
    """A Duplex whose far side is a function from what was written so far to what it says next."""

    def __init__(self, respond: Callable[[bytes], bytes | None]):
        self._respond = respond
        self._out: asyncio.Queue[bytes] = asyncio.Queue()
        self.closed = False

    async def read(self, limit: int = 65536) -> bytes:
        return await self._out.get()

    async def write(self, data: bytes) -> None:
        answer = self._respond(data)
        if answer is not None:
            self._out.put_nowait(answer)

    def close(self) -> None:
        self.closed = True
