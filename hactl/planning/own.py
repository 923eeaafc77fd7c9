"""What a run knows of itself: which nodes it has taken out or works on, and what its batch does next."""

from __future__ import annotations

from hactl.model.guard import Ruling
from hactl.model.plan import Plan, PlannedStep
from hactl.model.run import RunState, StepPhase
from hactl.model.verb import Effect
from hactl.planning.case import TAKING

_NOT_BEGUN = frozenset({StepPhase.PENDING, StepPhase.UNDONE})
_ENDED = frozenset({StepPhase.DONE, StepPhase.SKIPPED, StepPhase.UNDONE})
_FAILED = frozenset({StepPhase.FAILED, StepPhase.UNKNOWN, StepPhase.UNDO_FAILED})


def own(plan: Plan, step: PlannedStep, state: RunState) -> frozenset[str]:
    """The step's node, and every node that this run has taken out, works on, or has failed at.

    A node that the run has finished is not among them: should it fall ill afterwards, that is news.
    """
    nodes = {step.node} if step.node is not None else set[str]()
    return frozenset(nodes | {node for node in _nodes(plan) if _is_own(plan, state, node)})


def coming(plan: Plan, step: PlannedStep, state: RunState) -> tuple[PlannedStep, ...]:
    """The step, and what other nodes of its segment may be doing at the same time: steps that take something away
    there and are not ended, for they may take effect only after the picture was made.
    """
    beside = tuple(
        one
        for one in plan.steps
        if one.segment == step.segment
        and one.lane != step.lane
        and one.effect in TAKING
        and state.steps[one.index].phase in {StepPhase.PENDING, StepPhase.RUNNING}
        and not _given_up(plan, state, one.lane)
    )
    return tuple(sorted((step, *beside), key=lambda one: one.index))


def taken_out(plan: Plan, step: PlannedStep, state: RunState) -> tuple[PlannedStep, ...]:
    """The earlier steps of the lane by which its node is out now, as far as the run knows."""
    found: dict[str, PlannedStep] = {}
    for one in plan.steps[: step.index]:
        if one.lane != step.lane or one.node != step.node or state.steps[one.index].phase not in _ENDED - _NOT_BEGUN:
            continue
        if one.effect is Effect.TAKES_OUT:
            found[one.name] = one
        elif one.effect is Effect.BRINGS_BACK:
            found.clear()
    return tuple(found.values())


def opens(step: PlannedStep, state: RunState) -> bool:
    """Is it the first in its lane that changes something? Steps of the run or batch each stand for themselves."""
    if not step.lane:
        return True
    before = (one for one in state.plan.steps[: step.index] if one.lane == step.lane and one.mutates)
    return all(state.steps[one.index].phase in _NOT_BEGUN for one in before)


def accepted(plan: Plan) -> frozenset[str]:
    """Nodes that were critical when the plan was confirmed, and that it is meant to repair."""
    return frozenset(
        verdict.node
        for verdict in plan.verdicts
        if verdict.guard == "critical-finding"
        and verdict.node is not None
        and (verdict.ruling is Ruling.WARN or verdict.overridden)
    )


def _nodes(plan: Plan) -> frozenset[str]:
    return frozenset(step.node for step in plan.steps if step.node is not None)


def _is_own(plan: Plan, state: RunState, node: str) -> bool:
    mine = [(one, state.steps[one.index].phase) for one in plan.steps if one.node == node]
    phases = {phase for _, phase in mine}
    if phases & _FAILED:
        return True
    begun = [(one, phase) for one, phase in mine if phase not in _NOT_BEGUN]
    lanes = {(one.lane, one.batch) for one, _ in begun}
    if any(phase not in _ENDED for one, phase in mine if (one.lane, one.batch) in lanes):
        return True
    moves = [one.effect for one, _ in begun if one.effect in {Effect.TAKES_OUT, Effect.BRINGS_BACK}]
    return moves[-1:] == [Effect.TAKES_OUT]


def _given_up(plan: Plan, state: RunState, lane: str) -> bool:
    return any(one.lane == lane and state.steps[one.index].phase in _FAILED for one in plan.steps)
