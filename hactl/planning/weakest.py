"""The weakest moment: how few are left while steps are under way, counted from the live picture on.

A node that is taken out serves no pool until it is brought back. A node whose services stop and start again counts as
out of the pools of those services meanwhile, and as out of the services themselves. Nodes of one segment go side by
side, so at worst all of them are away at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from hactl.model.assess.base import breaks
from hactl.model.facts import UnitFacts
from hactl.model.findings import Level
from hactl.model.inventory import Pool, Routing, Service
from hactl.model.observed import Unknown
from hactl.model.plan import PlannedStep, WeakestMoment
from hactl.model.state import LinkPhase
from hactl.model.verb import Effect
from hactl.planning.case import Case
from hactl.planning.touched import interrupted


@dataclass(frozen=True, slots=True)
class Group:
    """A pool or a service that is counted. `now`: nodes that are available; `unknown`: nobody can say."""

    name: str
    kind: str
    service: str
    pooled: bool  # nodes are taken out of it and brought back
    one: bool  # only one of its members is meant to be routed to
    planned: tuple[str, ...]
    now: frozenset[str]
    unknown: frozenset[str]
    total: int
    minimum: int


@dataclass(frozen=True, slots=True)
class Moment:
    """A group while a segment is done: who is left, who of them this plan has away, and when that is."""

    group: Group
    left: frozenset[str]
    away: frozenset[str]
    during: str

    @property
    def weakest(self) -> WeakestMoment:
        group = self.group
        return WeakestMoment(group.name, group.kind, len(self.left), group.total, group.minimum, self.during)


def groups(case: Case) -> Iterator[Group]:
    """The pools and services that the nodes of these steps are part of."""
    nodes = frozenset(case.nodes)
    for pool in case.inventory.pools.values():
        if not nodes.isdisjoint(pool.servers):
            yield _pool(case, pool)
    pooled = {pool.service for pool in case.inventory.pools.values() if pool.routing is Routing.ALL}
    for service in case.inventory.services.values():
        if service.name not in pooled and not nodes.isdisjoint(service.nodes):
            yield _service(case, service)


def moments(case: Case) -> tuple[Moment, ...]:
    """For each group its weakest moment, the first one of those that are equally weak."""
    segments = [(_during(steps), steps) for steps in _segments(case.steps)]
    return tuple(_weakest(case, group, segments) for group in groups(case))


def _segments(steps: tuple[PlannedStep, ...]) -> list[tuple[PlannedStep, ...]]:
    return [tuple(group) for _, group in groupby(steps, key=lambda step: step.segment)]


def _during(steps: tuple[PlannedStep, ...]) -> str:
    names = ", ".join(dict.fromkeys(step.node for step in steps if step.node is not None))
    batch = steps[0].batch
    return f"batch {batch} ({names})" if batch and names else f"{steps[0].name} ({names})" if names else steps[0].name


def _weakest(case: Case, group: Group, segments: list[tuple[str, tuple[PlannedStep, ...]]]) -> Moment:
    here, out = group.now, frozenset[str]()
    worst = Moment(group, here, frozenset(), "now")
    for during, steps in segments:
        away, back = _through(case, group, steps)
        away |= out
        moment = Moment(group, here - away, away, during)
        if len(moment.left) < len(worst.left):
            worst = moment
        # Whoever was brought back is in again, whether or not it was before.
        out = (out | _still_out(group, steps)) - back
        here |= frozenset() if group.one else back & frozenset(group.planned)
    return worst


def _through(case: Case, group: Group, steps: tuple[PlannedStep, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """Nodes that are away from the group at some time in these steps, and those that are back at their end."""
    away, back = set[str](), set[str]()
    for step in steps:
        if step.node is None:
            continue
        match step.effect:
            case Effect.TAKES_OUT if _concerns(step, group):
                away.add(step.node)
                back.discard(step.node)
            case Effect.BRINGS_BACK if _concerns(step, group):
                back.add(step.node)
            case Effect.INTERRUPTS if any(one.name == group.service for one in interrupted(step, case.inventory)):
                away.add(step.node)
    return frozenset(away), frozenset(back)


def _still_out(group: Group, steps: tuple[PlannedStep, ...]) -> frozenset[str]:
    """Nodes that are out when these steps have ended."""
    moves = {Effect.TAKES_OUT, Effect.BRINGS_BACK}
    last = {step.node: step.effect for step in steps if step.effect in moves and _concerns(step, group)}
    return frozenset(node for node, effect in last.items() if effect is Effect.TAKES_OUT and node is not None)


def _concerns(step: PlannedStep, group: Group) -> bool:
    """Does a step that takes out or brings back do so in this group? It may name one pool."""
    return group.pooled and step.arguments.get("pool", "") in {"", group.name}


def _pool(case: Case, pool: Pool) -> Group:
    members = case.members(pool)
    one = pool.routing is Routing.ONE
    minimum = pool.minimum if one else max(pool.minimum, case.inventory.services[pool.service].minimum)
    return Group(
        name=pool.name,
        kind="pool",
        service=pool.service,
        pooled=True,
        one=one,
        planned=tuple(member.node for member in members),
        now=frozenset(member.node for member in members if member.available),
        unknown=frozenset(member.node for member in members if not member.seen),
        total=1 if one else len(members),
        minimum=minimum,
    )


def _service(case: Case, service: Service) -> Group:
    planned = tuple(node for node in service.nodes if case.active(node))
    works: Mapping[str, bool | None] = {node: _works(case, service, node) for node in planned}
    return Group(
        name=service.name,
        kind="service",
        service=service.name,
        pooled=False,
        one=False,
        planned=planned,
        now=frozenset(node for node in planned if works[node]),
        unknown=frozenset(node for node in planned if works[node] is None),
        total=len(planned),
        minimum=service.minimum,
    )


def _works(case: Case, service: Service, node: str) -> bool | None:
    """Does the service work on the node, as far as it says? None: nobody knows."""
    if case.picture.state.nodes[node].link.phase is not LinkPhase.UP:
        return None
    about = [one for one in case.picture.assessment.findings if (one.node, one.service) == (node, service.name)]
    if any(breaks(finding) for finding in about):
        return False
    if service.units and isinstance(case.read(node, "units", UnitFacts), Unknown):
        return None
    return None if any(finding.level is Level.UNKNOWN for finding in about) else True
