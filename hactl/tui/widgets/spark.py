"""Trends as lines of blocks, the newest at the right: how high, how it went, and where nobody knows.

The line is cut into slices of equal time that stand still on the clock, so that a newer picture changes only its end.
A slice shows the highest of its points; nothing at all where there is none, which is not the lowest block: that is 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from textual import events

from hactl.model.findings import Level
from hactl.tui.widgets.lines import Line, Lines, Span, levelled
from hactl.view.tables import text_width

SPAN = 900.0  # seconds that a line covers
HOLDS = 10.0  # seconds for which a point speaks when slices are shorter than samples are apart
_BLOCKS = " ▁▂▃▄▅▆▇█"
_NARROWEST = 4  # cells of blocks, below which there are only words


class At(Protocol):
    """A value and the monotonic second that it is of."""

    @property
    def at(self) -> float: ...

    @property
    def value(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Trace:
    """One trend in a group of them. `latest` and `peak` are in words with their unit; `latest` "?": nobody knows now.

    `top` is what the highest block stands for; None: the highest value that is shown.
    """

    label: str
    points: Sequence[At]
    latest: str
    peak: str = ""
    top: float | None = None
    level: Level | None = None


class Sparks(Lines):
    """Shows traces under one another, `height` lines each."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._shown: tuple[Sequence[Trace], float, int] = (), 0.0, 1

    def show(self, traces: Sequence[Trace], now: float, *, height: int = 1) -> None:
        """`now` is a second of the clock that the points are of."""
        self._shown = tuple(traces), now, height
        self._draw()

    def on_resize(self, _event: events.Resize) -> None:
        self._draw()

    def _draw(self) -> None:
        traces, now, height = self._shown
        self.set_lines(trace_lines(traces, self.scrollable_content_region.width, now, height=height))


def trace_lines(traces: Sequence[Trace], width: int, now: float, *, height: int = 1) -> list[Line]:
    """Label, blocks, latest value and peak of each trace, in columns over all of them."""
    labels = max((text_width(trace.label) for trace in traces), default=0)
    latest = max((text_width(trace.latest) for trace in traces), default=0)
    peaks = max((text_width(trace.peak) for trace in traces), default=0)
    room = width - labels - latest - 4
    if room - peaks - 2 < 3 * _NARROWEST:  # the peak is the first to go
        peaks = 0
    return [line for trace in traces for line in _lines_of(trace, (labels, room, latest, peaks), now, height)]


def _lines_of(trace: Trace, columns: tuple[int, int, int, int], now: float, height: int) -> Iterator[Line]:
    """The words stand on the lowest of its lines, where the blocks do."""
    labels, room, latest, peaks = columns
    blocks = max(0, room - (peaks + 2 if peaks else 0))
    drawn = spark(trace.points, blocks, now, top=trace.top, height=height) if blocks >= _NARROWEST else ("",) * height
    for row in drawn[:-1]:
        yield Span(" " * (labels + 2)), levelled(row, trace.level)
    unknown = trace.latest == "?"
    words = f"{trace.latest:>{latest}}"
    line = [
        Span(f"{trace.label:<{labels}}  ", "dim"),
        levelled(drawn[-1], trace.level),
        Span("  " if drawn[-1] else ""),
    ]
    line.append(levelled(words, Level.UNKNOWN if unknown else trace.level))
    if peaks:
        line.append(Span(f"  {trace.peak:<{peaks}}", "dim"))
    yield tuple(line)


def spark(
    points: Sequence[At], width: int, now: float, *, span: float = SPAN, top: float | None = None, height: int = 1
) -> tuple[str, ...]:
    """The last `span` seconds as `height` strings of `width` cells, the uppermost first.

    Only 0 (and less) has the lowest block; whatever is more has at least the one above it.
    """
    slices = highest(points, width, now, span)
    scale = top if top is not None else max((value for value in slices if value is not None), default=0.0)
    levels = [None if value is None else _eighths(value, scale, 8 * height) for value in slices]
    return tuple("".join(_block(level, row) for level in levels) for row in reversed(range(height)))


def highest(points: Sequence[At], width: int, now: float, span: float) -> list[float | None]:
    """The highest value in each of `width` slices of time, the last of which has `now` in it; None: not known."""
    slices: list[float | None] = [None] * max(0, width)
    if not slices:
        return slices
    step = span / width
    first = int(now // step) - width + 1  # the number of the leftmost slice since the clock read 0
    before = None
    for point in points:
        index = int(point.at // step) - first
        if 0 <= index < width:
            held = slices[index]
            slices[index] = point.value if held is None else max(held, point.value)
            if before is not None and point.at - before.at <= HOLDS:  # slices between two samples are no gap
                _fill(slices, int(before.at // step) - first + 1, index, before.value)
        before = point
    return slices


def _fill(slices: list[float | None], begin: int, end: int, value: float) -> None:
    for index in range(max(0, begin), end):
        if slices[index] is None:
            slices[index] = value


def _eighths(value: float, scale: float, most: int) -> int:
    """How many eighths of a line are filled: 1 is nothing, 2 to `most` are shares of the scale."""
    if value <= 0 or scale <= 0:
        return 1
    return min(most, max(2, round(value / scale * most)))


def _block(level: int | None, row: int) -> str:
    """The part of a bar that stands in a row; rows count from the lowest."""
    return " " if level is None else _BLOCKS[min(8, max(0, level - 8 * row))]
