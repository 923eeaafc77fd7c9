"""Trends as areas of braille dots, side by side where there is room: two slices of time and four heights a cell.

A slice of which nothing is known is left empty; 0 has one dot. Words stand above each graph: its name, how it is now,
and the most that is shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.cells import cell_len

from hactl.model.findings import Level
from hactl.tui.widgets.lines import Line, Lines, Span, levelled
from hactl.tui.widgets.paint import padded
from hactl.view.trace import Trace

_GAP = 2  # cells between two graphs
_NARROWEST = 24  # cells of a graph that has a neighbour
_EMPTY = "\N{BRAILLE PATTERN BLANK}"
# The dots of a cell's left and right column from its lowest one up, as Unicode numbers them.
_DOTS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
_ROWS = len(_DOTS[0])


class Graphs(Lines):
    """Shows traces in as many columns as fit, each with `height` lines of dots below its words."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.set_classes(classes or "")
        self._traces: tuple[Trace, ...] = ()
        self._height = 1

    def show(self, traces: Sequence[Trace], *, height: int) -> None:
        self._traces, self._height = tuple(traces), max(1, height)
        self.draw()

    def draw(self) -> None:
        self.set_lines(graph_lines(self._traces, self.scrollable_content_region.width, self._height))


def columns_for(count: int, width: int) -> int:
    """How many graphs stand side by side: as many as fit, and no fewer in the last line than need be."""
    fitting = max(1, min(count, (width + _GAP) // (_NARROWEST + _GAP)))
    return math.ceil(count / math.ceil(count / fitting)) if count else 1


def graph_lines(traces: Sequence[Trace], width: int, height: int) -> list[Line]:
    """All graphs within `width` cells."""
    columns = columns_for(len(traces), width)
    room = max(1, (width - _GAP * (columns - 1)) // columns)
    lines: list[Line] = []
    for start in range(0, len(traces), columns):
        drawn = [_graph(trace, room, height) for trace in traces[start : start + columns]]
        for parts in zip(*drawn, strict=True):
            spans = [span for index, part in enumerate(parts) for span in ((Span(" " * _GAP),) if index else ()) + part]
            lines.append(tuple(spans))
    return lines


def _graph(trace: Trace, width: int, height: int) -> list[Line]:
    values = trace.slices(2 * width)
    most = max((value for value in values if value is not None), default=None)
    rows = dots(values, top=trace.top if trace.top is not None else most or 0.0, height=height)
    return [_words(trace, most, width), *((levelled(row, trace.level),) for row in rows)]


def _words(trace: Trace, most: float | None, width: int) -> Line:
    """Exactly `width` cells. What does not fit goes from the end: first the greatest value, then the name's."""
    now = "?" if trace.newest is None else trace.words(trace.newest)
    peak = f"max {trace.words(most)}" if most is not None else ""
    label = padded(trace.label, min(cell_len(trace.label), max(0, width - cell_len(now) - 1)))
    left = width - cell_len(label) - 1 - cell_len(now)
    level = Level.UNKNOWN if trace.newest is None else trace.level
    told = padded(peak, left, "right") if left > cell_len(peak) else " " * max(0, left)
    return Span(f"{label} ", "dim"), levelled(now[: max(0, width - cell_len(label) - 1)], level), Span(told, "dim")


def dots(values: Sequence[float | None], *, top: float, height: int) -> list[str]:
    """`height` strings, the uppermost first, two values a character. `top` is what the highest dot stands for."""
    filled = [None if value is None else _filled(value, top, _ROWS * height) for value in values]
    pairs = list(zip(filled[::2], [*filled[1::2], *([None] if len(filled) % 2 else [])], strict=True))
    return ["".join(_cell(pair, _ROWS * row) for pair in pairs) for row in reversed(range(height))]


def _filled(value: float, top: float, most: int) -> int:
    """How many dots high: one is nothing, whatever is more than nothing has at least two."""
    if value <= 0 or top <= 0:
        return 1
    return min(most, max(2, round(value / top * most)))


def _cell(pair: tuple[int | None, int | None], below: int) -> str:
    code = sum(
        dot
        for high, column in zip(pair, _DOTS, strict=True)
        for index, dot in enumerate(column)
        if high is not None and high > below + index
    )
    return chr(ord(_EMPTY) + code) if code else " "
