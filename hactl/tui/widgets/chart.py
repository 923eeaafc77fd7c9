"""The prober's last minutes as bars: how slow the slowest answer of a second was; failures are marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from hactl.tui.widgets.lines import Line, Lines, Span

_BARS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Beat:
    """One second: the slowest answer in seconds, and how many requests failed. `second` is of the clock on the wall."""

    slowest: float
    failed: int
    second: int = 0


class Chart(Lines):
    """Shows beats, the newest at the right, under a line of words; as high as there is room."""

    _words = Span("")
    _beats: Sequence[Beat] = ()

    def show(self, words: str, beats: Sequence[Beat], *, bad: bool) -> None:
        self._words, self._beats = Span(words, "crit" if bad else ""), tuple(beats)
        self.draw()

    def draw(self) -> None:
        width, rows = max(1, self.size.width), max(1, self.size.height - 1)
        self.set_lines([(self._words,), *bars(self._beats[-width:], rows)])


def bars(beats: Sequence[Beat], rows: int = 1) -> list[Line]:
    """Lines from the top: a bar for each beat, "!" where a request failed. Its height grows with the square root of its
    share of the slowest one, so that one slow answer does not make all others look the same.
    """
    top = max((beat.slowest for beat in beats), default=0.0) or 1.0
    eighths = [max(1, round((beat.slowest / top) ** 0.5 * 8 * rows)) for beat in beats]
    return [_row(beats, eighths, 8 * below) for below in reversed(range(rows))]


def _row(beats: Sequence[Beat], eighths: Sequence[int], floor: int) -> Line:
    """The part of the bars above `floor`; neighbours of one style are one span."""
    signs = (
        ("!", "crit") if beat.failed else (_BARS[min(8, max(0, height - floor))], "ok")
        for beat, height in zip(beats, eighths, strict=True)
    )
    return tuple(Span("".join(sign for sign, _ in run), style) for style, run in groupby(signs, key=lambda one: one[1]))
