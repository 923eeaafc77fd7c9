"""What is worth knowing before a plan is confirmed, and is no reason against it: what the inventory gives rise to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hactl.model.inventory import HaproxyService, Inventory
from hactl.model.plan import PlannedStep
from hactl.model.verb import Effect
from hactl.planning.rules.remark import listed
from hactl.planning.touched import leaves


def cautions(steps: Iterable[PlannedStep], inventory: Inventory) -> Iterator[str]:
    """Balancers that forget, when they are reloaded, which servers were taken out."""
    out = (step for step in steps if step.effect is Effect.TAKES_OUT)
    pools = dict.fromkeys(pool for step in out for pool in leaves(step, inventory))
    for name in dict.fromkeys(inventory.pools[pool].balancer for pool in pools):
        balancer = inventory.services[name]
        if isinstance(balancer, HaproxyService) and balancer.state_file is None:
            yield (
                f"{name} has no state_file in the inventory: a reload of {listed(balancer.nodes)} "
                "would forget the drain and let users back in."
            )
