"""Whether a run may begin a further step: it holds the lock, its journal has room, and users see no harm."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from hactl.engine.story import Diary
from hactl.model.errors import LockError
from hactl.model.events import LockTaken


class Lock(Protocol):
    """The cluster's lock. `lost` is set when it is held no longer."""

    @property
    def lost(self) -> asyncio.Event: ...
    @property
    def reason(self) -> str:
        """Why it is lost."""

    async def take(self) -> LockTaken: ...
    async def release(self) -> None: ...


class Prober(Protocol):
    """Sends requests to what users reach. `failed` counts those that count against the budget."""

    def start(self) -> None: ...
    async def stop(self) -> None: ...

    @property
    def failed(self) -> int: ...

    @property
    def silent(self) -> tuple[str, ...]:
        """Endpoints that have not once answered as they should: their failures do not count."""


@dataclass(frozen=True, slots=True)
class Safety:
    """`allowed`: so many requests of the prober may fail."""

    lock: Lock
    prober: Prober
    diary: Diary
    allowed: int

    def unsafe(self) -> str:
        """Why no step may be begun now, or "". Raises LockError, JournalError."""
        if self.lock.lost.is_set():
            raise LockError(self.lock.reason)
        self.diary.check_room()
        return self.harm()

    def harm(self) -> str:
        """That users have seen more failures than the plan allows, or ""."""
        failed = self.prober.failed
        return f"{failed} requests of the prober failed, {self.allowed} may" if failed > self.allowed else ""
