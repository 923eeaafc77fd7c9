"""Watches one node: holds its connection, comes back when it is lost, and asks every question on time.

One task waits for the end of the connection; one timer serves all schedules and deadlines. Whatever happens here ends
up as an event of the picture, defects of hactl included, and never reaches another node.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from hactl.drivers.probe import Cadence, Probe
from hactl.engine.clock import Clock, Timer
from hactl.engine.failures import defect, reason, timed_out
from hactl.engine.schedule import Schedule, intervals
from hactl.engine.session import Session
from hactl.model.errors import CommandTimeoutError, ConnectionLostError, HactlError
from hactl.model.facts import Facts
from hactl.model.inventory import Node
from hactl.model.state import Failure, Link, LinkChanged, LinkPhase, Sample, StateEvent
from hactl.transport.protocol import Transport

Emit: TypeAlias = Callable[[StateEvent], None]


@dataclass(frozen=True, slots=True)
class Watching:
    """What all watchers share. `waits` makes the waits of one node between attempts to connect; `rarely`: what costs a
    node much has its turns too, else it is asked when somebody names it.
    """

    clock: Clock
    emit: Emit
    interval: float
    waits: Callable[[], Iterator[float]]
    rarely: bool = True


class Watcher:
    """`run` for as long as somebody wants to see the node, or `once`; `stop` ends either without waiting."""

    def __init__(
        self, node: Node, transport: Transport, probes: Sequence[Probe], shared: Watching, *, phase: float = 0.0
    ) -> None:
        self._node = node
        self._transport = transport
        self._probes = tuple(probes)
        self._shared = shared
        self._clock = shared.clock
        self._every = intervals(probes, shared.interval)
        uncalled = [one.key for one in probes if one.cadence is Cadence.RARE and not shared.rarely]
        self._schedule = Schedule(self._every, fast=shared.interval, phase=phase, uncalled=uncalled)
        self._link = Link(since=self._clock.monotonic())
        self._session: Session | None = None
        self._timer: Timer | None = None
        self._owed: set[str] = set()  # what `once` still waits for
        self._lasting = 0.0  # the least interval, seconds, by which answers to `once` turn stale
        self._suspect = False  # an answer was lost with the connection, or so it said
        self._signal: asyncio.Future[None] | None = None  # what a waiting coroutine is woken or broken by

    async def run(self) -> None:
        """Watch until cancelled."""
        waits = self._shared.waits()
        while True:
            try:
                await self._connect()
                waits = self._shared.waits()
                await self._watch()
            except HactlError as error:
                self._down(error)
            except Exception as error:  # noqa: BLE001 - a defect here is shown on this node and tried again
                self._down(defect(error, f"watching {self._node.name}"))
            finally:
                self.release()
            await self._pause(next(waits))

    async def once(self, keys: Sequence[str], *, lasting: float = 0.0) -> None:
        """Connect, ask these questions once, and return when each is answered or past its deadline.

        Others may take `lasting` seconds to answer the same: for so long these answers are not stale, only old.
        The session stays as it is until `release`: the connection may be about to go, and with it all that is on it.
        """
        self._lasting = lasting
        try:
            await self._connect()
            self._owed = set(keys)
            self._signal = asyncio.get_running_loop().create_future()
            self._begin().ask(keys)
            self._arm()
            if self._owed:
                await self._signal
            await self._notice_loss()
        except HactlError as error:
            self._down(error)
            self.release()
        except Exception as error:  # noqa: BLE001 - as above
            self._down(defect(error, f"asking {self._node.name}"))
            self.release()
        finally:
            self._rest()

    def give_up(self, after: float) -> None:
        """`once` has taken too long, `after` seconds: what it still waits for has timed out."""
        now = self._clock.monotonic()
        if self._link.phase is LinkPhase.UP:
            for key in list(self._owed):
                self._delivered(key, now, timed_out(after, now))
        else:
            self._down(CommandTimeoutError(self._node.name, f"no answer within {after:g} s"))

    def release(self, *, connection_stays: bool = True) -> None:
        """End the session, without waiting. Idempotent. See Session.close."""
        self._rest()
        session, self._session = self._session, None
        if session is not None:
            session.close(connection_stays=connection_stays)

    def refresh(self) -> None:
        """Ask everything now; connect now when waiting for the next attempt."""
        if self._session is not None:
            self._ask(self._schedule.hurry)
        else:
            self._wake()

    def ask(self, keys: Sequence[str]) -> None:
        """Ask these questions now; connect now when waiting for the next attempt."""
        if self._session is not None:
            self._ask(lambda now: self._schedule.hurry(now, keys))
        else:
            self._wake()

    # --- the connection ---

    async def _connect(self) -> None:
        if self._link.phase is LinkPhase.IDLE:
            self._change(replace(self._link, phase=LinkPhase.CONNECTING, since=self._clock.monotonic()))
        peer = await self._transport.connect()
        now = self._clock.monotonic()
        self._change(Link(LinkPhase.UP, now, address=peer.address, software=peer.software))

    def _down(self, error: HactlError) -> None:
        """`since` is when it went down, however often it was tried since then."""
        was, now = self._link, self._clock.monotonic()
        since = was.since if was.phase is LinkPhase.DOWN else now
        self._change(
            Link(
                LinkPhase.DOWN,
                since,
                error.code,
                reason(error),
                error.remedy,
                was.attempts + 1,
                was.address,
                was.software,
            )
        )

    def _change(self, link: Link) -> None:
        self._link = link
        self._shared.emit(LinkChanged(self._node.name, link))

    async def _watch(self) -> None:
        """Ask on time until the connection ends. Raises what ended it, or what went wrong in here."""
        self._signal = asyncio.get_running_loop().create_future()
        lost = asyncio.ensure_future(self._transport.closed())
        try:
            self._ask(self._schedule.start)
            await asyncio.wait((lost, self._signal), return_when=asyncio.FIRST_COMPLETED)
            if self._signal.done():
                self._signal.result()
            raise lost.result() or ConnectionLostError(self._node.name, "the connection was closed")
        finally:
            lost.cancel()

    async def _pause(self, seconds: float) -> None:
        """Wait `seconds` or until `refresh`."""
        self._signal = asyncio.get_running_loop().create_future()
        timer = self._clock.call_at(self._clock.monotonic() + seconds, self._wake)
        try:
            await self._signal
        finally:
            timer.cancel()
            self._signal = None

    async def _notice_loss(self) -> None:
        """Raise what ended the connection, if it ended while it was used `once`."""
        if not self._suspect:
            return
        try:
            error = await asyncio.wait_for(self._transport.closed(), 0.1)
        except TimeoutError:
            return
        if error is not None:
            raise error

    def _wake(self) -> None:
        if self._signal is not None and not self._signal.done():
            self._signal.set_result(None)

    def _break(self, error: Exception) -> None:
        """A callback failed: whoever waits for this node's signal gets the error."""
        if self._signal is not None and not self._signal.done():
            self._signal.set_exception(error)
        else:
            defect(error, f"watching {self._node.name}")

    # --- questions ---

    def _begin(self) -> Session:
        self._session = Session(self._node, self._transport, self._probes, self._clock, self._delivered)
        return self._session

    def _ask(self, mark: Callable[[float], None]) -> None:
        """Ask what `mark` marks as due."""
        if self._session is None:
            self._begin()
        mark(self._clock.monotonic())
        self._tick()

    def _tick(self) -> None:
        """The node's one timer: give up what is late, ask what is due, and sleep until there is more to do."""
        self._timer = None
        if self._session is None:
            return
        try:
            now = self._clock.monotonic()
            self._session.expire(now)
            if due := self._schedule.take(now):
                self._session.ask(due)
            self._arm()
        except Exception as error:  # noqa: BLE001 - the loop's own handler would leave the node unwatched in silence
            self._break(error)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._session.next_deadline() if self._session is not None else None
        at = min(self._schedule.next_at, math.inf if deadline is None else deadline)
        if at < math.inf:
            self._timer = self._clock.call_at(at, self._tick)

    def _delivered(self, key: str, now: float, result: Facts | Failure) -> None:
        try:
            interval = max(self._every[key], self._lasting)
            self._shared.emit(Sample(self._node.name, key, now, interval, result))
            if isinstance(result, Failure):
                self._schedule.failed(key, now)
                self._suspect = self._suspect or result.code == ConnectionLostError.code
            else:
                self._schedule.answered(key, now)
        except Exception as error:  # noqa: BLE001 - see _tick
            self._break(error)
        if self._owed:
            self._owed.discard(key)
            if not self._owed:
                self._wake()

    def _rest(self) -> None:
        """Nobody waits and no timer runs."""
        self._signal = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
