"""Trends as blocks: heights, gaps, and lines that stand still while time goes on."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from hactl.model.findings import Level
from hactl.tui.widgets.spark import Trace, spark, trace_lines


@dataclass(frozen=True)
class P:
    at: float
    value: float


def every(seconds: float, *values: float | None) -> list[P]:
    return [P(index * seconds, value) for index, value in enumerate(values) if value is not None]


@pytest.mark.parametrize(
    ("values", "top", "drawn"),
    [
        ((), None, "        "),
        ((0, 0, 0, 0, 0, 0, 0, 0), None, "▁▁▁▁▁▁▁▁"),
        ((1, 2, 3, 4, 5, 6, 7, 8), None, "▂▂▃▄▅▆▇█"),
        ((0, 0.001, 100, 0, 0, 0, 0, 0), None, "▁▂█▁▁▁▁▁"),  # something is more than nothing
        ((50, 50, 50, 50, 100, 200, 0, 0), 100, "▄▄▄▄██▁▁"),
        ((1, 1, None, None, 1, 1, None, None), None, "██  ██  "),  # not known is not 0
        ((-1, 1, 1, 1, 1, 1, 1, 1), None, "▁███████"),
    ],
)
def test_a_value_a_slice(values: tuple[float | None, ...], top: float | None, drawn: str) -> None:
    assert spark(every(60, *values), 8, 479, span=480, top=top) == (drawn,)


def test_a_slice_shows_the_highest_of_its_points() -> None:
    assert spark([P(0, 8), P(1, 1), P(2, 1), P(60, 1)], 2, 119, span=120) == ("█▂",)


def test_higher_lines() -> None:
    upper, lower = spark(every(60, 0, 4, 8, 12, 16), 5, 299, span=300, height=2)
    assert (upper, lower) == ("   ▄█", "▁▄███")


def test_only_the_end_changes_within_a_slice_and_everything_moves_by_one_after_it() -> None:
    points = every(60, 1, 2, 3, 4)
    before = spark(points, 4, 239, span=240)[0]
    assert spark(points, 4, 181, span=240)[0] == before
    assert spark(points, 4, 240, span=240)[0] == before[1:] + " "


def test_slices_that_are_shorter_than_samples_are_apart_are_no_gaps_but_a_silence_is() -> None:
    assert spark([P(0, 1), P(5, 1), P(10, 1), P(30, 1)], 35, 34, span=35)[0] == "█" * 11 + " " * 19 + "█" + " " * 4


def test_points_older_than_the_span_and_no_room_are_nothing() -> None:
    assert spark([P(0, 9), P(500, 1)], 4, 503, span=240) == ("   █",)
    assert spark([P(0, 9)], 0, 5) == ("",)


def text(traces: list[Trace], width: int, height: int = 1) -> list[str]:
    return ["".join(span.text for span in line) for line in trace_lines(traces, width, 899, height=height)]


def test_traces_share_their_columns() -> None:
    rate = Trace("shop rate", every(60, *range(1, 16)), "15/s", "max 15/s")
    errors = Trace("errors", [], "?", level=None)
    lines = text([rate, errors], 40)
    assert lines[0].startswith("shop rate  ▂▂")
    assert lines[0].endswith("█  15/s  max 15/s")
    assert lines[1].split() == ["errors", "?"]
    assert {len(line) for line in lines} == {40}


@pytest.mark.parametrize(("width", "last"), [(40, "max 15/s"), (30, "15/s"), (14, "15/s")])
def test_the_peak_goes_first_then_the_blocks(width: int, last: str) -> None:
    line = text([Trace("rate", every(60, *range(1, 16)), "15/s", "max 15/s")], width)[0]
    assert line.rstrip().endswith(last)
    assert ("█" in line) == (width > 14)


def test_words_stand_on_the_lowest_line() -> None:
    lines = text([Trace("rate", every(60, 1, 2), "2/s")], 40, height=3)
    assert [line.strip().startswith("rate") for line in lines] == [False, False, True]


def test_not_known_is_told_by_more_than_colour() -> None:
    spans = trace_lines([Trace("rate", [], "?")], 40, 0)[0]
    assert [span.style for span in spans if span.text.strip() == "?"] == [Level.UNKNOWN.word]
