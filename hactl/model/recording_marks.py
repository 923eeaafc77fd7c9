"""The moments of a run that are worth going to in a recording."""

from __future__ import annotations

from hactl.model.events import (
    Outcome,
    Recorded,
    RunEnded,
    RunStarted,
    StepDone,
    StepFailed,
    StepUnknown,
    UndoDone,
    UndoFailed,
)
from hactl.model.findings import Level
from hactl.model.plan import Plan
from hactl.model.recording import Mark, MarkKind, RunEntry, RunPlanned

_LEVELS = {Outcome.DONE: Level.OK, Outcome.UNDONE: Level.WARN, Outcome.STOPPED: Level.WARN}


class RunMarks:
    """Takes everything that was recorded of runs, in its order."""

    def __init__(self) -> None:
        self._plans: dict[str, Plan] = {}

    def of(self, entry: RunEntry, at: float) -> Mark | None:
        """The mark of one entry, which was known from `at` on."""
        if isinstance(entry, RunPlanned):
            self._plans[entry.run] = entry.plan
        if not isinstance(entry, Recorded):
            return None
        run, event = entry.run, entry.event
        match event:
            case RunStarted(purpose=purpose):
                begins = {"resume": "is resumed", "undo": "is undone"}.get(purpose, "begins")
                return Mark(at, MarkKind.BEGAN, f"{self._name(run)} {begins}", None, run)
            case RunEnded(outcome, sentence):
                level = _LEVELS.get(outcome, Level.CRIT)
                return Mark(at, MarkKind.ENDED, f"{self._name(run)}: {outcome.value}, {sentence}", level, run)
            case StepDone(step, sentence) | UndoDone(step, sentence):
                return Mark(at, MarkKind.STEP, f"{self._step(run, step)}: {sentence}", Level.OK, run)
            case StepFailed(step, sentence) | StepUnknown(step, sentence) | UndoFailed(step, sentence):
                return Mark(at, MarkKind.STEP, f"{self._step(run, step)}: {sentence}", Level.CRIT, run)
            case _:
                return None

    def _name(self, run: str) -> str:
        plan = self._plans.get(run)
        return f"{plan.playbook} {', '.join(plan.targets)}".strip() if plan else f"run {run}"

    def _step(self, run: str, step: int) -> str:
        plan = self._plans.get(run)
        return plan.steps[step].label if plan and step < len(plan.steps) else f"step {step + 1}"
