"""What the next failure would do. A service that could spare a node or a site by design, and cannot now, says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hactl.model.assess.base import ClusterCase, listed
from hactl.model.assess.rollup import Part
from hactl.model.findings import Finding, Level, Scope, ScopeKind
from hactl.model.inventory import PostgresqlService, Routing, Service
from hactl.model.state import LinkPhase


def judge(case: ClusterCase, parts: Mapping[str, Mapping[str, Part]]) -> Iterator[Finding]:
    """Services behind a balancer pool are left out: their pool counts what it can spare."""
    pooled = {pool.service for pool in case.inventory.pools.values() if pool.routing is Routing.ALL}
    for service in case.inventory.services.values():
        if service.serves and service.name not in pooled:
            yield from _service(case, service, parts[service.name])


def _service(case: ClusterCase, service: Service, parts: Mapping[str, Part]) -> Iterator[Finding]:
    planned = [node for node in service.nodes if case.active(node)]
    left = [node for node in planned if not _lost(case, node, parts[node])]
    if not service.minimum <= len(left) < len(planned):
        return
    sentence = ""
    if len(planned) > service.minimum == len(left):
        only = f"only {listed(left)} left" if len(left) == 1 else f"{len(left)} left"
        sentence = f"redundancy: {only} of {len(planned)}, minimum {service.minimum}"
    elif site := _site(case, service, planned, left):
        sentence = f"redundancy: {_without(service, site)}"
    if sentence:
        yield case.finding(
            f"redundancy:{service.name}",
            Level.WARN,
            Scope(ScopeKind.SERVICE, service.name),
            sentence,
            hint="Bring the lost members back before anything else is taken away.",
            service=service.name,
        )


def _lost(case: ClusterCase, node: str, part: Part) -> bool:
    """Broken or not reachable; one that was only not asked yet may be fine."""
    return part.works is False or case.state.nodes[node].link.phase is LinkPhase.DOWN


def _site(case: ClusterCase, service: Service, planned: list[str], left: list[str]) -> str | None:
    """The site whose loss the service would have survived with all its members, and would not now."""
    nodes = case.inventory.nodes
    for site in case.inventory.sites:
        outside = sum(nodes[node].site != site for node in planned)
        if outside >= service.minimum > sum(nodes[node].site != site for node in left):
            return site
    return None


def _without(service: Service, site: str) -> str:
    if isinstance(service, PostgresqlService):
        return f"no standby in another site than {site}"
    return f"would not survive the loss of site {site}"
