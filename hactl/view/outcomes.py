"""What outcomes and phases are called and how bad they are: the tables that everything about runs is worded with."""

from __future__ import annotations

from collections.abc import Mapping

from hactl.model.findings import Level
from hactl.model.run import Outcome, PoolCount, StepPhase

OUTCOME_LEVELS: Mapping[Outcome, Level] = {
    Outcome.DONE: Level.OK,
    Outcome.FAILED: Level.CRIT,
    Outcome.UNDONE: Level.WARN,
    Outcome.STOPPED: Level.WARN,
    Outcome.UNKNOWN: Level.UNKNOWN,
    Outcome.CANCELLED: Level.WARN,
}
OUTCOME_WORDS: Mapping[Outcome, str] = {
    Outcome.DONE: "done",
    Outcome.FAILED: "failed",
    Outcome.UNDONE: "failed and undone",
    Outcome.STOPPED: "stopped",
    Outcome.UNKNOWN: "outcome unknown",
    Outcome.CANCELLED: "aborted",
}
PHASE_LEVELS: Mapping[StepPhase, Level | None] = {
    StepPhase.PENDING: None,
    StepPhase.RUNNING: None,
    StepPhase.DONE: Level.OK,
    StepPhase.SKIPPED: Level.OK,
    StepPhase.FAILED: Level.CRIT,
    StepPhase.UNKNOWN: Level.UNKNOWN,
    StepPhase.UNDOING: Level.WARN,
    StepPhase.UNDONE: Level.WARN,
    StepPhase.UNDO_FAILED: Level.CRIT,
}


def pool_words(count: PoolCount) -> str:
    unknown = f", {count.unknown} unknown" if count.unknown else ""
    return f"{count.pool} {count.available} of {count.total} available, minimum {count.minimum}{unknown}"
