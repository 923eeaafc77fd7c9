"""Carries out a plan to one of its ends: the lock, the look at whether it still holds, forward or back, and the
sentence at the end. What is done on the way forward is `forward`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from hactl.engine.crew import Crew
from hactl.engine.failures import defect
from hactl.engine.forward import Forward
from hactl.engine.ledger import Halt, Ledger
from hactl.engine.safety import Lock, Prober, Safety
from hactl.engine.undoing import Undoing
from hactl.engine.will import StopWishedError
from hactl.model.errors import HactlError, JournalError
from hactl.model.events import GuardsChecked, LockLost, Outcome, RunEnded, RunStarted, Said
from hactl.model.guard import GuardVerdict

log = logging.getLogger("hactl.engine")


Still = Callable[[], Awaitable[tuple[GuardVerdict, ...]]]
"""Plans again on a fresh picture: the guards' verdicts. Raises PlanChangedError when it comes out differently."""


class Runner:
    """One process's part of one run."""

    def __init__(self, crew: Crew, lock: Lock, prober: Prober, still: Still) -> None:
        self._crew, self._lock, self._prober, self._still = crew, lock, prober, still
        self._plan = crew.story.plan
        self._ledger, self._undoing = Ledger(), Undoing(crew)
        safety = Safety(lock, prober, crew.diary, self._plan.budget.failed_requests)
        self._forward = Forward(crew, self._ledger, safety, self._undoing)

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
            await self._forward.go()
        if self._crew.story.undoing:
            await self._backward()

    async def _tell_lock_lost(self) -> None:
        await self._lock.lost.wait()
        with contextlib.suppress(JournalError):  # whoever writes next meets it, too
            self._crew.story.write(LockLost(self._lock.reason))

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
