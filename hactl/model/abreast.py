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
    still hear their answers and no part asks anything more; then the first one's error is raised. What is thrown in
    from outside, as when the step's time is over, every part that has asked is told of.
    """
    every = tuple(parts)
    try:
        return (yield from _in_turns(every))
    finally:
        for part in every:
            part.close()


def _in_turns(every: tuple[Doing[T], ...]) -> Doing[tuple[T, ...]]:
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
            raise failed[0]
        answers = (yield from _answered(asks)) if asks else {}
    return tuple(found[number] for number in range(len(every)))


def _answered(asks: dict[int, Ask]) -> Doing[dict[int, Any]]:
    try:
        answers = yield Together(tuple(asks.values()))
    except Exception as error:  # noqa: BLE001 - it is for each of them to let it pass
        return dict.fromkeys(asks, error)
    return dict(zip(asks, answers, strict=True))


def both(one: Doing[A], other: Doing[B]) -> Doing[tuple[A, B]]:
    """The same for two parts that return different things."""
    first: A
    second: B
    parts: tuple[Doing[Any], ...] = (one, other)
    first, second = yield from together(parts)
    return first, second
