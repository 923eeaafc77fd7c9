"""Measured values in the order of their times, as small as they can be: one series is one line of a graph."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from typing import NamedTuple

from hactl.model.state import STALE_AFTER_INTERVALS

SPAN = 15 * 60.0  # seconds that are shown
_SPARE = 60.0  # seconds that are kept longer, so that the front is seldom cut off
_CLOSEST = 1.5  # seconds; of two points closer than this the greater one counts: bounds memory, keeps peaks


class Point(NamedTuple):
    """`at` is a second of the pictures' monotonic clock."""

    at: float
    value: float


class Series:
    """Points of the last fifteen minutes: 12 bytes each, at most 8 kB together."""

    __slots__ = ("_interval", "_times", "_values")

    def __init__(self) -> None:
        self._times = array("d")
        self._values = array("f")
        self._interval = 0.0

    def put(self, at: float, value: float, interval: float) -> None:
        """The next value should come `interval` seconds later. One that is not newer than the last is known already."""
        self._interval = interval
        times = self._times
        if times and (since := at - times[-1]) < _CLOSEST:
            if since > 0 and value > self._values[-1]:
                self._values[-1] = value
            return
        times.append(at)
        self._values.append(value)
        if times[0] < at - SPAN - _SPARE:
            old = bisect_left(times, at - SPAN)
            del times[:old], self._values[:old]

    def cut_after(self, at: float) -> None:
        """Forget what came after this second."""
        kept = bisect_right(self._times, at)
        del self._times[kept:], self._values[kept:]

    def points(self, now: float) -> tuple[Point, ...]:
        """Those of the fifteen minutes before `now`, oldest first."""
        first = bisect_left(self._times, now - SPAN)
        return tuple(map(Point, self._times[first:], self._values[first:]))

    def newest(self, now: float) -> float | None:
        """The last value, while it is knowledge."""
        if not self._times or now - self._times[-1] > self._holds:
            return None
        return self._values[-1]

    def slices(self, now: float, count: int) -> tuple[float | None, ...]:
        """The fifteen minutes before `now` in `count` parts: the greatest value of each, None where nobody knew.

        A value holds until the next one, but no longer than it is knowledge. The parts lie on a grid of the clock, so
        that a value stays in its part while time goes on.
        """
        width = SPAN / count
        newest = math.floor(now / width)
        first = newest - count + 1
        found: list[float | None] = [None] * count
        begin = bisect_left(self._times, first * width - self._holds)
        for index in range(begin, len(self._times)):
            at, value = self._times[index], self._values[index]
            until = self._times[index + 1] if index + 1 < len(self._times) else now
            left = math.floor(at / width) - first
            right = min(math.floor(min(until, at + self._holds) / width), newest) - first
            for part in range(max(0, left), right + 1):
                before = found[part]
                found[part] = value if before is None or value > before else before
        return tuple(found)

    @property
    def _holds(self) -> float:
        return STALE_AFTER_INTERVALS * self._interval
