"""A recording in words: what it is, where in it one is, what happened then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from hactl.model.findings import Level
from hactl.model.recording import Header, Mark, MarkKind
from hactl.model.recording_time import clock, stamp


def label(header: Header, at: float, length: float) -> str:
    """One line that nobody takes for the present."""
    note = f": {header.note}" if header.note else ""
    return f"RECORDING of {header.inventory.name}, {stamp(header.began + at)}, {clock(at)} of {clock(length)}{note}"


class Sign(StrEnum):
    """What stands at a place of the line of time, the more telling above the less."""

    NOTHING = "nothing"
    RUN = "run"  # a run went on
    STEP = "step"
    BEGAN = "began"
    ENDED = "ended"
    WARN = "warn"  # the cluster's level changed to this
    OK = "ok"
    UNKNOWN = "unknown"
    CRIT = "crit"  # or a finding became so


_RANK = list(Sign)
_BY_KIND = {MarkKind.BEGAN: Sign.BEGAN, MarkKind.STEP: Sign.STEP, MarkKind.ENDED: Sign.ENDED, MarkKind.NEWS: Sign.CRIT}


@dataclass(frozen=True, slots=True)
class TimeLine:
    """`signs`: one for each place, from the begin of the recording to its end."""

    signs: tuple[Sign, ...]
    here: int


def time_line(marks: Sequence[Mark], length: float, at: float, width: int) -> TimeLine:
    """The recording in `width` places, and the place where `at` is."""
    signs = [Sign.NOTHING] * width
    went_on: dict[str, float] = {}
    for mark in marks:
        place = _place(mark.at, length, width)
        if mark.kind is MarkKind.BEGAN:
            went_on[mark.run] = mark.at
        elif mark.kind is MarkKind.ENDED:
            for each in range(_place(went_on.pop(mark.run, 0.0), length, width), place):
                signs[each] = _more_telling(signs[each], Sign.RUN)
        signs[place] = _more_telling(signs[place], _sign(mark))
    for began in went_on.values():  # it went on to the end of the recording
        for each in range(_place(began, length, width), width):
            signs[each] = _more_telling(signs[each], Sign.RUN)
    return TimeLine(tuple(signs), _place(at, length, width))


def newest_mark(marks: Sequence[Mark], at: float) -> Mark | None:
    """What has happened last."""
    return next((mark for mark in reversed(marks) if mark.at <= at), None)


def _place(at: float, length: float, width: int) -> int:
    return min(width - 1, int(width * at / length)) if length > 0 and width > 0 else 0


def _sign(mark: Mark) -> Sign:
    if mark.kind is MarkKind.LEVEL:
        return Sign((mark.level or Level.OK).word)
    return _BY_KIND[mark.kind]


def _more_telling(one: Sign, other: Sign) -> Sign:
    return one if _RANK.index(one) >= _RANK.index(other) else other
