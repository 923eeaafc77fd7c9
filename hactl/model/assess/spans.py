"""Answers of different nodes are not of the same moment: what may be said about two of them together.

An address that moves from lb1 to lb2 between two samples seems for a moment to be on both, or on neither. Two things
were so together only if the spans over which they are known to have been so overlap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hactl.model.facts import Facts
from hactl.model.state import Reading


@dataclass(frozen=True, slots=True)
class Span:
    """Monotonic seconds. `start` is minus infinity where no earlier answer says otherwise."""

    start: float
    end: float


def span(reading: Reading, holds: Callable[[Facts], bool]) -> Span:
    """Over which time the newest answer's `holds` (which is true of it) is known, or not known to have been false."""
    last, before = reading.last, reading.before
    if last is None:
        raise ValueError("there is no answer")
    changed = before is not None and last.at - before.at <= reading.limit() and not holds(before.value)
    return Span(last.at if changed else -math.inf, last.at)


def together(spans: Iterable[Span]) -> bool:
    """Was there a moment that lies in all of them?"""
    known = list(spans)
    return not known or max(one.start for one in known) <= min(one.end for one in known)
