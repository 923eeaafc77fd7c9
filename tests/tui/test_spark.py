"""Trends as blocks: heights, gaps, columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from hactl.model.findings import Level
from hactl.tui.widgets.spark import blocks, trace_lines
from hactl.view.trace import Trace


@pytest.mark.parametrize(
    ("values", "top", "drawn"),
    [
        ((), None, ""),
        ((None,) * 3, None, "   "),
        ((0, 0, 0), None, "▁▁▁"),
        ((1, 2, 3, 4, 5, 6, 7, 8), None, "▂▂▃▄▅▆▇█"),
        ((0, 0.001, 100, 0), None, "▁▂█▁"),  # something is more than nothing
        ((50, 100, 200, 0), 100, "▄██▁"),
        ((1, 1, None, None, 1), None, "██  █"),  # not known is not 0
        ((-1, 1), None, "▁█"),
    ],
)
def test_a_block_a_slice(values: Sequence[float | None], top: float | None, drawn: str) -> None:
    assert blocks(values, top=top) == [drawn]


def test_bars_of_several_lines() -> None:
    assert blocks((0, 4, 8, 12, 16, None), height=2) == ["   ▄█ ", "▁▄███ "]


def rising(to: float) -> Callable[[int], Sequence[float | None]]:
    return lambda count: [to * (index + 1) / count for index in range(count)]


def nothing(count: int) -> Sequence[float | None]:
    return [None] * count


def per_second(value: float) -> str:
    return f"{value:.0f}/s"


RATE = Trace("shop rate", rising(15), 15, per_second)
ERRORS = Trace("errors", nothing, None, per_second)


def text(traces: list[Trace], width: int, height: int = 1) -> list[str]:
    return ["".join(span.text for span in line) for line in trace_lines(traces, width, height=height)]


def test_traces_share_their_columns() -> None:
    rate, errors = text([RATE, ERRORS], 40)
    assert rate.startswith("shop rate  ▂▂")
    assert rate.endswith("█  15/s  max 15/s")
    assert errors.split() == ["errors", "?"]
    assert len(rate) == len(errors) == 40


@pytest.mark.parametrize(("width", "drawn", "told"), [(40, True, True), (34, True, False), (18, False, False)])
def test_the_peak_goes_first_then_the_blocks(width: int, *, drawn: bool, told: bool) -> None:
    (line,) = text([RATE], width)
    assert ("█" in line, "max" in line, "15/s" in line) == (drawn, told, True)


def test_words_stand_on_the_lowest_line() -> None:
    lines = text([RATE], 40, height=3)
    assert [line.strip().startswith("shop rate") for line in lines] == [False, False, True]


def test_not_known_is_told_by_more_than_colour() -> None:
    spans = trace_lines([ERRORS], 40)[0]
    assert [span.style for span in spans if span.text.strip() == "?"] == [Level.UNKNOWN.word]
