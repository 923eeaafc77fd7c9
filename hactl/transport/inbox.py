"""Bytes that have arrived and wait for a reader, with a mark above which the far side is to be held back."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from hactl.model.errors import TransportError

HIGH_WATER = 1024 * 1024


def _nothing() -> None:
    """The default for sources that cannot be held back."""


class Inbox:
    """The reading half of a protocol.Duplex. Everything but `read` is called by the source, on the event loop."""

    def __init__(self, hold: Callable[[], None] = _nothing, release: Callable[[], None] = _nothing) -> None:
        self._hold, self._release = hold, release
        self._arrived: deque[bytes] = deque()
        self._size = 0
        self._held = False
        self._news = asyncio.Event()
        self.over = False
        self.error: TransportError | None = None

    def push(self, data: bytes) -> None:
        """Something arrived."""
        self._arrived.append(data)
        self._size += len(data)
        self._news.set()
        if self._size > HIGH_WATER and not self._held:
            self._held = True
            self._hold()

    def finish(self, error: TransportError | None = None) -> None:
        """Nothing more will arrive, and why, unless it ended in order."""
        self.over = True
        self.error = self.error or error
        self._news.set()

    async def read(self, limit: int = 65536) -> bytes:
        """See protocol.Duplex.read."""
        while not self._arrived:
            if self.error is not None:
                raise self.error
            if self.over:
                return b""
            self._news.clear()
            await self._news.wait()
        piece = self._arrived.popleft()
        if len(piece) > limit:
            self._arrived.appendleft(piece[limit:])
            piece = piece[:limit]
        self._size -= len(piece)
        if self._held and self._size <= HIGH_WATER // 2:
            self._held = False
            self._release()
        return piece
