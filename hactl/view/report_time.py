"""The time axis that all charts of a report share: seconds to pixels, with long silences cut out.

A run that was killed and resumed the next morning is told in minutes of work, not in hours of nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_SILENCE = 120.0  # seconds without any event from which on a gap is cut out
_BREAK = 14.0  # pixels that a cut takes
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200)
_TICK_EVERY = 80.0  # pixels at least between two marks
_LABEL = 60.0  # pixels that a label takes


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in which something happened, and where it lies."""

    begin: float
    end: float
    left: float
    right: float


class TimeAxis:
    """Maps epoch seconds to pixels between `left` and `right`."""

    def __init__(self, times: Iterable[float], left: float, right: float) -> None:
        self.left, self.right = left, right
        self.spans = _placed(_stretches(sorted(times)), left, right)

    def x(self, at: float) -> float:
        """Where a moment lies; what is in a silence lies at its edge."""
        for span in self.spans:
            if at < span.begin:
                return span.left
            if at <= span.end:
                return span.left + (at - span.begin) / (span.end - span.begin) * (span.right - span.left)
        return self.right

    @property
    def breaks(self) -> tuple[float, ...]:
        """Where silences were cut out."""
        return tuple((one.right + other.left) / 2 for one, other in zip(self.spans, self.spans[1:], strict=False))

    def marks(self) -> Iterator[tuple[float, float]]:
        """Round moments (epoch seconds) and where they lie, far enough from each other and the edge to be labelled."""
        seconds = sum(span.end - span.begin for span in self.spans)
        pixels = sum(span.right - span.left for span in self.spans)
        step = next((step for step in _STEPS if step / seconds * pixels >= _TICK_EVERY), _STEPS[-1])
        last = -_TICK_EVERY
        for span in self.spans:
            at = -(-span.begin // step) * step
            while at <= span.end:
                x = self.x(at)
                if x - last >= _LABEL and x <= self.right - _LABEL / 4:
                    last = x
                    yield at, x
                at += step


def _stretches(times: Sequence[float]) -> list[tuple[float, float]]:
    """Beginnings and ends of what lies between long silences; none of no length."""
    if not times:
        return [(0.0, 1.0)]
    stretches = [(times[0], times[0])]
    for at in times[1:]:
        begin, end = stretches[-1]
        if at - end > _SILENCE:
            stretches.append((at, at))
        else:
            stretches[-1] = (begin, at)
    return [(begin, max(end, begin + 1.0)) for begin, end in stretches]


def _placed(stretches: Sequence[tuple[float, float]], left: float, right: float) -> tuple[Span, ...]:
    total = sum(end - begin for begin, end in stretches)
    room = right - left - _BREAK * (len(stretches) - 1)
    placed, x = [], left
    for begin, end in stretches:
        width = (end - begin) / total * room
        placed.append(Span(begin, end, x, x + width))
        x += width + _BREAK
    return tuple(placed)
