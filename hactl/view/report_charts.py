"""The charts of a report as inline SVG: steps per node, availability of each pool, what the prober saw.

All share one time axis and one left margin, so that they can be read down the page. Colours are classes of the page's
style; every shape says in a <title> what it is. Text from nodes is made harmless here like everywhere.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hactl.model.counting import PoolCount
from hactl.model.events import (
    Availability,
    ProbeTick,
    Recorded,
    StepDone,
    StepFailed,
    StepStarted,
    StepUnknown,
    UndoDone,
    UndoFailed,
    UndoStarted,
)
from hactl.model.plan import Plan
from hactl.view import report_shapes as shapes
from hactl.view import units
from hactl.view.matrix import CLUSTER
from hactl.view.outcomes import pool_words
from hactl.view.report_shapes import WIDTH
from hactl.view.report_time import TimeAxis

_LEFT, _RIGHT = 110, 12
_ROW = 26
_AXIS = 22
_CHART = 110  # height of a chart's plot


@dataclass(frozen=True, slots=True)
class Bar:
    """A step, or its undoing, at work. `kind` is a class of the style."""

    step: int
    begin: float
    end: float
    kind: str
    sentence: str


def axis_of(story: Sequence[Recorded]) -> TimeAxis:
    return TimeAxis((recorded.at for recorded in story), _LEFT, WIDTH - _RIGHT)


def timeline(plan: Plan, story: Sequence[Recorded], axis: TimeAxis) -> str:
    """One row a node, one bar for each time that a step was worked on."""
    bars = list(_bars(story))
    if not bars:
        return ""
    found = dict.fromkeys(step.node or CLUSTER for step in plan.steps)
    rows = {node: index for index, node in enumerate(found)}
    height = len(rows) * _ROW + _AXIS
    drawn = [_label(node, index * _ROW + _ROW / 2) for node, index in rows.items()]
    for bar in bars:
        step = plan.steps[bar.step]
        top = rows[step.node or CLUSTER] * _ROW + 3
        left, right = axis.x(bar.begin), axis.x(bar.end)
        took = units.duration(bar.end - bar.begin)
        told = f"{step.label}: {bar.kind}, {took}{': ' if bar.sentence else ''}{bar.sentence}"
        drawn.append(shapes.rect((left, top), max(1.5, right - left - 1), _ROW - 6, f"bar {bar.kind}", told))
        if right - left > 7 * len(step.name) + 8:
            drawn.append(shapes.text(left + 5, top + _ROW / 2 + 1, step.name, "in-bar"))
    return shapes.svg(height, (*_grid(axis, height - _AXIS), *drawn), "Steps of every node over time")


def availability(story: Sequence[Recorded], axis: TimeAxis) -> Iterator[tuple[str, str]]:
    """For each pool its name and a chart: available members over time, with the minimum as a line."""
    moments = [(recorded.at, recorded.event) for recorded in story if isinstance(recorded.event, Availability)]
    counts: dict[str, list[tuple[float, PoolCount]]] = {}
    for at, event in moments:
        for count in event.pools:
            counts.setdefault(count.pool, []).append((at, count))
    end = story[-1].at if story else 0.0
    for pool, series in counts.items():
        yield pool, _pool_chart(pool, series, end, axis)


def prober(story: Sequence[Recorded], axis: TimeAxis) -> Iterator[tuple[str, str]]:
    """For each endpoint its name and a chart: the slowest answer of each moment, and where requests failed."""
    ticks: dict[str, list[tuple[float, ProbeTick]]] = {}
    for recorded in story:
        if isinstance(tick := recorded.event, ProbeTick):
            ticks.setdefault(tick.endpoint, []).append((recorded.at, tick))
    for endpoint, series in ticks.items():
        yield endpoint, _probe_chart(endpoint, series, axis)


def _bars(story: Sequence[Recorded]) -> Iterator[Bar]:
    """What began and never ended lasts to the story's end, or to the step's next beginning."""
    begun: dict[int, tuple[float, str]] = {}
    for recorded in story:
        match recorded.event:
            case StepStarted(step=index):
                yield from _cut_off(begun, index, recorded.at)
                begun[index] = recorded.at, "running"
            case UndoStarted(step=index):
                yield from _cut_off(begun, index, recorded.at)
                begun[index] = recorded.at, "undoing"
            case StepDone(step=index) | StepFailed(step=index) | StepUnknown(step=index) as end if index in begun:
                yield Bar(index, begun.pop(index)[0], recorded.at, _kind(end), end.sentence)
            case UndoDone(step=index) | UndoFailed(step=index) as end if index in begun:
                yield Bar(index, begun.pop(index)[0], recorded.at, _kind(end), end.sentence)
            case _:
                pass
    for index in list(begun):
        yield from _cut_off(begun, index, story[-1].at)


def _cut_off(begun: dict[int, tuple[float, str]], index: int, at: float) -> Iterator[Bar]:
    if index in begun:
        since, _ = begun.pop(index)
        yield Bar(index, since, at, "unknown", "not seen to end")


def _kind(end: StepDone | StepFailed | StepUnknown | UndoDone | UndoFailed) -> str:
    match end:
        case StepDone(skipped=skipped):
            return "skipped" if skipped else "done"
        case StepFailed() | UndoFailed():
            return "failed"
        case UndoDone():
            return "undone"
    return "unknown"


def _pool_chart(pool: str, series: Sequence[tuple[float, PoolCount]], end: float, axis: TimeAxis) -> str:
    top = max(1, *(max(count.total, count.minimum) for _, count in series))

    def y(value: float) -> float:
        return 8 + (_CHART - 8) * (1 - value / top)

    points, drawn = [], []
    for index, (at, count) in enumerate(series):
        until = series[index + 1][0] if index + 1 < len(series) else max(end, at)
        left, right = axis.x(at), axis.x(until)
        level, width = "available" if count.at_most >= count.minimum else "short", max(0.5, right - left)
        told = f"{pool_words(count)} from {_clock(at)}"
        drawn.append(shapes.rect((left, y(count.available)), width, _CHART - y(count.available), level, told))
        if count.unknown:
            height = y(count.available) - y(count.at_most)
            drawn.append(shapes.rect((left, y(count.at_most)), width, height, "unknown", told))
        points += [f"{left:.1f},{y(count.available):.1f}", f"{right:.1f},{y(count.available):.1f}"]
    minimum = series[-1][1].minimum
    drawn.append(f'<polyline class="line" points="{" ".join(points)}"/>')
    drawn.append(shapes.line(_LEFT, y(minimum), WIDTH - _RIGHT, y(minimum), "minimum"))
    drawn.append(shapes.text(_LEFT - 8, y(minimum) + 4, f"minimum {minimum}", "axis-name"))
    if minimum != top:
        drawn.append(shapes.text(_LEFT - 8, y(top) + 4, str(top), "axis-name"))
    if minimum:
        drawn.append(shapes.text(_LEFT - 8, y(0) + 4, "0", "axis-name"))
    return shapes.svg(_CHART + _AXIS, (*_grid(axis, _CHART), *drawn), f"Available members of {pool} over time")


def _probe_chart(endpoint: str, series: Sequence[tuple[float, ProbeTick]], axis: TimeAxis) -> str:
    """One bar a pixel column at most, however long the run was."""
    columns: dict[int, tuple[float, int, int, float]] = {}
    for at, tick in series:
        x = int(axis.x(at))
        slowest, sent, failed, _ = columns.get(x, (0.0, 0, 0, at))
        columns[x] = max(slowest, tick.slowest), sent + tick.sent, failed + tick.failed, at
    top = max(0.001, *(slowest for slowest, *_ in columns.values()))
    width = max(1.0, min(6.0, (WIDTH - _LEFT - _RIGHT) / max(1, len(columns)) - 0.5))
    drawn = []
    for x, (slowest, sent, failed, at) in columns.items():
        height = (_CHART - 8) * slowest / top
        told = f"{_clock(at)}: {sent} requests, {failed} failed, slowest {units.duration(slowest)}"
        drawn.append(shapes.rect((x - width, _CHART - height), width, max(0.5, height), "latency", told))
        if failed:
            drawn.append(shapes.rect((x - width, 8), max(2.0, width), _CHART - 8, "failures", told))
    drawn.append(shapes.text(_LEFT - 8, 12, units.duration(top), "axis-name"))
    drawn.append(shapes.text(_LEFT - 8, _CHART + 4, "0", "axis-name"))
    return shapes.svg(_CHART + _AXIS, (*_grid(axis, _CHART), *drawn), f"Slowest answer of {endpoint} over time")


def _grid(axis: TimeAxis, height: float) -> Iterator[str]:
    for at, x in axis.marks():
        yield shapes.line(x, 0, x, height, "grid")
        yield shapes.text(x, height + 15, _clock(at), "tick")
    for x in axis.breaks:
        yield shapes.line(x, 0, x, height, "break")
    yield shapes.line(_LEFT, height, WIDTH - _RIGHT, height, "base")


def _label(node: str, y: float) -> str:
    return shapes.text(_LEFT - 8, y + 4, node, "axis-name")


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(at))
