"""Small pictures of the lab's inventory for the dashboard's tests: judged by the real judgement, from chosen events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from hactl.config import load_inventory
from hactl.model.assess import assess
from hactl.model.facts import HostFacts
from hactl.model.picture import Picture
from hactl.model.state import Link, LinkChanged, LinkPhase, Sample, StateEvent, apply, initial

INVENTORY = load_inventory(Path(__file__).parents[2] / "inventory" / "lab.toml")


def host(*, load1: float = 0.1, uptime: float = 86400.0) -> HostFacts:
    """An idle host with half of its memory in use."""
    return HostFacts(
        cpu_busy=100,
        cpu_total=1000,
        cores=2,
        load1=load1,
        load5=load1,
        load15=load1,
        memory_total=4 << 30,
        memory_available=2 << 30,
        swap_total=0,
        swap_free=0,
        uptime=uptime,
    )


def up(*nodes: str, at: float = 1.0) -> list[StateEvent]:
    """Connected and answering."""
    events: list[StateEvent] = []
    for node in nodes or INVENTORY.nodes:
        events.append(LinkChanged(node, Link(LinkPhase.UP, at)))
        events.append(Sample(node, "host", at, 2.0, host()))
    return events


def down(node: str, reason: str, *, at: float = 1.0) -> list[StateEvent]:
    return [LinkChanged(node, Link(LinkPhase.DOWN, at, "unreachable", reason))]


def picture(*events: StateEvent, now: float = 2.0) -> Picture:
    """The picture after these events."""
    state = initial(INVENTORY, now=0.0, epoch=1_700_000_000.0)
    for event in events:
        state = apply(state, event)
    return Picture(state, assess(state, None, now), now)


@dataclass
class Reel:
    """A source that shows its pictures at once and then waits, as an engine with nothing new does."""

    pictures: list[Picture]
    refreshed: list[str | None] = field(default_factory=list)
    closed: bool = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.closed = True

    async def watch(self) -> AsyncIterator[Picture]:
        for one in self.pictures:
            yield one
        await asyncio.Event().wait()

    def refresh(self, node: str | None = None) -> None:
        self.refreshed.append(node)
