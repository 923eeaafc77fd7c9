"""What people want of a run while it goes on: wishes from the journal, and the signals of the runner's process."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable
from typing import TypeVar

from hactl.engine.clock import Clock
from hactl.engine.story import Diary, Story
from hactl.model.errors import JournalError
from hactl.model.events import Wished, WishKind

log = logging.getLogger("hactl.engine")

T = TypeVar("T")

_POLL = 0.25  # seconds between two looks for wishes
# Seconds that a step has to end by itself once somebody wants to stop; then it waits for nothing more.
_PATIENCE = 30.0


class StopWishedError(Exception):
    """Somebody wants the run to stop, and this is a safe point."""


class Will:
    """`listen` for as long as the run goes on; ask it at every safe point."""

    def __init__(self, diary: Diary, story: Story, clock: Clock) -> None:
        self._diary, self._story, self._clock = diary, story, clock
        self._going = asyncio.Event()
        self._going.set()
        self._stop = asyncio.Event()
        self.halting = False  # the newest of the wishes to stop and to undo is the one to stop
        self.aborted = asyncio.Event()
        self.who = ""  # who stopped it
        self._hurry = math.inf
        # Older wishes were for a process that is no more.
        old = diary.wishes(story.run) if story.state.attempt else ()
        self._seen = max((wish.number for wish in old), default=0)

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def hurry(self) -> float:
        """The second from which on a step that is under way waits for nothing more."""
        return self._hurry

    async def listen(self) -> None:
        """Until cancelled."""
        while True:
            try:
                for wish in self._diary.wishes(self._story.run, self._seen):
                    self._seen = wish.number
                    self.take(wish.kind, wish.who)
            except JournalError as error:  # whoever writes next finds out, too, and ends the run
                log.warning("wishes cannot be read: %s", error)
            await self._clock.sleep(_POLL)

    def signalled(self) -> None:
        """SIGINT or SIGTERM: stop; when that is already under way, abort."""
        try:
            self.take(WishKind.ABORT if self.halting else WishKind.STOP, "a signal")
        except JournalError as error:
            log.warning("the signal cannot be journaled: %s", error)

    def take(self, kind: WishKind, who: str) -> None:
        """The wish holds, even when it cannot be journaled. Raises JournalError."""
        match kind:
            case WishKind.PAUSE:
                self._going.clear()
            case WishKind.GO_ON:
                self._going.set()
            case WishKind.STOP | WishKind.UNDO:
                self._stop.set()
                self.halting = kind is WishKind.STOP
            case WishKind.ABORT:
                self._stop.set()
                self.aborted.set()
        if self.stopping:
            self._hurry = min(self._hurry, self._clock.monotonic() + _PATIENCE)
            self._going.set()
            self.who = self.who or who
        self._story.write(Wished(kind, who))

    async def safe_point(self) -> None:
        """Wait while the run is paused. Raises StopWishedError."""
        await self._going.wait()
        if self.stopping:
            raise StopWishedError

    async def unless_stopped(self, work: Awaitable[T]) -> T:
        """What `work`, which only reads, gives. When somebody wants to stop it is cancelled; raises StopWishedError."""
        task, stop = asyncio.ensure_future(work), asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise StopWishedError
        finally:
            for each in (task, stop):
                each.cancel()
            await asyncio.wait((task, stop))

    async def sleep(self, seconds: float) -> None:
        """A wait of the run itself. Raises StopWishedError."""
        await self.unless_stopped(self._clock.sleep(seconds))
