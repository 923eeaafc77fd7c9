"""A run's steps as a matrix: nodes by steps, or the same turned round. What is not known to go on does not "run"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hactl.model.findings import Level
from hactl.model.plan import Plan, PlannedStep
from hactl.model.run import RunState, StepPhase, StepState
from hactl.view import units
from hactl.view.outcomes import PHASE_LEVELS
from hactl.view.tables import Cell, Column, Row, Table

CLUSTER = "cluster"  # the row of what is done once for no node; of a batch it is "batch 2"

_TIMED = {StepPhase.DONE, StepPhase.FAILED, StepPhase.UNKNOWN, StepPhase.UNDONE, StepPhase.UNDO_FAILED}
_GOING = {StepPhase.RUNNING, StepPhase.UNDOING}
_QUIET = {StepPhase.PENDING, StepPhase.DONE, StepPhase.SKIPPED, StepPhase.UNDONE}
_WORDS = {
    StepPhase.PENDING: "-",
    StepPhase.SKIPPED: "was so",
    StepPhase.RUNNING: "runs",
    StepPhase.UNDO_FAILED: "undo failed",
}
_NONE = Cell("")  # no such step on this node


@dataclass(frozen=True, slots=True)
class Moment:
    """When a step is looked at: `now` in epoch seconds; `ended` says how what was under way ended, if it did."""

    now: float | None = None
    ended: Cell | None = None


def moment(state: RunState, now: float | None = None, *, alive: bool = True) -> Moment:
    """A run that has ended, or whose runner is gone, has no step under way: it left it, or nobody knows."""
    if state.outcome is not None:
        return Moment(state.ended_at, Cell("left", Level.WARN))
    if not alive:
        return Moment(state.last_at, Cell("cut off", Level.UNKNOWN))
    return Moment(now)


def matrix_rows(state: RunState, now: float | None = None, *, alive: bool = True) -> Table:
    """Nodes by steps: a row for each node, a column for each step's name. `now` (epoch seconds) gives ages."""
    names = _names(state.plan)
    columns = (Column("node", "node"), *(Column(name, name) for name in names))
    cells = _cells(state, moment(state, now, alive=alive))
    rows = [
        Row(node, (Cell(node), *(cells.get((name, node), _NONE) for name in names)), _worst(cells, node=node))
        for node in _places(state.plan)
    ]
    return Table(columns, tuple(rows))


def step_rows(state: RunState, now: float | None = None, *, alive: bool = True) -> Table:
    """Steps by nodes: the same, turned round, for a screen that is higher than it is wide."""
    places = _places(state.plan)
    columns = (Column("step", "step"), *(Column(place, place) for place in places))
    cells = _cells(state, moment(state, now, alive=alive))
    rows = [Row(name, (Cell(name), *(cells.get((name, at), _NONE) for at in places))) for name in _names(state.plan)]
    return Table(columns, tuple(rows))


def place(step: PlannedStep) -> str:
    """The row that a step stands in."""
    if step.node is not None:
        return step.node
    return f"batch {step.batch}" if step.batch else CLUSTER


def phase_cell(step: StepState, at: Moment) -> Cell:
    """How a step stands: its phase in a word, and how long it took, or takes already."""
    level = PHASE_LEVELS[step.phase]
    word = _WORDS.get(step.phase, step.phase.value)
    if step.phase in _TIMED:
        took = units.duration(step.seconds)
        return Cell(took if step.phase is StepPhase.DONE else f"{word} {took}", level)
    if step.phase not in _GOING:
        return Cell(word, level)
    if at.ended is not None:
        word, level = at.ended.text, at.ended.level
    if at.now is None or step.began_at is None:
        return Cell(word, level)
    since = units.duration(round(max(0.0, at.now - step.began_at)))
    return Cell(f"{word} after {since}" if at.ended is not None else f"{word} {since}", level)


def _names(plan: Plan) -> tuple[str, ...]:
    return tuple(dict.fromkeys(step.name for step in plan.steps))


def _places(plan: Plan) -> list[str]:
    """Every node that a step is for, in the order of the plan; what belongs to none last."""
    found = {place(step): step.node for step in plan.steps}
    return [at for at, node in found.items() if node is not None] + [at for at, node in found.items() if node is None]


def _cells(state: RunState, at: Moment) -> Mapping[tuple[str, str], Cell]:
    steps: dict[tuple[str, str], list[StepState]] = {}
    for planned, step in zip(state.plan.steps, state.steps, strict=True):
        steps.setdefault((planned.name, place(planned)), []).append(step)
    return {where: _cell(several, at) for where, several in steps.items()}


def _cell(steps: Iterable[StepState], at: Moment) -> Cell:
    """A step of the same name may be done in one place several times, once a batch: the one that matters, and which."""
    several = list(steps)
    begun = [number for number, step in enumerate(several) if step.phase is not StepPhase.PENDING]
    loud = [number for number in begun if several[number].phase not in _QUIET]
    shown = (loud or begun or [0])[-1]
    cell = phase_cell(several[shown], at)
    return cell if len(several) == 1 or not begun else Cell(f"{shown + 1}/{len(several)} {cell.text}", cell.level)


def _worst(cells: Mapping[tuple[str, str], Cell], *, node: str) -> Level | None:
    return max((c.level for (_, on), c in cells.items() if on == node and c.level is not None), default=None)
