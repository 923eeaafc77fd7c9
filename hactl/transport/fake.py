r"""A transport that plays a script, for tests of what lies above. Real servers test the real ones.

    fake = FakeTransport("db1")
    fake.on(("pg_lsclusters",), Completed(0, "15 main ...", "", 0.01))       # an answer, again and again
    fake.on(("systemctl", "stop"), [first, second], after=lambda: stop())    # answers in turn, for argv that begin so
    fake.on(("id",), BecomeDeniedError("db1", "..."))                        # an error
    fake.sockets["/run/haproxy/admin.sock"] = lambda request: b"...\n\n"     # request -> answer
    fake.lose()                                                              # the connection dies now
    assert fake.commands == [...]                                            # what was asked, in order

A question that no rule answers raises AssertionError: a test says everything it expects. The longest rule that fits
wins, the last of equals.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from hactl.model.command import Command, Completed
from hactl.model.errors import SocketAbsentError, TransportError
from hactl.transport import errors
from hactl.transport.inbox import Inbox
from hactl.transport.protocol import Duplex, FrameSink, Peer, Stream

Answer: TypeAlias = "Completed | TransportError | Callable[[Command], Completed]"


@dataclass(slots=True)
class _Rule:
    begins: tuple[str, ...]
    answers: list[Answer]
    after: Callable[[], None] | None


@dataclass(slots=True)
class FakeStream:
    """A started stream: `say` frames, `end` it, look at what was `written`."""

    command: Command
    sink: FrameSink
    written: bytearray = field(default_factory=bytearray)
    over: bool = False

    def say(self, text: str) -> None:
        if not self.over:
            self.sink.frame(text)

    def end(self, error: TransportError | None = None) -> None:
        if not self.over:
            self.over = True
            self.sink.ended(error)

    def write(self, data: bytes) -> None:
        if self.over:
            raise errors.lost("fake", "the stream has ended")
        self.written += data

    def close(self) -> None:
        self.end(None)


class FakeTransport:
    """protocol.Transport by script."""

    def __init__(self, node: str) -> None:
        self._node = node
        self.peer = Peer("fake", "Fake_1.0", "SHA256:fake", "ssh-ed25519")
        self.unreachable: TransportError | None = None  # what connecting raises, while it is set
        self.connected = False
        self.connects = 0
        self.commands: list[Command] = []
        self.streams: list[FakeStream] = []
        self.sockets: dict[str, Callable[[bytes], bytes]] = {}  # by path, or "host:port"
        self._rules: list[_Rule] = []
        self._ended: asyncio.Future[TransportError | None] | None = None

    @property
    def node(self) -> str:
        return self._node

    def on(self, begins: Sequence[str], answer: Answer | list[Answer], after: Callable[[], None] | None = None) -> None:
        """Answer commands whose argv begins so; of a list each answer once, the last for ever. `after` each answer."""
        self._rules.append(_Rule(tuple(begins), list(answer) if isinstance(answer, list) else [answer], after))

    def lose(self, error: TransportError | None = None) -> None:
        """The connection dies: every stream ends with the error."""
        error = error or errors.lost(self._node, "by the script")
        self.connected = False
        for stream in self.streams:
            stream.end(error)
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(error)
        self._ended = None

    async def connect(self) -> Peer:
        if self.unreachable is not None:
            raise self.unreachable
        if not self.connected:
            self.connected, self.connects = True, self.connects + 1
        return self.peer

    async def run(self, command: Command) -> Completed:
        await self.connect()
        self.commands.append(command)
        rule = self._rule(command)
        answer = rule.answers.pop(0) if len(rule.answers) > 1 else rule.answers[0]
        if rule.after is not None:
            rule.after()
        if isinstance(answer, TransportError):
            raise answer
        return answer if isinstance(answer, Completed) else answer(command)

    async def stream(self, command: Command, sink: FrameSink) -> Stream:
        await self.connect()
        self.commands.append(command)
        stream = FakeStream(command, sink)
        stream.written += command.stdin
        self.streams.append(stream)
        return stream

    async def open_unix(self, path: str) -> Duplex:
        return await self._open(path)

    async def open_tcp(self, host: str, port: int) -> Duplex:
        return await self._open(f"{host}:{port}")

    async def closed(self) -> TransportError | None:
        if self._ended is None:
            self._ended = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._ended)

    async def close(self) -> None:
        self.connected = False
        for stream in self.streams:
            stream.close()
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)
        self._ended = None

    def _rule(self, command: Command) -> _Rule:
        fitting = [rule for rule in self._rules if command.argv[: len(rule.begins)] == rule.begins]
        assert fitting, f"{self._node}: the script has no answer to {command.shown()}"  # noqa: S101 - for tests
        return max(reversed(fitting), key=lambda rule: len(rule.begins))

    async def _open(self, where: str) -> Duplex:
        await self.connect()
        if where not in self.sockets:
            raise SocketAbsentError(self._node, f"there is no socket {where}.")
        return _FakeDuplex(self.sockets[where])


class _FakeDuplex:
    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer, self._inbox = answer, Inbox()

    async def read(self, limit: int = 65536) -> bytes:
        return await self._inbox.read(limit)

    async def write(self, data: bytes) -> None:
        if answer := self._answer(data):
            self._inbox.push(answer)

    def close(self) -> None:
        self._inbox.finish()
