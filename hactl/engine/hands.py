"""What a run reaches nodes with: their transports, and each kind of ask over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from hactl.engine.bound import by
from hactl.engine.clock import Clock
from hactl.engine.console import Console
from hactl.engine.fetch import Fetcher
from hactl.model.command import Command, Completed
from hactl.model.errors import CommandTimeoutError
from hactl.model.inventory import Inventory
from hactl.model.verb import Fetch, Fetched
from hactl.transport.protocol import Transport

_SOCKET_WITHIN = 10.0  # seconds for the requests of one session with an admin socket


class Reach(Protocol):
    """What can be asked of a node."""

    async def connect(self, node: str) -> None: ...
    async def run(self, node: str, command: Command) -> Completed: ...
    async def ask_socket(self, node: str, path: str, requests: tuple[str, ...]) -> tuple[str, ...]: ...
    async def fetch(self, node: str, ask: Fetch) -> Fetched: ...


class Hands:
    """Shared by all lanes of a run. Does not own the transports. Every call raises what the transport raises."""

    def __init__(self, inventory: Inventory, transports: Mapping[str, Transport], clock: Clock) -> None:
        self._inventory = inventory
        self._transports = transports
        self._clock = clock
        self._fetchers: dict[str, Fetcher] = {}

    async def connect(self, node: str) -> None:
        await self._transports[node].connect()

    async def run(self, node: str, command: Command) -> Completed:
        return await self._transports[node].run(command)

    async def ask_socket(self, node: str, path: str, requests: tuple[str, ...]) -> tuple[str, ...]:
        """Over a channel of its own. On a kept one the process that a reload has replaced goes on answering, with
        numbers that no longer move; and one that has died is asked again by its console, which a change must not be.

        A HAProxy that is frozen takes the connection and says nothing: that is over after some seconds, not at the
        step's deadline, which may be hours away. Raises CommandTimeoutError.
        """
        await self._transports[node].connect()
        console = Console(self._transports[node], path)
        try:
            return await by(self._clock, self._clock.monotonic() + _SOCKET_WITHIN, console.ask(requests))
        except TimeoutError:
            raise CommandTimeoutError(node, f"{path} gave no answer within {_SOCKET_WITHIN:g} s.") from None
        finally:
            console.close()

    async def fetch(self, node: str, ask: Fetch) -> Fetched:
        if node not in self._fetchers:
            self._fetchers[node] = Fetcher(self._transports[node], self._inventory.nodes[node].address, self._clock)
        try:
            answer = await by(self._clock, self._clock.monotonic() + ask.timeout, self._fetchers[node].fetch(ask))
        except TimeoutError:
            return Fetched(0, "", ask.timeout, f"no answer within {ask.timeout:g} s")
        return Fetched(answer.status, answer.body, answer.latency_ms / 1000, answer.error)
