"""Several parts of an act at one time: what takes a while on each of two balancers takes it once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from hactl.model.verb import Ask, Doing, Together

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


def together(parts: Iterable[Doing[T]]) -> Doing[tuple[T, ...]]:
    """What each part returns, in their order.

    They go on in turns, each of which lasts as long as the slowest of its asks. When one raises, the others of its turn
    still hear their answers and no part asks anything more; then the first one's error is raised.
    """
    every = tuple(parts)
    found: dict[int, T] = {}
    answers: dict[int, Any] = dict.fromkeys(range(len(every)))
    while answers:
        asks: dict[int, Ask] = {}
        failed: list[Exception] = []
        for number, answer in answers.items():
            part = every[number]
            try:
                asks[number] = part.throw(answer) if isinstance(answer, Exception) else part.send(answer)
            except StopIteration as end:
                found[number] = end.value
            except Exception as error:  # noqa: BLE001 - whatever it is: raised below, when all have been heard
                failed.append(error)
        if failed:
            for part in every:
                part.close()
            raise failed[0]
        answers = dict(zip(asks, (yield Together(tuple(asks.values()))), strict=True)) if asks else {}
    return tuple(found[number] for number in range(len(every)))


def both(one: Doing[A], other: Doing[B]) -> Doing[tuple[A, B]]:
    """The same for two parts that return different things."""
    first: A
    second: B
    parts: tuple[Doing[Any], ...] = (one, other)
    first, second = yield from together(parts)
    return first, second
