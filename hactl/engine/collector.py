"""All watchers of a cluster: starts them, spreads them over the interval, stops them.

A collector owns the picture of one inventory. It does not own the transports: whoever made them closes them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from hactl.drivers.probe import Cadence, Probe
from hactl.engine.clock import Clock, RealClock
from hactl.engine.node import Watcher, Watching
from hactl.engine.publisher import Publisher
from hactl.model.inventory import Inventory
from hactl.model.picture import Picture
from hactl.model.state import Sample, StateEvent
from hactl.transport.backoff import Backoff
from hactl.transport.protocol import Transport

log = logging.getLogger("hactl.engine")

Progress: TypeAlias = Callable[[int, int], None]
"""Called with how many nodes have answered (or never will) and how many there are."""

# Seconds between attempts to reach a node grow to this: a node that is back is seen soon.
LONGEST_WAIT = 8.0
# Seconds that `gather` grants on top of what every node may take by its own limits.
_GRACE = 5.0


class Collector:
    """`start` and `pictures` to watch, or `gather` to ask once."""

    def __init__(
        self,
        inventory: Inventory,
        transports: Mapping[str, Transport],
        probes: Mapping[str, Sequence[Probe]],
        *,
        interval: float = Cadence.FAST.value,
        clock: Clock | None = None,
        outside: tuple[str, ...] = (),
        waits: Callable[[], Iterator[float]] = lambda: Backoff(cap=LONGEST_WAIT),
        listener: Callable[[StateEvent], None] | None = None,
        rarely: bool = True,
    ) -> None:
        """`listener` is told of every event when the picture knows of it; it must not block. `rarely`: questions that
        cost a node much have their turns too (an hour each), else they are asked by `ask` and `gather` alone.
        """
        self._inventory = inventory
        self._probes = probes
        self._clock = clock or RealClock()
        self._publisher = Publisher(inventory, self._clock, outside)
        self._listener = listener
        shared = Watching(self._clock, self._event, interval, waits, rarely)
        count = len(inventory.nodes)
        self._watchers = {
            name: Watcher(node, transports[name], probes[name], shared, phase=place / count)
            for place, (name, node) in enumerate(inventory.nodes.items())
        }
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def recall(self, samples: Iterable[Sample]) -> None:
        """Answers of an earlier time, to be shown as last seen. Before anything is asked."""
        for sample in samples:
            if sample.node in self._inventory.nodes:
                self._publisher.event(sample)

    def start(self) -> None:
        """Begin to watch. Idempotent."""
        for name, watcher in self._watchers.items():
            if name not in self._tasks:
                self._tasks[name] = asyncio.create_task(watcher.run(), name=f"watch {name}")

    def pictures(self) -> AsyncIterator[Picture]:
        return self._publisher.pictures()

    def picture(self) -> Picture:
        """The picture now."""
        return self._publisher.picture()

    def refresh(self, node: str | None = None) -> None:
        """Ask one node, or every node, everything now."""
        for watcher in (self._watchers[node],) if node is not None else self._watchers.values():
            watcher.refresh()

    def ask(self, node: str, keys: Sequence[str]) -> None:
        """Ask one node these questions now; connect now when waiting for the next attempt."""
        self._watchers[node].ask(keys)

    async def gather(
        self, progress: Progress | None = None, *, rare: Collection[str] = (), within: float | None = None
    ) -> Picture:
        """Ask every node everything once, all at the same time; those in `rare` also what costs a node much.

        Returns when all have answered or are past their deadlines, after `within` seconds at the latest where given;
        who has not answered is unknown, with the reason. What it opened stays until `release`.
        """
        longest = self._longest() if within is None else min(within, self._longest())
        tasks = {
            asyncio.create_task(
                watcher.once(self._once(name, rare=name in rare), lasting=longest), name=f"ask {name}"
            ): name
            for name, watcher in self._watchers.items()
        }
        done = 0

        def count(_: object) -> None:
            nonlocal done
            done += 1
            if progress is not None:
                progress(done, len(tasks))

        for task in tasks:
            task.add_done_callback(count)
        try:
            _, late = await asyncio.wait(tasks, timeout=longest) if tasks else (set(), set())
            for task in late:
                self._watchers[tasks[task]].give_up(longest)
        finally:
            await _end(tasks)
        return self._publisher.picture()

    def release(self, *, connection_stays: bool = True) -> None:
        """End what `gather` left open, without waiting. See Session.close."""
        for watcher in self._watchers.values():
            watcher.release(connection_stays=connection_stays)

    async def stop(self) -> None:
        """End every watcher and every listener. Bounded, whatever hangs."""
        self._publisher.close()
        tasks, self._tasks = list(self._tasks.values()), {}
        await _end(tasks)

    # --- inside ---

    def _event(self, event: StateEvent) -> None:
        self._publisher.event(event)
        if self._listener is not None:
            self._listener(event)

    def _once(self, name: str, *, rare: bool) -> list[str]:
        return [probe.key for probe in self._probes[name] if rare or probe.cadence is not Cadence.RARE]

    def _longest(self) -> float:
        """Seconds after which `gather` waits for nobody: by their own limits all have ended before."""
        connect = max((node.ssh.connect_timeout for node in self._inventory.nodes.values()), default=0.0)
        deadline = max((probe.deadline for probes in self._probes.values() for probe in probes), default=0.0)
        return connect + deadline + _GRACE + 0.1 * len(self._watchers)


async def _end(tasks: Sequence[asyncio.Task[None]] | Mapping[asyncio.Task[None], str], within: float = 1.0) -> None:
    """Cancel and wait a little; a task that will not end is left behind and named in the log."""
    for task in tasks:
        task.cancel()
    if tasks:
        _, hung = await asyncio.wait(tasks, timeout=within)
        for task in hung:
            log.warning("%s did not end when it was cancelled", task.get_name())
