"""How many members the pools of a run have left, picture by picture; nothing is counted before it was looked at."""

from __future__ import annotations

from collections.abc import Sequence

from hactl.model.counting import PoolCount
from hactl.model.inventory import Inventory
from hactl.model.picture import Picture
from hactl.model.state import LinkPhase, NodeState


class HeadCount:
    """Of these pools. One is left out until each of its balancers has said something, or cannot be reached: until then
    it is not empty, but not looked at. Whoever falls silent later is a matter of the count.
    """

    def __init__(self, inventory: Inventory, pools: Sequence[str]) -> None:
        self._unheard = {name: _balancers(inventory, name) for name in pools if name in inventory.pools}
        self._pools = tuple(self._unheard)

    def of(self, picture: Picture) -> tuple[PoolCount, ...]:
        for name, asked in list(self._unheard.items()):
            if all(_has_spoken(picture.state.nodes[node], key) for node, key in asked):
                del self._unheard[name]
        seen = {name: picture.assessment.pools[name] for name in self._pools if name not in self._unheard}
        return tuple(PoolCount(name, one.available, one.total, one.minimum, one.unknown) for name, one in seen.items())


def _balancers(inventory: Inventory, pool: str) -> tuple[tuple[str, str], ...]:
    """The nodes that balance for a pool, and what each of them is asked."""
    name = inventory.pools[pool].balancer
    return tuple((node, f"haproxy:{name}") for node in inventory.services[name].nodes)


def _has_spoken(node: NodeState, key: str) -> bool:
    """Whether it has answered, or failed to; a node that is down will not."""
    reading = node.readings.get(key)
    answered = reading is not None and (reading.last is not None or reading.failure is not None)
    return answered or node.link.phase is LinkPhase.DOWN
