"""Pools and VIPs: what users reach services through."""

from __future__ import annotations

from collections.abc import Iterator

from hactl.config.draft import Draft
from hactl.config.positions import KeyPath
from hactl.config.problems import Problem
from hactl.config.rules.names import dangling, of_kind, repeated, service_called
from hactl.config.rules.services import only_active
from hactl.config.rules.ways import canonical
from hactl.config.schema import PoolEntry
from hactl.config.service_schema import ServiceEntry
from hactl.model.suggest import did_you_mean, quoted


def pools(draft: Draft) -> Iterator[Problem]:
    backends: dict[tuple[str, str], KeyPath] = {}
    for found in draft.pools:
        path, pool = found.path, found.entry
        yield from dangling(draft, "services", pool.service, (*path, "service"))
        yield from of_kind(draft, pool.balancer, "haproxy", (*path, "balancer"))
        key = (pool.balancer, pool.backend)
        if key in backends:
            message = f"another pool is the backend {quoted(pool.backend)} of {quoted(pool.balancer)}"
            yield Problem((*path, "backend"), message, also=(*backends[key], "backend"))
        backends.setdefault(key, path)
        if pool.routing == "one" and pool.minimum > 1:
            yield Problem((*path, "minimum"), f'minimum is {pool.minimum}, but routing = "one" means one member')
        service = service_called(draft, pool.service)
        if service is not None:
            yield from _pool_members(draft, path, pool, service)


def _pool_members(draft: Draft, path: KeyPath, pool: PoolEntry, service: ServiceEntry) -> Iterator[Problem]:
    offered = draft.members(service)
    members = offered if pool.members is None else tuple(pool.members)
    named = [((*path, "members", index), name) for index, name in enumerate(pool.members or ())]
    for where, name in named:
        yield from _member(draft, name, offered, f"a node of {quoted(service.name)}", where, at_key=False)
    if pool.members == []:
        yield Problem((*path, "members"), "needs at least one member")
    yield from repeated((*path, "members"), pool.members or ())
    for name in pool.servers:
        wanted = "a member of the pool" if pool.members is not None else f"a node of {quoted(service.name)}"
        yield from _member(draft, name, members, wanted, (*path, "servers", name), at_key=True)
    owners: dict[str, str] = {}
    for node in members:
        server = pool.servers.get(node, node)
        if server in owners:
            where = (*path, "servers", node if node in pool.servers else owners[server])
            yield Problem(where, f"{node} and {owners[server]} are both called {quoted(server)} in HAProxy")
        owners.setdefault(server, node)
    active = sum(draft.is_active(node) for node in members if node in offered)
    if pool.minimum > active and members:
        yield Problem((*path, "minimum"), f"minimum is {pool.minimum}, but the pool has {only_active(active)}")


def _member(
    draft: Draft, name: str, offered: tuple[str, ...], wanted: str, path: KeyPath, *, at_key: bool
) -> Iterator[Problem]:
    if name in offered:
        return
    if name in draft.names["nodes"]:
        yield Problem(path, f"{quoted(name)} is not {wanted}", at_key=at_key)
    else:
        yield Problem(path, f"no node is called {quoted(name)}{did_you_mean(name, offered)}", at_key=at_key)


def vips(draft: Draft) -> Iterator[Problem]:
    taken = {canonical(found.entry.address): found.path for found in draft.nodes}
    for found in draft.vips:
        path, vip = found.path, found.entry
        yield from of_kind(draft, vip.service, "keepalived", (*path, "service"))
        key = canonical(vip.address)
        if key in taken:
            other = "node" if taken[key][0] == "nodes" else "VIP"
            message = f"{quoted(vip.address)} is also the address of a {other}"
            yield Problem((*path, "address"), message, also=(*taken[key], "address"))
        taken.setdefault(key, path)
