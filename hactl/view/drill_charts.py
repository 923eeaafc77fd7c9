"""The drawings of a drill's page: its phases in a row, and how RTO, RPO and size went from drill to drill."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hactl.model.drills import PHASES, RTO_PHASES, DrillRecord, Verdict
from hactl.view import report_shapes as shapes
from hactl.view import units
from hactl.view.report_shapes import WIDTH

_LEFT, _RIGHT = 110, 12
_ROOM = WIDTH - _LEFT - _RIGHT
_ROW = 30
_CHART = 120  # height of a chart's plot
_AXIS = 22
_MOST = 60  # drills in a chart, the newest
_FAR = 4.0  # a target so many times the highest bar is left out: nothing else could be told from nothing
_KINDS: Mapping[Verdict, str] = {Verdict.PASS: "done", Verdict.PARTIAL: "undone", Verdict.FAIL: "failed"}


def phases(record: DrillRecord, past: DrillRecord | None) -> str:
    """This drill's phases one after the other, the good one before below it, on one scale; its target as a line."""
    rows = [("this drill", record), *([("before", past)] if past is not None else [])]
    aimed = _lead(record) + (record.target_rto or 0.0)
    longest = max([aimed, *(one.seconds for _, one in rows)]) or 1.0
    drawn = [shape for place, (name, one) in enumerate(rows) for shape in _phase_row(place, name, one, longest)]
    if record.target_rto is not None:
        x = _LEFT + aimed / longest * _ROOM
        drawn.append(shapes.line(x, 0, x, len(rows) * _ROW, "minimum"))
        drawn.append(shapes.text(_LEFT, len(rows) * _ROW + 15, _aim(record), ""))
    return shapes.svg(len(rows) * _ROW + _AXIS, drawn, "How long each phase took")


def _lead(record: DrillRecord) -> float:
    """Seconds before the clock of the RTO begins to run."""
    return sum(record.phases.get(name, 0.0) for name in PHASES[: PHASES.index(RTO_PHASES[0])])


def _aim(record: DrillRecord) -> str:
    names = " and ".join(record.rto_phases)
    return f"dashed: where {names} should end, {units.duration(record.target_rto or 0.0)} after they began"


def _phase_row(place: int, name: str, record: DrillRecord, longest: float) -> Iterator[str]:
    yield shapes.text(_LEFT - 8, place * _ROW + _ROW / 2 + 4, name, "axis-name")
    left = float(_LEFT)
    for phase in PHASES:
        seconds = record.phases.get(phase, 0.0)
        width = seconds / longest * _ROOM
        if seconds > 0:
            told = f"{phase}: {units.duration(seconds)}"
            yield shapes.rect((left, place * _ROW + 4), max(1.0, width - 1), _ROW - 8, f"bar {phase}", told)
            if width > 7 * len(told) + 8:
                yield shapes.text(left + 5, place * _ROW + _ROW / 2 + 4, told, "in-bar")
        left += width


@dataclass(frozen=True, slots=True)
class _Measured:
    """What is drawn of each drill; of several parts the first stands lowest."""

    name: str
    parts: Callable[[DrillRecord], Sequence[tuple[str, float]]]  # class and value; none: not measured
    words: Callable[[float], str]
    target: Callable[[DrillRecord], float | None]


def _rto(record: DrillRecord) -> Sequence[tuple[str, float]]:
    return () if record.rto is None else [(name, record.phases.get(name, 0.0)) for name in record.rto_phases]


def _one(record: DrillRecord, value: float | None) -> Sequence[tuple[str, float]]:
    return () if value is None else ((_KINDS[record.verdict], value),)


_TRENDS = (
    _Measured("RTO", _rto, units.duration, lambda one: one.target_rto),
    _Measured("RPO", lambda one: _one(one, one.rpo), units.duration, lambda one: one.target_rpo),
    _Measured("size", lambda one: _one(one, one.size), units.size, lambda _: None),
)


def trends(records: Sequence[DrillRecord]) -> Iterator[tuple[str, str]]:
    """For each measure its name and a chart: a bar a drill, oldest first, and the newest target as a line."""
    shown = records[-_MOST:]
    for measured in _TRENDS:
        if any(measured.parts(one) for one in shown):
            yield measured.name, _trend(measured, shown)


def _trend(measured: _Measured, records: Sequence[DrillRecord]) -> str:
    most = max(sum(value for _, value in measured.parts(one)) for one in records)
    target = measured.target(records[-1])
    if target is not None and target > _FAR * most:
        target = None
    top = max(most, target or 0.0) or 1.0
    drawn = [shape for place, one in enumerate(records) for shape in _bar(measured, one, (place, len(records)), top)]
    drawn.append(shapes.line(_LEFT, _CHART, WIDTH - _RIGHT, _CHART, "base"))
    drawn.append(shapes.text(_LEFT - 8, 12, measured.words(top), "axis-name"))
    drawn.append(shapes.text(_LEFT - 8, _CHART + 4, "0", "axis-name"))
    if target is not None:
        y = _y(target, top)
        drawn.append(shapes.line(_LEFT, y, WIDTH - _RIGHT, y, "minimum"))
        if 30 < y < _CHART - 12:
            drawn.append(shapes.text(_LEFT - 8, y + 4, f"target {measured.words(target)}", "axis-name"))
    return shapes.svg(_CHART + _AXIS, (*drawn, *_days(records)), f"{measured.name} from drill to drill")


def _y(value: float, top: float) -> float:
    return 8 + (_CHART - 8) * (1 - value / top)


def _bar(measured: _Measured, record: DrillRecord, where: tuple[int, int], top: float) -> Iterator[str]:
    """`where`: its place, of how many. What was not measured is a mark on the ground."""
    place, count = where
    width = _ROOM / count
    left, wide = _LEFT + place * width + width * 0.1, max(1.0, min(48.0, width * 0.8))
    parts = measured.parts(record)
    head = f"{record.run}, {record.verdict.value}"
    if not parts:
        yield shapes.rect((left, _CHART - 3), wide, 3, "failed", f"{head}: {measured.name} was not measured")
    below = 0.0
    for kind, value in parts:
        low, high = _y(below, top), _y(below + value, top)
        told = f"{head}: {kind} {measured.words(value)}" if len(parts) > 1 else f"{head}: {measured.words(value)}"
        yield shapes.rect((left, high), wide, max(0.5, low - high), kind, told)
        below += value


def _days(records: Sequence[DrillRecord]) -> Iterator[str]:
    """The first and the last drill's day, where they have room."""
    yield shapes.text(_LEFT, _CHART + 16, _day(records[0]), "")
    if len(records) > 1:
        yield shapes.text(WIDTH - _RIGHT, _CHART + 16, _day(records[-1]), "axis-name")


def _day(record: DrillRecord) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(record.started))
