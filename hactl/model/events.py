"""What a run's story is made of: the events that the runner journals.

The same event is journal line, JSON line, CLI sentence and TUI message. Times are epoch seconds for people (`at`, in
the journal's row) and `seconds` from a monotonic clock for durations. An event is on disk before the act that it
announces begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from hactl.model.counting import PoolCount
from hactl.model.guard import GuardVerdict


class Outcome(StrEnum):
    """How a run ended. A run without one is going on, or its runner was killed."""

    DONE = "done"
    FAILED = "failed"  # stopped by a failure; what is as it should not be is named
    UNDONE = "undone"  # it failed, or somebody asked, and what it had done was put back
    STOPPED = "stopped"  # at a safe point, by somebody's wish or because it could not go on safely
    UNKNOWN = "unknown"  # a step's outcome could not be found out
    CANCELLED = "cancelled"  # aborted between two safe points by a second Ctrl-C


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
