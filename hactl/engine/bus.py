"""Publishes the newest value to whoever listens. Latest wins: a slow listener skips values, it never queues them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Bus(Generic[T]):
    """One producer on the event loop, any number of listeners on the same loop.

    `on_listeners` is called with the number of listeners whenever it changes, so that a producer may rest while nobody
    listens.
    """

    def __init__(self, on_listeners: Callable[[int], None] | None = None) -> None:
        self._version = 0
        self._newest: T | None = None
        self._error: BaseException | None = None
        self._closed = False
        self._waiting: set[asyncio.Future[None]] = set()
        self._listeners = 0
        self._on_listeners = on_listeners

    @property
    def listeners(self) -> int:
        return self._listeners

    @property
    def newest(self) -> T | None:
        """The value published last; None before the first."""
        return self._newest

    def publish(self, value: T) -> None:
        """Make `value` the newest. Does not block and does not wait for anybody."""
        self._newest = value
        self._version += 1
        self._wake()

    def close(self, error: BaseException | None = None) -> None:
        """No more values: every listener ends, with `error` when one is given. Idempotent."""
        if not self._closed:
            self._closed = True
            self._error = error
            self._wake()

    async def subscribe(self) -> AsyncIterator[T]:
        """The newest value now, if there is one, then each newer one that is newest when the listener asks."""
        seen = 0
        self._count(1)
        try:
            while True:
                if self._version > seen and self._newest is not None:
                    seen = self._version
                    yield self._newest
                elif self._closed:
                    if self._error is not None:
                        raise self._error
                    return
                else:
                    await self._changed()
        finally:
            self._count(-1)

    async def _changed(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)

    def _wake(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    def _count(self, change: int) -> None:
        self._listeners += change
        if self._on_listeners is not None:
            self._on_listeners(self._listeners)
