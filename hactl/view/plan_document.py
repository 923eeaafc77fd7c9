"""A plan as a document: what `--plan -o json` prints, as types, and how a Plan becomes one.

docs/reference/plan.schema.json is made from these classes; a test holds both together. Fields may be added under the
same SCHEMA; renaming or removing one, or changing what it means, needs a new number. Times are ISO 8601 in UTC,
`*_seconds` durations; null is "not known" or "there is none", as the field says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from hactl.model.guard import GuardVerdict
from hactl.model.parameters import Value
from hactl.model.plan import Plan, PlannedStep
from hactl.view.document import Json, as_json

SCHEMA: Literal["hactl.plan/1"] = "hactl.plan/1"


@dataclass(frozen=True, slots=True)
class RequestDocument:
    """Who asked for the plan and why; `overrides` are the guards that are set aside."""

    who: str
    reason: str
    limit: str | None
    overrides: list[str]


@dataclass(frozen=True, slots=True)
class FirstCommand:
    """A first command of a step. `socket`: it goes to an admin socket, not to a shell."""

    node: str
    text: str
    socket: bool


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One verb on one node (null: on the cluster). Steps of one segment and different lanes go side by side.

    `number` counts from 1; `batch` from 1, 0 for steps of the run. `skip` says why it is probably not needed.
    """

    number: int
    name: str
    verb: str
    node: str | None
    segment: int
    lane: str
    batch: int
    arguments: dict[str, str | int | float | bool | list[str]]
    deadline_seconds: float
    expected_seconds: float
    retries: int
    on_failure: Literal["undo", "stop", "continue"]
    undo: bool
    skip: str
    note: str
    first: list[FirstCommand]


@dataclass(frozen=True, slots=True)
class GuardDocument:
    """What a guard says. `blocks`: the plan may not be carried out because of it; `overridden`: it was set aside."""

    guard: str
    ruling: Literal["ok", "warn", "refuse"]
    sentence: str
    node: str | None
    pool: str | None
    blocks: bool
    overridden: bool
    can_override: bool


@dataclass(frozen=True, slots=True)
class WeakestDocument:
    """How few are available of a pool or service at the worst moment of the plan."""

    name: str
    kind: str
    available: int
    total: int
    minimum: int
    during: str


@dataclass(frozen=True, slots=True)
class PlanDocument:
    """Everything that would be done, and what the guards say. `allowed`: it may be carried out. `digest` names it.

    `untouched` are targets that need nothing, with the reason. `basis` is the state that the plan depends on.
    """

    schema: Literal["hactl.plan/1"]
    digest: str
    made_at: str
    cluster: str
    playbook: str
    title: str
    request: RequestDocument
    parameters: dict[str, str | int | float | bool | list[str]]
    targets: list[str]
    untouched: dict[str, str]
    batches: list[list[str]]
    pause_seconds: float
    steps: list[PlanStep]
    guards: list[GuardDocument]
    allowed: bool
    weakest: list[WeakestDocument]
    endpoints: list[str]
    failed_requests_allowed: int
    failed_nodes_allowed: int
    notes: list[str]
    irreversible: bool
    confirm: str
    expected_seconds: float
    estimated_from: str
    basis: dict[str, str]


def plan_document(plan: Plan) -> dict[str, Json]:
    """What `--plan -o json` prints."""
    plain = as_json(structure(plan))
    if not isinstance(plain, dict):
        raise TypeError("a document is an object")
    return plain


def structure(plan: Plan) -> PlanDocument:
    """The same, typed."""
    request = plan.request
    return PlanDocument(
        schema=SCHEMA,
        digest=plan.digest,
        made_at=iso(plan.made_at),
        cluster=plan.cluster,
        playbook=plan.playbook,
        title=plan.title,
        request=RequestDocument(request.who, request.reason, request.limit, sorted(request.overrides)),
        parameters={name: _value(value) for name, value in plan.parameters.items()},
        targets=list(plan.targets),
        untouched=dict(plan.untouched),
        batches=[list(batch) for batch in plan.batches],
        pause_seconds=plan.pause,
        steps=[_step(step) for step in plan.steps],
        guards=[guard_document(verdict) for verdict in plan.verdicts],
        allowed=not plan.refusals,
        weakest=[WeakestDocument(w.name, w.kind, w.available, w.total, w.minimum, w.during) for w in plan.weakest],
        endpoints=[endpoint.url for endpoint in plan.endpoints],
        failed_requests_allowed=plan.budget.failed_requests,
        failed_nodes_allowed=plan.budget.failed_nodes,
        notes=list(plan.notes),
        irreversible=plan.irreversible,
        confirm=plan.confirm,
        expected_seconds=plan.seconds,
        estimated_from=plan.estimated_from,
        basis=dict(plan.basis),
    )


def guard_document(verdict: GuardVerdict) -> GuardDocument:
    return GuardDocument(
        guard=verdict.guard,
        ruling=verdict.ruling.value,
        sentence=verdict.sentence,
        node=verdict.node,
        pool=verdict.pool,
        blocks=verdict.blocks,
        overridden=verdict.overridden,
        can_override=verdict.can_override,
    )


def iso(epoch: float) -> str:
    """Epoch seconds as ISO 8601 in UTC, to the millisecond: runs are told in those."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _step(step: PlannedStep) -> PlanStep:
    return PlanStep(
        number=step.index + 1,
        name=step.name,
        verb=step.verb,
        node=step.node,
        segment=step.segment,
        lane=step.lane,
        batch=step.batch,
        arguments={name: _value(value) for name, value in step.arguments.items()},
        deadline_seconds=step.deadline,
        expected_seconds=step.seconds,
        retries=step.retries,
        on_failure=step.on_failure.value,
        undo=step.undo,
        skip=step.skip,
        note=step.note,
        first=[FirstCommand(shown.node, shown.text, shown.socket) for shown in step.first],
    )


def _value(value: Value) -> str | int | float | bool | list[str]:
    return list(value) if isinstance(value, tuple) else value
