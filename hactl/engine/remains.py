"""What a run that did not reach its end leaves as it should not be, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Collection

from hactl.model.run import RunState, StepPhase
from hactl.model.verb import Effect

_HOLDS = {
    StepPhase.DONE,
    StepPhase.RUNNING,
    StepPhase.UNKNOWN,
    StepPhase.FAILED,
    StepPhase.UNDOING,
    StepPhase.UNDO_FAILED,
}
_SETTLED = {StepPhase.DONE, StepPhase.SKIPPED}


def remains(state: RunState) -> tuple[str, ...]:
    """A sentence for each node that is left out of its pools, and for each step of which nobody knows, or that failed
    and could not be put back.
    """
    out: dict[str, str] = {}
    uneasy = []
    for step, now in zip(state.plan.steps, state.steps, strict=True):
        if step.node is not None and step.effect is Effect.TAKES_OUT and now.phase in _HOLDS and now.memory is not None:
            out[step.node] = f"{step.node} may be left out of its pools"
            if now.phase is StepPhase.DONE:
                out[step.node] = f"{step.node} is left out of its pools"
        elif step.node is not None and step.effect is Effect.BRINGS_BACK and now.phase in _SETTLED:
            out.pop(step.node, None)
        if now.phase is StepPhase.UNKNOWN:
            uneasy.append(f"whether {step.label} was done is unknown")
        elif now.phase is StepPhase.UNDO_FAILED:
            uneasy.append(f"{step.label} could not be put back: {now.sentence}")
        elif now.phase is StepPhase.UNDOING:
            uneasy.append(f"putting {step.label} back was cut off")
        elif now.phase is StepPhase.RUNNING and step.mutates:
            uneasy.append(f"{step.label} was cut off")
    return (*out.values(), *uneasy)


def kept(state: RunState, put_back: Collection[str] = ()) -> tuple[str, ...]:
    """The nodes on which something was changed and stays so; of lanes that were `put_back` nothing is left so."""
    nodes = [
        step.node
        for step, now in zip(state.plan.steps, state.steps, strict=True)
        if step.node is not None and step.mutates and now.phase is StepPhase.DONE and step.lane not in put_back
    ]
    return tuple(dict.fromkeys(nodes))
