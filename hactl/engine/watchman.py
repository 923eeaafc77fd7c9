"""The live picture while a run goes on: samples newer than a moment, and how many members every pool has left.

Wraps a collector that nobody else uses. What it sees of the pools goes into the run's story whenever it changes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

from hactl.drivers.probe import Cadence, Probe
from hactl.engine.bound import by
from hactl.engine.clock import Clock
from hactl.engine.collector import Collector
from hactl.engine.head_count import HeadCount
from hactl.model.errors import JournalError
from hactl.model.events import Availability
from hactl.model.inventory import HaproxyService, Inventory
from hactl.model.picture import Picture
from hactl.model.state import LinkChanged, LinkPhase, Sample, StateEvent
from hactl.transport.protocol import Transport

log = logging.getLogger("hactl.engine")

# Seconds between two samples of everything that matters from moment to moment.
_INTERVAL = 1.0
# Seconds that a fresh picture waits for a node; after that the picture has what it has.
_WITHIN = 5.0
_QUICK = {Cadence.FAST, Cadence.MEDIUM}


class Watchman:
    """`start` it, ask it, `stop` it. Does not own the transports. `told` takes the pools' counts when they change."""

    def __init__(
        self,
        inventory: Inventory,
        transports: Mapping[str, Transport],
        probes: Mapping[str, Sequence[Probe]],
        clock: Clock,
        *,
        pools: Sequence[str],
        told: Callable[[Availability], None],
    ) -> None:
        self._clock = clock
        self._quick = {node: [p.key for p in probes[node] if p.cadence in _QUICK] for node in inventory.nodes}
        self._deadlines = {(node, probe.key): probe.deadline for node in inventory.nodes for probe in probes[node]}
        self._balancers = {
            node
            for service in inventory.services.values()
            if isinstance(service, HaproxyService)
            for node in service.nodes
        }
        self._heard: dict[tuple[str, str], float] = {}  # node and key -> when an answer, or its failure, arrived
        self._phase: dict[str, LinkPhase] = {}
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._heads, self._told = HeadCount(inventory, pools), told
        self._last: Availability | None = None
        self._telling: asyncio.Task[None] | None = None
        # Pending upgrades are not asked for just because a run begins: on every node at once that takes CPU from it.
        self._collector = Collector(
            inventory, transports, probes, interval=_INTERVAL, clock=clock, listener=self._happened, rarely=False
        )

    async def start(self) -> None:
        """Begin to watch; returns when every node has been heard of, or has had its time."""
        self._collector.start()
        await self._after(self._clock.monotonic(), self._quick, _WITHIN)
        self._telling = asyncio.create_task(self._tell(), name="availability")

    async def stop(self) -> None:
        """The counts at the end are told."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.wait((self._telling,))
            self._count(await self.fresh(self._balancers))
        await self._collector.stop()

    def picture(self) -> Picture:
        return self._collector.picture()

    async def fresh(self, nodes: Collection[str], rare: Collection[tuple[str, str]] = ()) -> Picture:
        """A picture in which whatever these nodes say is newer than the call; who says nothing is unknown.

        `rare`: nodes, each with the key of a question that is not asked of it otherwise. It has its own time; a node
        that does not know the question is as good as one that has answered.
        """
        for node, key in rare:
            if (node, key) in self._deadlines:
                await self._asked({node: [key]}, self._deadlines[node, key] + _WITHIN)
        await self._asked({node: self._quick[node] for node in nodes}, _WITHIN)
        return self._collector.picture()

    # --- waiting for samples ---

    async def _asked(self, wanted: Mapping[str, Sequence[str]], within: float) -> None:
        begun = self._clock.monotonic()
        for node, keys in wanted.items():
            self._collector.ask(node, keys)
        await self._after(begun, wanted, within)

    async def _after(self, begun: float, wanted: Mapping[str, Sequence[str]], within: float) -> None:
        waits = [self._node_after(begun, node, keys) for node, keys in wanted.items()]
        try:
            await by(self._clock, begun + within, asyncio.gather(*waits))
        except TimeoutError:
            return  # whoever is late is stale or failing in the picture, and judged as that

    async def _node_after(self, begun: float, node: str, keys: Sequence[str]) -> None:
        while not self._is_newer(begun, node, keys):
            future = asyncio.get_running_loop().create_future()
            self._waiting[node].add(future)
            try:
                await future
            finally:
                self._waiting[node].discard(future)

    def _is_newer(self, begun: float, node: str, keys: Sequence[str]) -> bool:
        if self._phase.get(node) is LinkPhase.DOWN:
            return True
        return all(self._heard.get((node, key), -1.0) >= begun for key in keys)

    def _happened(self, event: StateEvent) -> None:
        match event:
            case Sample():
                self._heard[event.node, event.key] = event.at
            case LinkChanged():
                self._phase[event.node] = event.link.phase
        for future in self._waiting[event.node]:
            if not future.done():
                future.set_result(None)

    # --- the pools ---

    async def _tell(self) -> None:
        async for picture in self._collector.pictures():
            self._count(picture)

    def _count(self, picture: Picture) -> None:
        counts = self._heads.of(picture)
        now = Availability(counts)
        if counts and now != self._last:
            self._last = now
            try:
                self._told(now)
            except JournalError as error:  # whoever acts next meets it, too, and ends the run
                log.warning("the pools' counts are not journaled: %s", error)
