"""When which server became the primary of a database: by hactl's own runs, by what it saw, by what servers remember.

Three sources, and none of them knows all: the journal of this machine knows who, why and at what cost; a primary that
changed between two looks is known only to have changed between them; a server remembers when it began a timeline.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from hactl.model.facts import PostgresqlFacts
from hactl.model.inventory import PostgresqlService
from hactl.model.observed import Observed
from hactl.model.picture import Picture
from hactl.model.plan import PlannedStep
from hactl.model.replication import replication
from hactl.model.run import RunState, StepPhase, StepState

PROMOTE = "postgresql.promote"
RETURNS = frozenset({"postgresql.rewind", "postgresql.clone"})

_TOOK_PLACE = frozenset({StepPhase.DONE, StepPhase.UNKNOWN})
_CLOSE = 180.0  # seconds; two sources that are further apart tell of two changes


@dataclass(frozen=True, slots=True)
class RoleChange:
    """`after` became the primary (or, with `returned`, a standby again) instead of `before`; "" is not known.

    `since` and `until` are epoch seconds between which it was; None is not known. `run` "": nobody acted from here, so
    who did it and why is not known either. `write_downtime` seconds, `lost_bytes`: None where nobody measured it.
    """

    service: str
    after: str
    before: str = ""
    timeline: int | None = None
    since: float | None = None
    until: float | None = None
    returned: bool = False
    run: str = ""
    playbook: str = ""
    who: str = ""
    why: str = ""
    outcome: str = ""
    write_downtime: float | None = None
    lost_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """The one primary of a database as it was seen last, at the epoch second `at`."""

    node: str
    at: float
    facts: PostgresqlFacts


@dataclass(frozen=True, slots=True)
class TimelineBegun:
    """What a server remembers: the file in which the beginning of a timeline stands, and when that was written."""

    service: str
    node: str
    timeline: int
    at: float  # epoch seconds, by the server's clock


def sightings(picture: Picture) -> Mapping[str, Sighting]:
    """By service, of those that have exactly one primary now."""
    found = {}
    for service in picture.state.inventory.services.values():
        if not isinstance(service, PostgresqlService):
            continue
        seen = replication(service, picture)
        facts = seen.servers[seen.primary].facts if seen.primary else None
        if isinstance(facts, Observed):
            found[service.name] = Sighting(seen.primary, picture.state.wall(facts.at), facts.value)
    return found


def changed(service: str, before: Sighting, after: Sighting) -> RoleChange | None:
    """What has happened between two sights; None where all is as it was."""
    if (before.node, before.facts.timeline) == (after.node, after.facts.timeline):
        return None
    return RoleChange(service, after.node, before.node, after.facts.timeline, before.at, after.at)


def of_run(state: RunState) -> Iterator[RoleChange]:
    """What a run has changed, as its journal tells."""
    downtime = _number(state.steps, "write_downtime")
    for step, done in zip(state.plan.steps, state.steps, strict=True):
        if done.phase not in _TOOK_PLACE or (step.verb != PROMOTE and step.verb not in RETURNS) or step.node is None:
            continue
        promoted = step.verb == PROMOTE
        lost = _number((done,), "lost_bytes")
        timeline = _number((done,), "timeline")
        yield RoleChange(
            service=_service(step, state),
            after=step.node,
            before=_before(step, state) if promoted else "",
            timeline=None if timeline is None else int(timeline),
            since=done.began_at,
            until=done.ended_at,
            returned=not promoted,
            run=state.run,
            playbook=state.plan.playbook,
            who=state.who or state.plan.request.who,
            why=state.plan.request.reason,
            outcome=state.outcome.value if state.outcome is not None else "",
            write_downtime=downtime if promoted else None,
            lost_bytes=None if lost is None else int(lost),
        )


def told(
    runs: Iterable[RoleChange], seen: Iterable[RoleChange], remembered: Iterable[TimelineBegun]
) -> tuple[RoleChange, ...]:
    """All of it, newest first, each change once: what a run did is not told again as something that was noticed."""
    changes = list(runs)
    for one in seen:
        if not any(_same(one, other) for other in changes):
            changes.append(one)
    begun: dict[tuple[str, int], TimelineBegun] = {}
    for file in remembered:  # the first who wrote it is the one that began it
        known = begun.get((file.service, file.timeline))
        if known is None or file.at < known.at:
            begun[file.service, file.timeline] = file
    for (service, timeline), file in begun.items():
        found = [one for one in changes if one.service == service and one.timeline == timeline and not one.returned]
        if not found:
            changes.append(RoleChange(service, "", "", timeline, file.at, file.at))
        elif found[0].run == "":
            changes[changes.index(found[0])] = replace(found[0], since=file.at, until=file.at)
    return tuple(sorted(changes, key=lambda one: one.until or one.since or 0.0, reverse=True))


def _same(noticed: RoleChange, done: RoleChange) -> bool:
    if noticed.service != done.service or done.returned:
        return False
    if noticed.timeline is not None and done.timeline is not None:
        return noticed.timeline == done.timeline and noticed.after == done.after
    if noticed.after != done.after or done.until is None or noticed.since is None or noticed.until is None:
        return False
    return noticed.since - _CLOSE <= done.until <= noticed.until + _CLOSE


def _service(step: PlannedStep, state: RunState) -> str:
    return str(step.arguments.get("service") or state.plan.parameters.get("service", ""))


def _before(step: PlannedStep, state: RunState) -> str:
    return str(step.arguments.get("replaces") or state.plan.parameters.get("primary", ""))


def _number(steps: Iterable[StepState], fact: str) -> float | None:
    """The fact that a step has noted, if it is a number."""
    for step in steps:
        text = step.after.get(fact, "")
        try:
            return float(text)
        except ValueError:
            continue
    return None
