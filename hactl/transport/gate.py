"""Places in a queue: exec sessions on one connection (MaxSessions), and handshakes to one host and overall."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager

# Logins at once: enough to hide the round trips of distant nodes, few enough to serve each in a fraction of its time.
OVERALL = 32
# Times its patience for which even a peer that speaks keeps its place: it may be a person who thinks of a passphrase.
_LONGEST = 4.0
# Seconds after which one session more than the server last took is tried, while others wait for a place.
_TRY_MORE = 1.0


class SessionGate:
    """Lets so many sessions through as the server takes, and learns that number when the server refuses one.

    What is learned may be too low, when a session that the server still counted had ended for us: one that stays for
    long would then leave no place for any other. So while somebody waits, one more is tried now and then.
    """

    def __init__(self, limit: int) -> None:
        self.limit = self._most = limit
        self.active = 0
        self.refusal = ""  # what the server last said when it refused a session while no other was open
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._trying: asyncio.TimerHandle | None = None

    async def enter(self) -> Place:
        """Wait for a place and take it. First come, first served."""
        if self.active < self.limit and not self._waiting:
            self.active += 1
            return Place(self)
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._try_later()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # given to us in the very moment we were cancelled
                self.leave()
            raise
        return Place(self)

    def leave(self) -> None:
        """Give a place back; the longest waiting takes it."""
        self.active -= 1
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self.active < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self.active += 1
                turn.set_result(None)

    def _try_later(self) -> None:
        if self._trying is None and self.limit < self._most:
            self._trying = asyncio.get_running_loop().call_later(_TRY_MORE, self._try_more)

    def _try_more(self) -> None:
        self._trying = None
        if any(not turn.done() for turn in self._waiting):
            self.limit = min(self.limit + 1, self._most)
            self._let_in()
            self._try_later()


class Place:
    """One session's place. Given back once, by whoever comes first: the channel's end or a failure to open it."""

    def __init__(self, gate: SessionGate) -> None:
        self._gate: SessionGate | None = gate

    def leave(self) -> None:
        """Idempotent."""
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.leave()

    def refused(self) -> bool:
        """The server would not open the session: give the place back and learn from it.

        True when other sessions are open, so that waiting for one of them to end makes sense.
        """
        gate, self._gate = self._gate, None
        if gate is None or gate.active <= 1:
            if gate is not None:
                gate.leave()
            return False
        gate.limit = gate.active - 1
        gate.leave()
        return True


class Handshakes:
    """Bounds how many logins are under way to one host and overall: sshd drops the rest (MaxStartups), and more at once
    than the processor can serve would only make all of them late.

    A peer that has said nothing for `patience` seconds costs nobody anything: its place among all goes to the next, so
    that dead nodes never delay living ones.
    """

    def __init__(self, per_host: int = 8, overall: int = OVERALL, patience: float = 1.0) -> None:
        self._overall = asyncio.Semaphore(overall)
        self._hosts: defaultdict[Hashable, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(per_host))
        self._patience = patience

    @asynccontextmanager
    async def place(self, host: Hashable, heard: Callable[[], bool] = lambda: False) -> AsyncIterator[None]:
        """Hold a place while shaking hands with `host`. `heard` tells whether the peer has said anything yet."""
        async with self._hosts[host]:
            await self._overall.acquire()
            place = _Lent(self._overall, self._patience, heard)
            try:
                yield
            finally:
                place.give_back()


class _Lent:
    """A place of a semaphore that is given back once: by its holder, or by time when the peer is silent."""

    def __init__(self, places: asyncio.Semaphore, patience: float, heard: Callable[[], bool]) -> None:
        self._places: asyncio.Semaphore | None = places
        self._heard = heard
        loop = asyncio.get_running_loop()
        self._timers = [
            loop.call_later(patience, self._unless_heard),
            loop.call_later(patience * _LONGEST, self.give_back),
        ]

    def _unless_heard(self) -> None:
        if not self._heard():
            self.give_back()

    def give_back(self) -> None:
        places, self._places = self._places, None
        if places is not None:
            places.release()
            for timer in self._timers:
                timer.cancel()
