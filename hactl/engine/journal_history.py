"""What the journal teaches: a run in a few numbers, how long verbs took, which runs are not finished. Only reads."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import TypeAlias

from hactl.engine.journal_text import event_of, plan_of
from hactl.model.events import (
    Outcome,
    Recorded,
    RunEnded,
    RunStarted,
    StepDone,
    StepFailed,
    StepStarted,
    StepUnknown,
    UndoDone,
    UndoFailed,
    UndoStarted,
)
from hactl.model.journal import RunSummary
from hactl.model.observed import Unknown
from hactl.model.plan import History, PlannedStep, RunRef
from hactl.model.run import RunState, StepPhase, StepState, folded

_LOOKED_AT = 30  # newest runs of a cluster; older ones teach little about today's
_TELLING = (
    RunStarted, RunEnded, StepStarted, StepDone, StepFailed, StepUnknown, UndoStarted, UndoDone, UndoFailed,
)  # fmt: skip
_KINDS = ", ".join(f"'{kind.__name__}'" for kind in _TELLING)
_WELL = {Outcome.DONE, Outcome.UNDONE}
_AT_ITS_END = {StepPhase.DONE, StepPhase.SKIPPED}
_LEFT_ALONE = {StepPhase.PENDING, StepPhase.SKIPPED, StepPhase.UNDONE}

Row: TypeAlias = tuple[str, str, str, str, float, str]
"""Of a run: its id, cluster, playbook, who, at, plan as text."""
Alive: TypeAlias = Callable[[str], bool | Unknown]


def summary(db: sqlite3.Connection, row: Row, *, alive: bool | Unknown) -> RunSummary:
    run, cluster, playbook, who, at, text = row
    plan = json.loads(text)  # not made a Plan: fifty runs are listed at once, and a newer hactl's are, too
    began: float | None = None
    ended: tuple[float, RunEnded] | None = None
    attempts, done = 0, set[int]()
    for recorded in _story(db, run):
        match recorded.event:
            case RunStarted():
                began, ended, attempts = began or recorded.at, None, attempts + 1
            case RunEnded() as end:
                ended = recorded.at, end
            case StepDone(step):
                done.add(step)
            case StepStarted(step) | UndoDone(step):
                done.discard(step)
            case _:
                pass
    return RunSummary(
        run=run,
        cluster=cluster,
        playbook=playbook,
        title=plan["title"],
        who=who,
        reason=plan["request"]["reason"],
        targets=tuple(plan["targets"]),
        planned_at=at,
        began_at=began,
        ended_at=ended[0] if ended else None,
        outcome=ended[1].outcome if ended else None,
        sentence=ended[1].sentence if ended else "",
        attempts=attempts,
        steps=len(plan["steps"]),
        done=len(done),
        alive=alive,
    )


def history_of(db: sqlite3.Connection, cluster: str, playbook: str, alive: Alive) -> History:
    rows: Sequence[Row] = db.execute(
        "SELECT run, cluster, playbook, who, at, plan FROM runs WHERE cluster = ? ORDER BY seq DESC LIMIT ?",
        (cluster, _LOOKED_AT),
    ).fetchall()
    took: dict[str, list[float]] = defaultdict(list)
    unfinished: list[RunRef] = []
    settled: set[str | None] = set()  # nodes that a later run has left well
    similar = 0
    for run, _, of, who, at, text in rows:
        try:
            state = folded(run, plan_of(text), _story(db, run))
        except ValueError:  # a newer hactl's plan: nothing to learn from it
            continue
        _learn(took, state)
        similar += of == playbook and state.outcome is Outcome.DONE
        living = alive(run)
        left = _left(state)
        if _open(state, left - settled, alive=living):
            nodes = tuple(sorted(node for node in left - settled if node is not None))
            unfinished.append(RunRef(run, of, state.who or who, state.began_at or at, bool(living), nodes))
        if state.outcome is Outcome.DONE:  # one that was put back has left things as it found them
            settled.update(step.node for step in state.plan.steps if step.mutates)
    durations: Mapping[str, float] = {name: median(seconds) for name, seconds in took.items()}
    return History(durations, similar, tuple(unfinished))


def _learn(took: dict[str, list[float]], state: RunState) -> None:
    for planned, step in zip(state.plan.steps, state.steps, strict=True):
        if step.phase is StepPhase.DONE:
            took[planned.verb].append(step.seconds)
            if planned.node is not None:
                took[f"{planned.verb} {planned.node}"].append(step.seconds)


def _open(state: RunState, left: set[str | None], *, alive: bool | Unknown) -> bool:
    """Whether somebody works on the run, or it has left something behind that resume or undo would put right.

    `left`: where, but for nodes that a later run has left well.
    """
    if alive is True:
        return True
    if state.outcome in _WELL or state.began_at is None:
        return False
    return bool(left) or (state.outcome is None and bool(alive))


def _left(state: RunState) -> set[str | None]:
    """The nodes (None: the cluster) on which the run has begun something that it has neither ended nor put back.

    A look leaves nothing, nor does a verb that says so, nor a step that failed before it began; nor one that is known
    to have failed and that nothing could take back, once the run itself has ended with that.
    """
    left: set[str | None] = set()
    lanes: dict[str, list[tuple[PlannedStep, StepState]]] = defaultdict(list)
    for planned, step in zip(state.plan.steps, state.steps, strict=True):
        lanes[planned.lane].append((planned, step))
    for steps in lanes.values():
        if all(step.phase in _AT_ITS_END for _, step in steps):
            continue
        left.update(planned.node for planned, step in steps if _begun(planned, step, state.outcome))
    return left


def _begun(planned: PlannedStep, step: StepState, outcome: Outcome | None) -> bool:
    if not (planned.mutates and planned.leaves and step.attempts) or step.phase in _LEFT_ALONE:
        return False
    return outcome is not Outcome.FAILED or step.phase is not StepPhase.FAILED or planned.undo


def _story(db: sqlite3.Connection, run: str) -> list[Recorded]:
    """The events that tell how the run went, without what was said on the way."""
    rows = db.execute(
        f"SELECT number, at, kind, body FROM events WHERE run = ? AND kind IN ({_KINDS}) ORDER BY number",  # noqa: S608 - names of ours
        (run,),
    )
    return [Recorded(run, number, at, event_of(kind, body)) for number, at, kind, body in rows]
