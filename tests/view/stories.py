"""Plans and stories of runs, as a runner would journal them: a rolling upgrade of three nodes, and how it may go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from hactl.model.events import (
    Availability,
    CommandDone,
    CommandStarted,
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
    UndoDone,
    UndoStarted,
)
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.inventory import Endpoint
from hactl.model.plan import Plan, PlannedStep, Request, WeakestMoment
from hactl.model.playbook import OnFailure
from hactl.model.run import PoolCount
from hactl.model.verb import Shown

RUN = "20251009-091000-k3f"
WALL = 1_760_001_000.0  # 2025-10-09 09:10:00 UTC
URL = "http://192.168.56.10/"
HOSTILE = "<script>alert(1)</script>\x1b]0;owned\x07 \u202eevil"
NAMES = ("drain", "upgrade", "healthy", "undrain")
_VERBS = ("balancer.drain", "package.upgrade", "check.healthy", "balancer.undrain")
_SECONDS = (4.0, 12.0, 3.0, 6.0)


def plan(nodes: Sequence[str] = ("app1", "app2", "app3"), **changes: object) -> Plan:
    """A rolling upgrade, as planned."""
    steps = [
        PlannedStep(
            index=batch * len(NAMES) + number,
            name=name,
            verb=_VERBS[number],
            node=node,
            segment=batch,
            lane=node,
            batch=batch + 1,
            arguments={"version": "1.1.0"},
            deadline=120.0,
            on_failure=OnFailure.UNDO,
            first=(Shown("lb1", f"set server be_shop/{node} state drain", socket=True), Shown(node, "true")),
            seconds=_SECONDS[number],
        )
        for batch, node in enumerate(nodes)
        for number, name in enumerate(NAMES)
    ]
    made = Plan(
        cluster="lab",
        playbook="rolling-upgrade",
        title="Rolling upgrade of shop to 1.1.0",
        request=Request("rolling-upgrade", reason="release 1.1.0", who="anna@laptop"),
        parameters={"service": "shop", "version": "1.1.0", "batch": "1", "canary": 0},
        targets=tuple(nodes),
        untouched={"app9": "is at 1.1.0 already"},
        batches=tuple((node,) for node in nodes),
        steps=tuple(steps),
        verdicts=(
            GuardVerdict("minimum-available", Ruling.OK, "shop keeps 2 of 3"),
            GuardVerdict("unknown-data", Ruling.OK, "all is known"),
            GuardVerdict("critical-finding", Ruling.WARN, "db3: replication is slow", node="db3"),
        ),
        weakest=(WeakestMoment("shop", "pool", 2, 3, 2, "batch 1 (app1)"),),
        basis={"pool/shop/app1/lb1": "up"},
        pause=2.0,
        endpoints=(Endpoint("shop", URL),),
        services=("shop",),
        pools=("shop",),
        seconds=80.0,
        estimated_from="3 earlier runs",
        made_at=WALL,
        digest="3f2a9c77d0",
    )
    return replace(made, **changes)


def refused() -> Plan:
    """The same, where guards object: one can be set aside, one was, one never can."""
    return plan(
        verdicts=(
            GuardVerdict("minimum-available", Ruling.REFUSE, "shop would keep 1 of 3, minimum 2", pool="shop"),
            GuardVerdict("maintenance-window", Ruling.REFUSE, "it is Thursday", overridden=True),
            GuardVerdict("targets", Ruling.REFUSE, "db9 is in no pool", can_override=False),
            GuardVerdict("unknown-data", Ruling.OK, "all is known"),
        )
    )


def busy() -> Plan:
    """The same, while somebody else is at it."""
    return plan(verdicts=(GuardVerdict("lock", Ruling.REFUSE, "held by bert for drain", can_override=False),))


@dataclass
class Teller:
    """Records events at times of its own."""

    plan: Plan
    now: float = WALL
    story: list[Recorded] = field(default_factory=list)

    def __call__(self, *events: Event, after: float = 0.0) -> None:
        self.now += after
        for event in events:
            number = len(self.story) + 1
            self.story.append(Recorded(RUN, number, self.now, event, f"{number:064x}"))

    def begin(self, purpose: str = "run", attempt: int = 1) -> None:
        self(RunStarted(self.plan.digest, "anna@laptop", "laptop", 4711, attempt, purpose))
        self(LockTaken(7, ("lb1", "lb2", "app1")), Availability((PoolCount("shop", 3, 3, 2),)), after=0.3)

    def step(self, index: int, seconds: float, sentence: str = "as it should be", *, failed: bool = False) -> None:
        node = self.plan.steps[index].node or ""
        self(StepStarted(index, {"state": "ready"}), CommandStarted(index, node, "do it"))
        self(StepProgress(index, "3 sessions left", {"sessions": 3.0}), after=seconds / 2)
        self(ProbeTick(URL, 1.0, 200, 0, 0.038, 0.1), after=seconds / 2)
        self(CommandDone(index, node, 1 if failed else 0, "said\n", "", seconds))
        ended = StepFailed(index, sentence, seconds, "Look.") if failed else StepDone(index, sentence, seconds)
        self(ended)

    def node(self, batch: int) -> None:
        first = batch * len(NAMES)
        self.step(first, 4.2)
        self(Availability((PoolCount("shop", 2, 3, 2),)))
        self.step(first + 1, 11.0)
        self.step(first + 2, 3.0)
        self.step(first + 3, 5.0)
        self(Availability((PoolCount("shop", 3, 3, 2),)))


def _done(tell: Teller) -> None:
    tell.begin()
    for batch in range(3):
        tell.node(batch)
    tell(RunEnded(Outcome.DONE, "3 nodes are at 1.1.0", tell.now - WALL))


def _undone(tell: Teller) -> None:
    tell.begin()
    tell.step(0, 4.2)
    tell(Availability((PoolCount("shop", 2, 3, 2),)))
    tell.step(1, 11.0)
    tell.step(2, 8.0, HOSTILE, failed=True)
    for index in (1, 0):
        tell(UndoStarted(index, "healthy failed"))
        tell(UndoDone(index, "put back", 6.0), after=6.0)
    tell(RunEnded(Outcome.UNDONE, "app1 was sick and is as before", tell.now - WALL))


def _killed(tell: Teller) -> None:
    tell.begin()
    tell.step(0, 4.2)
    tell(StepStarted(1, {}), CommandStarted(1, "app1", "apt-get install shop=1.1.0"))
    tell(StepProgress(1, "unpacking"), after=2.0)


def _resumed(tell: Teller) -> None:
    """The next morning."""
    _killed(tell)
    tell.now += 40_000.0
    tell.begin("resume", attempt=2)
    for index in range(1, 12):
        tell.step(index, 3.0)
    tell(RunEnded(Outcome.DONE, "3 nodes are at 1.1.0", 60.0))


def _failing(tell: Teller) -> None:
    """Clients notice: the pool is too small for a moment, and requests fail."""
    tell.begin()
    tell.step(0, 4.2)
    tell(Availability((PoolCount("shop", 1, 3, 2),)))
    tell(ProbeTick(URL, 1.0, 200, 12, 5.0, 1.5, "connection refused"), after=1.0)
    tell(RunEnded(Outcome.STOPPED, "more requests failed than the budget allows", tell.now - WALL))


def _refused_start(tell: Teller, error: str = "plan-changed") -> None:
    tell(RunStarted(tell.plan.digest, "anna@laptop", "laptop", 4711))
    tell(RunEnded(Outcome.STOPPED, "the cluster has changed: plan again", 0.4, error))


STORIES: dict[str, Callable[[Teller], None]] = {
    "done": _done,
    "undone": _undone,
    "killed": _killed,
    "resumed": _resumed,
    "failing": _failing,
    "changed": _refused_start,
    "locked": lambda tell: _refused_start(tell, "lock-held"),
}


def story(name: str, planned: Plan | None = None) -> tuple[Plan, list[Recorded]]:
    """A plan and what was journaled when it was carried out."""
    tell = Teller(planned or plan())
    STORIES[name](tell)
    return tell.plan, tell.story


def all_stories() -> Iterator[tuple[str, Plan, list[Recorded]]]:
    for name in STORIES:
        planned, told = story(name)
        yield name, planned, told
