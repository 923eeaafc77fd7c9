"""An inventory cut down to some of its nodes, so that what lies outside is neither asked nor judged. Pure.

What remains says only what can be said of the nodes inside:
- a service keeps its nodes inside. Its minimum shrinks by the nodes outside, so that it is bad only if it would be bad
  with every node outside being good; a service without nodes inside is left out;
- a pool stays while one of its balancers and one of its members is inside, shrunk in the same way;
- a VIP stays while every node that may hold it is inside: one that is not asked may be the holder;
- a backup stays while it has nodes inside; its database is kept with it even when no node of that is inside.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from hactl.model.inventory import Inventory, PgbackrestService, Pool, Service

S = TypeVar("S", bound=Service)


def restrict(inventory: Inventory, nodes: Iterable[str]) -> tuple[Inventory, tuple[str, ...]]:
    """The inventory of `nodes`, and what was left out of it: "node/db1", "service/shop", "pool/shop", "vip/public"."""
    inside = set(nodes)
    services = _services(inventory, inside)
    pools = {
        name: _pool(pool, inside)
        for name, pool in inventory.pools.items()
        if _asked(services, pool.balancer) and _asked(services, pool.service) and inside & set(pool.servers)
    }
    vips = {name: vip for name, vip in inventory.vips.items() if set(inventory.services[vip.service].nodes) <= inside}
    kept = replace(
        inventory,
        nodes={name: node for name, node in inventory.nodes.items() if name in inside},
        sites={n: s for n, s in inventory.sites.items() if any(inventory.nodes[node].site == n for node in inside)},
        services=services,
        pools=pools,
        vips=vips,
        drill_node=inventory.drill_node if inventory.drill_node in inside else None,
    )
    outside = (
        *(f"node/{name}" for name in inventory.nodes if name not in inside),
        *(f"service/{name}" for name in inventory.services if name not in services),
        *(f"pool/{name}" for name in inventory.pools if name not in pools),
        *(f"vip/{name}" for name in inventory.vips if name not in vips),
    )
    return kept, outside


def _services(inventory: Inventory, inside: set[str]) -> dict[str, Service]:
    cut = {name: _service(service, inside) for name, service in inventory.services.items()}
    needed = {s.database for s in cut.values() if isinstance(s, PgbackrestService) and s.nodes}
    return {name: service for name, service in cut.items() if service.nodes or name in needed}


def _service(service: S, inside: set[str]) -> S:
    nodes = tuple(node for node in service.nodes if node in inside)
    return replace(service, nodes=nodes, minimum=max(0, service.minimum - (len(service.nodes) - len(nodes))))


def _pool(pool: Pool, inside: set[str]) -> Pool:
    servers = {node: server for node, server in pool.servers.items() if node in inside}
    return replace(pool, servers=servers, minimum=max(0, pool.minimum - (len(pool.servers) - len(servers))))


def _asked(services: dict[str, Service], name: str) -> bool:
    return name in services and bool(services[name].nodes)
