"""Drills: a backup restored into scratch space, timed and checked. What one gave, and how it is judged. Pure.

Sizes are bytes, durations seconds, moments epoch seconds. `model.drill_lines` writes records and reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hactl.model.units import duration

PHASES = ("prepare", "restore", "start", "check", "teardown")
"""In their order. A phase that was never begun has no seconds."""
RTO_PHASES = ("restore", "start")
"""Those that users would wait for: until the database answers."""
LATEST = "latest"
"""The target of a drill that went to the end of the archive."""
FILES = "files"
"""The kind of a backup of files: each node has a repository of its own, and no server has to start."""


class Verdict(StrEnum):
    """Of a backup: it can be restored; it can, but something is left open; nobody should rely on it."""

    PASS = "pass"  # noqa: S105 - nobody's password
    PARTIAL = "partial"
    FAIL = "fail"


class CheckOutcome(StrEnum):
    OK = "ok"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One question to the copy. `sentence` says what was found, or why nobody asked."""

    name: str
    outcome: CheckOutcome
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class DrillRecord:
    """What a drill has shown. `rto` is restore and start together, None where the copy never answered; `rpo` how much
    older the copy's newest row was than the primary's when the drill began, `rpo_bytes` the WAL between them; None:
    could not be measured. The targets are those that held then.
    """

    run: str
    cluster: str
    service: str  # whose backup it was
    repository: int
    label: str  # of the backup; "" where none could be chosen
    kind: str  # full, diff, incr, FILES; "" likewise
    target: str  # LATEST, the label of a set, or a moment
    node: str
    who: str
    started: float
    phases: Mapping[str, float] = field(default_factory=dict)
    rto: float | None = None
    rpo: float | None = None
    rpo_bytes: int | None = None
    size: int | None = None  # of the database; None: never known
    checks: tuple[Check, ...] = ()
    verdict: Verdict = Verdict.FAIL
    target_rto: float | None = None  # None: no target
    target_rpo: float | None = None
    reached: float | None = None  # the moment up to which the copy has everything; None: not told
    query: str = ""  # what the operator wanted to see in the copy
    answer: str = ""

    @property
    def key(self) -> str:
        """Tells it apart from all others: a run may be on several nodes."""
        return f"{self.service}/{self.run}/{self.node}"

    @property
    def rto_phases(self) -> tuple[str, ...]:
        """Those of the RTO that there are for this kind."""
        return RTO_PHASES[:1] if self.kind == FILES else RTO_PHASES

    @property
    def good(self) -> bool:
        """Restored, and nothing that was checked was wrong."""
        return self.verdict is not Verdict.FAIL

    @property
    def aim(self) -> str:
        """How far it was to go: "latest", "set" or "time". What had another aim took another time."""
        return LATEST if self.target == LATEST else "set" if self.target == self.label else "time"

    @property
    def seconds(self) -> float:
        """All phases together."""
        return sum(self.phases.values())

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(one for one in self.checks if one.outcome is CheckOutcome.FAIL)

    @property
    def skipped(self) -> tuple[Check, ...]:
        return tuple(one for one in self.checks if one.outcome is CheckOutcome.SKIPPED)

    @property
    def late(self) -> bool:
        """It took longer than the target."""
        return missed(self.rto, self.target_rto)

    @property
    def stale(self) -> bool:
        """It lost more than the target."""
        return missed(self.rpo, self.target_rpo)


@dataclass(frozen=True, slots=True)
class DrillHistory:
    """Records, oldest first. `unreadable` counts the lines that are none."""

    records: tuple[DrillRecord, ...] = ()
    unreadable: int = 0

    def of(self, cluster: str, service: str) -> DrillHistory:
        """Only that service's: several may share a directory. Whose the unreadable lines are, nobody can say."""
        own = tuple(one for one in self.records if (one.cluster, one.service) == (cluster, service))
        return DrillHistory(own, self.unreadable)


@dataclass(frozen=True, slots=True)
class Leftover:
    """Scratch space of a run. `alive`: somebody still works in it; None: could not be told. `marked`: it says whose it
    is; else it is empty, and has a run's id for its name: hactl was killed right behind its first act.
    """

    run: str
    size: int | None  # None: could not be told
    since: float
    alive: bool | None
    marked: bool = True


@dataclass(frozen=True, slots=True)
class DrillFacts:
    """What the node of the drills says of one service's. `now` is its epoch second when asked."""

    records: tuple[DrillRecord, ...]  # oldest first
    unreadable: int
    leftovers: tuple[Leftover, ...]
    free: int | None  # bytes where drills restore to; None: there is no such place
    now: float

    @property
    def last(self) -> DrillRecord | None:
        return self.records[-1] if self.records else None

    @property
    def last_good(self) -> DrillRecord | None:
        return next((one for one in reversed(self.records) if one.good), None)

    def age(self, record: DrillRecord) -> float:
        """Seconds since it began."""
        return max(0.0, self.now - record.started)


def missed(value: float | None, target: float | None) -> bool:
    """Whether a measured value is over its target."""
    return value is not None and target is not None and value > target


def judged(
    checks: Iterable[Check],
    rto: float | None,
    target_rto: float | None = None,
    rpo: float | None = None,
    target_rpo: float | None = None,
) -> Verdict:
    """FAIL where the copy never answered (`rto` None) or a check failed. PARTIAL where something remains open: a check
    skipped, or none made, a target missed, or one that nothing could be measured against. Else PASS.
    """
    outcomes = {one.outcome for one in checks}
    if rto is None or CheckOutcome.FAIL in outcomes:
        return Verdict.FAIL
    unmeasured = target_rpo is not None and rpo is None
    open_ = not outcomes or CheckOutcome.SKIPPED in outcomes or unmeasured
    return Verdict.PARTIAL if open_ or missed(rto, target_rto) or missed(rpo, target_rpo) else Verdict.PASS


def why(record: DrillRecord) -> str:
    """What kept a drill from passing, the worst alone: "orders: 0 is not > 0". Nothing of one that passed."""
    return "" if record.verdict is Verdict.PASS else next(_reasons(record))


def _reasons(record: DrillRecord) -> Iterator[str]:
    """Worst first; at least one."""
    yield from (f"{one.name}: {one.sentence}" for one in record.failed)
    if record.rto is None:
        yield "the copy never answered"
    if record.late:
        yield f"restore and start took {_against(record.rto, record.target_rto)}"
    if record.stale:
        yield f"what would have been lost is {_against(record.rpo, record.target_rpo)}"
    yield from (f"{one.name} was not checked: {one.sentence}" for one in record.skipped)
    yield "what would have been lost could not be measured" if record.checks else "nothing was checked"


def _against(value: float | None, target: float | None) -> str:
    return f"{duration(value or 0.0)}, the target is {duration(target or 0.0)}"
