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
from hactl.planning.touched import concerned, leaves, names_services, promoted


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

    @property
    def pool(self) -> str | None:
        """The pool's name, where it is one."""
        return self.name if self.pooled else None


@dataclass(frozen=True, slots=True)
class Moment:
    """A group while one segment of steps is done. `here`: who would serve if nobody was away; `away`: nodes that the
    plan has out at some time in it; `together`: those that the segment itself sends away.
    """

    group: Group
    here: frozenset[str]
    away: frozenset[str]
    together: frozenset[str]
    during: str

    @property
    def left(self) -> frozenset[str]:
        return self.here - self.away

    @property
    def lost(self) -> tuple[str, ...]:
        """Those who serve now, or may do so, and would not then; in the group's order."""
        return tuple(node for node in self.group.planned if node in (self.group.now | self.group.unknown) & self.away)

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
        if service.serves and service.name not in pooled and not nodes.isdisjoint(service.nodes):
            yield _service(case, service)


def moments(case: Case) -> tuple[Moment, ...]:
    """For each group its weakest moment; of those that are equally weak the first that takes most away."""
    return tuple(min(timeline(case, group), key=_strength) for group in groups(case))


def _strength(moment: Moment) -> tuple[int, int]:
    return len(moment.left), -len(moment.lost)


def timeline(case: Case, group: Group) -> Iterator[Moment]:
    """The group now, and during each segment of the steps."""
    here, out = group.now, frozenset[str]()
    yield Moment(group, here, frozenset(), frozenset(), "now")
    for _, segment in groupby(case.steps, key=lambda step: step.segment):
        steps = tuple(segment)
        together, still, back = _through(case, group, steps)
        yield Moment(group, here, out | together, together, _during(steps))
        # Whoever was brought back is in again, whether or not it was before; who stays out, is out from here on.
        out = (out | still) - back
        here = _routed(here, group, steps) if group.one else here | back & frozenset(group.planned)


def _during(steps: tuple[PlannedStep, ...]) -> str:
    names = ", ".join(dict.fromkeys(step.node for step in steps if step.node is not None))
    name = f"batch {steps[0].batch}" if steps[0].batch else steps[0].name
    return f"{name} ({names})" if names else name


def _routed(here: frozenset[str], group: Group, steps: tuple[PlannedStep, ...]) -> frozenset[str]:
    """To whom a pool of one sends everybody after these steps: to a primary that they make."""
    made = frozenset(filter(None, (promoted(step, group.service) for step in steps)))
    return made & frozenset(group.planned) or here


def _through(
    case: Case, group: Group, steps: tuple[PlannedStep, ...]
) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Nodes that these steps send away from the group at some time, that they leave away, and that they bring back."""
    away, still, back = set[str](), set[str](), set[str]()
    for step in steps:
        if step.node is None or not _concerns(case, step, group):
            continue
        if step.effect is Effect.BRINGS_BACK:
            back.add(step.node)
            still.discard(step.node)
            continue
        away.add(step.node)
        if step.effect is Effect.TAKES_OUT:
            still.add(step.node)
            back.discard(step.node)
    return frozenset(away), frozenset(still), frozenset(back)


def _concerns(case: Case, step: PlannedStep, group: Group) -> bool:
    """Does the step take its node away from this group, or bring it back to it?"""
    if step.effect not in {Effect.TAKES_OUT, Effect.BRINGS_BACK, Effect.INTERRUPTS}:
        return False
    if step.effect is Effect.INTERRUPTS or names_services(step):
        return any(service.name == group.service for service in concerned(step, case.inventory))
    return group.pooled and group.name in leaves(step, case.inventory)


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
    answers: Mapping[str, bool | None] = {node: works(case, service, node) for node in planned}
    return Group(
        name=service.name,
        kind="service",
        service=service.name,
        pooled=False,
        one=False,
        planned=planned,
        now=frozenset(node for node in planned if answers[node]),
        unknown=frozenset(node for node in planned if answers[node] is None),
        total=len(planned),
        minimum=service.minimum,
    )


def works(case: Case, service: Service, node: str) -> bool | None:
    """Does the service work on the node, as far as it says? None: nobody knows."""
    if case.picture.state.nodes[node].link.phase is not LinkPhase.UP:
        return None
    about = [one for one in case.picture.assessment.findings if (one.node, one.service) == (node, service.name)]
    if any(breaks(finding) for finding in about):
        return False
    if service.units and isinstance(case.read(node, "units", UnitFacts), Unknown):
        return None
    return None if any(finding.level is Level.UNKNOWN for finding in about) else True
