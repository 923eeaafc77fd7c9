"""Is enough left? Counted on the live picture, over all balancers; what nobody knows is not counted as there."""

from __future__ import annotations

from collections.abc import Iterator

from hactl.model.inventory import Inventory, KeepalivedService
from hactl.model.verb import Effect
from hactl.planning.case import Case
from hactl.planning.rules.remark import Remark, listed, refuse, warn
from hactl.planning.touched import interrupted
from hactl.planning.weakest import Moment, moments


def minimum_available(case: Case) -> Iterator[Remark]:
    for moment in moments(case):
        yield from _too_few(moment)
    yield from _holders(case)


def _too_few(moment: Moment) -> Iterator[Remark]:
    group, left = moment.group, len(moment.left)
    pool = group.name if group.kind == "pool" else None
    if left >= group.minimum:
        return
    gone = sorted(group.now & moment.away)
    if not gone:
        yield warn(
            f"{group.name} has {left} of {group.total} available, minimum {group.minimum}; none of them is taken away",
            pool=pool,
        )
        return
    doubt = f", {len(group.unknown)} unknown" if group.unknown else ""
    yield refuse(
        f"{group.name} would have {left} of {group.total} available without {listed(gone)}, minimum {group.minimum} "
        f"(now {len(group.now)}{doubt})",
        pool=pool,
    )


def _holders(case: Case) -> Iterator[Remark]:
    """A VIP's holder whose balancer stops loses what is connected through it, unless the VIP is moved before."""
    moved = set[str | None]()
    for step in case.steps:
        if step.effect is Effect.MOVES_VIP:
            moved.add(step.node)
        if step.effect is not Effect.INTERRUPTS or moved & {step.node, None}:
            continue
        for vip in case.picture.assessment.vips.values():
            carriers = {vip_service(case.inventory, vip.name)} | {
                pool.balancer for pool in case.inventory.pools.values()
            }
            if step.node in vip.holders and carriers & {one.name for one in interrupted(step, case.inventory)}:
                yield warn(f"{step.node} has {vip.address}: connections through it break when it moves", node=step.node)


def vip_service(inventory: Inventory, vip: str) -> str:
    service = inventory.services[inventory.vips[vip].service]
    return service.name if isinstance(service, KeepalivedService) else ""


def maximum_unavailable(case: Case) -> Iterator[Remark]:
    """Several at once: would they be more than can be spared, with those that somebody has taken out already?"""
    for moment in moments(case):
        group = moment.group
        together = moment.away & frozenset(group.planned)
        if len(together) < 2:
            continue
        spare = group.total - group.minimum
        out = frozenset(group.planned) - group.now - together
        if len(together) + len(out) > spare:
            already = f", and {listed(sorted(out))} {'is' if len(out) == 1 else 'are'} away already" if out else ""
            yield refuse(
                f"{listed(sorted(together))} at once are more than the {spare} of {group.total} that {group.name} "
                f"can spare{already}",
                pool=group.name if group.kind == "pool" else None,
            )


def site_loss(case: Case) -> Iterator[Remark]:
    """A group of several sites that loses one. Where the site has but one member that cannot be helped: a warning."""
    for moment in moments(case):
        group, nodes = moment.group, case.inventory.nodes
        sites = dict.fromkeys(nodes[node].site for node in group.planned)
        if len(sites) < 2 or group.one:
            continue
        for site in sites:
            planned = [node for node in group.planned if nodes[node].site == site]
            had = {node for node in group.now if nodes[node].site == site}
            if had and had <= moment.away:
                say = warn if len(planned) == 1 else refuse
                others = len(moment.left)
                yield say(
                    f"{group.name} would have nobody in {site} without {listed(sorted(had))}, "
                    f"the last of {len(planned)} there; {others} left elsewhere",
                    pool=group.name if group.kind == "pool" else None,
                )
