"""Trends as lines of blocks, the newest at the right: how high, how it went, and where nobody knows.

A slice of time of which nothing is known is left empty; that is not the lowest block, which stands for 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from hactl.model.findings import Level
from hactl.tui.widgets.lines import Line, Lines, Span, levelled
from hactl.view.tables import text_width
from hactl.view.trace import Trace

_BLOCKS = " ▁▂▃▄▅▆▇█"
_NARROWEST = 4  # cells of blocks, below which there are only words
_EVERY = 5.0  # seconds for which slices are kept
_FOR_PEAKS = 12  # cells of blocks, below which they are not told


class Sparks(Lines):
    """Shows traces under one another, each as high as there is room for; one line each where the height is theirs."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._traces: tuple[Trace, ...] = ()
        self._highest = 1
        self._kept: dict[tuple[int, int], Sequence[float | None]] = {}  # slices by trace and number
        self._kept_at = 0.0

    def show(self, traces: Sequence[Trace], now: float, *, highest: int = 1) -> None:
        """The newest values at once; the lines, whose slices are many seconds long, every few seconds of `now`."""
        if not 0 <= now - self._kept_at < _EVERY:
            self._kept, self._kept_at = {}, now
        self._traces = tuple(replace(trace, slices=self._keeping(at, trace)) for at, trace in enumerate(traces))
        self._highest = highest
        self.draw()

    def _keeping(self, at: int, trace: Trace) -> Callable[[int], Sequence[float | None]]:
        def slices(count: int) -> Sequence[float | None]:
            if (at, count) not in self._kept:
                self._kept[at, count] = trace.slices(count)
            return self._kept[at, count]

        return slices

    def draw(self) -> None:
        room = self.scrollable_content_region
        lines = 1 if self.styles.is_auto_height else room.height // max(1, len(self._traces))
        self.set_lines(trace_lines(self._traces, room.width, height=max(1, min(self._highest, lines))))


@dataclass(frozen=True, slots=True)
class _Columns:
    """Widths in cells. `peak` 0: there is no room to tell it."""

    label: int
    blocks: int
    latest: int
    peak: int


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A trace with its values in words."""

    trace: Trace
    latest: str
    peak: str


def trace_lines(traces: Sequence[Trace], width: int, *, height: int = 1) -> list[Line]:
    """Label, blocks, latest value and highest one of each trace, in columns over all of them."""
    drawn = [_drawn(trace, max(1, width)) for trace in traces]
    label, latest, peak = (
        max((text_width(text) for text in texts), default=0)
        for texts in (
            [one.trace.label for one in drawn],
            [one.latest for one in drawn],
            [one.peak for one in drawn],
        )
    )
    room = width - label - latest - 4
    if room - peak - 2 < _FOR_PEAKS:  # the first to go
        peak = 0
    columns = _Columns(label, room - (peak + 2 if peak else 0), latest, peak)
    return [line for one in drawn for line in _lines_of(one, columns, height)]


def _drawn(trace: Trace, slices: int) -> _Drawn:
    known = [value for value in trace.slices(slices) if value is not None]
    return _Drawn(
        trace,
        "?" if trace.newest is None else trace.words(trace.newest),
        f"max {trace.words(max(known))}" if known else "",
    )


def _lines_of(one: _Drawn, columns: _Columns, height: int) -> Iterator[Line]:
    """The words stand on the lowest of its lines, where the blocks do."""
    trace, rows = one.trace, [""] * height
    if columns.blocks >= _NARROWEST:
        rows = blocks(trace.slices(columns.blocks), top=trace.top, height=height)
    for row in rows[:-1]:
        yield Span(" " * (columns.label + 2)), levelled(row, trace.level)
    line = [Span(f"{trace.label:<{columns.label}}  ", "dim"), levelled(rows[-1], trace.level)]
    line.append(Span("  " if rows[-1] else ""))
    line.append(levelled(f"{one.latest:>{columns.latest}}", Level.UNKNOWN if trace.newest is None else trace.level))
    if columns.peak:
        line.append(Span(f"  {one.peak:<{columns.peak}}", "dim"))
    yield tuple(line)


def blocks(slices: Sequence[float | None], *, top: float | None = None, height: int = 1) -> list[str]:
    """`height` strings with a cell for each slice, the uppermost first. `top` is what the highest bar stands for; None:
    the greatest value.

    Only 0 (and less) has the lowest block; whatever is more has at least the one above it.
    """
    scale = top if top is not None else max((value for value in slices if value is not None), default=0.0)
    levels = [None if value is None else _eighths(value, scale, 8 * height) for value in slices]
    return ["".join(_block(level, row) for level in levels) for row in reversed(range(height))]


def _eighths(value: float, scale: float, most: int) -> int:
    """How many eighths of a line are filled: 1 is nothing, 2 to `most` are shares of the scale."""
    if value <= 0 or scale <= 0:
        return 1
    return min(most, max(2, round(value / scale * most)))


def _block(level: int | None, row: int) -> str:
    """The part of a bar that stands in a row; rows count from the lowest."""
    return " " if level is None else _BLOCKS[min(8, max(0, level - 8 * row))]
