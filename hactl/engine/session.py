"""One connected life of a node: asks questions of every kind over its transport and hands back what they were answered.

Each question has its own deadline, and none waits for another: shell questions share a loop (a second loop takes those
that once blocked the first), the other kinds run in tasks of their own. Nothing here knows when to ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from hactl.drivers.probe import Asked, AskProbe, ExecProbe, FetchProbe, HttpAnswer, Probe, QueryProbe, TickProbe
from hactl.engine.clock import Clock
from hactl.engine.console import Console
from hactl.engine.failures import defect, failure, timed_out
from hactl.engine.fetch import Fetcher
from hactl.engine.query import Database
from hactl.engine.shell_loop import ShellLoop
from hactl.model.command import Completed
from hactl.model.errors import HactlError, SupersededError
from hactl.model.facts import Facts
from hactl.model.inventory import Node
from hactl.model.state import Failure
from hactl.transport.protocol import HostFactsSource, Transport

Deliver: TypeAlias = Callable[[str, float, Facts | Failure], None]
"""Called with a probe's key, the monotonic second, and what came of the question."""

_HOST = "host"


@cache
def _tells_host_facts(kind: type[Transport]) -> bool:
    """Once for hundreds of nodes: to look at a protocol's methods takes 40 us."""
    return issubclass(kind, HostFactsSource)


@dataclass(slots=True)
class _Asking:
    """A question that a task is busy with."""

    probe: Probe
    sent: float
    sent_wall: float
    task: asyncio.Task[None] | None = None


class Session:
    """From connected to disconnected. `ask` never blocks; every question ends in exactly one delivery."""

    def __init__(
        self,
        node: Node,
        transport: Transport,
        probes: Sequence[Probe],
        clock: Clock,
        deliver: Deliver,
    ) -> None:
        self._node = node
        self._transport = transport
        self._clock = clock
        self._deliver = deliver
        self._probes = {probe.key: probe for probe in probes}
        local = _tells_host_facts(type(transport))
        self._ticks = [p for p in probes if isinstance(p, TickProbe) and not (local and p.key == _HOST)]
        self._tick_keys = {probe.key for probe in self._ticks}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = self._new_loop()
        self._side: ShellLoop | None = None
        self._slow: set[str] = set()  # what once blocked the loop
        self._asking: dict[str, _Asking] = {}
        self._fetcher = Fetcher(transport, node.address, clock)
        self._consoles: dict[str, Console] = {}
        self._databases: dict[tuple[str, int, str | None, str], Database] = {}
        self._heard = 0.0  # when the node last said anything
        self._over = False

    # --- what the owner calls ---

    def ask(self, keys: Iterable[str]) -> None:
        """Ask now. A question that is still under way is not asked again."""
        main: list[str] = []
        side: list[str] = []
        for key in keys:
            if key not in self._tick_keys:
                self._ask_alone(self._probes[key])
            elif not self._owes(key):
                (side if key in self._slow else main).append(key)
        if main:
            self._main_loop().ask(main)
        if side:
            self._side_loop().ask(side)

    def expire(self, now: float) -> None:
        """Deliver a failure for every question whose deadline has passed, and get the loop unstuck."""
        for asking in [a for a in self._asking.values() if now >= a.sent + a.probe.deadline]:
            self._expire_alone(asking, now)
        for probe in self._side.expire(now) if self._side is not None else ():
            self._deliver(probe.key, now, timed_out(probe.deadline, now))
        if late := self._loop.expire(now):
            self._expire_loop(late, now)

    def next_deadline(self) -> float | None:
        deadlines = [asking.sent + asking.probe.deadline for asking in self._asking.values()]
        deadlines += [
            deadline for loop in (self._loop, self._side) if loop is not None and (deadline := loop.next_deadline())
        ]
        return min(deadlines, default=None)

    def close(self, *, connection_stays: bool = True) -> None:
        """Stop everything at once, without waiting; nothing is delivered any more.

        A loop ends with its connection: when that does not stay, the node is not told, which costs as much as a sample.
        """
        self._over = True
        for loop in (self._loop, self._side):
            if loop is not None and connection_stays:
                loop.close()
        for task in self._tasks:
            task.cancel()
        for console in self._consoles.values():
            console.close()
        for database in self._databases.values():
            database.close()

    # --- shell questions ---

    def loop_answered(self, probe: TickProbe, completed: Completed, asked: Asked) -> None:
        self._answered(probe.key, lambda: probe.parse(completed, asked))

    def loop_failed(self, probe: TickProbe, error: HactlError) -> None:
        now = self._clock.monotonic()
        self._hand_over(probe.key, now, failure(error, now))

    def _new_loop(self) -> ShellLoop:
        return ShellLoop(self._transport, self._ticks, self._clock, self, self._spawn)

    def _main_loop(self) -> ShellLoop:
        if self._loop.ended:
            self._loop = self._new_loop()
        return self._loop

    def _side_loop(self) -> ShellLoop:
        if self._side is None or self._side.ended:
            self._side = self._new_loop()
        return self._side

    def _owes(self, key: str) -> bool:
        return self._loop.waiting(key) or (self._side is not None and self._side.waiting(key))

    def _expire_loop(self, late: Sequence[TickProbe], now: float) -> None:
        """Blame the question that the node is at; ask those that only waited behind it once more, in a new loop.

        A loop that has not even started is not blocked by a question: there all of them have simply timed out.
        """
        head = self._loop.head()
        if head is None or not self._loop.greeted:
            for probe in late:
                self._hand_over(probe.key, now, timed_out(probe.deadline, now))
            return
        self._slow.add(head.key)
        again = [probe for probe in (*late, *self._loop.abandon()) if probe is not head]
        if head in late:
            self._hand_over(head.key, now, timed_out(head.deadline, now))
        blocked, self._loop = self._loop, self._new_loop()
        if self._side is None or self._side.ended:
            self._side = blocked  # its answer may still come
        else:
            blocked.close()
            again += [] if head in late else [head]
        self.ask(dict.fromkeys(probe.key for probe in again))

    # --- the other kinds ---

    def _ask_alone(self, probe: Probe) -> None:
        if probe.key in self._asking:
            return
        asking = _Asking(probe, self._clock.monotonic(), self._clock.wall())
        self._asking[probe.key] = asking
        asking.task = self._spawn(self._answer_alone(asking), f"asking {probe.key}")

    async def _answer_alone(self, asking: _Asking) -> None:
        key = asking.probe.key
        try:
            parse = await self._question(asking)
        except HactlError as error:
            problem = error
        except Exception as error:  # noqa: BLE001 - a defect in one question must neither hide nor stop the others
            problem = defect(error, f"asking {self._transport.node} for {key}")
        else:
            self._settle(asking, lambda: self._answered(key, parse))
            return
        now = self._clock.monotonic()
        self._settle(asking, lambda: self._hand_over(key, now, failure(problem, now)))

    def _settle(self, asking: _Asking, then: Callable[[], None]) -> None:
        """Unless its deadline was quicker, the question is over."""
        if self._asking.pop(asking.probe.key, None) is asking:
            then()

    async def _question(self, asking: _Asking) -> Callable[[], Facts]:
        """Ask, and give back what makes facts of the answer."""
        probe, transport = asking.probe, self._transport

        def asked() -> Asked:
            return Asked(asking.sent_wall, self._clock.wall())

        if isinstance(probe, ExecProbe):
            completed = await transport.run(probe.command)
            return lambda: probe.parse(completed, asked())
        if isinstance(probe, AskProbe):
            picture = await self._ask_serving(probe, asked)
            return lambda: picture
        if isinstance(probe, QueryProbe):
            value = await self._database(probe).query(probe.sql)
            return lambda: probe.parse(value, asked())
        if isinstance(probe, FetchProbe):
            fetched = await self._fetcher.fetch(probe)
            return lambda: probe.parse(fetched, asked())
        assert isinstance(transport, HostFactsSource)  # noqa: S101 - the only TickProbe that is not asked in the loop
        facts = await transport.host_facts()
        return lambda: facts

    async def _ask_serving(self, probe: AskProbe, asked: Callable[[], Asked]) -> Facts:
        """Ask the process that serves now: one that a reload replaced still answers on a channel it has open."""
        console = self._console(probe.path)
        try:
            return probe.parse(await console.ask(probe.requests), asked())
        except SupersededError:
            console.close()
        return probe.parse(await console.ask(probe.requests), asked())

    def _expire_alone(self, asking: _Asking, now: float) -> None:
        probe = asking.probe
        del self._asking[probe.key]
        if asking.task is not None:
            asking.task.cancel()
        if isinstance(probe, FetchProbe) and self._heard > asking.sent:
            # The node spoke meanwhile, so it is the service that says nothing, and that is a fact about it.
            answer = HttpAnswer(0, "", (now - asking.sent) * 1000, f"no answer within {probe.deadline:g} s")
            self._answered(probe.key, lambda: probe.parse(answer, Asked(asking.sent_wall, self._clock.wall())))
        else:
            self._hand_over(probe.key, now, timed_out(probe.deadline, now))

    def _console(self, path: str) -> Console:
        if path not in self._consoles:
            self._consoles[path] = Console(self._transport, path)
        return self._consoles[path]

    def _database(self, probe: QueryProbe) -> Database:
        where = (probe.socket_directory, probe.port, probe.user, probe.database)
        if where not in self._databases:
            self._databases[where] = Database(self._transport, probe, self._node.ssh.user)
        return self._databases[where]

    # --- delivery ---

    def _answered(self, key: str, parse: Callable[[], Facts]) -> None:
        now = self._heard = self._clock.monotonic()
        try:
            result: Facts | Failure = parse()
        except HactlError as error:
            result = failure(error, now)
        except Exception as error:  # noqa: BLE001 - a defect in one parser must neither hide nor stop the others
            result = failure(defect(error, f"reading {key} of {self._transport.node}"), now)
        self._hand_over(key, now, result)

    def _hand_over(self, key: str, now: float, result: Facts | Failure) -> None:
        if not self._over:
            self._deliver(key, now, result)

    def _spawn(self, work: Coroutine[None, None, None], doing: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=f"{self._transport.node}: {doing}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
