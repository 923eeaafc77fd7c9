"""Wrappers around transports, one behaviour each: they keep every promise of the transport inside them.

`traced` writes what is asked and answered to the debug log; `record` keeps it as JSON lines that `ReplayTransport`
can answer from. Secrets are masked in both.
"""

from __future__ import annotations

import logging
import time
from typing import Protocol

from hactl.model.command import Command, Completed, masked
from hactl.model.errors import TransportError
from hactl.model.facts import HostFacts
from hactl.model.text import one_line
from hactl.transport.protocol import Duplex, FrameSink, HostFactsSource, Peer, Stream, Transport

_SHOWN = 300  # characters of an answer in the log


class Wrapper:
    """Passes everything on. A wrapper overrides what it adds to."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    @property
    def node(self) -> str:
        return self._inner.node

    async def connect(self) -> Peer:
        return await self._inner.connect()

    async def run(self, command: Command) -> Completed:
        return await self._inner.run(command)

    async def stream(self, command: Command, sink: FrameSink) -> Stream:
        return await self._inner.stream(command, sink)

    async def open_unix(self, path: str) -> Duplex:
        return await self._inner.open_unix(path)

    async def open_tcp(self, host: str, port: int) -> Duplex:
        return await self._inner.open_tcp(host, port)

    async def closed(self) -> TransportError | None:
        return await self._inner.closed()

    async def close(self) -> None:
        await self._inner.close()


class _LocalFacts(Protocol):
    _inner: Transport


class WithFacts:
    """Added to the wrapper of a transport that is a HostFactsSource, so that it stays one."""

    async def host_facts(self: _LocalFacts) -> HostFacts:
        assert isinstance(self._inner, HostFactsSource)  # noqa: S101 - only put around such
        return await self._inner.host_facts()


class TracingTransport(Wrapper):
    """Writes commands, exits and errors to the log at debug level."""

    def __init__(self, inner: Transport, log: logging.Logger) -> None:
        super().__init__(inner)
        self._log = log

    async def connect(self) -> Peer:
        started = time.monotonic()
        try:
            peer = await self._inner.connect()
        except TransportError as error:
            self._log.debug("%s: connect: %s [%s]", self.node, error.message, error.code)
            raise
        seconds = time.monotonic() - started
        self._log.debug("%s: connected to %s (%s) in %.0f ms", self.node, peer.address, peer.software, seconds * 1e3)
        return peer

    async def run(self, command: Command) -> Completed:
        shown = _shown(command)
        try:
            done = await self._inner.run(command)
        except TransportError as error:
            self._log.debug("%s: %s: %s [%s]", self.node, shown, masked(error.message, command.secrets), error.code)
            raise
        said = one_line(masked(done.stdout or done.stderr, command.secrets), _SHOWN)
        self._log.debug("%s: %s: exit %s in %.0f ms: %s", self.node, shown, done.exit, done.seconds * 1e3, said)
        return done

    async def stream(self, command: Command, sink: FrameSink) -> Stream:
        self._log.debug("%s: stream %s", self.node, _shown(command))
        return await self._inner.stream(command, sink)

    async def open_unix(self, path: str) -> Duplex:
        self._log.debug("%s: open %s", self.node, path)
        return await self._inner.open_unix(path)

    async def open_tcp(self, host: str, port: int) -> Duplex:
        self._log.debug("%s: open %s port %d", self.node, host, port)
        return await self._inner.open_tcp(host, port)


class _TracingLocal(TracingTransport, WithFacts):
    pass


def traced(inner: Transport, log: logging.Logger | None = None) -> Transport:
    """`inner`, telling the log what it does."""
    kind = _TracingLocal if isinstance(inner, HostFactsSource) else TracingTransport
    return kind(inner, log or logging.getLogger("hactl.transport"))


def _shown(command: Command) -> str:
    user = f"[{command.as_user}] " if command.as_user else ""
    # A secret may also be part of a word, which `shown` cannot know.
    return one_line(user + masked(command.shown(), command.secrets), _SHOWN)
