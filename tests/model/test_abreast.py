"""Several parts of an act at one time: turns, what they return, and what becomes of the others when one raises."""

from __future__ import annotations

import pytest

from hactl.model.abreast import both, together
from hactl.model.errors import UnreachableError
from hactl.model.verb import Doing, Tell, Together, VerbError, tell, wait


def counting(name: str, asks: int) -> Doing[str]:
    for number in range(asks):
        yield from tell(f"{name}{number}")
    return name


def failing(name: str, closed: list[str]) -> Doing[str]:
    try:
        yield from tell(name)
        raise VerbError(name)
    finally:
        closed.append(name)


def turns(doing: Doing[object]) -> tuple[list[tuple[str, ...]], object]:
    """What was asked in each turn, and what came of it. Every ask is answered with None."""
    found: list[tuple[str, ...]] = []
    try:
        ask = next(doing)
        while True:
            assert isinstance(ask, Together)
            found.append(tuple(one.sentence for one in ask.asks if isinstance(one, Tell)))
            ask = doing.send((None,) * len(ask.asks))
    except StopIteration as end:
        return found, end.value


@pytest.mark.parametrize(
    ("lengths", "asked"),
    [
        ((), []),
        ((0, 0), []),
        ((2,), [("a0",), ("a1",)]),
        ((1, 1), [("a0", "b0")]),
        ((1, 3, 0, 2), [("a0", "b0", "d0"), ("b1", "d1"), ("b2",)]),
    ],
)
def test_a_turn_holds_what_everybody_asks(lengths: tuple[int, ...], asked: list[tuple[str, ...]]) -> None:
    names = "abcd"[: len(lengths)]
    found = turns(together(counting(name, length) for name, length in zip(names, lengths, strict=True)))
    assert found == (asked, tuple(names))


def test_two_parts_may_return_different_things() -> None:
    def number() -> Doing[int]:
        yield from wait(1, "it")
        return 1

    doing = both(number(), counting("a", 1))
    next(doing)
    with pytest.raises(StopIteration) as end:
        doing.send((None, None))
    assert end.value.value == (1, "a")


def test_the_first_error_is_raised_when_the_turn_is_over() -> None:
    closed: list[str] = []
    doing = together((counting("a", 5), failing("b", closed), failing("c", closed)))
    next(doing)
    with pytest.raises(VerbError, match="b"):
        doing.send((None, None, None))
    assert closed == ["b", "c"]


def test_what_one_node_did_not_answer_is_raised_in_its_part_alone() -> None:
    def patient(name: str) -> Doing[str]:
        try:
            yield from tell(name)
        except UnreachableError as error:
            return error.message
        return name

    doing = together((patient("a"), patient("b")))
    next(doing)
    with pytest.raises(StopIteration) as end:
        doing.send((UnreachableError("lb1", "gone"), None))
    assert end.value.value == (UnreachableError("lb1", "gone").message, "b")


def test_what_is_thrown_in_from_outside_reaches_every_part_which_may_clean_up() -> None:
    put_back: list[str] = []

    def careful(name: str) -> Doing[str]:
        try:
            yield from tell(name)
        except UnreachableError:
            yield from tell(f"putting {name} back")
            put_back.append(name)
            raise
        return name

    doing = together((careful("a"), careful("b")))
    next(doing)
    late = UnreachableError("lb1", "time is over")
    ask = doing.throw(late)
    assert isinstance(ask, Together)
    assert [one.sentence for one in ask.asks if isinstance(one, Tell)] == ["putting a back", "putting b back"]
    with pytest.raises(UnreachableError, match="time is over"):
        doing.send((None, None))
    assert put_back == ["a", "b"]


def test_nobody_is_left_waiting_when_all_is_given_up() -> None:
    closed: list[str] = []
    doing = together((failing("a", closed), failing("b", closed)))
    next(doing)
    doing.close()
    assert closed == ["a", "b"]
