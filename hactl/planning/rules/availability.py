"""Is enough left? Counted on the live picture, over all balancers; what nobody knows is not counted as there."""

from __future__ import annotations

from collections.abc import Iterator

from hactl.model.inventory import Inventory
from hactl.model.plan import PlannedStep
from hactl.model.verb import Effect
from hactl.planning.case import Case
from hactl.planning.rules.remark import Remark, listed, refuse, warn
from hactl.planning.touched import leaves, stopped
from hactl.planning.weakest import Moment, groups, moments, timeline, works

HOLD = "vip.hold"
"""The verb after which its node takes no address any more."""


def minimum_available(case: Case) -> Iterator[Remark]:
    for moment in moments(case):
        yield from _too_few(moment)
    yield from _still_in(case)
    yield from _holders(case)
    yield from _nowhere(case)


def _too_few(moment: Moment) -> Iterator[Remark]:
    group, left = moment.group, len(moment.left)
    if left >= group.minimum:
        return
    doubt = f", {len(group.unknown)} unknown" if group.unknown else ""
    if moment.lost:
        yield refuse(
            f"{group.name} would have {left} of {group.total} available without {listed(moment.lost)}, "
            f"minimum {group.minimum} (now {len(group.now)}{doubt})",
            pool=group.pool,
        )
    else:
        yield warn(
            f"{group.name} has {left} of {group.total} available{doubt}, minimum {group.minimum}; "
            "none of them is taken away",
            pool=group.pool,
        )


def _still_in(case: Case) -> Iterator[Remark]:
    """Services that stop on a node which balancers send requests to meanwhile."""
    out = {(one.node, pool) for one in case.taken_out for pool in leaves(one, case.inventory)}
    before = frozenset(out)
    for step in case.steps:
        if step.effect is Effect.TAKES_OUT:
            out |= {(step.node, pool) for pool in leaves(step, case.inventory)}
        elif step.effect is Effect.BRINGS_BACK:
            out -= {(step.node, pool) for pool in leaves(step, case.inventory)}
        elif step.effect is Effect.INTERRUPTS and step.node is not None:
            yield from _interrupted(case, step, step.node, frozenset(out), before)


def _interrupted(
    case: Case,
    step: PlannedStep,
    node: str,
    out: frozenset[tuple[str | None, str]],
    before: frozenset[tuple[str | None, str]],
) -> Iterator[Remark]:
    """`out`: nodes and pools that they have left by then; `before`: those of them that have left already."""
    services = {service.name for service in stopped(step, case.inventory)}
    for pool in case.pools:
        serving = case.serving(pool, node) if pool.service in services else ()
        if serving and (node, pool.name) in before:
            yield refuse(
                f"{node} is in {pool.name} again on {listed(serving)}, though this run took it out: was it reloaded?",
                node=node,
                pool=pool.name,
            )
        elif serving and (node, pool.name) not in out:
            yield warn(
                f"{node} stays in {pool.name} while it is interrupted ({step.name}): requests to it may fail",
                node=node,
                pool=pool.name,
            )


def _holders(case: Case) -> Iterator[Remark]:
    """A VIP's holder whose balancer stops loses what is connected through it, unless the VIP is moved before."""
    moved = set[str | None]()
    for step in case.steps:
        if step.effect is Effect.MOVES_VIP:
            moved.add(step.node)
        if step.effect is not Effect.INTERRUPTS or moved & {step.node, None}:
            continue
        services = {service.name for service in stopped(step, case.inventory)}
        for vip in case.picture.assessment.vips.values():
            if step.node in vip.holders and services & _carriers(case.inventory, vip.name):
                sentence = f"{step.node} has {vip.address} and is interrupted ({step.name}): connections may break"
                yield warn(sentence, node=step.node)


def _nowhere(case: Case) -> Iterator[Remark]:
    """A VIP that everybody who may hold it and works is kept from, by the whole plan: it would be on no node."""
    if not any(step.verb == HOLD for step in case.steps):
        return
    held = {step.node for step in case.plan.steps if step.verb == HOLD}
    for vip in case.inventory.vips.values():
        keeper = case.inventory.services[vip.service]
        away = [node for node in keeper.nodes if node in held]
        left = [node for node in keeper.nodes if node not in held]
        if away and not any(works(case, keeper, node) for node in left):
            idle = f"{listed(left)} {'does' if len(left) == 1 else 'do'} not work"
            rest = idle if left else "nobody else may hold it"
            yield refuse(f"{vip.name} ({vip.address}) has nowhere to go from {listed(away)}: {rest}")


def _carriers(inventory: Inventory, vip: str) -> frozenset[str]:
    """Who keeps the address, and who answers at it."""
    return frozenset({inventory.vips[vip].service, *(pool.balancer for pool in inventory.pools.values())})


def maximum_unavailable(case: Case) -> Iterator[Remark]:
    """Nodes of one batch that go side by side: are they more than can be spared, with those that are away already?"""
    for group in groups(case):
        worst = max(timeline(case, group), key=lambda moment: len(moment.together))
        together = worst.together & frozenset(group.planned)
        away = [node for node in group.planned if node not in group.now | together]
        spare = group.total - group.minimum
        if group.one or len(together) < 2 or len(together) + len(away) <= spare:
            continue
        already = f", and {listed(away)} {'is' if len(away) == 1 else 'are'} away already" if away else ""
        yield refuse(
            f"{listed(sorted(together))} at once are more than the {max(0, spare)} of {group.total} that {group.name} "
            f"can spare{already}",
            pool=group.pool,
        )


def site_loss(case: Case) -> Iterator[Remark]:
    """A group of several sites that loses one. Where the site has but one member that cannot be helped: a warning."""
    nodes = case.inventory.nodes
    for group in groups(case):
        sites = dict.fromkeys(nodes[node].site for node in group.planned)
        for site in sites if len(sites) > 1 and not group.one else ():
            planned = [node for node in group.planned if nodes[node].site == site]
            had = [node for node in planned if node in group.now]
            if had and any(moment.left.isdisjoint(planned) for moment in timeline(case, group)):
                say = warn if len(planned) == 1 else refuse
                yield say(
                    f"{group.name} would have nobody left in {site}: {listed(had)} would be away "
                    f"({len(had)} of {len(planned)} there are available now)",
                    pool=group.pool,
                )
