"""One attempt to connect at a time. Whoever waits for another one's attempt shares its failure.

Without that, ten questions to a node that is dead would wait for ten connect timeouts, one after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hactl.model.errors import TransportError


class Attempts:
    """Of one transport. `lock` is held during an attempt."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self._failed = 0
        self._error: TransportError | None = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """The only attempt from here to the end of the block. Raises what one raised that was under way meanwhile."""
        before = self._failed
        async with self.lock:
            if self._failed > before and self._error is not None:
                raise self._error
            try:
                yield
            except TransportError as error:
                self._failed, self._error = self._failed + 1, error
                raise
