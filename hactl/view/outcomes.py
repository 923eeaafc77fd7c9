"""What outcomes and phases are called and how bad they are: the tables that everything about runs is worded with."""

from __future__ import annotations

from collections.abc import Mapping

from hactl.model.counting import PoolCount, PoolProof
from hactl.model.events import Outcome
from hactl.model.findings import Level
from hactl.model.run import StepPhase
from hactl.view import units

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
    Outcome.UNDONE: "undone",
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
    """A count: "shop 2 of 3 available, minimum 2"; what nobody could judge is told as that."""
    if not count.unknown:
        return f"{count.pool} {count.available} of {count.total} available, minimum {count.minimum}"
    return (
        f"{count.pool} at least {count.available} of {count.total} available, {count.unknown} unknown, "
        f"minimum {count.minimum}"
    )


def proof_words(proof: PoolProof) -> str:
    """What all counts prove: "shop: never fewer than 2 of 3 available, minimum 2", or the range that it was in."""
    least = (
        f"never fewer than {proof.surely} of {proof.total} available"
        if proof.surely == proof.at_most
        else f"between {proof.surely} and {proof.at_most} of {proof.total} available at the worst moment"
    )
    doubt = f"; for {units.duration(proof.blind)} {proof.unknown} could not be judged" if proof.unknown else ""
    return f"{proof.pool}: {least}, minimum {proof.minimum}{doubt}"


def range_level(surely: int, at_most: int, minimum: int) -> Level:
    """Too few is critical only where it is known."""
    if at_most < minimum:
        return Level.CRIT
    return Level.UNKNOWN if surely < minimum else Level.OK
