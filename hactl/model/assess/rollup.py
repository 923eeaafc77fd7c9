"""From findings to verdicts: nodes, services, sites, the cluster."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hactl.model.assess.base import ClusterCase, breaks, is_up
from hactl.model.assess.counts import Counts
from hactl.model.facts import UnitFacts
from hactl.model.findings import (
    Assessment,
    Finding,
    Level,
    PoolVerdict,
    ScopeKind,
    ServiceVerdict,
    Verdict,
    subject,
)
from hactl.model.inventory import Inventory, Routing, Service
from hactl.model.observed import Unknown
from hactl.model.state import LinkPhase

_FINE = "fine"


def verdict(level: Level, sentence: str, before: Verdict | None, began: float) -> Verdict:
    """A verdict that keeps the age of the one before where the level is the same."""
    return Verdict(level, sentence, before.since if before and before.level is level else began)


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Worst first, then oldest first."""
    return tuple(sorted(findings, key=_rank))


def _rank(finding: Finding) -> tuple[int, float, str]:
    return -finding.level, finding.since, finding.key


def of_findings(findings: Sequence[Finding], before: Verdict | None, now: float, *, named: bool = False) -> Verdict:
    """The worst finding's level and sentence, and how many others there are. `named`: with what it is about."""
    if not findings:
        return verdict(Level.OK, _FINE, before, now)
    worst = min(findings, key=_rank)
    rest = len(findings) - 1
    about = f"{subject(worst)}: " if named else ""
    sentence = f"{about}{worst.sentence}" + (f" (and {rest} more)" if rest else "")
    began = min(finding.since for finding in findings if finding.level is worst.level)
    return verdict(worst.level, sentence, before, began)


def by_node(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    found: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.node is not None:
            found[finding.node].append(finding)
    return found


def by_service(inventory: Inventory, findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """What concerns each service, those of which nothing is said included."""
    found: dict[str, list[Finding]] = {name: [] for name in inventory.services}
    for finding in findings:
        if finding.service is not None:
            found[finding.service].append(finding)
    return found


@dataclass(frozen=True, slots=True)
class Part:
    """A service on one of its nodes. `works` None: nobody can say."""

    verdict: Verdict
    works: bool | None


def parts(
    case: ClusterCase, about: Mapping[str, list[Finding]], before: Assessment | None
) -> dict[str, dict[str, Part]]:
    """For each service each of its nodes."""
    past = before.services if before else {}
    return {
        name: _parts(case, service, about[name], past[name].members if name in past else {})
        for name, service in case.inventory.services.items()
    }


def _parts(case: ClusterCase, which: Service, about: list[Finding], before: Mapping[str, Verdict]) -> dict[str, Part]:
    own = by_node(about)
    return {node: _part(case, which, node, own.get(node, []), before.get(node)) for node in which.nodes}


def _part(case: ClusterCase, which: Service, node: str, about: list[Finding], before: Verdict | None) -> Part:
    """A node that cannot be asked, or has not told about the service's units, tells nothing about the service."""
    state = case.state.nodes[node]
    if not is_up(state):
        return Part(verdict(Level.UNKNOWN, _absent(case, node), before, state.link.since), None)
    if any(map(breaks, about)):
        return Part(of_findings(about, before, case.now), works=False)
    units = case.read(node, "units", UnitFacts) if which.units else None
    if isinstance(units, Unknown):
        return Part(verdict(Level.UNKNOWN, f"its units are not known: {units.reason}", before, units.since), None)
    doubtful = any(found.level is Level.UNKNOWN for found in about)
    return Part(of_findings(about, before, case.now), None if doubtful else True)


def service(
    case: ClusterCase,
    which: Service,
    about: list[Finding],
    inside: Mapping[str, Part],
    *,
    pools: Mapping[str, PoolVerdict],
    before: ServiceVerdict | None,
) -> ServiceVerdict:
    """Users see how many members serve: one that is broken is a warning as long as enough others are there."""
    counts = _pooled(case.inventory, which, pools) or _counted(case, which, inside)
    wide = [finding for finding in about if finding.node is None]
    level = max(
        counts.level,
        *(finding.level for finding in wide),
        *(min(finding.level, Level.WARN) for finding in about),
        Level.OK,
    )
    began = min((finding.since for finding in about if finding.level >= level), default=case.now)
    told = [f.sentence for f in wide if f.level is level is not Level.OK and f.scope.kind is not ScopeKind.POOL]
    shown = verdict(level, "; ".join([*told[:1], str(counts)]), before.verdict if before else None, began)
    members = {node: part.verdict for node, part in inside.items()}
    return ServiceVerdict(which.name, shown, counts.available, counts.unknown, counts.total, which.minimum, members)


def _absent(case: ClusterCase, node: str) -> str:
    return "unreachable" if case.state.nodes[node].link.phase is LinkPhase.DOWN else "not asked yet"


def _pooled(inventory: Inventory, service: Service, pools: Mapping[str, PoolVerdict]) -> Counts | None:
    """Where balancers share out the load, they decide who is available; of several pools the worst counts."""
    behind = [
        pools[pool.name]
        for pool in inventory.pools.values()
        if pool.service == service.name and pool.routing is Routing.ALL
    ]
    if not behind:
        return None
    worst = min(behind, key=lambda pool: (pool.available + pool.unknown - pool.minimum, pool.available))
    return Counts(worst.available, worst.unknown, worst.total, service.minimum)


def _counted(case: ClusterCase, which: Service, inside: Mapping[str, Part]) -> Counts:
    counting = [part.works for node, part in inside.items() if case.active(node)]
    return Counts(counting.count(True), counting.count(None), len(counting), which.minimum)


def sites(
    inventory: Inventory, nodes: Mapping[str, Verdict], before: Assessment | None, now: float
) -> dict[str, Verdict]:
    """As its worst node."""
    of_site: dict[str, list[tuple[str, Verdict]]] = {name: [] for name in inventory.sites}
    for name, node in inventory.nodes.items():
        of_site[node.site].append((name, nodes[name]))
    past = before.sites if before else {}
    return {name: _site(members, past.get(name), now) for name, members in of_site.items()}


def _site(members: list[tuple[str, Verdict]], before: Verdict | None, now: float) -> Verdict:
    bad = [(name, node) for name, node in members if node.level is not Level.OK]
    if not bad:
        return verdict(Level.OK, f"{len(members)} nodes fine" if len(members) != 1 else "1 node fine", before, now)
    level = max(node.level for _, node in bad)
    worst = [(name, node) for name, node in bad if node.level is level]
    sentence = f"{len(bad)} of {len(members)} nodes not fine: {', '.join(name for name, _ in worst)}"
    return verdict(level, sentence, before, min(node.since for _, node in worst))


def cluster(inventory: Inventory, findings: Sequence[Finding], before: Assessment | None, now: float) -> Verdict:
    past = before.cluster if before else None
    if not findings:
        sentence = f"{len(inventory.services)} services on {len(inventory.nodes)} nodes are fine"
        return verdict(Level.OK, sentence, past, now)
    return of_findings(findings, past, now, named=True)
