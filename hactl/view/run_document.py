"""A run as a document: what `hactl runs show -o json` and the JSON report hold, as types, and how a story becomes one.

docs/reference/run.schema.json is made from these classes; the rules of `view.plan_document` hold here as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from hactl.model.codec import plain
from hactl.model.counting import PoolProof
from hactl.model.events import Availability, CommandDone, CommandStarted, ProbeTick, Recorded
from hactl.model.journal import RunSummary
from hactl.model.lock import Holder, LockPicture
from hactl.model.observed import Unknown
from hactl.model.plan import Plan
from hactl.model.run import RunState, folded
from hactl.view.document import Json, as_json
from hactl.view.plan_document import GuardDocument, PlanDocument, guard_document, iso, structure

SCHEMA: Literal["hactl.run/1"] = "hactl.run/1"
OutcomeName: TypeAlias = Literal["done", "failed", "undone", "stopped", "unknown", "cancelled"]
PhaseName: TypeAlias = Literal[
    "pending", "running", "done", "skipped", "failed", "unknown", "undoing", "undone", "undo-failed"
]


@dataclass(frozen=True, slots=True)
class StepResult:
    """How a step of the plan went. `waited_seconds` of its `seconds` were stated waits."""

    number: int
    name: str
    node: str | None
    phase: PhaseName
    sentence: str
    began_at: str | None
    ended_at: str | None
    seconds: float
    waited_seconds: float
    attempts: int
    before: dict[str, str]
    after: dict[str, str]


@dataclass(frozen=True, slots=True)
class PoolResult:
    """A pool at the worst moment of the run: `lowest_available` members surely, `lowest_possible` at most.

    They differ where some could not be judged: up to `unknown` at once, for `unknown_seconds` in all.
    """

    pool: str
    lowest_available: int
    lowest_possible: int
    total: int
    minimum: int
    unknown: int
    unknown_seconds: float


@dataclass(frozen=True, slots=True)
class RequestsResult:
    """What the prober saw at one endpoint. `longest_gap_seconds` is the longest time without a good answer."""

    endpoint: str
    sent: int
    failed: int
    slowest_seconds: float
    longest_gap_seconds: float


@dataclass(frozen=True, slots=True)
class CommandResult:
    """A command that a step ran. `exit` null: it was not learned how it ended. Output is cut to what is kept."""

    at: str
    step: int
    node: str
    text: str
    exit: int | None
    seconds: float | None
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class PoolAt:
    """Available members of a pool from a moment on."""

    at: str
    pool: str
    available: int
    total: int
    minimum: int
    unknown: int


@dataclass(frozen=True, slots=True)
class ProbesAt:
    """What the prober saw in an interval that ended at `at`."""

    at: str
    endpoint: str
    seconds: float
    sent: int
    failed: int
    slowest_seconds: float
    longest_gap_seconds: float
    error: str


@dataclass(frozen=True, slots=True)
class RunDocument:
    """A run, whole. `outcome` null: it has not ended. `events` counts the journal's entries, `hash` is the link of the
    last one in the journal's chain. `overridden` are the guards that were set aside, by `who`, for `reason`. For
    `unwatched_seconds`, between its attempts, nobody counted members or sent requests.
    """

    schema: Literal["hactl.run/1"]
    run: str
    cluster: str
    playbook: str
    outcome: OutcomeName | None
    sentence: str
    error: str
    who: str
    host: str
    reason: str
    began_at: str | None
    ended_at: str | None
    seconds: float | None
    attempts: int
    overridden: list[GuardDocument]
    steps: list[StepResult]
    pools: list[PoolResult]
    unwatched_seconds: float
    requests: list[RequestsResult]
    availability: list[PoolAt]
    probes: list[ProbesAt]
    commands: list[CommandResult]
    plan: PlanDocument
    events: int
    hash: str


def run_document(run: str, plan: Plan, story: Sequence[Recorded]) -> dict[str, Json]:
    """The run as JSON values, from what the journal has of it."""
    document = as_json(run_structure(run, plan, story))
    if not isinstance(document, dict):
        raise TypeError("a document is an object")
    return document


def run_structure(run: str, plan: Plan, story: Sequence[Recorded]) -> RunDocument:
    """The same, typed."""
    state = folded(run, plan, story)
    ended = state.ended_at is not None and state.began_at is not None
    return RunDocument(
        schema=SCHEMA,
        run=run,
        cluster=plan.cluster,
        playbook=plan.playbook,
        outcome=state.outcome.value if state.outcome else None,
        sentence=state.sentence,
        error=state.error,
        who=state.who or plan.request.who,
        host=state.host,
        reason=plan.request.reason,
        began_at=_iso(state.began_at),
        ended_at=_iso(state.ended_at),
        seconds=round((state.ended_at or 0.0) - (state.began_at or 0.0), 3) if ended else None,
        attempts=state.attempt,
        overridden=[guard_document(verdict) for verdict in plan.verdicts if verdict.overridden],
        steps=list(_steps(state)),
        pools=[_pool(proof) for proof in state.lowest.values()],
        unwatched_seconds=round(state.unwatched, 3),
        requests=[RequestsResult(t.endpoint, t.sent, t.failed, t.slowest, t.gap) for t in state.probes.values()],
        availability=list(_availability(story)),
        probes=list(_probes(story)),
        commands=list(commands(story)),
        plan=structure(plan),
        events=len(story),
        hash=story[-1].hash if story else "",
    )


def event_document(recorded: Recorded) -> dict[str, Json]:
    """One event as `-o jsonl` prints it: what the journal has, flat."""
    held = plain(recorded.event)
    fields: Mapping[str, object] = held if isinstance(held, dict) else {}
    kind = type(recorded.event).__name__
    document = as_json({"run": recorded.run, "number": recorded.number, "at": iso(recorded.at), "event": kind})
    rest = as_json({name: value for name, value in fields.items() if name != "type"})
    return {**document, **rest} if isinstance(document, dict) and isinstance(rest, dict) else {}


def summary_document(summary: RunSummary) -> dict[str, Json]:
    """A run as `hactl runs list -o json` has it. `alive` null: its runner is another machine's, so nobody can say."""
    return {
        "run": summary.run,
        "cluster": summary.cluster,
        "playbook": summary.playbook,
        "title": summary.title,
        "targets": list(summary.targets),
        "who": summary.who,
        "reason": summary.reason,
        "planned_at": iso(summary.planned_at),
        "began_at": _iso(summary.began_at),
        "ended_at": _iso(summary.ended_at),
        "outcome": summary.outcome.value if summary.outcome else None,
        "sentence": summary.sentence,
        "attempts": summary.attempts,
        "steps": summary.steps,
        "steps_done": summary.done,
        "alive": None if isinstance(summary.alive, Unknown) else summary.alive,
    }


def lock_document(picture: LockPicture) -> dict[str, Json]:
    """What `hactl lock show -o json` prints."""
    return {
        "schema": "hactl.lock/1",
        "cluster": picture.cluster,
        "certain": picture.certain,
        "holder": _holder(picture.holder),
        "majority": picture.majority,
        "nodes": [
            {
                "node": node.node,
                "held": None if node.problem else node.held,
                "holder": _holder(node.holder),
                "epoch": node.epoch,
                "problem": node.problem,
            }
            for node in picture.nodes
        ],
    }


def commands(story: Sequence[Recorded]) -> Iterator[CommandResult]:
    """Commands in the order in which they began, each with its end, where it has one."""
    begun: dict[tuple[int, str], list[tuple[Recorded, CommandStarted]]] = {}
    results: dict[int, CommandResult] = {}
    for recorded in story:
        match recorded.event:
            case CommandStarted(step=step, node=node, text=text) as started:
                begun.setdefault((step, node), []).append((recorded, started))
                results[recorded.number] = CommandResult(iso(recorded.at), step + 1, node, text, None, None, "", "")
            case CommandDone(step=step, node=node) as done if begun.get((step, node)):
                first, started = begun[step, node].pop(0)
                results[first.number] = CommandResult(
                    iso(first.at), step + 1, node, started.text, done.exit, done.seconds, done.stdout, done.stderr
                )
            case _:
                pass
    yield from results.values()


def _steps(state: RunState) -> Iterator[StepResult]:
    for planned, step in zip(state.plan.steps, state.steps, strict=True):
        yield StepResult(
            number=planned.index + 1,
            name=planned.name,
            node=planned.node,
            phase=step.phase.value,
            sentence=step.sentence,
            began_at=_iso(step.began_at),
            ended_at=_iso(step.ended_at),
            seconds=round(step.seconds, 3),
            waited_seconds=round(step.waited, 3),
            attempts=step.attempts,
            before=dict(step.before),
            after=dict(step.after),
        )


def _pool(proof: PoolProof) -> PoolResult:
    return PoolResult(
        pool=proof.pool,
        lowest_available=proof.surely,
        lowest_possible=proof.at_most,
        total=proof.total,
        minimum=proof.minimum,
        unknown=proof.unknown,
        unknown_seconds=round(proof.blind, 3),
    )


def _availability(story: Sequence[Recorded]) -> Iterator[PoolAt]:
    for recorded in story:
        if isinstance(recorded.event, Availability):
            for count in recorded.event.pools:
                numbers = count.available, count.total, count.minimum, count.unknown
                yield PoolAt(iso(recorded.at), count.pool, *numbers)


def _probes(story: Sequence[Recorded]) -> Iterator[ProbesAt]:
    for recorded in story:
        if isinstance(tick := recorded.event, ProbeTick):
            numbers = tick.seconds, tick.sent, tick.failed, tick.slowest, tick.gap
            yield ProbesAt(iso(recorded.at), tick.endpoint, *numbers, tick.error)


def _holder(holder: Holder | None) -> Json:
    if holder is None:
        return None
    return {
        "id": holder.id,
        "run": holder.run,
        "playbook": holder.playbook,
        "who": holder.who,
        "host": holder.host,
        "pid": holder.pid,
        "since": iso(holder.since),
    }


def _iso(epoch: float | None) -> str | None:
    return None if epoch is None else iso(epoch)
