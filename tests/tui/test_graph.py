"""Graphs of dots: what is known, what is 0, what is a gap, and that they fill exactly the room that they have."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from rich.cells import cell_len

from hactl.model.findings import Level
from hactl.tui.widgets.graph import columns_for, dots, graph_lines
from hactl.view.trace import Trace


def trace(
    *values: float | None,
    label: str = "cpu",
    newest: float | None = 7,
    top: float | None = None,
    level: Level | None = None,
) -> Trace:
    def slices(count: int) -> Sequence[float | None]:
        return ([None] * count + list(values))[-count:]

    return Trace(label, slices, newest, lambda value: f"{value:.0f} %", top, level)


@pytest.mark.parametrize(
    ("values", "top", "height", "rows"),
    [
        ([100, 100], 100, 1, ["⣿"]),
        ([100, None], 100, 1, ["⡇"]),
        ([None, None], 100, 1, [" "]),
        ([0, 0], 100, 1, ["⣀"]),  # nothing is not a gap
        ([0, 0], 0, 1, ["⣀"]),
        ([0.01, 50], 100, 1, ["⣤"]),  # whatever is more than nothing shows
        ([100, 50], 100, 2, ["⡇", "⣿"]),
        ([500, 0], 100, 2, ["⡇", "⣇"]),  # never higher than there is room
        ([100, 100, 100], 100, 1, ["⣿⡇"]),
        ([], 1, 2, ["", ""]),
    ],
)
def test_dots(values: list[float | None], top: float, height: int, rows: list[str]) -> None:
    assert dots(values, top=top, height=height) == rows


def texts(traces: list[Trace], width: int, height: int = 2) -> list[str]:
    return ["".join(span.text for span in line) for line in graph_lines(traces, width, height)]


@pytest.mark.parametrize("width", [1, 3, 10, 23, 24, 49, 50, 51, 80, 200])
@pytest.mark.parametrize("count", [0, 1, 5, 6])
def test_every_line_is_as_wide_as_it_may_be(width: int, count: int) -> None:
    lines = texts([trace(1, 2, 3, label="ssh round trip") for _ in range(count)], width)
    assert all(cell_len(line) <= width for line in lines)
    assert len(lines) % 3 == 0


@pytest.mark.parametrize(
    ("count", "width", "columns"),
    [(6, 20, 1), (6, 60, 2), (6, 90, 3), (6, 110, 3), (6, 154, 6), (5, 110, 3), (5, 130, 5), (0, 80, 1)],
)
def test_graphs_side_by_side(count: int, width: int, columns: int) -> None:
    assert columns_for(count, width) == columns


def test_words_say_now_and_the_most() -> None:
    words, *_ = texts([trace(10, 42, 7)], 24)
    assert words == "cpu 7 %         max 42 %"
    assert texts([trace(10, 42, newest=None)], 8)[0] == "cpu ?   "
    assert texts([trace(label="very long name")], 12)[0] == "very lo… 7 %"


def test_a_level_is_said_with_the_value() -> None:
    line = graph_lines([trace(1, level=Level.CRIT)], 24, 1)[0]
    assert [(span.text, span.style) for span in line][1] == ("7 %", "crit")
    unknown = graph_lines([trace(1, newest=None, level=Level.CRIT)], 24, 1)[0]
    assert (unknown[1].text, unknown[1].style) == ("?", "unknown")
