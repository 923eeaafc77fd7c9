"""What a run has to answer for at its end: why it was halted, which lanes failed, which were put back. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from hactl.engine.remains import kept, remains
from hactl.model.events import Outcome, RunEnded
from hactl.model.run import RunState, StepPhase

_BY_WISH = {Outcome.CANCELLED, Outcome.STOPPED}


@dataclass(frozen=True, slots=True)
class Halt:
    """Why no further step is begun. `outcome` None: what the steps say."""

    sentence: str
    outcome: Outcome | None = None
    error: str = ""  # a code of model.errors


@dataclass(slots=True)
class Ledger:
    """Kept by the runner. A lane is a node's name, or the label of a step that is for no node alone."""

    halt: Halt | None = None
    failed: dict[str, str] = field(default_factory=dict)  # lane -> why, in this process's time or before
    put_back: dict[str, bool] = field(default_factory=dict)  # lane -> whether all of it could be

    def halt_with(self, sentence: str, outcome: Outcome | None = None) -> None:
        """The first reason counts."""
        self.halt = self.halt or Halt(sentence, outcome)

    def undone(self, *, whole: bool, stays: str = "") -> None:
        """Everything was to be put back, but for what `stays`: nothing else is of interest any more."""
        sentence = "everything that can be was put back" if whole else "not everything could be put back"
        sentence += f"; {stays}" if stays else ""
        self.halt = Halt(sentence)
        self.failed, self.put_back = {"": sentence}, {"": whole}

    def ended(self, state: RunState, seconds: float) -> RunEnded:
        """How the run ends; the sentence names what is left as it should not be."""
        outcome, halt = self._outcome(state), self.halt
        parts = [halt.sentence] if halt is not None else []
        if outcome is Outcome.DONE:
            parts = [f"{state.plan.title}: done"]
        else:
            parts += [*self.failed.values(), *remains(state)]
            if outcome is Outcome.UNDONE and (nodes := self._kept(state)):
                parts.append(f"done before and left so: {', '.join(nodes)}")
        sentence = "; ".join(dict.fromkeys(part.rstrip(".") for part in parts))
        return RunEnded(outcome, sentence, seconds, halt.error if halt is not None else "")

    def _kept(self, state: RunState) -> tuple[str, ...]:
        """None where all of the run was put back, and not the lanes of some nodes."""
        lanes = {step.lane for step in state.plan.steps if step.lane}
        return kept(state, self.put_back) if self.put_back.keys() <= lanes else ()

    def _outcome(self, state: RunState) -> Outcome:
        if self.halt is not None and self.halt.outcome in _BY_WISH:
            return self.halt.outcome
        if self.put_back and all(self.put_back.values()) and set(self.failed) == set(self.put_back):
            return Outcome.UNDONE
        if any(step.phase is StepPhase.UNKNOWN for step in state.steps):
            return Outcome.UNKNOWN
        return Outcome.FAILED if self.failed or self.halt is not None else Outcome.DONE
