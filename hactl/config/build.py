"""A checked Draft becomes the model: roles expanded, defaults filled in, paths made absolute. Cannot fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hactl.config.build_services import service
from hactl.config.draft import Draft
from hactl.config.resolve import Scope, effective_ssh, jumps, levels, socket_path
from hactl.config.schema import AlgorithmsEntry, FencingEntry, MaintenanceEntry, NodeEntry, PoolEntry, SshEntry
from hactl.model.inventory import (
    Algorithms,
    BecomeMethod,
    Fencing,
    Inventory,
    MaintenanceWindow,
    Node,
    Pool,
    Routing,
    Site,
    SshSettings,
    Standing,
    Threshold,
    Thresholds,
    TransportKind,
    Vip,
)

T = TypeVar("T")

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def build(draft: Draft, path: Path) -> Inventory:
    """The inventory that `draft` describes; `path` is absolute. `draft` has passed every check."""
    if draft.cluster is None:
        raise ValueError("a draft without [cluster] has not passed the checks")
    cluster, drill = draft.cluster.name, draft.cluster.drill_node
    nodes = {found.entry.name: _node(draft, found.entry, cluster, path.parent) for found in draft.nodes}
    scope = Scope(cluster, "", path.parent)
    services = [service(draft, found.entry, scope) for found in draft.services]
    return Inventory(
        name=cluster,
        sites={found.entry.name: Site(found.entry.name, found.entry.description) for found in draft.sites},
        nodes=nodes,
        services={one.name: one for one in services},
        pools={found.entry.name: _pool(draft, found.entry) for found in draft.pools},
        vips={found.entry.name: Vip(**found.entry.model_dump()) for found in draft.vips},
        thresholds=_thresholds(draft),
        drill_node=drill,
        maintenance=tuple(_window(found.entry) for found in draft.maintenance),
        fencing=_fencing(draft.fencing, scope),
        path=str(path),
    )


def _node(draft: Draft, entry: NodeEntry, cluster: str, folder: Path) -> Node:
    scope = Scope(cluster, entry.name, folder)
    return Node(
        name=entry.name,
        address=entry.address,
        site=entry.site,
        roles=tuple(entry.roles),
        ssh=_ssh(effective_ssh(draft.ssh, entry), scope),
        labels=dict(entry.labels),
        standing=Standing(entry.standing),
    )


def _ssh(entry: SshEntry, scope: Scope) -> SshSettings:
    base = SshSettings()
    algorithms = entry.algorithms or AlgorithmsEntry()
    socket = socket_path(entry.socket)
    return SshSettings(
        user=entry.user,
        port=entry.port,
        identity=_paths(entry.identity, scope),
        known_hosts=_paths(entry.known_hosts, scope),
        host_key_alias=entry.host_key_alias,
        proxy_jump=",".join(jumps(scope.node, entry.proxy_jump)) or None,
        socket=None if socket is None else scope.expand(socket),
        config=None if entry.config is None else _paths(entry.config, scope),
        transport=_or(entry.transport, TransportKind, base.transport),
        become=_or(entry.become, BecomeMethod, base.become),
        connect_timeout=_or(entry.connect_timeout, float, base.connect_timeout),
        keepalive=_or(entry.keepalive, float, base.keepalive),
        max_sessions=_or(entry.max_sessions, int, base.max_sessions),
        algorithms=Algorithms(**{key: tuple(value) for key, value in algorithms}),
    )


def _or(given: object, kind: Callable[..., T], default: T) -> T:
    return default if given is None else kind(given)


def _paths(given: list[str] | None, scope: Scope) -> tuple[str, ...]:
    return tuple(scope.expand(path) for path in given or ())


def _pool(draft: Draft, entry: PoolEntry) -> Pool:
    service = next(found.entry for found in draft.services if found.entry.name == entry.service)
    members = [node for node in draft.members(service) if entry.members is None or node in entry.members]
    return Pool(
        name=entry.name,
        service=entry.service,
        balancer=entry.balancer,
        backend=entry.backend,
        minimum=entry.minimum,
        servers={node: entry.servers.get(node, node) for node in members},
        routing=Routing(entry.routing),
        frontend=entry.frontend,
    )


def _fencing(entry: FencingEntry | None, scope: Scope) -> Fencing | None:
    """{node} stays: it is another one each time."""
    if entry is None:
        return None
    status, off = (
        tuple(word.replace("{cluster}", scope.cluster) for word in words) for words in (entry.status, entry.off)
    )
    return Fencing(status, off)


def _window(entry: MaintenanceEntry) -> MaintenanceWindow:
    days = _DAYS if entry.days is None else entry.days
    return MaintenanceWindow(tuple(sorted(_DAYS.index(day) for day in days)), _minutes(entry.from_), _minutes(entry.to))


def _minutes(time: str) -> int:
    hours, minutes = time.split(":")
    return 60 * int(hours) + int(minutes)


def _thresholds(draft: Draft) -> Thresholds:
    table = draft.thresholds
    if table is None:
        return Thresholds()
    base: dict[str, Threshold] = levels(table, {})
    return Thresholds(
        cluster=base,
        roles={role: levels(entry, base) for role, entry in table.roles.items()},
        nodes={node: levels(entry, base) for node, entry in table.nodes.items()},
    )
