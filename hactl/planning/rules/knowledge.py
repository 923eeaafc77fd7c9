"""Is enough known, and does what is known forbid to act? What is stale is unknown."""

from __future__ import annotations

from collections.abc import Iterator

from hactl.model.assess import subject
from hactl.model.facts import HostFacts, PostgresqlFacts
from hactl.model.findings import Finding, Level
from hactl.model.inventory import PostgresqlService, Service
from hactl.model.observed import Unknown
from hactl.planning.case import Case
from hactl.planning.rules.remark import Remark, listed, refuse, warn
from hactl.planning.weakest import groups


def unknown_data(case: Case) -> Iterator[Remark]:
    """The nodes themselves, and those on which the others of their pools, services and databases depend."""
    for node in case.nodes:
        match case.read(node, "host", HostFacts):
            case Unknown(reason=reason):
                yield refuse(f"nothing is known of {node}: {_plain(reason, node)}", node=node)
    if not case.taken:
        return
    for group in groups(case):
        unknown = [node for node in group.planned if node in group.unknown and node not in case.own]
        if not unknown or (group.kind == "pool" and len(unknown) < len(group.planned)):
            continue
        pool = group.name if group.kind == "pool" else None
        yield refuse(f"whether {listed(unknown)} can serve {group.name} is not known", pool=pool)
    for service in _databases(case):
        for node in service.nodes:
            if node in case.own or node in case.nodes:
                continue
            match case.read(node, f"postgresql:{service.name}", PostgresqlFacts):
                case Unknown(reason=reason):
                    yield refuse(f"what {node} is to {service.name} is not known: {_plain(reason, node)}", node=node)


def _databases(case: Case) -> Iterator[Service]:
    for service in case.inventory.services.values():
        if isinstance(service, PostgresqlService) and not set(case.taken).isdisjoint(service.nodes):
            yield service


def balancer_unreachable(case: Case) -> Iterator[Remark]:
    """Every balancer of a pool has to say who is available, and has to be told."""
    for pool in case.pools:
        for balancer, why in case.silent(pool).items():
            if balancer not in case.own:
                say = refuse if case.active(balancer) else warn
                sentence = f"{balancer}, a balancer of {pool.name}, cannot be asked: {_plain(why.reason, balancer)}"
                yield say(sentence, node=balancer, pool=pool.name)


def critical_finding(case: Case) -> Iterator[Remark]:
    """What is critical on what is touched, or about the whole cluster; the nodes at hand may be what is repaired."""
    for finding in case.picture.assessment.findings:
        if finding.level is not Level.CRIT:
            continue
        sentence = f"{subject(finding)}: {finding.sentence}"
        if finding.node in case.accepted | case.own | (frozenset() if case.begun else frozenset(case.nodes)):
            if not case.begun:
                yield warn(f"{sentence} (this run works on it)", node=finding.node)
        elif finding.node is not None and not _near(case, finding):
            if not case.begun:
                yield warn(sentence, node=finding.node)
        else:
            yield refuse(sentence, node=finding.node)


def _near(case: Case, finding: Finding) -> bool:
    """About a service or pool that the plan touches."""
    return finding.service in case.plan.services or finding.scope.name in case.plan.pools


def _plain(reason: str, node: str) -> str:
    return reason.removeprefix(f"{node}: ").rstrip(".")
