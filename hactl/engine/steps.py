"""Carries out one step: looks, asks the guards, remembers, acts, reads back; and writes each of these down in time.

An act whose outcome nobody learned is looked at again, and done again only where that does no harm.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, TypeAlias, TypeVar

from hactl.engine.asks import Actor, Reader
from hactl.engine.crew import Crew
from hactl.engine.failures import defect, reason
from hactl.engine.will import StopWishedError
from hactl.model.errors import HactlError, InputError, JournalError, LockError, TransportError
from hactl.model.events import GuardsChecked, Said, StepDone, StepFailed, StepStarted, StepUnknown
from hactl.model.plan import PlannedStep
from hactl.model.run import StepPhase
from hactl.model.units import duration
from hactl.model.verb import AnyVerb, Doing, Memory, Scene, Standing, VerbError

T = TypeVar("T")

# Seconds between two looks at what was done: at first, and at most.
_LOOK, _LOOK_AT_MOST = 0.1, 1.0
# Seconds for which guards that refuse in the middle of a run are asked again: what was just done may have to settle.
_GUARDS_MAY_SETTLE = 15.0
# Seconds for which an unknown outcome is looked for at least; and for as long before an act is done again.
_AT_LEAST, _BEFORE_AGAIN = 15.0, 3.0
_CUT_OFF = {StepPhase.RUNNING, StepPhase.UNKNOWN}


class Ending(Enum):
    DONE = auto()  # or not needed
    FAILED = auto()
    UNKNOWN = auto()


@dataclass(slots=True)
class _Tally:
    waited: float = 0.0  # seconds of stated waits so far


@dataclass(frozen=True, slots=True)
class _Came:
    """What came of an attempt. `again`: it did not take effect, or doing it twice does no harm."""

    ending: Ending
    sentence: str
    standing: Standing | None = None
    remedy: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class _Task:
    """A step with all that its verb is called with."""

    step: PlannedStep
    verb: AnyVerb
    scene: Scene
    args: Any  # an instance of verb.arguments
    begun: float  # when its turn came
    tally: _Tally = field(default_factory=_Tally)


_Failure: TypeAlias = VerbError | TransportError | InputError
_FAILURES = (VerbError, TransportError, InputError)


class Steps:
    """Carries out the steps of one run, several at a time if need be."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    async def carry(self, step: PlannedStep) -> Ending:
        """To its end, which is written down. Raises LockError, JournalError; StopWishedError before anything began."""
        crew, verb = self._crew, self._crew.verbs[step.verb]
        begun = crew.clock.monotonic()
        looking = (verb.mutates and not verb.urgent) or step.when is not None
        picture = await crew.fresh(step, whole=True) if looking else crew.watch.picture()
        task = _Task(step, verb, crew.scene(step, picture), crew.arguments(step), begun)
        if verb.mutates:
            return await self._carry(task)
        return await crew.will.unless_stopped(self._carry(task))

    async def still_so(self, step: PlannedStep) -> bool:
        """Whether what was done is so now; nothing is written down. Not being able to see it is no."""
        crew, verb = self._crew, self._crew.verbs[step.verb]
        scene = crew.scene(step, await crew.fresh(step))
        task = _Task(step, verb, scene, crew.arguments(step), crew.clock.monotonic())
        try:
            return (await self._look_once(task)).done
        except _FAILURES:
            return False

    async def _carry(self, task: _Task) -> Ending:  # noqa: PLR0911 - one return a reason not to act
        step, state = task.step, self._crew.story.state.steps[task.step.index]
        cut_off = state.phase in _CUT_OFF and state.memory is not None
        if step.when is not None and not cut_off:  # what was begun may have changed that already, and has to be ended
            wanted, why = self._crew.rules.holds(step.when, task.scene)
            if not wanted:
                return self._skip(task, why)
        before: dict[str, str] = {}
        try:
            if not task.verb.always:
                standing = await self._look_once(task)
                before = dict(standing.facts)
                if standing.done:
                    return self._skip(task, standing.sentence, before, skipped=not cut_off)
            if cut_off and not self._may_again(task):
                return self._unknown(task, "it was cut off, and nothing tells whether it was done")
            if task.verb.mutates and not task.verb.urgent and (refused := await self._refused(task)):
                return self._fail(task, refused)
            memory = state.memory if cut_off and state.memory is not None else await self._remember(task)
        except _FAILURES as error:
            return self._fail(task, *_told(error))
        except (HactlError, StopWishedError):
            raise
        except Exception as error:  # noqa: BLE001 - a defect of a verb is a failed step, not the end of the runner
            return self._fail(task, defect(error, f"looking at {step.label}").message)
        return await self._attempts(task, memory, before)

    async def _attempts(self, task: _Task, memory: Memory, before: Memory) -> Ending:
        """As often as it may be tried."""
        step, tries = task.step, 0
        if step.note:
            self._crew.story.write(Said(step.note))
        while True:
            tries += 1
            attempt = self._crew.story.state.steps[step.index].attempts + 1
            self._crew.story.write(StepStarted(step.index, memory, before, attempt))
            came = await self._attempt(task, memory)
            if came.ending is Ending.DONE:
                facts = came.standing.facts if came.standing is not None else {}
                done = StepDone(step.index, came.sentence, self._seconds(task), facts, waited=task.tally.waited)
                self._crew.story.write(done)
                return Ending.DONE
            allowed = max(step.retries, 1 if came.ending is Ending.UNKNOWN else 0)
            if not came.again or tries > allowed or self._crew.will.stopping:
                break
            self._crew.story.write(Said(f"{step.label}: {came.sentence}; trying again", "warn"))
        if came.ending is Ending.UNKNOWN:
            return self._unknown(task, came.sentence)
        return self._fail(task, came.sentence, came.remedy)

    async def _attempt(self, task: _Task, memory: Memory) -> _Came:
        """Do it once, and look whether it is so."""
        crew, verb = self._crew, task.verb
        until = crew.clock.monotonic() + task.step.deadline
        actor = crew.actor(task.step, until)
        try:
            said = await self._tallied(task, actor, verb.do(task.scene, task.args, memory))
        except _FAILURES as error:
            sentence, remedy = _told(error)
            if actor.uncertain:
                return await self._look_again(task, actor, until, sentence)
            return _Came(Ending.FAILED, sentence, remedy=remedy, again=verb.idempotent)
        except (LockError, asyncio.CancelledError) as error:
            self._cut_off(task, error)
            raise
        except HactlError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            return _Came(Ending.FAILED, defect(error, f"doing {task.step.label}").message)
        if not verb.reads_back:
            return _Came(Ending.DONE, said)
        standing, problem = await self._look_until(task, until)
        if standing is not None and standing.done:
            return _Came(Ending.DONE, (said if verb.mutates else "") or standing.sentence, standing)
        what = standing.sentence if standing is not None else problem
        late = "" if standing is not None and standing.hopeless else f"not so after {duration(task.step.deadline)}: "
        return _Came(Ending.FAILED, f"{late}{what}", again=verb.idempotent)

    # --- looking ---

    async def _look_once(self, task: _Task) -> Standing:
        until = self._crew.clock.monotonic() + task.step.deadline
        return await self._read(task, until, task.verb.check(task.scene, task.args))

    async def _remember(self, task: _Task) -> Memory:
        until = self._crew.clock.monotonic() + task.step.deadline
        return await self._read(task, until, task.verb.remember(task.scene, task.args))

    async def _read(self, task: _Task, until: float, doing: Doing[T]) -> T:
        return await self._tallied(task, self._crew.reader(task.step, until), doing)

    @staticmethod
    async def _tallied(task: _Task, reader: Reader, doing: Doing[T]) -> T:
        try:
            return await reader.carry(doing)
        finally:
            task.tally.waited += reader.waited

    async def _look_until(self, task: _Task, until: float) -> tuple[Standing | None, str]:
        """Look until it is so, is hopeless, or time is over: what was seen last, and why nothing could be seen.

        When somebody wants the run to stop, time is over sooner.
        """
        clock, pause = self._crew.clock, _LOOK
        seen: Standing | None = None
        problem = ""
        while True:
            try:
                seen = await self._read(task, until, task.verb.check(task.scene, task.args))
            except _FAILURES as error:
                problem = _told(error)[0]
            if seen is not None and (seen.done or seen.hopeless):
                return seen, problem
            if clock.monotonic() + pause >= min(until, self._crew.will.hurry()):
                return seen, problem
            await clock.sleep(pause)
            pause = min(pause * 1.5, _LOOK_AT_MOST)

    async def _look_again(self, task: _Task, actor: Actor, until: float, sentence: str) -> _Came:
        """Nobody learned how the act ended. Whatever it is that runs on the node has its time to end first."""
        crew, verb = self._crew, task.verb
        crew.story.write(StepUnknown(task.step.index, f"{actor.uncertain or sentence}", self._seconds(task)))
        if verb.always:
            return _Came(Ending.UNKNOWN, actor.uncertain, again=verb.idempotent)
        now = crew.clock.monotonic()
        # Where `check` cannot see an act, or the act may be repeated, there is no use in waiting for long.
        wait = _BEFORE_AGAIN if verb.idempotent or not verb.reads_back else max(until - now, _AT_LEAST)
        standing, problem = await self._look_until(task, now + wait)
        if standing is not None and standing.done:
            return _Came(Ending.DONE, standing.sentence, standing)
        seen = standing.sentence if standing is not None else problem
        return _Came(Ending.UNKNOWN, f"{actor.uncertain}; seen since: {seen}", again=verb.idempotent)

    def _may_again(self, task: _Task) -> bool:
        """Whether doing what was cut off again does no harm."""
        return task.verb.idempotent or not self._crew.story.acted(task.step.index)

    # --- guards ---

    async def _refused(self, task: _Task) -> str:
        """Ask the guards, for a while if they refuse. Every reason in one sentence, or ""."""
        crew, step = self._crew, task.step
        until, picture = crew.clock.monotonic() + _GUARDS_MAY_SETTLE, task.scene.picture
        while True:
            verdicts = crew.judged(step, picture)
            blocking = [verdict.sentence for verdict in verdicts if verdict.blocks]
            if not blocking or crew.clock.monotonic() >= until:
                crew.story.write(GuardsChecked(verdicts, step.index))
                return "; ".join(blocking)
            if crew.will.stopping:
                raise StopWishedError
            await crew.clock.sleep(_LOOK_AT_MOST)
            picture = await crew.fresh(step)

    # --- writing down ---

    def _skip(self, task: _Task, why: str, facts: Memory | None = None, *, skipped: bool = True) -> Ending:
        done = StepDone(task.step.index, why, self._seconds(task), facts or {}, skipped=skipped)
        self._crew.story.write(done)
        return Ending.DONE

    def _fail(self, task: _Task, why: str, remedy: str = "") -> Ending:
        self._crew.story.write(StepFailed(task.step.index, why, self._seconds(task), remedy))
        return Ending.FAILED

    def _unknown(self, task: _Task, why: str) -> Ending:
        self._crew.story.write(StepUnknown(task.step.index, why, self._seconds(task)))
        return Ending.UNKNOWN

    def _cut_off(self, task: _Task, error: BaseException) -> None:
        """The step ends in its middle. Where it has acted, that is said; the journal may be what failed."""
        if not self._crew.story.acted(task.step.index):
            return
        why = reason(error) if isinstance(error, HactlError) else "it was aborted"
        try:
            self._unknown(task, f"cut off in its middle: {why}")
        except JournalError as unwritten:
            defect(unwritten, f"writing down that {task.step.label} was cut off")

    def _seconds(self, task: _Task) -> float:
        return self._crew.clock.monotonic() - task.begun


def _told(error: _Failure) -> tuple[str, str]:
    """The sentence and the remedy."""
    return (error.sentence, error.remedy) if isinstance(error, VerbError) else (error.message, error.remedy)
