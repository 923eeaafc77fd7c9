"""Stands for the users while a run goes on: asks every public endpoint some times a second and counts what fails.

Every other request uses a connection that was used before, the others a new one. A request has failed when no answer
comes, it comes too late, or it has another status. As browsers do, a request on a kept connection that turns out to be
closed before a single byte has come back is sent once more on a new one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from hactl.engine.clock import Clock
from hactl.engine.http import HttpError, Response, get
from hactl.engine.wire import Address, address_of, opened
from hactl.model.errors import ChannelError, ConnectionLostError, InputError, JournalError, TransportError
from hactl.model.events import ProbeTick
from hactl.model.inventory import Endpoint
from hactl.model.text import one_line
from hactl.transport.protocol import Duplex, Transport

log = logging.getLogger("hactl.engine")

_TICK = 1.0  # seconds
_KEPT = 4  # connections that are kept open for an endpoint
# A process that slept for so many seconds does not catch up on what it did not send.
_BEHIND = 1.0


class _UnusedError(Exception):
    """A kept connection was closed before it carried anything back."""


@dataclass(slots=True)
class _Count:
    sent: int = 0
    failed: int = 0
    slowest: float = 0.0
    gap: float = 0.0
    error: str = ""


class Prober:
    """`start`, look at `failed`, `stop`. `told` takes a tick per endpoint and second. `before`: the endpoints that have
    answered an earlier process of the same run, each with how many requests to it failed since then.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        transports: Mapping[str, Transport],
        clock: Clock,
        told: Callable[[ProbeTick], None],
        before: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._lanes = [_Lane(endpoint, transports, clock, told) for endpoint in endpoints]
        for lane in self._lanes:
            lane.proven, lane.failed = lane.endpoint.url in before, before.get(lane.endpoint.url, 0)

    @property
    def failed(self) -> int:
        """Requests that failed, of endpoints that had answered before."""
        return sum(lane.failed for lane in self._lanes)

    @property
    def silent(self) -> tuple[str, ...]:
        """Endpoints that have not once answered as they should."""
        return tuple(lane.endpoint.url for lane in self._lanes if not lane.proven)

    def start(self) -> None:
        for lane in self._lanes:
            lane.start()

    async def stop(self) -> None:
        """Send nothing more, wait for what is under way, tell the last counts. Idempotent."""
        await asyncio.gather(*(lane.stop() for lane in self._lanes))


class _Lane:
    """One endpoint."""

    def __init__(
        self,
        endpoint: Endpoint,
        transports: Mapping[str, Transport],
        clock: Clock,
        told: Callable[[ProbeTick], None],
    ) -> None:
        self.endpoint = endpoint
        self.proven = False
        self.failed = 0
        self._address: Address = address_of(endpoint)
        self._transports, self._clock, self._told = transports, clock, told
        self._idle: list[Duplex] = []
        self._flying: set[asyncio.Task[None]] = set()
        self._own: list[asyncio.Task[None]] = []
        self._count = _Count()
        self._good_at = self._ticked_at = 0.0

    def start(self) -> None:
        self._good_at = self._ticked_at = self._clock.monotonic()
        self._own = [
            asyncio.create_task(self._send(), name=f"prober of {self.endpoint.url}"),
            asyncio.create_task(self._tick(), name=f"ticks of {self.endpoint.url}"),
        ]

    async def stop(self) -> None:
        own, self._own = self._own, []
        for task in own:
            task.cancel()
        if own:
            await asyncio.wait(own)
        if self._flying:
            await asyncio.wait(self._flying)  # each is over by its own deadline
        for channel in self._idle:
            channel.close()
        self._idle.clear()
        if own:
            self._tell()

    # --- sending ---

    async def _send(self) -> None:
        """A request whenever one is due, whatever became of those before it."""
        pause, due, number = 1.0 / self.endpoint.rate, self._clock.monotonic(), 0
        while True:
            number += 1
            task = asyncio.create_task(self._one(kept=number % 2 == 0))
            self._flying.add(task)
            task.add_done_callback(self._flying.discard)
            now = self._clock.monotonic()
            due = now if now - due > _BEHIND else due
            due += pause
            await self._clock.sleep(max(0.0, due - now))

    async def _one(self, *, kept: bool) -> None:
        begun = self._clock.monotonic()
        try:
            async with asyncio.timeout(self.endpoint.timeout):
                status = await self._answered(kept=kept)
            wrong = "" if status == self.endpoint.expect_status else f"status {status}"
        except TimeoutError:
            wrong = f"no answer within {self.endpoint.timeout:g} s"
        except (ChannelError, HttpError, InputError, OSError) as error:
            wrong = one_line(str(error) or type(error).__name__, 200)
        except TransportError as error:
            if self.endpoint.via is not None:  # it is our own way to that node that fails, not the service
                self._count.error = f"nothing could be sent: {error.message}"
                return
            wrong = error.message
        except Exception as error:
            log.exception("a request of the prober to %s", self.endpoint.url)
            wrong = f"{type(error).__name__}: {one_line(str(error), 200)}"
        self._note(begun, wrong)

    async def _answered(self, *, kept: bool) -> int:
        """The answer's status."""
        if kept and self._idle:
            try:
                return await self._asked(self._idle.pop(), used=True)
            except _UnusedError:
                pass
        return await self._asked(await opened(self._address, self._transports))

    async def _asked(self, channel: Duplex, *, used: bool = False) -> int:
        response, heard, keep = Response(), False, False
        try:
            try:
                await channel.write(get(self._address.path, self._address.host, keep=True))
                while not response.complete:
                    data = await channel.read()
                    if used and not heard and not data:
                        raise _UnusedError
                    heard = True
                    response.feed(data)
                    keep = bool(data)
            except (ConnectionLostError, OSError) as error:
                if used and not heard:
                    raise _UnusedError from error
                raise
            keep = keep and response.complete and len(self._idle) < _KEPT
        finally:
            if not keep or not response.complete:
                channel.close()
        if keep:
            self._idle.append(channel)
        return response.status

    # --- counting ---

    def _note(self, begun: float, wrong: str) -> None:
        now, count = self._clock.monotonic(), self._count
        count.sent += 1
        count.slowest = max(count.slowest, now - begun)
        count.gap = max(count.gap, now - self._good_at)
        if not wrong:
            self._good_at, self.proven = now, True
            return
        count.failed += 1
        count.error = wrong
        self.failed += self.proven

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(_TICK)
            self._tell()

    def _tell(self) -> None:
        now = self._clock.monotonic()
        count, self._count = self._count, _Count()
        gap = max(count.gap, now - self._good_at)
        seconds, self._ticked_at = now - self._ticked_at, now
        tick = ProbeTick(
            self.endpoint.url, seconds, count.sent, count.failed, count.slowest, gap, one_line(count.error, 200)
        )
        try:
            self._told(tick)
        except JournalError as error:  # whoever acts next meets it, too, and ends the run
            log.warning("a second of the prober is not journaled: %s", error)
