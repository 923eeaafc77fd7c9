"""Promoting a standby in place of a primary that is given up: what may be lost, as exactly as it can be told.

Nobody can know what a primary wrote after it was last seen. What was seen is told with its age; the rest is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.inventory import Inventory, PostgresqlManager, PostgresqlService
from hactl.model.observed import Observed, Unknown
from hactl.model.plan import PlannedStep
from hactl.model.replication import Replication, replication
from hactl.model.succession import Candidate, survivors
from hactl.model.units import duration, size
from hactl.planning.case import Case
from hactl.planning.rules.remark import Remark, listed, refuse, warn
from hactl.planning.touched import PROMOTE

FENCE = "postgresql.fence"
"""A plan that promotes, and fences the old primary instead of stopping it in order, is a failover."""


def data_loss(case: Case) -> Iterator[Remark]:
    if not any(step.verb == FENCE for step in case.plan.steps):
        return
    for step in case.steps:
        if step.verb == PROMOTE and step.node is not None:
            for service in _databases((step,), case.inventory):
                yield from _loss(replication(service, case.picture), step.node)


def _databases(steps: Iterable[PlannedStep], inventory: Inventory) -> tuple[PostgresqlService, ...]:
    """Those that the steps name, or that are on their nodes where they name none."""
    found: dict[str, PostgresqlService] = {}
    for step in steps:
        named = inventory.services.get(str(step.arguments.get("service", "")))
        here = (named,) if named is not None else inventory.services_on(step.node) if step.node is not None else ()
        found |= {one.name: one for one in here if isinstance(one, PostgresqlService)}
    return tuple(found.values())


def _loss(found: Replication, node: str) -> Iterator[Remark]:
    if found.primary:
        yield refuse(
            f"{found.primary} is the primary of {found.service.name} and answers: `hactl switchover` loses nothing, a "
            f"failover whatever {node} has not received when it is promoted",
            node=node,
        )
        return
    gone = [found.lost.node] if found.lost is not None else []
    ranked = survivors(found, gone)
    mine = next((one for one in ranked if one.node == node), None)
    if mine is None:
        return
    if mine.reasons:
        yield refuse(f"{node} is no good successor: {'; '.join(mine.reasons)}", node=node)
    best = ranked[0]
    if best.node != node and best.eligible and (more := _more(best, mine)):
        yield refuse(f"{best.node} {more}, which would be lost with {node}", node=node)
    yield warn(_sentence(found, node), node=node)


def _more(best: Candidate, mine: Candidate) -> str:
    """What the best survivor has that this one has not; "" where they are equal, or nobody knows."""
    timelines, received = (best.timeline, mine.timeline), (best.received, mine.received)
    if not all(isinstance(one, Observed) for one in (*timelines, *received)):
        return f"can be asked, and {mine.node} cannot"
    newer, older = (one.value for one in timelines if isinstance(one, Observed))
    if newer > older:
        return f"is on timeline {newer}, {mine.node} on {older}"
    further, behind = (one.value for one in received if isinstance(one, Observed))
    return f"has received {size(further - behind)} more" if further > behind else ""


def _sentence(found: Replication, node: str) -> str:
    lost = found.lost
    if lost is None:
        return f"what may be lost with {node} is unknown: nobody knows which server was the primary"
    match found.loss(node):
        case Unknown(reason=reason):
            return f"what may be lost with {node} is unknown: {reason}"
        case Observed(value=count) as seen:
            ago = f"{duration(round(seen.age(found.at)))} ago"
    if count:
        return f"{lost.node} was last seen {size(count)} ahead of {node}, {ago}: that, and what it wrote since, is lost"
    return f"{node} has everything that {lost.node} had when it was last seen, {ago}: what it wrote since is lost"


def managed(steps: Iterable[PlannedStep], inventory: Inventory) -> Iterator[GuardVerdict]:
    """Databases that Patroni manages: nothing may be promoted or stopped behind its back."""
    mine = [step for step in steps if step.verb.startswith("postgresql.")]
    behind = [one.name for one in _databases(mine, inventory) if one.manager is PostgresqlManager.PATRONI]
    if behind:
        sentence = (
            f"{listed(behind)} is managed by Patroni, behind whose back nothing may be promoted or stopped: "
            "ask Patroni, with patronictl switchover or failover"
        )
        yield GuardVerdict("targets", Ruling.REFUSE, sentence, can_override=False)
