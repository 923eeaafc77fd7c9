"""`Control`: watch a cluster, ask it once, or talk to one of its nodes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from hactl.control.journals import followed
from hactl.control.limit import restrict
from hactl.drivers.catalogue import probes_for
from hactl.drivers.probe import Asked, Cadence, Probe, QueryProbe
from hactl.drivers.requirements import SqlQuestion
from hactl.engine.clock import Clock, RealClock
from hactl.engine.collector import Collector, Progress
from hactl.engine.console import Console
from hactl.engine.publisher import Publisher
from hactl.engine.query import Database
from hactl.model.command import Command, Completed
from hactl.model.errors import ParseError
from hactl.model.facts import Facts
from hactl.model.inventory import Inventory, Node
from hactl.model.picture import Picture
from hactl.model.state import StateEvent
from hactl.transport.protocol import Peer, Transport

if TYPE_CHECKING:
    from hactl.engine.sightings import Sightings
    from hactl.transport.prompter import Ask

log = logging.getLogger("hactl.control")

# Seconds for all connections together to close.
_CLOSE_WITHIN = 1.0
# Seconds that a statement may take which is asked once.
_ONCE = 10.0


class Factory(Protocol):
    """Makes the transport of a node. `hactl.transport.factory.TransportFactory` is the real one."""

    def make(self, node: Node) -> Transport: ...


class Control:
    """One inventory, one connection a node, shared by everything that is done here. Use it with `async with`.

    `interval` is the number of seconds between two fast samples. `limit` names the nodes to ask (see
    `model.limit.parse_limit`); the others are left out of every picture, which names them in `Picture.outside`. `ask`
    asks a person for a passphrase or password; without it nobody is asked. `listener` is told of everything that nodes
    say, when they say it; it must not block. `sightings` remember the databases' primaries from one hactl to the next.
    """

    def __init__(
        self,
        inventory: Inventory,
        *,
        interval: float = Cadence.FAST.value,
        limit: tuple[str, ...] | None = None,
        ask: Ask | None = None,
        factory: Factory | None = None,
        clock: Clock | None = None,
        listener: Callable[[StateEvent], None] | None = None,
        sightings: Sightings | None = None,
    ) -> None:
        self._whole = inventory
        self._inventory, self._outside = (inventory, ()) if limit is None else restrict(inventory, limit)
        self._interval = interval
        self._clock = clock or RealClock()
        self._listener = listener
        self._sightings = sightings
        self._factory = factory or _real_factory(inventory, ask)
        self._transports: dict[str, Transport] = {}
        self._collector: Collector | None = None  # of `watch`
        self._asked: Collector | None = None  # of the last `snapshot`

    @property
    def inventory(self) -> Inventory:
        """The inventory as far as it is asked."""
        return self._inventory

    def now(self) -> float:
        """The present second of the clock that every picture's times are of."""
        return self._clock.monotonic()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    # --- pictures ---

    def blank(self) -> Picture:
        """What is known before anybody is asked: the inventory, and that nothing is known. Costs no I/O."""
        return Publisher(self._inventory, self._clock, self._outside).picture()

    async def watch(self) -> AsyncGenerator[Picture]:
        """The picture now, then the newest one whenever there is a newer one, until `close`. Starts watching.

        A slow reader skips pictures. Ages grow, so a picture comes at least about every second.
        """
        if self._collector is None:
            self._collector = self._collect(self._probes())
            self._collector.start()
        async for picture in self._collector.pictures():
            self._remember(picture)
            yield picture

    async def snapshot(
        self, progress: Progress | None = None, *, rare: Collection[str] = (), within: float | None = None
    ) -> Picture:
        """Ask every node everything once, at the same time; who does not answer in time is unknown, with the reason.

        Nodes in `rare` get questions too that cost them much (pending upgrades). `within` seconds it is over, where
        given; each node's own deadlines hold anyway.
        """
        if self._asked is not None:
            self._asked.release()
        self._asked = self._collect(self._probes())
        picture = await self._asked.gather(progress, rare=rare, within=within)
        self._remember(picture)
        return picture

    def refresh(self, node: str | None = None) -> None:
        """Sample one node, or all, now. No effect before `watch`."""
        if self._collector is not None:
            self._collector.refresh(node)

    # --- one node ---

    async def peer(self, node: str) -> Peer:
        """Connect to a node, if not connected, and say who answered. Raises what Transport.connect raises."""
        return await self._transport(node).connect()

    async def run_on(self, node: str, command: Command) -> Completed:
        """Raises what Transport.run raises."""
        return await self._transport(node).run(command)

    async def ask_socket(self, node: str, path: str, *requests: str) -> tuple[str, ...]:
        """Ask HAProxy's admin socket on a node, one answer a request. Raises SocketUnavailableError among others."""
        console = Console(self._transport(node), path)
        try:
            return await console.ask(requests)
        finally:
            console.close()

    async def ask_database(self, node: str, question: SqlQuestion) -> str:
        """Put one statement to a PostgreSQL server on a node. Raises SocketUnavailableError or QueryError."""
        database = Database(self._transport(node), _probe_of(question), self._whole.nodes[node].ssh.user)
        try:
            return await database.query(question.sql)
        finally:
            database.close()

    def journal(self, node: str, unit: str = "") -> AsyncGenerator[tuple[str, ...]]:
        """Follow the journal of a node's systemd, or of one unit there: see `control.journals.followed`."""
        return followed(self._transport(node), unit)

    def transports(self) -> Mapping[str, Transport]:
        """The way to each node that is asked, for what lives as long as this does. Connects to nobody."""
        return {name: self._transport(name) for name in self._inventory.nodes}

    def probes(self, node: str) -> tuple[Probe, ...]:
        """Everything that is asked of a node."""
        return probes_for(self._whole, self._whole.nodes[node])

    async def close(self) -> None:
        """Stop watching and close every connection. Bounded, whatever hangs. Idempotent."""
        collector, self._collector = self._collector, None
        asked, self._asked = self._asked, None
        if asked is not None:
            asked.release(connection_stays=False)
        if collector is not None:
            await collector.stop()
        transports, self._transports = list(self._transports.values()), {}
        if not transports:
            return
        closing = {asyncio.create_task(transport.close()): transport for transport in transports}
        done, hung = await asyncio.wait(closing, timeout=_CLOSE_WITHIN)
        for task in hung:
            task.cancel()
            log.warning("%s: the connection did not close in time", closing[task].node)
        for task in done:
            if (error := task.exception()) is not None:
                log.warning("%s: closing the connection: %s", closing[task].node, error)

    # --- wiring ---

    def _probes(self) -> Mapping[str, tuple[Probe, ...]]:
        """Of the whole inventory's references: what a node is asked does not depend on the limit."""
        return {name: self.probes(name) for name in self._inventory.nodes}

    def _transport(self, node: str) -> Transport:
        if node not in self._transports:
            self._transports[node] = self._factory.make(self._whole.nodes[node])
        return self._transports[node]

    def _collect(self, probes: Mapping[str, tuple[Probe, ...]]) -> Collector:
        collector = Collector(
            self._inventory,
            self.transports(),
            probes,
            interval=self._interval,
            clock=self._clock,
            outside=self._outside,
            listener=self._listener,
        )
        if self._sightings is not None:
            collector.recall(self._sightings.recalled(self._clock.wall() - self._clock.monotonic()))
        return collector

    def _remember(self, picture: Picture) -> None:
        if self._sightings is not None:
            self._sightings.take(picture)


def _probe_of(question: SqlQuestion) -> QueryProbe:
    """The question in the form that `Database` takes; its answer is a text and nobody's facts."""

    def no_facts(answer: str, asked: Asked) -> Facts:  # noqa: ARG001 - every probe's parse has this shape
        raise ParseError("The answer to a requirement's question was taken for facts.")

    where = question.socket_directory, question.port, question.user, question.database
    return QueryProbe("requirement", Cadence.RARE, _ONCE, *where, question.sql, no_facts)


def _real_factory(inventory: Inventory, ask: Ask | None) -> Factory:
    from hactl.transport.factory import TransportFactory  # noqa: PLC0415 - tests bring their own

    return TransportFactory(inventory, ask)
