"""Asks HTTP services as the node itself sees them: one TCP channel and one GET a question."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from hactl.drivers.probe import HttpAnswer
from hactl.engine.clock import Clock
from hactl.engine.http import HttpError, Response, get
from hactl.model.errors import ConnectionLostError, SocketAbsentError
from hactl.transport.protocol import Duplex, Transport

_LOOPBACK = "127.0.0.1"


class Question(Protocol):
    """What is fetched: a probe's question or a verb's."""

    @property
    def port(self) -> int: ...
    @property
    def path(self) -> str: ...
    @property
    def host(self) -> str: ...


class Fetcher:
    """Fetches on one node, and learns from opening channels how long the way there and back takes.

    sshd connects to a port of its own node at once, so the time to open a channel is one round trip of the SSH
    connection. The least of the last ones is taken off every latency.
    """

    def __init__(self, transport: Transport, address: str, clock: Clock) -> None:
        self._transport = transport
        self._address = address
        self._clock = clock
        self._round_trips: deque[float] = deque(maxlen=32)

    async def fetch(self, question: Question) -> HttpAnswer:
        """A port that nobody listens on, or that says no HTTP, is an answer with status 0.

        Raises ConnectionLostError, CommandTimeoutError or ChannelError when it is SSH that failed or forbids the way.
        """
        try:
            channel = await self._open(question.port)
        except SocketAbsentError as error:
            return HttpAnswer(0, "", 0.0, error.message.removeprefix(f"{error.node}: "))
        started = self._clock.monotonic()
        response, problem = Response(), ""
        try:
            await channel.write(get(question.path, question.host))
            while not response.complete:
                response.feed(await channel.read())
        except HttpError as error:
            problem = str(error)
        except ConnectionLostError:
            # The channel may have been reset by the service; when it was the connection, the next question will say so.
            problem = "the connection was reset"
        finally:
            channel.close()
        seconds = max(0.0, self._clock.monotonic() - started - min(self._round_trips, default=0.0))
        return HttpAnswer(0 if problem else response.status, "" if problem else response.body, seconds * 1000, problem)

    async def _open(self, port: int) -> Duplex:
        """To loopback; where nothing listens there, to the node's own address."""
        started = self._clock.monotonic()
        try:
            channel = await self._transport.open_tcp(_LOOPBACK, port)
        except SocketAbsentError:
            if self._address.startswith("127."):
                raise
            started = self._clock.monotonic()
            channel = await self._transport.open_tcp(self._address, port)
        self._round_trips.append(self._clock.monotonic() - started)
        return channel
