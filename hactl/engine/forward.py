"""A run's way forward: segments one after another, lanes side by side, safe points, failures and what they want.

A safe point is before a step. Whoever stops a run stops it there: the step that is under way ends first, and nodes stay
as they are then. Where a lane failed, the other lanes that have begun go on to their own ends, so that no second node
is left half done.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Iterator, Sequence

from hactl.engine.crew import Crew
from hactl.engine.ledger import Ledger
from hactl.engine.safety import Safety
from hactl.engine.steps import Ending, Steps
from hactl.engine.undoing import Undoing
from hactl.engine.will import StopWishedError
from hactl.model.events import Outcome, StepFailed, Waiting
from hactl.model.plan import PlannedStep
from hactl.model.playbook import OnFailure
from hactl.model.run import StepPhase
from hactl.model.verb import Effect

log = logging.getLogger("hactl.engine")


class Forward:
    """What ends it early is in the ledger."""

    def __init__(self, crew: Crew, ledger: Ledger, safety: Safety, undoing: Undoing) -> None:
        self._crew, self._ledger, self._safety, self._undoing = crew, ledger, safety, undoing
        self._steps, self._plan = Steps(crew), crew.story.plan

    async def go(self) -> None:
        """Every segment, until something halts the run."""
        await self._settle_failures()
        batch = 0
        for steps in self._segments():
            if self._ledger.halt is not None:
                return
            left = [step for step in steps if self._is_left(step)]
            if not left:
                continue
            try:
                await self._between(batch, left[0].batch)
            except StopWishedError:
                self._stopped()
                return
            batch = left[0].batch or batch
            await self._together(self._lane(list(lane)) for _, lane in _by_lane(left))
        if why := self._safety.harm():
            self._ledger.halt_with(why)  # also when it was seen during the last step: nothing is to be put back then

    def _segments(self) -> Iterator[list[PlannedStep]]:
        ordered = sorted(self._plan.steps, key=lambda step: (step.segment, step.index))
        for _, steps in itertools.groupby(ordered, key=lambda step: step.segment):
            yield list(steps)

    def _is_left(self, step: PlannedStep) -> bool:
        """Whether it has to be looked at. What a lane that is not at its end rests on is looked at again."""
        if step.lane and step.lane in self._ledger.failed:
            return False
        return not self._crew.story.finished(step) or self._may_have_been_taken_back(step)

    def _may_have_been_taken_back(self, step: PlannedStep) -> bool:
        """A node that was taken out, whose work is not done: somebody may have put it back in meanwhile."""
        if step.effect is not Effect.TAKES_OUT or self._phase(step) is not StepPhase.DONE:
            return False
        rest = [one for one in self._plan.steps if one.lane == step.lane and one.index > step.index]
        back = [one for one in rest if one.effect is Effect.BRINGS_BACK]
        begun = any(self._phase(one) is not StepPhase.PENDING for one in back)
        return bool(back) and not begun and not all(map(self._crew.story.finished, rest))

    async def _lane(self, steps: Sequence[PlannedStep]) -> None:
        """The steps of one node, or of a batch, or of the run, one after another."""
        for step in steps:
            if not self._begun(step.lane) and self._ledger.halt is not None:
                return
            try:
                await self._crew.will.safe_point()
                if why := self._safety.unsafe():
                    await self._blame(step, why)
                    return
                ending = await self._one(step)
            except StopWishedError:
                self._stopped()
                return
            if ending is not Ending.DONE:
                await self._after_failure(step)
                return

    async def _one(self, step: PlannedStep) -> Ending:
        """Carry it out; a step that was done before only where it is so no longer."""
        if self._crew.story.finished(step) and await self._steps.still_so(step):
            return Ending.DONE
        return await self._steps.carry(step)

    async def _blame(self, step: PlannedStep, why: str) -> None:
        """Users see failures: a lane that has begun fails with this step; another one does not begin."""
        if self._begun(step.lane):
            self._crew.story.write(StepFailed(step.index, why, 0.0))
            await self._after_failure(step)
        self._ledger.halt_with(why)

    async def _between(self, before: int, batch: int) -> None:
        """The pause between two batches. Raises StopWishedError."""
        if before and batch > before and self._plan.pause > 0:
            self._crew.story.write(Waiting(f"the pause before batch {batch}", self._plan.pause))
            await self._crew.will.sleep(self._plan.pause)

    # --- failures ---

    async def _after_failure(self, step: PlannedStep) -> None:
        """What the step's `on_failure` wants."""
        why = self._crew.story.state.steps[step.index].sentence
        lane = step.lane or step.label
        self._ledger.failed[lane] = f"{step.label}: {why}"
        if step.on_failure is OnFailure.CONTINUE and len(self._ledger.failed) <= self._plan.budget.failed_nodes:
            return
        self._ledger.halt_with(self._ledger.failed[lane])  # before all else: putting back takes time, and nobody begins
        if step.on_failure is OnFailure.UNDO:
            await self._put_lane_back(step)

    async def _put_lane_back(self, failed: PlannedStep) -> None:
        """The node's steps; all of the run's where the step was not for a node alone."""
        lane = failed.lane
        steps = [step for step in self._plan.steps if not lane or step.lane == lane]
        whole = await self._undoing.put_back(steps, f"{failed.label} failed")
        self._ledger.put_back[lane or failed.label] = whole

    async def _settle_failures(self) -> None:
        """What a process that was killed had begun to do about failures is done first."""
        story = self._crew.story
        for step in self._plan.steps:
            if story.failing(step):
                await self._after_failure(step)

    def _stopped(self) -> None:
        self._ledger.halt_with(f"stopped by {self._crew.will.who}", Outcome.STOPPED)

    # --- helpers ---

    async def _together(self, lanes: Iterator[Awaitable[None]]) -> None:
        """Side by side, each to its own end; then the first error, if any. The others are logged."""
        results = await asyncio.gather(*lanes, return_exceptions=True)
        errors = [result for result in results if isinstance(result, BaseException)]
        for error in errors[1:]:
            log.error("another lane ended, too: %s", error, exc_info=error)
        if errors:
            raise errors[0]

    def _phase(self, step: PlannedStep) -> StepPhase:
        return self._crew.story.state.steps[step.index].phase

    def _begun(self, lane: str) -> bool:
        """Whether the run has changed something there that it has not put back."""
        touched = {StepPhase.DONE, StepPhase.RUNNING, StepPhase.UNKNOWN, StepPhase.FAILED}
        return any(step.lane == lane and step.mutates and self._phase(step) in touched for step in self._plan.steps)


def _by_lane(steps: Sequence[PlannedStep]) -> Iterator[tuple[str, Iterator[PlannedStep]]]:
    return itertools.groupby(sorted(steps, key=lambda step: (step.lane, step.index)), key=lambda step: step.lane)
