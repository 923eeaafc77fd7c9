"""Plays a verb's generator: every ask is answered by a world of plain Python, and noted.

A `World` is a clock that only waits move, and one function for each kind of ask; a test gives those that it needs.
An answer that is an exception is thrown into the generator, as the engine throws a TransportError.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from hactl.model.command import Completed
from hactl.model.verb import (
    Ask,
    AskSocket,
    Doing,
    Fetch,
    Fetched,
    Now,
    ReadLocal,
    RunCommand,
    RunLocal,
    Tell,
    Together,
    Wait,
)

T = TypeVar("T")

Reply = Callable[[Ask], object]


def done(stdout: str = "", *, exit: int = 0, stderr: str = "") -> Completed:  # noqa: A002 - it is called that
    return Completed(exit, stdout, stderr, 0.01)


def _silent(ask: Ask) -> object:
    raise AssertionError(f"nobody expected {ask}")


@dataclass
class World:
    """What the verb is answered with, and all that it asked. `each` runs before every ask: the world moves on."""

    run: Callable[[RunCommand], object] = _silent
    socket: Callable[[AskSocket], object] = _silent
    fetch: Callable[[Fetch], object] = _silent
    read_local: Callable[[ReadLocal], object] = _silent
    run_local: Callable[[RunLocal], object] = _silent
    each: Callable[[World], None] = lambda _: None
    now: float = 0.0
    asked: list[Ask] = field(default_factory=list)

    def play(self, doing: Doing[T], limit: int = 10_000) -> T:
        """What the generator returns. Raises what it raises; fails when it asks more than `limit` things."""
        try:
            ask = next(doing)
            for _ in range(limit):
                answer = self._answer(ask)
                ask = doing.throw(answer) if isinstance(answer, BaseException) else doing.send(answer)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        raise AssertionError(f"still asking after {limit} asks")

    def _answer(self, ask: Ask) -> object:
        if isinstance(ask, Together):
            return tuple(self._answer(one) for one in ask.asks)
        self.asked.append(ask)
        self.each(self)
        match ask:
            case Wait(seconds):
                self.now += seconds
                return None
            case Now():
                return self.now
            case Tell():
                return None
            case RunCommand():
                return self.run(ask)
            case AskSocket():
                return self.socket(ask)
            case Fetch():
                return self.fetch(ask)
            case ReadLocal():
                return self.read_local(ask)
            case RunLocal():
                return self.run_local(ask)

    # --- what was asked ---

    @property
    def told(self) -> list[str]:
        return [ask.sentence for ask in self.asked if isinstance(ask, Tell)]

    @property
    def numbers(self) -> list[dict[str, float]]:
        return [dict(ask.numbers) for ask in self.asked if isinstance(ask, Tell) and ask.numbers]

    @property
    def waited(self) -> float:
        return sum(ask.seconds for ask in self.asked if isinstance(ask, Wait))

    @property
    def changed(self) -> list[str]:
        """What was asked that changes something, in order: "lb1: set server b/s state drain", "app1: rm -f x"."""
        found = []
        for ask in self.asked:
            if isinstance(ask, AskSocket) and ask.mutates:
                found += [f"{ask.node}: {request}" for request in ask.requests]
            elif isinstance(ask, RunCommand) and ask.command.mutates:
                found.append(f"{ask.node or 'target'}: {ask.command.shown()}")
        return found


def answers(*replies: Fetched | Completed | BaseException) -> Callable[[object], object]:
    """These one after another; the last again and again."""
    left = list(replies)

    def reply(_: object) -> object:
        return left.pop(0) if len(left) > 1 else left[0]

    return reply
