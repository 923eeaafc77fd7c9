"""What the dashboard knows beside its pictures: what is acknowledged, what has changed lately, who holds the lock.

Made when the first picture is there: the first paint does not wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hactl.model.errors import HactlError
from hactl.model.picture import Picture
from hactl.tui.known import AckSource, Known
from hactl.tui.lock_watch import LockWatch, LookAtLock
from hactl.view.cluster import Fact
from hactl.view.recent import Recent

if TYPE_CHECKING:
    from hactl.model.journal import RunSummary


@dataclass(frozen=True, slots=True)
class Doors:
    """Where it comes from; None: from nowhere. `newest_runs` blocks, and may raise HactlError."""

    acks: AckSource | None = None
    look_at_lock: LookAtLock | None = None
    newest_runs: Callable[[], Sequence[RunSummary]] | None = None


class Beside:
    """`settles`: whoever only looks takes nothing out of the acknowledgements."""

    def __init__(self, doors: Doors, *, settles: bool = True) -> None:
        self.known = Known(doors.acks)
        self.recent = Recent()
        self._lock = LockWatch(doors.look_at_lock) if doors.look_at_lock is not None else None
        self._newest_runs = doors.newest_runs
        self._settles = settles
        self._going: Sequence[Fact] | None = None  # the runs as of the last look
        self._fact: Fact | None = None

    def take(self, picture: Picture) -> Picture:
        """The picture with what is acknowledged of it. Called for each: cheap."""
        self.recent.take(picture)
        return self.known.marked(picture)

    def remember(self, recent: Recent) -> None:
        """Go on from what was seen elsewhere; the runs are looked at again at the next turn."""
        recent.version += self.recent.version + 1
        self.recent, self._going = recent, None

    def around(self, going: Sequence[Fact]) -> Sequence[Fact]:
        """What the banner tells besides the picture: the runs that go on, and the lock."""
        return (*going, self._fact) if self._fact is not None else going

    async def turn(self, picture: Picture, going: Sequence[Fact]) -> bool:
        """Look at what may have changed; whether there is something else to show."""
        watched = self.known.source is not None  # else there is nothing to wake a thread for
        changed = watched and await asyncio.to_thread(self.known.look, settle=self._settles)
        if going != self._going:
            self._going, changed = going, True
            await self._look_at_runs(picture)
        if self._lock is not None:
            await self._lock.turn(picture)
            changed |= self._lock.fact != self._fact
            self._fact = self._lock.fact
        return changed

    async def _look_at_runs(self, picture: Picture) -> None:
        if self._lock is not None:
            self._lock.soon()
        if self._newest_runs is None:
            return
        try:
            runs = await asyncio.to_thread(self._newest_runs)
        except HactlError:  # the screen of runs says why
            return
        self.recent.take_runs(runs, picture.state.wall(picture.now))
