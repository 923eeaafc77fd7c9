"""Asks TickProbes through one long-lived shell loop on the node (`engine.script`), over one stream.

Questions are answered in the order in which they were written. An answer that comes after its deadline is recognised by
its sequence number and dropped; until it comes, the same question is not written again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Protocol

from hactl.drivers.probe import Asked, TickProbe
from hactl.engine.clock import Clock
from hactl.engine.failures import defect
from hactl.engine.script import answer, loop_command, question
from hactl.model.command import Completed
from hactl.model.errors import ConnectionLostError, HactlError, TransportError
from hactl.transport.protocol import Stream, Transport

# Seconds in which the node has to start the loop.
START_TIMEOUT = 10.0


class Hearer(Protocol):
    """Who gets a loop's answers. Called on the event loop."""

    def loop_answered(self, probe: TickProbe, completed: Completed, asked: Asked) -> None: ...

    def loop_failed(self, probe: TickProbe, error: HactlError) -> None:
        """The question cannot be answered any more: the loop did not start or has ended."""


@dataclass(slots=True)
class _Waiting:
    probe: TickProbe
    sent: float  # monotonic
    sent_wall: float
    expired: bool = False


class ShellLoop:
    """One loop. It starts with the first question; once ended it stays ended (`ended`), and its owner makes another."""

    def __init__(
        self,
        transport: Transport,
        probes: Sequence[TickProbe],
        clock: Clock,
        hearer: Hearer,
        spawn: Callable[[Coroutine[None, None, None], str], asyncio.Task[None]],
    ) -> None:
        self._transport = transport
        self._probes = tuple(probes)
        self._words = {probe.key: word for word, probe in enumerate(self._probes)}
        self._clock = clock
        self._hearer = hearer
        self._spawn = spawn
        self._waiting: dict[int, _Waiting] = {}  # by sequence number, in the order of asking
        self._unsent: list[tuple[int, int]] = []  # asked before the loop runs
        self._sequence = 0
        self._stream: Stream | None = None
        self._started = self.greeted = self.ended = False

    def ask(self, keys: Sequence[str]) -> None:
        """Write these questions, all in one go. None of them may be `waiting`."""
        now, wall = self._clock.monotonic(), self._clock.wall()
        asked = []
        for key in keys:
            self._sequence += 1
            word = self._words[key]
            self._waiting[self._sequence] = _Waiting(self._probes[word], now, wall)
            asked.append((self._sequence, word))
        if self._stream is not None:
            self._write(asked)
            return
        self._unsent += asked
        if not self._started:
            self._started = True
            self._spawn(self._start(), "starting the probe loop")

    def waiting(self, key: str) -> bool:
        """Whether the node still owes an answer to this question, in time or not."""
        return any(asked.probe.key == key for asked in self._waiting.values())

    def expire(self, now: float) -> list[TickProbe]:
        """The questions whose deadline has passed since the last call: their answers interest nobody any more."""
        late = [w for w in self._waiting.values() if not w.expired and now >= w.sent + w.probe.deadline]
        for asked in late:
            asked.expired = True
        return [asked.probe for asked in late]

    def next_deadline(self) -> float | None:
        return min((w.sent + w.probe.deadline for w in self._waiting.values() if not w.expired), default=None)

    def head(self) -> TickProbe | None:
        """The question that the node is at now."""
        return next((asked.probe for asked in self._waiting.values()), None)

    def abandon(self) -> list[TickProbe]:
        """Forget what waits behind the head, and say what that was: somebody else will ask it."""
        behind = list(self._waiting.items())[1:]
        for sequence, _ in behind:
            del self._waiting[sequence]
        return [asked.probe for _, asked in behind if not asked.expired]

    def close(self) -> None:
        """End the loop on the node. What still waits is forgotten without a word. Idempotent."""
        self.ended = True
        self._waiting.clear()
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    # --- FrameSink ---

    def frame(self, text: str) -> None:
        if not self.greeted:  # the empty frame, with whatever the login shell says before it
            self.greeted = True
            return
        try:
            sequence, output, exit_code = answer(text)
        except ValueError as error:
            self._end(ConnectionLostError(self._transport.node, f"the probe loop said nonsense: {error}"))
            return
        asked = self._waiting.pop(sequence, None)
        if asked is None or asked.expired:
            return
        seconds = self._clock.monotonic() - asked.sent
        completed = Completed(exit_code, output, "", seconds)
        self._hearer.loop_answered(asked.probe, completed, Asked(asked.sent_wall, self._clock.wall()))

    def ended_by(self, error: TransportError | None) -> None:
        self._end(error or ConnectionLostError(self._transport.node, "the probe loop on the node ended"))

    # --- inside ---

    async def _start(self) -> None:
        first, self._unsent = self._unsent, []
        command = loop_command(self._probes, first, START_TIMEOUT)
        try:
            stream = await self._transport.stream(command, _Sink(self))
        except HactlError as error:
            self._end(error)
            return
        except Exception as error:  # noqa: BLE001 - a defect must become visible on every question, not only in a log
            self._end(defect(error, f"starting the probe loop on {self._transport.node}"))
            return
        if self.ended:
            stream.close()
            return
        self._stream = stream
        if self._unsent:
            late, self._unsent = self._unsent, []
            self._write(late)

    def _write(self, asked: Sequence[tuple[int, int]]) -> None:
        assert self._stream is not None  # noqa: S101 - callers have just looked
        try:
            self._stream.write(b"".join(question(sequence, word) for sequence, word in asked))
        except TransportError as error:
            self._end(error)

    def _end(self, error: HactlError) -> None:
        if self.ended:
            return
        unanswered = [asked.probe for asked in self._waiting.values() if not asked.expired]
        self.close()
        for probe in unanswered:
            self._hearer.loop_failed(probe, error)


class _Sink:
    """What the transport calls: the loop's `ended` is a state, the sink's is an event."""

    __slots__ = ("_loop",)

    def __init__(self, loop: ShellLoop) -> None:
        self._loop = loop

    def frame(self, text: str) -> None:
        self._loop.frame(text)

    def ended(self, error: TransportError | None) -> None:
        self._loop.ended_by(error)
