"""Every parser against what nodes really said, and against what no node should say."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hactl.model.command import Completed
from hactl.model.errors import ParseError
from hactl.model.text import safe
from tests.drivers.cases import READERS, Case, load, plain

CASES = load()
GOOD = [case for case in CASES if case.error is None]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case) -> None:
    if case.error is not None:
        with pytest.raises(ParseError) as caught:
            READERS[case.driver](case)
        assert case.error in str(caught.value)
        assert len(str(caught.value)) < 400
    else:
        assert plain(READERS[case.driver](case)) == case.facts


def test_every_driver_has_good_and_bad_cases() -> None:
    for driver in READERS:
        mine = [case.error is None for case in CASES if case.driver == driver]
        assert any(mine), driver
        assert not all(mine), driver


def reads_or_refuses(case: Case) -> None:
    """Facts whose every text is safe, or ParseError: nothing else may come out of a parser."""
    try:
        texts = _texts(plain(READERS[case.driver](case)))
    except ParseError as error:
        texts = [str(error)]
    assert [text for text in texts if safe(text) != text] == []


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def _saying(case: Case, said: str, exit_code: int = 0) -> Case:
    return Case(case.driver, case.name, safe(said), {**case.given, "exit": exit_code}, None, None)


@pytest.mark.parametrize("driver", READERS)
@given(said=st.text(max_size=300), exit_code=st.sampled_from([0, 1, 124, 255]))
def test_any_text(driver: str, said: str, exit_code: int) -> None:
    example = next(case for case in GOOD if case.driver == driver)
    reads_or_refuses(_saying(example, said, exit_code))


@pytest.mark.parametrize("case", GOOD, ids=str)
@given(seed=st.integers(0, 2**32))
def test_a_good_answer_damaged(case: Case, seed: int) -> None:
    """Cut off, with pieces replaced, repeated, taken out: near enough to good to get deep into the parser."""
    chance = random.Random(seed)
    said = case.said
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(said) + 1)
        end = min(len(said), start + chance.choice([0, 1, 1, 2, 8, 40]))
        piece = chance.choice(PIECES) if chance.random() < 0.8 else said[start:end] * 2
        said = said[:start] + piece + said[end:]
        if chance.random() < 0.2:
            said = said[: chance.randrange(len(said) + 1)]
    reads_or_refuses(_saying(case, said, chance.choice([0, 0, 0, 1])))


PIECES = [
    *("", " ", "\n", "\n\n", ",", ",,", '"', "-", "%", "/", "=", ":", "#", "# ", "@end", "=== x\n"),
    *("-1", "9" * 30, "9" * 5000, "1e999", "nan", "٣", "0x10", "1_000"),
    *("null", "true", "{}", "[]", "[" * 100, '{"a":' * 50),
    *("\\u001b[2J", "\x1b]0;x\x07", "\u202e", "\\ud800"),
]


def test_deep_json_is_refused_not_crashed_on() -> None:
    example = next(case for case in GOOD if case.driver == "pgbackrest")
    for said in ("[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000):
        with pytest.raises(ParseError):
            READERS["pgbackrest"](_saying(example, said))
        with pytest.raises(ParseError):
            READERS["postgresql"](_saying(example, said))


def test_a_command_that_ran_out_of_time_says_so() -> None:
    example = next(case for case in GOOD if case.driver == "systemd")
    for code in (124, 137, 143):
        with pytest.raises(ParseError, match="did not finish in time"):
            READERS["systemd"](_saying(example, "12.3 4.5\n", code))


def test_exit_that_nobody_learned() -> None:
    """A command without a known exit is not a command that went well."""
    from hactl.drivers import pgbackrest
    from hactl.model.observed import Unknown

    example = next(case for case in GOOD if case.driver == "pgbackrest")
    done = Completed(Unknown("connection lost", 0.0), example.said, "", 0.1)
    with pytest.raises(ParseError):
        pgbackrest.parse("demo", done, example.asked)
