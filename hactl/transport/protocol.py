"""The one way to a node, whatever carries it. Every implementation passes tests/contract/test_transport.py.

Promises of every implementation:
- the host key is verified, always; a key that is unknown or has changed is refused before anything is sent;
- every step is bounded: connecting, opening a channel, output size, waiting;
- text that comes out is safe (`model.text`); errors are `model.errors.TransportError` with a remedy, never a library's;
- sessions beyond the node's MaxSessions wait for a place instead of failing;
- cancelling a call closes its channel and leaks nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from hactl.model.command import Command, Completed
from hactl.model.errors import TransportError
from hactl.model.facts import HostFacts


class FrameSink(Protocol):
    """Receives what a stream says. Called on the event loop; must not block."""

    def frame(self, text: str) -> None:
        """One frame: safe text up to, not including, the terminator (byte 0x1E)."""

    def ended(self, error: TransportError | None) -> None:
        """Called once, last. None when the far side ended it in order or `close` was called."""


class Stream(Protocol):
    """A long-lived command whose stdin takes lines and whose stdout gives frames."""

    def write(self, data: bytes) -> None:
        """Queue bytes for the command's stdin; raises ConnectionLostError when the stream has ended."""

    def close(self) -> None:
        """Close stdin and the channel; the command on the node ends with it. Idempotent."""


class Duplex(Protocol):
    """A byte channel to a Unix socket or TCP port on the node."""

    async def read(self, limit: int = 65536) -> bytes:
        """What has arrived, at least one byte; b"" at the end. Raises ConnectionLostError."""

    async def write(self, data: bytes) -> None:
        """Send all of it, waiting while the peer is slow."""

    def close(self) -> None:
        """Idempotent; does not wait."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who answered: for doctor and for people."""

    address: str  # as connected to
    software: str  # the SSH server's version banner, safe text
    host_key_fingerprint: str  # "SHA256:..."; "" for the local machine
    host_key_type: str


class Transport(Protocol):
    """One node's connection: held, shared, reconnected by its owner (the collector), never silently."""

    @property
    def node(self) -> str: ...

    async def connect(self) -> Peer:
        """Connect and log in within the node's connect timeout. Idempotent while connected.

        Raises UnreachableError, ConnectTimeoutError, HostKeyError or AuthenticationError.
        """

    async def run(self, command: Command) -> Completed:
        """Run to the end. Connects first when needed.

        Raises CommandTimeoutError, ConnectionLostError, BecomeDeniedError, ChannelError or what `connect` raises.
        """

    async def stream(self, command: Command, sink: FrameSink) -> Stream:
        """Start a long-lived command. `command.timeout` bounds the start only; `command.stdin` is written first."""

    async def open_unix(self, path: str) -> Duplex:
        """A channel to a Unix socket on the node; SocketUnavailableError says absent, denied or refused."""

    async def open_tcp(self, host: str, port: int) -> Duplex:
        """A channel to a TCP port as seen from the node. Raises SocketUnavailableError."""

    async def closed(self) -> TransportError | None:
        """Wait until the connection ends; None when `close` was called, else why it ended."""

    async def close(self) -> None:
        """End the connection and everything on it. Idempotent; bounded."""


@runtime_checkable
class HostFactsSource(Protocol):
    """A transport that knows the host's facts without asking a shell (the local one, by psutil)."""

    async def host_facts(self) -> HostFacts: ...
