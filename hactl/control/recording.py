"""`record`: watch a cluster and write down what it says and what is done to it, until it is enough."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hactl.control.control import Control, Factory
from hactl.control.unfinished import existing
from hactl.engine.clock import Clock, RealClock
from hactl.engine.recorder import Recorder
from hactl.model.events import Recorded
from hactl.model.inventory import Inventory
from hactl.model.picture import Picture
from hactl.model.recording import RunEntry, RunLives, RunPlanned

if TYPE_CHECKING:
    from hactl.engine.journal import Journal
    from hactl.transport.prompter import Ask

_GAP = 0.45  # seconds between two frames, at least
_NEWEST = 5  # runs that may have begun between two looks


@dataclass(frozen=True, slots=True)
class Taped:
    """How far a recording is: the newest picture, its seconds and bytes."""

    picture: Picture
    seconds: float
    size: int


async def record(
    inventory: Inventory,
    path: Path,
    *,
    interval: float,
    enough: asyncio.Event,
    seconds: float | None = None,
    note: str = "",
    told: Callable[[Taped], None] = lambda _: None,
    env: Mapping[str, str] = os.environ,
    ask: Ask | None = None,
    factory: Factory | None = None,
    clock: Clock | None = None,
) -> None:
    """Record to the new file `path` for so many `seconds`, or until it is `enough`. `told` hears of every frame.

    Raises InputError when the file cannot be made, HactlError when it cannot be written to, JournalError.
    """
    clock = clock or RealClock()
    zero, wall = clock.monotonic(), clock.wall()
    runs = _RunsTape(inventory.name, env, since=wall)
    with Recorder(path, inventory, now=zero, wall=wall, interval=interval, note=note) as recorder:
        control = Control(inventory, interval=interval, ask=ask, factory=factory, clock=clock, listener=recorder.event)

        async def tape() -> None:
            newest = -_GAP
            async for _ in control.watch():
                if clock.monotonic() - zero - newest < _GAP:
                    continue
                for entry in await asyncio.to_thread(runs.look):
                    recorder.run_entry(entry)
                now = clock.monotonic()
                newest = now - zero
                told(Taped(recorder.frame(now), newest, recorder.size))

        async with control:
            await _until(enough, asyncio.create_task(tape()), seconds)
            now = clock.monotonic()  # what was said last belongs to it
            told(Taped(recorder.frame(now), now - zero, recorder.size))


async def _until(enough: asyncio.Event, taping: asyncio.Task[None], seconds: float | None) -> None:
    """Raises what ended `taping`, if it ended by itself."""
    asked = asyncio.create_task(enough.wait())
    try:
        await asyncio.wait({taping, asked}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if taping.done():
            taping.result()
    finally:
        for task in (taping, asked):
            task.cancel()
        await asyncio.gather(taping, asked, return_exceptions=True)


class _RunsTape:
    """What has come into the journal about the cluster's runs: those that go on at `since` (epoch), and later ones."""

    def __init__(self, cluster: str, env: Mapping[str, str], *, since: float) -> None:
        self._cluster, self._env, self._since = cluster, env, since
        self._journal: Journal | None = None
        self._version = -1
        self._known: dict[str, int] = {}  # runs, and the number of the newest event that was told
        self._alive: dict[str, bool] = {}

    def look(self) -> list[RunEntry]:
        """What is new since the last look. Blocks for as long as the disk takes. Raises JournalError."""
        if self._journal is None:
            self._journal = existing(self._env)
        return list(self._new(self._journal)) if self._journal is not None else []

    def _new(self, journal: Journal) -> Iterator[RunEntry]:
        version = journal.version()
        if version != self._version:
            self._version = version
            yield from self._begun(journal)
            for run, newest in self._known.items():
                for one in journal.events(run, newest):
                    self._known[run] = one.number
                    yield Recorded(run, one.number, one.at, one.event)
        for run, was in self._alive.items():
            alive = journal.alive(run) is not False
            if alive is not was:
                self._alive[run] = alive
                yield RunLives(run, alive)

    def _begun(self, journal: Journal) -> Iterator[RunEntry]:
        for summary in reversed(journal.runs(self._cluster, limit=_NEWEST)):
            run = summary.run
            if run in self._known or (summary.planned_at < self._since and summary.alive is not True):
                continue
            self._known[run] = 0
            self._alive[run] = False
            plan = replace(journal.plan_of(run), endpoints=())  # how they are reached is nobody's business later
            yield RunPlanned(run, summary.planned_at, summary.who, plan)
