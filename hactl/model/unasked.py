"""What is to be said about a cluster of which nobody has been asked yet: nothing is known, and nothing is made out.

It says what `assess` says of such a state, in plainer sentences, and needs nothing that judges: a dashboard shows it
before the judgement is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable

from hactl.model.findings import (
    Assessment,
    Finding,
    Level,
    PoolVerdict,
    Scope,
    ScopeKind,
    ServiceVerdict,
    Verdict,
    VipVerdict,
)
from hactl.model.inventory import Inventory, Pool, Routing, Service, Standing

_SENTENCE = "not asked yet"


def unasked(inventory: Inventory, now: float) -> Assessment:
    """`now` is when whoever will ask begins."""
    nothing = Verdict(Level.UNKNOWN, _SENTENCE, now)
    nodes = {
        node.name: nothing if node.standing is Standing.ACTIVE else Verdict(Level.WARN, _SENTENCE, now)
        for node in inventory.nodes.values()  # nothing depends on a spare
    }
    return Assessment(
        at=now,
        cluster=Verdict(Level.UNKNOWN, "nobody has been asked yet", now),
        sites=dict.fromkeys(inventory.sites, nothing),
        services={name: _service(inventory, one, nothing) for name, one in inventory.services.items()},
        pools={name: _pool(inventory, one, nothing) for name, one in inventory.pools.items()},
        vips={
            name: VipVerdict(name, vip.address, nothing, (), inventory.services[vip.service].nodes)
            for name, vip in inventory.vips.items()
        },
        nodes=nodes,
        findings=tuple(
            Finding(f"link:{name}", nodes[name].level, Scope(ScopeKind.NODE, name), _SENTENCE, now, node=name)
            for name in sorted(nodes, key=lambda name: (-nodes[name].level, name))
        ),
    )


def _service(inventory: Inventory, one: Service, nothing: Verdict) -> ServiceVerdict:
    """Where balancers share out its load, the pool that can spare least counts."""
    pools = (pool for pool in inventory.pools.values() if pool.service == one.name and pool.routing is Routing.ALL)
    totals = [(_active(inventory, pool.servers), pool.minimum) for pool in pools]
    total, _ = min(totals, key=lambda pool: pool[0] - pool[1], default=(_active(inventory, one.nodes), 0))
    return ServiceVerdict(one.name, nothing, 0, total, total, one.minimum, dict.fromkeys(one.nodes, nothing))


def _pool(inventory: Inventory, one: Pool, nothing: Verdict) -> PoolVerdict:
    total = _active(inventory, one.servers)
    return PoolVerdict(one.name, nothing, 0, total, total, one.minimum, disagreements=(), drained=())


def _active(inventory: Inventory, nodes: Iterable[str]) -> int:
    return sum(inventory.nodes[node].standing is Standing.ACTIVE for node in nodes)
