"""A run's story: the events that the runner journals, and the state that folding them gives.

The same event is journal line, JSON line, CLI sentence and TUI message. Times are epoch seconds for people (`at`, in
the journal's row) and `seconds` from a monotonic clock for durations. An event is on disk before the act that it
announces begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

from hactl.model.counting import PoolCount, PoolProof, lasted, proven
from hactl.model.guard import GuardVerdict
from hactl.model.plan import Plan


class Outcome(StrEnum):
    """How a run ended. A run without one is going on, or its runner was killed."""

    DONE = "done"
    FAILED = "failed"  # stopped by a failure; what is as it should not be is named
    UNDONE = "undone"  # it failed, or somebody asked, and what it had done was put back
    STOPPED = "stopped"  # at a safe point, by somebody's wish or because it could not go on safely
    UNKNOWN = "unknown"  # a step's outcome could not be found out
    CANCELLED = "cancelled"  # aborted between two safe points by a second Ctrl-C


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


class WishKind(StrEnum):
    """What somebody asks of a runner, through the journal."""

    PAUSE = "pause"  # wait at the next safe point
    GO_ON = "go-on"
    STOP = "stop"  # end at the next safe point
    ABORT = "abort"  # end now
    UNDO = "undo"  # stop at the next safe point and put everything back


@dataclass(frozen=True, slots=True)
class RunStarted:
    """`attempt` 1 is the first process; each resume or undo is one more."""

    digest: str
    who: str
    host: str
    pid: int
    attempt: int = 1
    purpose: str = "run"  # "run", "resume" or "undo"


@dataclass(frozen=True, slots=True)
class LockTaken:
    epoch: int
    nodes: tuple[str, ...]
    missing: tuple[str, ...] = ()  # nodes that could not be locked


@dataclass(frozen=True, slots=True)
class LockLost:
    sentence: str


@dataclass(frozen=True, slots=True)
class GuardsChecked:
    """Before the step of this index (None: before the first), on a fresh picture."""

    verdicts: tuple[GuardVerdict, ...]
    step: int | None = None


@dataclass(frozen=True, slots=True)
class StepStarted:
    """`memory` is what the verb needs to take the step back; `before` what was observed."""

    step: int
    memory: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, str] = field(default_factory=dict)
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class CommandStarted:
    step: int
    node: str
    text: str


@dataclass(frozen=True, slots=True)
class CommandDone:
    """`exit` None: it was not learned how it ended (`stderr` says why). Output is safe text, cut to what is kept."""

    step: int
    node: str
    exit: int | None
    stdout: str
    stderr: str
    seconds: float


@dataclass(frozen=True, slots=True)
class StepProgress:
    """What is being waited for. `numbers` hold live values ("sessions"); `eta` is seconds, where it can be told."""

    step: int
    sentence: str
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepDone:
    """`skipped`: nothing had to be done. `waited` of the `seconds` were stated waits."""

    step: int
    sentence: str
    seconds: float
    after: Mapping[str, str] = field(default_factory=dict)
    skipped: bool = False
    waited: float = 0.0


@dataclass(frozen=True, slots=True)
class StepFailed:
    step: int
    sentence: str
    seconds: float
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class StepUnknown:
    """It cannot be said whether the step's act happened. Followed by what looking again has shown, or by the end."""

    step: int
    sentence: str
    seconds: float


@dataclass(frozen=True, slots=True)
class UndoStarted:
    step: int
    why: str


@dataclass(frozen=True, slots=True)
class UndoDone:
    step: int
    sentence: str
    seconds: float


@dataclass(frozen=True, slots=True)
class UndoFailed:
    step: int
    sentence: str
    seconds: float
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Availability:
    """Journaled when it changes."""

    pools: tuple[PoolCount, ...]


@dataclass(frozen=True, slots=True)
class ProbeTick:
    """What the prober saw in one interval. `slowest` and `gap` (the longest time without a good answer) in seconds."""

    endpoint: str
    seconds: float
    sent: int
    failed: int
    slowest: float
    gap: float
    error: str = ""  # the newest one


@dataclass(frozen=True, slots=True)
class Waiting:
    """A stated wait of the run itself: settling, the pause between batches."""

    why: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Wished:
    """Somebody asked for something; the runner has noticed."""

    wish: WishKind
    who: str


@dataclass(frozen=True, slots=True)
class Said:
    """Anything else that the story needs: a balancer was reloaded, a connection was made again."""

    sentence: str
    level: str = "info"  # "info" or "warn"


@dataclass(frozen=True, slots=True)
class RunEnded:
    """`error` is the code of the error of `model.errors` that ended it ("plan-changed", "lock-held"), if one did."""

    outcome: Outcome
    sentence: str
    seconds: float
    error: str = ""


Event: TypeAlias = (
    RunStarted
    | LockTaken
    | LockLost
    | GuardsChecked
    | StepStarted
    | CommandStarted
    | CommandDone
    | StepProgress
    | StepDone
    | StepFailed
    | StepUnknown
    | UndoStarted
    | UndoDone
    | UndoFailed
    | Availability
    | ProbeTick
    | Waiting
    | Wished
    | Said
    | RunEnded
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as the journal has it. `number` counts from 1 within the run; `at` is epoch seconds; `hash` is its link
    in the journal's chain ("" while it is not written).
    """

    run: str
    number: int
    at: float
    event: Event
    hash: str = ""


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
