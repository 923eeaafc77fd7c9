"""The prober's last minutes as one line of bars: how slow the slowest answer of a second was; failures are marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hactl.tui.widgets.lines import Line, Lines, Span

_BARS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Beat:
    """One second: the slowest answer in seconds, and how many requests failed. `second` is of the clock on the wall."""

    slowest: float
    failed: int
    second: int = 0


class Chart(Lines):
    """Shows beats, the newest at the right, under a line of words."""

    def show(self, words: str, beats: Sequence[Beat], *, bad: bool) -> None:
        width = max(1, self.size.width)
        shown = list(beats)[-width:]
        self.set_lines([(Span(words, "crit" if bad else ""),), bars(shown)])


def bars(beats: Sequence[Beat]) -> Line:
    """A bar for each beat, "!" where a request failed. Its height grows with the square root of its share of the
    slowest one, so that one slow answer does not make all others look the same.
    """
    top = max((beat.slowest for beat in beats), default=0.0) or 1.0
    spans = []
    for beat in beats:
        if beat.failed:
            spans.append(Span("!", "crit"))
        else:
            spans.append(Span(_BARS[min(8, max(1, round((beat.slowest / top) ** 0.5 * 8)))], "ok"))
    return tuple(spans)
