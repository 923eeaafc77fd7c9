"""Puts back what a run has done: its steps backwards, each through its verb's `undo` with what was remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hactl.engine.crew import Crew
from hactl.engine.failures import defect
from hactl.engine.will import StopWishedError
from hactl.model.errors import HactlError, InputError, TransportError
from hactl.model.events import Said, UndoDone, UndoFailed, UndoStarted
from hactl.model.picture import Picture
from hactl.model.plan import PlannedStep
from hactl.model.run import StepPhase
from hactl.model.verb import Effect, Memory, VerbError

# An undo has at least so many seconds, however short its step's deadline is.
_AT_LEAST = 60.0
_ENOUGH = "minimum-available"
_TO_PUT_BACK = {
    StepPhase.RUNNING,
    StepPhase.DONE,
    StepPhase.FAILED,
    StepPhase.UNKNOWN,
    StepPhase.UNDOING,
    StepPhase.UNDO_FAILED,
}
_COMPLETE = {StepPhase.DONE, StepPhase.SKIPPED}


class Undoing:
    """Everything that is put back in one run goes through here, one step after another in a lane."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    def pending(self, steps: Iterable[PlannedStep]) -> list[PlannedStep]:
        """Those that have something to put back, the last one first."""
        states = self._crew.story.state.steps
        found = [
            step
            for step in steps
            if step.undo
            and self._crew.verbs[step.verb].has_undo
            and states[step.index].memory is not None
            and states[step.index].phase in _TO_PUT_BACK
        ]
        return sorted(found, key=lambda step: (step.segment, step.lane, step.index), reverse=True)

    def stays(self) -> PlannedStep | None:
        """The last step that is not taken back because it cannot be, and what stands before it neither; None where
        there is none, or nothing after it to put back, or where what belongs to it is not complete: then its own undo
        has to say so.
        """
        story = self._crew.story
        plan, states = story.plan, story.state.steps
        done = [s for s in plan.steps if self._crew.verbs[s.verb].one_way and states[s.index].phase is StepPhase.DONE]
        if not done:
            return None
        after = plan.steps[done[-1].index + 1 :]
        complete = all(states[step.index].phase in _COMPLETE for step in after if not step.lane)
        more = any(states[step.index].memory is not None for step in after if step.lane)
        return done[-1] if complete and more else None

    async def put_back(
        self, steps: Iterable[PlannedStep], why: str, halting: Callable[[], bool] = lambda: False
    ) -> bool:
        """Whether all of them are as they were before. Ends with the first that cannot be put back: those before it
        were done on a node that was in another state. `halting` is asked before each of them. Raises LockError,
        JournalError, StopWishedError.
        """
        for step in self.pending(steps):
            if halting():
                raise StopWishedError
            if not await self._step(step, why):
                return False
        return True

    async def _step(self, step: PlannedStep, why: str) -> bool:
        story, clock = self._crew.story, self._crew.clock
        begun = clock.monotonic()
        story.write(UndoStarted(step.index, why))
        picture = await self._crew.fresh(step)
        if refused := self._refused(step, picture):
            story.write(UndoFailed(step.index, refused, clock.monotonic() - begun))
            return False
        memory = story.state.steps[step.index].memory or {}
        try:
            sentence = await self._undo(step, picture, memory)
        except VerbError as error:
            story.write(UndoFailed(step.index, error.sentence, clock.monotonic() - begun, error.remedy))
            return False
        except (TransportError, InputError) as error:
            story.write(UndoFailed(step.index, error.message, clock.monotonic() - begun, error.remedy))
            return False
        except HactlError:
            raise
        except Exception as error:  # noqa: BLE001 - a defect of a verb is an undo that failed, not the runner's end
            told = defect(error, f"putting back {step.label}").message
            story.write(UndoFailed(step.index, told, clock.monotonic() - begun))
            return False
        story.write(UndoDone(step.index, sentence, clock.monotonic() - begun))
        return True

    async def _undo(self, step: PlannedStep, picture: Picture, memory: Memory) -> str:
        """Once; and once more when nobody learned how it ended: an undo compares with what was, so it may be repeated.

        Raises what the verb raises.
        """
        verb, scene = self._crew.verbs[step.verb], self._crew.scene(step, picture)
        args = self._crew.arguments(step)
        for last in (False, True):
            until = self._crew.clock.monotonic() + max(step.deadline, _AT_LEAST)
            actor = self._crew.actor(step, until, hurried=False)
            try:
                return await actor.carry(verb.undo(scene, args, memory))
            except (VerbError, TransportError):
                if last or not actor.uncertain:
                    raise
                self._crew.story.write(Said(f"{step.label}: {actor.uncertain}; putting it back again", "warn"))
        raise AssertionError  # pragma: no cover - the second time returns or raises

    def _refused(self, step: PlannedStep, picture: Picture) -> str:
        """Putting back what brought a node back takes it out again: only where its pools can spare it. Putting back
        what interrupts does so again: not under the users of a node that somebody has brought back in.
        """
        if step.effect is Effect.INTERRUPTS:
            return self._interrupted(step, picture)
        if step.effect is not Effect.BRINGS_BACK or step.node is None:
            return ""
        overrides = self._crew.story.plan.request.overrides
        short = [
            f"{name}: {verdict.available} available, minimum {verdict.minimum}"
            for name, verdict in picture.assessment.pools.items()
            if step.node in self._crew.inventory.pools[name].servers
            and step.node not in verdict.drained
            and verdict.available - 1 < verdict.minimum
        ]
        if not short or _ENOUGH in overrides:
            return ""
        return f"taking {step.node} out again would leave too few ({'; '.join(short)})"

    def _interrupted(self, step: PlannedStep, picture: Picture) -> str:
        verdicts = self._crew.judged(step, picture)
        return "; ".join(one.sentence for one in verdicts if one.guard == _ENOUGH and one.blocks)
