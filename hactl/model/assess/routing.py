"""Pools of which exactly one member is to be routed to: the primary of a database."""

from __future__ import annotations

from hactl.model.assess.base import ClusterCase, listed
from hactl.model.assess.counts import Counts
from hactl.model.assess.members import Member
from hactl.model.facts import PostgresqlFacts, PostgresqlRole
from hactl.model.findings import Finding, Level, Scope, ScopeKind
from hactl.model.inventory import Pool, PostgresqlService
from hactl.model.observed import Observed

_WRONG = "Writes may go to the wrong server: look at the health check of the backend and at the role of each member."


def judge(case: ClusterCase, pool: Pool, members: tuple[Member, ...]) -> tuple[Counts, str, list[Finding]]:
    """How many (of one) are rightly routed to, the sentence for it, and what is wrong with each balancer's choice."""
    balancers = tuple(members[0].seen) if members else ()
    if not balancers:
        return Counts(0, 1, 1, pool.minimum), "no balancer could be asked", []
    chosen = {name: _routed(members, name) for name in balancers}
    findings = [found for name, nodes in chosen.items() if (found := _wrong(case, pool, name, nodes))]
    everywhere = {node for nodes in chosen.values() for node in nodes}
    empty = [name for name, nodes in chosen.items() if not nodes]
    if not everywhere:
        return Counts(0, 0, 1, pool.minimum), f"no member is up on {listed(empty)}", findings
    if empty:
        return (
            Counts(0, 0, 1, pool.minimum),
            f"no member is up on {listed(empty)}, elsewhere {listed(sorted(everywhere))}",
            findings,
        )
    if len(everywhere) > 1 or any(found.level is Level.CRIT for found in findings):
        return Counts(0, 0, 1, pool.minimum), f"routes to {listed(sorted(everywhere))}", findings
    node = everywhere.pop()
    if findings:
        return Counts(0, 1, 1, pool.minimum), f"routes to {node}, whose role is not known", findings
    role = ", the primary" if _is_database(case, pool) else ""
    return Counts(1, 0, 1, pool.minimum), f"routes to {node}{role}", findings


def _is_database(case: ClusterCase, pool: Pool) -> bool:
    return isinstance(case.inventory.services[pool.service], PostgresqlService)


def _routed(members: tuple[Member, ...], balancer: str) -> tuple[str, ...]:
    """The nodes that `balancer` sends traffic to."""
    rows = ((member.node, member.seen[balancer]) for member in members)
    return tuple(node for node, row in rows if row is not None and row.available)


def _wrong(case: ClusterCase, pool: Pool, balancer: str, nodes: tuple[str, ...]) -> Finding | None:
    """What is wrong with one balancer's choice; to choose nobody is judged by the count."""
    scope, key = Scope(ScopeKind.POOL, pool.name), f"routing:{pool.name}:{balancer}"

    def found(level: Level, sentence: str) -> Finding:
        return case.finding(key, level, scope, f"{balancer} {sentence}", hint=_WRONG, service=pool.service)

    if len(nodes) > 1:
        return found(Level.CRIT, f"routes to {listed(nodes)} at once, and only one may be")
    if not nodes or not _is_database(case, pool):
        return None
    match case.read(nodes[0], f"postgresql:{pool.service}", PostgresqlFacts):
        case Observed(value=facts) if facts.role is PostgresqlRole.STANDBY:
            return found(Level.CRIT, f"routes to {nodes[0]}, which is a standby")
        case Observed():
            return None
    return found(Level.UNKNOWN, f"routes to {nodes[0]}, whose role could not be asked")
