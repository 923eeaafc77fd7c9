"""A small plan, a run's story about it, and a source that plays them to the dashboard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace

from hactl.model.errors import GuardError
from hactl.model.events import (
    Availability,
    CommandDone,
    CommandStarted,
    Event,
    Outcome,
    ProbeTick,
    Recorded,
    RunEnded,
    RunStarted,
    StepDone,
    StepProgress,
    StepStarted,
    WishKind,
)
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.inventory import Inventory
from hactl.model.journal import RunSummary
from hactl.model.parameters import Parameter, ParameterKind
from hactl.model.plan import Plan, PlannedStep, Request, WeakestMoment
from hactl.model.playbook import Playbook
from hactl.model.run import PoolCount, RunState, folded
from hactl.model.verb import Shown
from tests.tui.pictures import INVENTORY

RUN = "20261121-120000-abc"
REFUSED = GuardVerdict("minimum-available", Ruling.REFUSE, "shop would have 1 of 3 available, minimum 2", pool="shop")


def step(index: int, name: str, node: str) -> PlannedStep:
    first = (Shown("lb1", f"set server be_shop/{node} state {name}", socket=True),)
    return PlannedStep(index, name, f"balancer.{name}", node, 1, node, index // 2 + 1, {}, 60.0, first=first, seconds=5)


def plan_for(request: Request, *, refused: bool = False, irreversible: bool = False) -> Plan:
    """Two nodes are drained and brought back, one after the other."""
    nodes = ("app1", "app2")
    steps = tuple(step(i, ("drain", "undrain")[i % 2], nodes[i // 2]) for i in range(4))
    verdict = replace(REFUSED, overridden=REFUSED.guard in request.overrides)
    return Plan(
        cluster="lab",
        playbook=request.playbook,
        title="Take a node out",
        request=request,
        parameters=request.parameters,
        targets=nodes,
        untouched={"app3": "it is out already"},
        batches=(("app1",), ("app2",)),
        steps=steps,
        verdicts=(verdict,) if refused else (),
        weakest=(WeakestMoment("shop", "pool", 2, 3, 2, "batch 1 (app1)"),),
        basis={},
        confirm="lab" if irreversible else "",
        irreversible=irreversible,
        seconds=20.0,
        digest="3f2a9c" * 10,
    )


STORY: tuple[Event, ...] = (
    RunStarted("3f2a9c", "anna@laptop", "laptop", 42),
    Availability((PoolCount("shop", 3, 3, 2),)),
    StepStarted(0, {"lb1": "ready"}),
    CommandStarted(0, "lb1", "set server be_shop/app1 state drain"),
    CommandDone(0, "lb1", 0, "a word from ␛[31m[@click=app.quit]lb1[/]", "", 0.01),
    StepProgress(0, "7 sessions left", {"sessions": 7.0}),
    ProbeTick("http://192.168.56.10/", 1.0, 10, 0, 0.012, 0.1),
    Availability((PoolCount("shop", 2, 3, 2),)),
    StepDone(0, "out of shop on lb1 and lb2", 4.2),
    ProbeTick("http://192.168.56.10/", 1.0, 10, 1, 0.5, 0.3, "status 503"),
)


@dataclass
class Runs:
    """Plays `events` for RUN and keeps what it was told."""

    refused: bool = False
    irreversible: bool = False
    events: tuple[Event, ...] = STORY
    asked: list[Request] = field(default_factory=list)
    started: list[Plan] = field(default_factory=list)
    wishes: list[WishKind] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    gone: bool = False  # the runner was killed

    @property
    def inventory(self) -> Inventory:
        return INVENTORY

    async def plan(self, request: Request, progress: Callable[[str], None] | None = None) -> Plan:
        self.asked.append(request)
        if progress is not None:
            progress("asking 10 nodes")
        return plan_for(request, refused=self.refused, irreversible=self.irreversible)

    def start(self, plan: Plan) -> str:
        if plan.refusals:
            raise GuardError("refused", ())
        self.started.append(plan)
        return RUN

    def resume(self, run: str) -> None:
        self.again.append(f"resume {run}")

    def undo(self, run: str) -> None:
        self.again.append(f"undo {run}")

    def recorded(self) -> list[Recorded]:
        return [Recorded(RUN, number, 1_700_000_000.0 + number, event) for number, event in enumerate(self.events, 1)]

    async def follow(self, run: str, after: int = 0) -> AsyncIterator[Recorded]:
        for one in self.recorded():
            if one.number > after:
                yield one
        if not self.gone and self.state(run).outcome is None:
            await asyncio.Event().wait()

    def state(self, run: str) -> RunState:
        return folded(run, plan_for(Request("drain")), self.recorded())

    def story(self, run: str) -> list[Recorded]:
        return self.recorded()

    def runs(self) -> list[RunSummary]:
        state = self.state(RUN)
        return [
            RunSummary(
                run=RUN,
                cluster="lab",
                playbook="drain",
                title="Take a node out",
                who="anna@laptop",
                reason="",
                targets=("app1", "app2"),
                planned_at=1_700_000_000.0,
                began_at=1_700_000_001.0,
                ended_at=None,
                outcome=state.outcome,
                sentence="",
                attempts=1,
                steps=4,
                done=1,
                alive=not self.gone,
            )
        ]

    def wish(self, run: str, kind: WishKind) -> None:
        self.wishes.append(kind)

    def alive(self, run: str) -> bool:
        return not self.gone and self.state(run).outcome is None

    def playbooks(self) -> tuple[Playbook, ...]:
        timeout = Parameter("timeout", ParameterKind.DURATION, "how long sessions may take", 60.0)
        return (
            Playbook("drain", "Take a node out", "Of all its pools.", {"timeout": timeout}, None, (), shipped=True),
        )


ENDED = (*STORY, RunEnded(Outcome.DONE, "app1 and app2 are out", 9.0))
