"""How much the balancers' pools carry, how often it fails, how long it takes: the last minutes as traces."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from hactl.model.findings import Level
from hactl.model.inventory import Inventory, Routing
from hactl.view.graphs import milliseconds, per_second
from hactl.view.trace import Trace

if TYPE_CHECKING:
    from hactl.model.trends import Trends


def traffic_traces(inventory: Inventory, trends: Trends) -> tuple[Trace, ...]:
    """Requests, errors and latency of each pool that shares out its load, in inventory order."""
    pools = [pool.name for pool in inventory.pools.values() if pool.routing is Routing.ALL]
    return tuple(trace for name in pools for trace in _of_pool(name, trends))


def _of_pool(name: str, trends: Trends) -> Iterator[Trace]:
    kinds = (
        ("rate", f"{name} requests", per_second),
        ("errors", "errors", per_second),
        ("latency", "latency", milliseconds),
    )
    for key, label, words in kinds:
        full = f"pool/{name}/{key}"
        newest = trends.newest(full)
        level = Level.WARN if key == "errors" and newest else None
        yield Trace(label, partial(trends.slices, full), newest, words, level=level)
