"""What a run's story has told so far: folding its events gives its state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from hactl.model.counting import PoolCount, PoolProof, lasted, proven
from hactl.model.events import (
    Availability,
    Event,
    LockTaken,
    Outcome,
    ProbeTick,
    Recorded,
    RunEnded,
    RunStarted,
    StepDone,
    StepFailed,
    StepProgress,
    StepStarted,
    StepUnknown,
    UndoDone,
    UndoFailed,
    UndoStarted,
    Wished,
    WishKind,
)
from hactl.model.plan import Plan


class StepPhase(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"  # was so already, or `when` did not hold
    FAILED = "failed"
    UNKNOWN = "unknown"
    UNDOING = "undoing"
    UNDONE = "undone"
    UNDO_FAILED = "undo-failed"


@dataclass(frozen=True, slots=True)
class StepState:
    phase: StepPhase = StepPhase.PENDING
    sentence: str = ""
    seconds: float = 0.0
    waited: float = 0.0
    began_at: float | None = None  # epoch seconds
    ended_at: float | None = None
    memory: Mapping[str, str] | None = None  # None: it never started, so there is nothing to take back
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class ProbeTotals:
    endpoint: str
    sent: int = 0
    failed: int = 0
    slowest: float = 0.0
    gap: float = 0.0


@dataclass(frozen=True, slots=True)
class RunState:
    """Everything that the story has told so far. `outcome` None: not ended; whether somebody still works on it is for
    the lock and the process to say.
    """

    run: str
    plan: Plan
    steps: tuple[StepState, ...]
    attempt: int = 0
    who: str = ""
    host: str = ""
    pid: int = 0
    began_at: float | None = None
    ended_at: float | None = None
    outcome: Outcome | None = None
    sentence: str = ""
    error: str = ""  # the code of the error that ended it
    paused: bool = False
    wish: WishKind | None = None
    epoch: int = 0
    current: tuple[int, ...] = ()  # steps that run now
    lowest: Mapping[str, PoolProof] = field(default_factory=dict)  # of each pool, at its worst moment
    pools: Mapping[str, PoolCount] = field(default_factory=dict)  # newest; none before they are counted
    counted_at: float | None = None  # epoch seconds of the newest counts
    unwatched: float = 0.0  # seconds between attempts, once something was begun: nobody counted or probed
    probes: Mapping[str, ProbeTotals] = field(default_factory=dict)  # by endpoint
    last: int = 0  # number of the newest event
    last_at: float | None = None


def begun(run: str, plan: Plan) -> RunState:
    return RunState(run, plan, tuple(StepState() for _ in plan.steps))


def folded(run: str, plan: Plan, events: Iterable[Recorded]) -> RunState:
    """The state after all of these events."""
    state = begun(run, plan)
    for event in events:
        state = after(state, event)
    return state


def after(state: RunState, recorded: Recorded) -> RunState:  # noqa: PLR0911 - one return an event
    """The state after one more event. Unknown kinds change nothing but `last`."""
    event, at = recorded.event, recorded.at
    before = state.last_at
    state = replace(state, last=recorded.number, last_at=at)
    match event:
        case RunStarted():
            acted = before is not None and any(step.attempts for step in state.steps)
            return replace(
                _looked_on(state, before or at),
                unwatched=state.unwatched + (max(0.0, at - (before or at)) if acted else 0.0),
                pools={},
                counted_at=None,
                attempt=event.attempt,
                who=event.who,
                host=event.host,
                pid=event.pid,
                began_at=at if state.began_at is None else state.began_at,
                ended_at=None,
                outcome=None,
                sentence="",
                error="",
                paused=False,
                wish=None,
                current=(),
            )
        case LockTaken():
            return replace(state, epoch=event.epoch)
        case Availability():
            return _counted(state, event, at)
        case ProbeTick():
            return _probed(state, event)
        case Wished():
            wish = None if event.wish is WishKind.GO_ON else event.wish
            return replace(state, wish=wish, paused=event.wish is WishKind.PAUSE)
        case RunEnded():
            return replace(
                _looked_on(state, at),
                outcome=event.outcome,
                sentence=event.sentence,
                error=event.error,
                ended_at=at,
                current=(),
                paused=False,
            )
        case _:
            return _step(state, event, at)


def _step(state: RunState, event: Event, at: float) -> RunState:
    index = getattr(event, "step", None)
    if index is None:
        return state
    old = state.steps[index]
    new = _stepped(old, event, at)
    if new is old:
        return state
    steps = (*state.steps[:index], new, *state.steps[index + 1 :])
    running = new.phase in {StepPhase.RUNNING, StepPhase.UNDOING}
    rest = tuple(one for one in state.current if one != index)
    return replace(state, steps=steps, current=(*rest, index) if running else rest)


def _stepped(step: StepState, event: Event, at: float) -> StepState:  # noqa: PLR0911 - likewise
    match event:
        case StepStarted():
            # A resumed step was begun before: what it found first is what has to be put back, if it was not since.
            first = step.memory is None or step.phase is StepPhase.UNDONE
            return replace(
                step,
                phase=StepPhase.RUNNING,
                memory=event.memory if first else step.memory,
                before=event.before if first else step.before,
                attempts=step.attempts + 1,
                began_at=at,
                ended_at=None,
                sentence="",
            )
        case StepProgress():
            return replace(step, sentence=event.sentence, numbers=event.numbers)
        case StepDone():
            phase = StepPhase.SKIPPED if event.skipped else StepPhase.DONE
            done = replace(step, phase=phase, after=event.after, waited=event.waited)
            return _ended(done, event.sentence, event.seconds, at)
        case StepFailed():
            return _ended(replace(step, phase=StepPhase.FAILED), event.sentence, event.seconds, at)
        case StepUnknown():
            return _ended(replace(step, phase=StepPhase.UNKNOWN), event.sentence, event.seconds, at)
        case UndoStarted():
            return replace(step, phase=StepPhase.UNDOING, sentence=event.why, began_at=at, ended_at=None)
        case UndoDone():
            return _ended(replace(step, phase=StepPhase.UNDONE), event.sentence, event.seconds, at)
        case UndoFailed():
            return _ended(replace(step, phase=StepPhase.UNDO_FAILED), event.sentence, event.seconds, at)
        case _:
            return step


def _ended(step: StepState, sentence: str, seconds: float, at: float) -> StepState:
    return replace(step, sentence=sentence, seconds=seconds, ended_at=at, numbers={})


def _counted(state: RunState, event: Availability, at: float) -> RunState:
    state = _looked_on(state, at)
    lowest = {**state.lowest, **{one.pool: proven(state.lowest.get(one.pool), one) for one in event.pools}}
    return replace(state, pools={one.pool: one for one in event.pools}, lowest=lowest)


def _looked_on(state: RunState, at: float) -> RunState:
    """The newest counts have held until now, or until nobody watched any more."""
    if state.counted_at is None:
        return replace(state, counted_at=at)
    seconds = at - state.counted_at
    held = {name: lasted(state.lowest[name], one, seconds) for name, one in state.pools.items()}
    return replace(state, lowest={**state.lowest, **held}, counted_at=at)


def _probed(state: RunState, tick: ProbeTick) -> RunState:
    old = state.probes.get(tick.endpoint) or ProbeTotals(tick.endpoint)
    new = ProbeTotals(
        tick.endpoint,
        old.sent + tick.sent,
        old.failed + tick.failed,
        max(old.slowest, tick.slowest),
        max(old.gap, tick.gap),
    )
    return replace(state, probes={**state.probes, tick.endpoint: new})
