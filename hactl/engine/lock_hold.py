"""The lock on one node: one stream that holds it, from asking for it until it ends."""

from __future__ import annotations

import asyncio
import contextlib

from hactl.engine import lock_script
from hactl.engine.lock_script import Said
from hactl.model.errors import ChannelError, CommandTimeoutError, TransportError
from hactl.model.lock import Holder
from hactl.transport.protocol import Stream, Transport

ANSWER_WITHIN = 10.0  # seconds that a node has for each answer, a new session included
PATIENCE = 6.0  # seconds in which two who take the lock at the same moment have to get out of each other's way
_GOODBYE = 2.0


class Hold:
    """One try to hold the lock on a node. Made for one `take`; another try needs another Hold."""

    def __init__(self, transport: Transport, folder: str, holder: Holder) -> None:
        self._transport, self._folder, self._holder = transport, folder, holder
        self._stream: Stream | None = None
        self._said: asyncio.Queue[Said] = asyncio.Queue()
        self.over = asyncio.Event()  # it does not hold the lock any more
        self.error: TransportError | None = None  # why, where the far side is not the reason

    async def take(self) -> Said:
        """Held (with the node's epoch) or busy (with who holds it). Raises TransportError."""
        command = lock_script.hold(self._folder, self._holder, ANSWER_WITHIN)
        try:
            self._stream = await self._transport.stream(command, self)
            return await self._next()
        except BaseException:
            self.close()
            raise

    async def settle(self, holder: Holder) -> None:
        """Write the holder's epoch on the node: from here on it fences out everything older."""
        self._write(lock_script.settled(holder))
        await self._next()

    async def release(self) -> None:
        """Let go in order: when this returns the node is free, where it could be told so."""
        with contextlib.suppress(TransportError, TimeoutError):  # the stream's end frees it too, only later
            self._write(lock_script.RELEASE)
            async with asyncio.timeout(_GOODBYE):
                await self.over.wait()
        self.close()

    def close(self) -> None:
        """Let go without waiting. Idempotent."""
        if self._stream is not None:
            with contextlib.suppress(TransportError):  # it has ended
                self._stream.write(lock_script.RELEASE)  # closing alone may free it only seconds later
            self._stream.close()
        self.over.set()

    # --- protocol.FrameSink ---

    def frame(self, text: str) -> None:
        if (said := lock_script.heard(text)) is not None:
            self._said.put_nowait(said)

    def ended(self, error: TransportError | None) -> None:
        self.error = error
        self.over.set()

    # --- inside ---

    def _write(self, data: bytes) -> None:
        if self._stream is None:
            raise ChannelError(self._transport.node, "the lock was not taken there.")
        self._stream.write(data)

    async def _next(self) -> Said:
        """What the node says next. Raises when it says nothing more, or nothing in time."""
        saying, ending = asyncio.ensure_future(self._said.get()), asyncio.ensure_future(self.over.wait())
        try:
            await asyncio.wait((saying, ending), timeout=ANSWER_WITHIN, return_when=asyncio.FIRST_COMPLETED)
            if saying.done():
                return saying.result()
        finally:
            saying.cancel()
            ending.cancel()
        if self.over.is_set():
            raise self.error or ChannelError(self._transport.node, "the lock's shell ended without a word.")
        raise CommandTimeoutError(
            self._transport.node,
            f"no answer about the lock within {ANSWER_WITHIN:g} s.",
            remedy="The node may be overloaded: see `hactl doctor`.",
        )
