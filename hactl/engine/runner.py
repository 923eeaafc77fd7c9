"""Carries out a plan to one of its ends: lock, segments, lanes, safe points, failures, and the sentence at the end.

A safe point is before a step. Whoever stops a run stops it there: the step that is under way ends first, and nodes stay
as they are then. Where a lane failed, the other lanes that have begun go on to their own ends, so that no second node
is left half done.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Protocol

from hactl.engine.crew import Crew
from hactl.engine.failures import defect
from hactl.engine.ledger import Halt, Ledger
from hactl.engine.steps import Ending, Steps
from hactl.engine.undoing import Undoing
from hactl.engine.will import StopWishedError
from hactl.model.errors import HactlError, JournalError, LockError
from hactl.model.events import (
    GuardsChecked,
    LockLost,
    LockTaken,
    Outcome,
    RunEnded,
    RunStarted,
    Said,
    StepFailed,
    Waiting,
)
from hactl.model.guard import GuardVerdict
from hactl.model.plan import PlannedStep
from hactl.model.playbook import OnFailure
from hactl.model.run import StepPhase
from hactl.model.verb import Effect

log = logging.getLogger("hactl.engine")


class Lock(Protocol):
    """The cluster's lock. `lost` is set when it is held no longer."""

    @property
    def lost(self) -> asyncio.Event: ...
    @property
    def reason(self) -> str:
        """Why it is lost."""

    async def take(self) -> LockTaken: ...
    async def release(self) -> None: ...


class Prober(Protocol):
    """Sends requests to what users reach. `failed` counts those that count against the budget."""

    def start(self) -> None: ...
    async def stop(self) -> None: ...

    @property
    def failed(self) -> int: ...

    @property
    def silent(self) -> tuple[str, ...]:
        """Endpoints that have not once answered as they should: their failures do not count."""


Still = Callable[[], Awaitable[tuple[GuardVerdict, ...]]]
"""Plans again on a fresh picture: the guards' verdicts. Raises PlanChangedError when it comes out differently."""


class Runner:
    """One process's part of one run."""

    def __init__(self, crew: Crew, lock: Lock, prober: Prober, still: Still) -> None:
        self._crew, self._lock, self._prober, self._still = crew, lock, prober, still
        self._steps, self._undoing = Steps(crew), Undoing(crew)
        self._plan = crew.story.plan
        self._ledger = Ledger()

    async def run(self, started: RunStarted) -> RunEnded:
        """To the end, whatever it is. Raises nothing of hactl's own; what could not be journaled is logged."""
        crew = self._crew
        begun = crew.clock.monotonic()
        try:
            crew.story.write(started)
            await self._whole()
        except HactlError as error:
            log.error("the run ends: %s", error)  # noqa: TRY400 - an expected one: its sentence says all
            self._ledger.halt = Halt(error.message, Outcome.STOPPED, error.code)
        except Exception as error:  # noqa: BLE001 - a defect of hactl ends the run where it is, and says so
            defective = defect(error, "carrying out the run")
            self._ledger.halt = Halt(defective.message, Outcome.STOPPED, defective.code)
        ended = self._ledger.ended(crew.story.state, crew.clock.monotonic() - begun)
        try:
            crew.story.write(ended)
        except JournalError as error:
            log.error("%s The end cannot be journaled: %s", error, ended.sentence)  # noqa: TRY400 - likewise
        return ended

    # --- around the steps ---

    async def _whole(self) -> None:
        """Take the lock, work, release it. Raises LockHeldError, LockError, JournalError, PlanChangedError."""
        crew = self._crew
        crew.diary.check_room()
        helpers: list[asyncio.Task[None]] = []
        try:
            crew.story.write(await self._lock.take())
            # Not before: connecting to all nodes keeps this process busy, which would look like slow answers.
            self._prober.start()
            helpers.append(asyncio.create_task(crew.will.listen(), name="wishes"))
            helpers.append(asyncio.create_task(self._tell_lock_lost(), name="lock"))
            await self._begin()
            await self._work_unless_aborted()
        finally:
            for task in helpers:
                task.cancel()
            for error in await asyncio.gather(*helpers, return_exceptions=True):
                if isinstance(error, Exception):
                    defect(error, "listening for what people want of the run")
            try:
                await self._prober.stop()
                await crew.watch.stop()
            finally:
                await self._lock.release()

    async def _begin(self) -> None:
        """Watch, and look whether what was confirmed still holds: both wait for a node that is dead, so at one time.

        Raises PlanChangedError.
        """
        story = self._crew.story
        watching, agreed = await asyncio.gather(self._crew.watch.start(), self._agreed(), return_exceptions=True)
        for one in (watching, agreed):
            if isinstance(one, BaseException):
                raise one
        if isinstance(agreed, GuardsChecked):
            story.write(agreed)
        for url in self._prober.silent:
            story.write(Said(f"{url} did not answer before anything was touched: it does not count", "warn"))

    async def _agreed(self) -> GuardsChecked | None:
        """Only where nothing was begun yet."""
        story = self._crew.story
        if story.undoing or any(step.attempts for step in story.state.steps):
            return None
        return GuardsChecked(await self._still())

    async def _work_unless_aborted(self) -> None:
        work = asyncio.create_task(self._work(), name="work")
        abort = asyncio.create_task(self._crew.will.aborted.wait(), name="abort")
        try:
            await asyncio.wait((work, abort), return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
                return
            work.cancel()
            await asyncio.wait((work,))
            if not work.cancelled() and (error := work.exception()) is not None:
                log.warning("while the run was aborted: %s", error)
            self._ledger.halt = Halt(f"aborted by {self._crew.will.who}", Outcome.CANCELLED)
        finally:
            for task in (work, abort):
                task.cancel()
            await asyncio.wait((work, abort))

    async def _work(self) -> None:
        if not self._crew.story.undoing:
            await self._forward()
        if self._crew.story.undoing:
            await self._backward()

    async def _tell_lock_lost(self) -> None:
        await self._lock.lost.wait()
        with contextlib.suppress(JournalError):  # whoever writes next meets it, too
            self._crew.story.write(LockLost(self._lock.reason))

    # --- forward ---

    async def _forward(self) -> None:
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
        if why := self._harm():
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
                if why := self._unsafe():
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

    def _unsafe(self) -> str:
        """Why no step may be begun now, or "". Raises LockError, JournalError."""
        if self._lock.lost.is_set():
            raise LockError(self._lock.reason)
        self._crew.diary.check_room()
        return self._harm()

    def _harm(self) -> str:
        """That users have seen more failures than the plan allows, or ""."""
        failed, allowed = self._prober.failed, self._plan.budget.failed_requests
        return f"{failed} requests of the prober failed, {allowed} may" if failed > allowed else ""

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

    # --- backward ---

    async def _backward(self) -> None:
        """Everything that the run has done, on all nodes, the last one first, back to a step that cannot be taken back;
        unless somebody stops that, too.
        """
        will, states, stays = self._crew.will, self._crew.story.state.steps, self._undoing.stays()
        steps = self._plan.steps[stays.index + 1 :] if stays is not None else self._plan.steps
        why = f"wished by {will.who or self._crew.story.state.who}"
        try:
            whole = await self._undoing.put_back(steps, why, lambda: will.halting)
        except StopWishedError:
            left = len(self._undoing.pending(steps))
            stopped = f"stopped by {will.who} in the middle of putting everything back, {left} steps before its end"
            self._ledger.halt = Halt(stopped, Outcome.STOPPED)
        else:
            said = f"{stays.label} stays: {states[stays.index].sentence}" if stays is not None else ""
            self._ledger.undone(whole=whole, stays=said)

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
