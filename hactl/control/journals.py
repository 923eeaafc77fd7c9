"""Following the journal of a node's systemd over the connection that is there: lines in batches, until it ends."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

from hactl.drivers import system_journal
from hactl.drivers.system_journal import Access
from hactl.model.errors import TransportError, UnsupportedError
from hactl.transport.protocol import Transport

HELD = 5000
"""Lines that wait for a slow reader; of more, the oldest are dropped."""


class _Inbox:
    """A FrameSink: what came since the reader last looked."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=HELD)
        self._something = asyncio.Event()
        self._ended = False
        self._error: TransportError | None = None

    def frame(self, text: str) -> None:
        self._lines.append(text)
        self._something.set()

    def ended(self, error: TransportError | None) -> None:
        self._ended, self._error = True, error
        self._something.set()

    async def batch(self) -> tuple[str, ...]:
        """At least one line; none at the end. Raises what ended it."""
        await self._something.wait()
        self._something.clear()
        lines = tuple(self._lines)
        self._lines.clear()
        if self._ended:
            self._something.set()
            if not lines and self._error is not None:
                raise self._error
        return lines


async def followed(transport: Transport, unit: str = "") -> AsyncGenerator[tuple[str, ...]]:
    """Lines as they come, those of the past first. Ends when the far side does; closing it ends the far side.

    Raises UnsupportedError where the journal may not be read, and what the transport raises.
    """
    may = system_journal.may_read(await transport.run(system_journal.access()))
    if may.access not in {Access.READABLE, Access.UNKNOWN}:
        raise UnsupportedError(transport.node, f"{may.sentence}.", remedy=may.remedy)
    inbox = _Inbox()
    stream = await transport.stream(system_journal.follow(unit), inbox)
    try:
        while lines := await inbox.batch():
            yield lines
    finally:
        stream.close()
