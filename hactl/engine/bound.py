"""Work that has to be over by some second of a clock, so that tests can hold that clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from hactl.engine.clock import Clock

T = TypeVar("T")


async def by(clock: Clock, when: float, work: Awaitable[T]) -> T:
    """What `work` gives, if it does so before `when`; else it is cancelled and TimeoutError raised."""
    task = asyncio.ensure_future(work)
    late = False

    def strike() -> None:
        nonlocal late
        late = True
        task.cancel()

    timer = clock.call_at(when, strike)
    try:
        return await task
    except asyncio.CancelledError:
        if late and not _cancelled_itself():
            raise TimeoutError from None
        task.cancel()
        raise
    finally:
        timer.cancel()


def _cancelled_itself() -> bool:
    """Whether somebody wants the present task to end, too."""
    present = asyncio.current_task()
    return present is not None and present.cancelling() > 0
