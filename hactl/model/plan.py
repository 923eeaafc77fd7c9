"""A plan: a playbook made concrete against live state, as data. How it is shown never changes how it is run.

`planning` makes plans; the journal keeps them (`model.codec`); the runner carries them out and needs nothing else:
neither the playbook's file nor the picture it was made from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hactl.model.guard import GuardVerdict
from hactl.model.inventory import Endpoint
from hactl.model.parameters import Value
from hactl.model.playbook import Budget, Condition, OnFailure
from hactl.model.verb import Effect, Shown


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants, before anything is looked at. `limit` narrows the playbook's targets."""

    playbook: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    limit: str | None = None
    overrides: frozenset[str] = frozenset()
    reason: str = ""
    who: str = ""  # "anna@laptop"
    origin: str = ""  # "cli" or "tui", and the arguments, for people


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One verb on one node (None: on the cluster).

    Steps are done in the order of `segment`; within a segment, `lane`s (nodes of one batch) go side by side and the
    steps of a lane one after another. `skip` says why it is probably not needed; the runner decides for itself.
    """

    index: int
    name: str
    verb: str
    node: str | None
    segment: int
    lane: str  # the node, or "" for a step of the run or batch
    batch: int  # from 1; 0 for steps of the run
    arguments: Mapping[str, Value]
    deadline: float
    retries: int = 0
    on_failure: OnFailure = OnFailure.STOP
    undo: bool = True
    when: Condition | None = None
    note: str = ""
    first: tuple[Shown, ...] = ()
    skip: str = ""
    seconds: float = 0.0
    effect: Effect = Effect.NONE  # the verb's, for those who judge the plan without the verbs at hand
    mutates: bool = True
    leaves: bool = True  # the verb's, too

    @property
    def label(self) -> str:
        return f"{self.name} {self.node}" if self.node else self.name


@dataclass(frozen=True, slots=True)
class WeakestMoment:
    """How few members of a pool (or nodes of a service) are available at the worst moment of the plan."""

    name: str
    kind: str  # "pool" or "service"
    available: int
    total: int
    minimum: int
    during: str  # "batch 1 (app1)"

    @property
    def sentence(self) -> str:
        return f"{self.name}: {self.available} of {self.total} available, minimum {self.minimum}"


@dataclass(frozen=True, slots=True)
class Plan:
    """`basis` is the state that the plan depends on, as words ("pool/shop/app1/lb1": "up"): when it has changed, the
    plan no longer holds. `digest` is over everything that would be done and over the basis; a confirmation is for it.
    """

    cluster: str
    playbook: str
    title: str
    request: Request
    parameters: Mapping[str, Value]  # with defaults filled in
    targets: tuple[str, ...]
    untouched: Mapping[str, str]  # targets that need nothing, and why
    batches: tuple[tuple[str, ...], ...]
    steps: tuple[PlannedStep, ...]
    verdicts: tuple[GuardVerdict, ...]
    weakest: tuple[WeakestMoment, ...]
    basis: Mapping[str, str]
    budget: Budget = field(default_factory=Budget)
    pause: float = 0.0  # seconds between batches
    endpoints: tuple[Endpoint, ...] = ()
    services: tuple[str, ...] = ()  # those that the run touches
    pools: tuple[str, ...] = ()
    guards_off: frozenset[str] = frozenset()  # guards that the playbook says do not apply to it
    needed: tuple[str, ...] = ()  # names of steps: a target on which all of them are done already needs nothing
    notes: tuple[str, ...] = ()
    confirm: str = ""
    irreversible: bool = False
    seconds: float = 0.0
    estimated_from: str = ""  # "3 earlier runs", "the verbs' own figures"
    made_at: float = 0.0  # epoch seconds
    digest: str = ""
    schema: int = 1

    @property
    def refusals(self) -> tuple[GuardVerdict, ...]:
        """Every reason why it may not be carried out; empty when it may."""
        return tuple(verdict for verdict in self.verdicts if verdict.blocks)

    @property
    def mutates(self) -> bool:
        return bool(self.steps)


@dataclass(frozen=True, slots=True)
class RunRef:
    """A run that is not ended, as another one sees it."""

    run: str
    playbook: str
    who: str
    since: float  # epoch seconds
    alive: bool  # its runner still works; else it was killed and waits to be resumed or undone
    nodes: tuple[str, ...] = ()  # those that it has changed and not put back


@dataclass(frozen=True, slots=True)
class History:
    """What earlier runs teach a plan. `durations`: median seconds by verb and by "verb node"; `runs`: how many."""

    durations: Mapping[str, float] = field(default_factory=dict)
    runs: int = 0
    unfinished: tuple[RunRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found when a planned step was looked at before anything is touched: `check` and `preflight`."""

    step: int
    done: bool
    sentence: str
    verdicts: tuple[GuardVerdict, ...] = ()
