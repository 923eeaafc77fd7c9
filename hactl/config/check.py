"""The sense check: rules that tie tables together. Each rule is a generator of problems over a Draft; RULES lists them.

Rules speak only about sound entries (unsound ones have been reported) and resolve names against everything that is
written, sound or not.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator

from hactl.config.draft import Draft, Found
from hactl.config.positions import KeyPath
from hactl.config.problems import Problem
from hactl.config.resolve import (
    Scope,
    effective_ssh,
    host_of,
    jumps,
    levels,
    socket_path,
)
from hactl.config.schema import MetricsEntry, NodeEntry, PoolEntry
from hactl.config.service_schema import (
    HaproxyEntry,
    HttpEntry,
    KeepalivedEntry,
    PgbackrestEntry,
    PostgresqlEntry,
    ResticEntry,
    ServiceEntry,
)
from hactl.model.inventory import Threshold
from hactl.model.metrics import METRICS
from hactl.model.suggest import did_you_mean, quoted

_ONE = {"sites": "site", "nodes": "node", "services": "service", "pools": "pool", "vips": "VIP"}
_SOCKET_LIMIT = 107  # bytes of sun_path, less the final NUL


def check(draft: Draft) -> list[Problem]:
    """Everything about the sense of `draft` that is wrong."""
    return [problem for rule in RULES for problem in rule(draft)]


def _dangling(draft: Draft, kind: str, name: str, path: KeyPath) -> Iterator[Problem]:
    if name not in draft.names[kind]:
        known = draft.names[kind]
        yield Problem(path, f"no {_ONE[kind]} is called {quoted(name)}{did_you_mean(name, known)}")


def _repeated(path: KeyPath, items: Iterable[str]) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, item in enumerate(items):
        if item in seen:
            yield Problem((*path, index), f"{quoted(item)} stands here twice", also=(*path, seen[item]))
        seen.setdefault(item, index)


def duplicate_names(draft: Draft) -> Iterator[Problem]:
    for kind, one in _ONE.items():
        for found in getattr(draft, kind):
            first = draft.names[kind][found.entry.name]
            if first != found.path:
                yield Problem(
                    (*found.path, "name"),
                    f"another {one} is called {quoted(found.entry.name)}",
                    also=(*first, "name"),
                )
        yield from _alike(draft, kind, one)


def _alike(draft: Draft, kind: str, one: str) -> Iterator[Problem]:
    """Names that differ only in punctuation: people confuse them, and groups in Ansible cannot hold them apart."""
    seen: dict[str, str] = {}
    for name, path in draft.names[kind].items():
        folded = re.sub(r"[-._]", "_", name)
        if folded in seen:
            message = f"the {one} {quoted(name)} differs from {quoted(seen[folded])} only in punctuation"
            yield Problem((*path, "name"), message, also=(*draft.names[kind][seen[folded]], "name"))
        seen.setdefault(folded, name)


def nodes(draft: Draft) -> Iterator[Problem]:
    for path, node in _pairs(draft.nodes):
        yield from _dangling(draft, "sites", node.site, (*path, "site"))
        yield from _repeated((*path, "roles"), node.roles)


def _pairs(found: Iterable[Found[NodeEntry]]) -> Iterator[tuple[KeyPath, NodeEntry]]:
    return ((item.path, item.entry) for item in found)


def addresses(draft: Draft) -> Iterator[Problem]:
    """Two nodes that are one machine: same address, port and way there."""
    seen: dict[tuple[str, int, str], KeyPath] = {}
    for path, node in _pairs(found for found in draft.nodes if found.whole):
        ssh = effective_ssh(draft.ssh, node)
        key = (_canonical(node.address), ssh.port or 22, ",".join(jumps(node.name, ssh.proxy_jump)))
        if key in seen:
            message = f"another node has the address {quoted(node.address)} and port {ssh.port or 22}"
            yield Problem((*path, "address"), message, also=(*seen[key], "address"))
        seen.setdefault(key, path)


def _canonical(address: str) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address.lower().removesuffix(".")


def ways(draft: Draft) -> Iterator[Problem]:
    """How nodes are reached: jumps that lead nowhere or in a circle, two ways at once, sockets with too long a path."""
    if draft.ssh.proxy_jump is not None:
        yield from _jump_targets(draft, draft.ssh.proxy_jump, ("ssh", "proxy_jump"))
    cluster = draft.cluster.name if draft.cluster is not None else ""
    by_name = {node.name: node for _, node in _pairs(draft.nodes)}
    for path, node in _pairs(draft.nodes):
        here = (*path, "ssh")
        if node.ssh.proxy_jump is not None:
            yield from _jump_targets(draft, node.ssh.proxy_jump, (*here, "proxy_jump"))
            if node.name in node.ssh.proxy_jump.split(","):
                yield Problem((*here, "proxy_jump"), f"{quoted(node.name)} cannot be reached through itself")
                continue
        ssh = effective_ssh(draft.ssh, node)
        if circle := _circle(draft, by_name, node):
            yield Problem((*here, "proxy_jump"), f"proxy_jump leads in a circle: {' -> '.join(circle)}")
        given = socket_path(ssh.socket)
        if given is None:
            continue
        if jumps(node.name, ssh.proxy_jump):
            message = 'has both `socket` and `proxy_jump`; take the one from [ssh] back with "none"'
            yield Problem(here, f"{quoted(node.name)} {message}")
        expanded = Scope(cluster, node.name).expand(given)
        if len(expanded.encode()) > _SOCKET_LIMIT:
            where = (*here, "socket") if node.ssh.socket is not None else ("ssh", "socket")
            yield Problem(where, f"the socket of {node.name} has a path of more than {_SOCKET_LIMIT} bytes")


def _jump_targets(draft: Draft, text: str, path: KeyPath) -> Iterator[Problem]:
    """A bare word must be a node, or "none"; anything else must read as [USER@]HOST[:PORT]."""
    for hop in text.split(","):
        if hop == "none" and text == "none":
            continue
        if re.fullmatch(r"[A-Za-z0-9_-]*", hop):
            if hop not in draft.names["nodes"]:
                hint = did_you_mean(hop, draft.names["nodes"])
                yield Problem(
                    path,
                    f"no node is called {quoted(hop)}{hint or '; a machine outside the inventory'}"
                    f"{'' if hint else ' is written user@host or host:port'}",
                )
        elif hop not in draft.names["nodes"] and host_of(hop) is None:
            yield Problem(path, f"{quoted(hop)} is neither a node nor of the form user@host:port")


def _circle(draft: Draft, by_name: dict[str, NodeEntry], start: NodeEntry) -> list[str]:
    """The names along a circle of jumps that leads back to `start`, or nothing."""
    trail, pending = [start.name], start
    while True:
        hops = [hop for hop in jumps(pending.name, effective_ssh(draft.ssh, pending).proxy_jump) if hop in by_name]
        if not hops or hops[0] in trail[1:]:
            return []
        trail.append(hops[0])
        if hops[0] == start.name:
            return trail
        pending = by_name[hops[0]]


def services(draft: Draft) -> Iterator[Problem]:
    for found in draft.services:
        path, service = found.path, found.entry
        if service.role is not None and service.role not in draft.roles:
            yield Problem(
                (*path, "role"), f"no node has the role {quoted(service.role)}{did_you_mean(service.role, draft.roles)}"
            )
            continue
        if service.nodes is not None:
            if not service.nodes:
                yield Problem((*path, "nodes"), "needs at least one node")
            for index, node in enumerate(service.nodes):
                yield from _dangling(draft, "nodes", node, (*path, "nodes", index))
            yield from _repeated((*path, "nodes"), service.nodes)
        active = sum(draft.is_active(node) for node in draft.members(service))
        if service.minimum is not None and service.minimum > active:
            message = f"minimum is {service.minimum}, but {quoted(service.name)} has {_count(active)}"
            yield Problem((*path, "minimum"), message)
        if isinstance(service, PgbackrestEntry):
            yield from _backup(draft, path, service)
        if isinstance(service, ResticEntry):
            yield from _files(path, service)
        if isinstance(service, HttpEntry):
            yield from _public(draft, path, service)


def _count(active: int) -> str:
    return f"only {active} active node{'' if active == 1 else 's'}" if active else "no active node"


def _backup(draft: Draft, path: KeyPath, service: PgbackrestEntry) -> Iterator[Problem]:
    yield from _service_of_kind(draft, service.database, "postgresql", (*path, "database"))
    if service.repository_host is not None:
        yield from _dangling(draft, "nodes", service.repository_host, (*path, "repository_host"))
    elif len(draft.members(service)) > 1:
        yield Problem(path, "missing key: repository_host, because the service has several nodes")
    if service.drill_node is not None:
        yield from _dangling(draft, "nodes", service.drill_node, (*path, "drill_node"))
    elif service.drill_user is not None and draft.cluster is not None and draft.cluster.drill_node is None:
        yield Problem((*path, "drill_user"), "restores on no node: name a drill_node here or in [cluster]")
    yield from _repeated((*path, "checks"), (one.name for one in service.checks))
    if service.drill_user == service.os_user:
        message = f"{quoted(service.os_user)} may write the repository; a drill's user must only read it"
        yield Problem((*path, "drill_user"), message)


def _files(path: KeyPath, service: ResticEntry) -> Iterator[Problem]:
    """A path is named once, alone or by its folder; and what a drill restores is not backed up again."""
    yield from _repeated((*path, "paths"), service.paths)
    for index, one in enumerate(service.paths):
        outer = next((other for other in service.paths if one.startswith(f"{other}/")), None)
        if outer is not None:
            yield Problem((*path, "paths", index), f"{quoted(one)} lies in {quoted(outer)}, which stands here too")
    if around := next((one for one in service.paths if f"{service.scratch}/".startswith(f"{one}/")), None):
        message = f"{quoted(service.scratch)} lies in {quoted(around)}: a drill's files would be backed up"
        yield Problem((*path, "scratch") if "scratch" in service.model_fields_set else path, message)


def _public(draft: Draft, path: KeyPath, service: HttpEntry) -> Iterator[Problem]:
    seen: dict[tuple[str, str | None, str | None], int] = {}
    cluster = draft.cluster.name if draft.cluster is not None else ""
    for index, endpoint in enumerate(service.public):
        here = (*path, "public", index)
        key = (endpoint.url, endpoint.socket, endpoint.via)
        if key in seen:
            message = f"{quoted(endpoint.url)} stands here twice"
            yield Problem((*here, "url"), message, also=(*path, "public", seen[key], "url"))
        seen.setdefault(key, index)
        if endpoint.socket is not None:
            yield from _endpoint_socket(endpoint.socket, cluster, (*here, "socket"))
        if endpoint.via is not None:
            yield from _dangling(draft, "nodes", endpoint.via, (*here, "via"))


def _endpoint_socket(given: str, cluster: str, path: KeyPath) -> Iterator[Problem]:
    if "{node}" in given:
        yield Problem(path, '"{node}" stands for nothing here: the socket leads to the service, not to a node')
    if len(Scope(cluster, "").expand(given).encode()) > _SOCKET_LIMIT:
        yield Problem(path, f"the socket has a path of more than {_SOCKET_LIMIT} bytes")


def _service_of_kind(draft: Draft, name: str, kind: str, path: KeyPath) -> Iterator[Problem]:
    yield from _dangling(draft, "services", name, path)
    models = {"postgresql": PostgresqlEntry, "haproxy": HaproxyEntry, "keepalived": KeepalivedEntry}
    service = _service(draft, name)
    if service is not None and not isinstance(service, models[kind]):
        yield Problem(path, f"{quoted(name)} is not a service of kind {kind}")


def _service(draft: Draft, name: str) -> ServiceEntry | None:
    return next((found.entry for found in draft.services if found.entry.name == name), None)


def pools(draft: Draft) -> Iterator[Problem]:
    backends: dict[tuple[str, str], KeyPath] = {}
    for found in draft.pools:
        path, pool = found.path, found.entry
        yield from _dangling(draft, "services", pool.service, (*path, "service"))
        yield from _service_of_kind(draft, pool.balancer, "haproxy", (*path, "balancer"))
        key = (pool.balancer, pool.backend)
        if key in backends:
            message = f"another pool is the backend {quoted(pool.backend)} of {quoted(pool.balancer)}"
            yield Problem((*path, "backend"), message, also=(*backends[key], "backend"))
        backends.setdefault(key, path)
        if pool.routing == "one" and pool.minimum > 1:
            yield Problem((*path, "minimum"), f'minimum is {pool.minimum}, but routing = "one" means one member')
        service = _service(draft, pool.service)
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
    yield from _repeated((*path, "members"), pool.members or ())
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
        yield Problem((*path, "minimum"), f"minimum is {pool.minimum}, but the pool has {_count(active)}")


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
    taken = {_canonical(node.address): path for path, node in _pairs(draft.nodes)}
    for found in draft.vips:
        path, vip = found.path, found.entry
        yield from _service_of_kind(draft, vip.service, "keepalived", (*path, "service"))
        key = _canonical(vip.address)
        if key in taken:
            other = "node" if taken[key][0] == "nodes" else "VIP"
            message = f"{quoted(vip.address)} is also the address of a {other}"
            yield Problem((*path, "address"), message, also=(*taken[key], "address"))
        taken.setdefault(key, path)


def maintenance(draft: Draft) -> Iterator[Problem]:
    for found in draft.maintenance:
        yield from _repeated((*found.path, "days"), found.entry.days or ())


def cluster(draft: Draft) -> Iterator[Problem]:
    if draft.cluster is not None and draft.cluster.drill_node is not None:
        yield from _dangling(draft, "nodes", draft.cluster.drill_node, ("cluster", "drill_node"))


def thresholds(draft: Draft) -> Iterator[Problem]:
    table = draft.thresholds
    if table is None:
        return
    base = {name: metric.default for name, metric in METRICS.items()}
    yield from _levels(("thresholds",), table, base)
    base = {**base, **levels(table, base)}
    for role, entry in table.roles.items():
        path: KeyPath = ("thresholds", "roles", role)
        if role not in draft.roles:
            yield Problem(path, f"no node has the role {quoted(role)}{did_you_mean(role, draft.roles)}", at_key=True)
        yield from _levels(path, entry, base)
    for node, entry in table.nodes.items():
        path = ("thresholds", "nodes", node)
        for problem in _dangling(draft, "nodes", node, path):
            yield Problem(problem.path, problem.message, at_key=True)
        yield from _levels(path, entry, base)


def _levels(path: KeyPath, entry: MetricsEntry, base: dict[str, Threshold]) -> Iterator[Problem]:
    for name, limit in levels(entry, base).items():
        metric, given = METRICS[name], entry.levels()[name]
        for level in sorted(given.model_fields_set):
            value = getattr(given, level)
            if value is not None and metric.limit is not None and value > metric.limit:
                yield Problem((*path, name, level), f"{name} is a percentage, and {value:g} is above 100")
        if limit.warn is None or limit.crit is None or limit.warn == limit.crit:
            continue
        if (limit.warn > limit.crit) != limit.below:
            side = "below" if limit.below else "above"
            last = next(level for level in ("warn", "crit") if level in given.model_fields_set)
            note = (
                ""
                if len(given.model_fields_set) > 1
                else f" ({'crit' if last == 'warn' else 'warn'} as it holds otherwise)"
            )
            yield Problem((*path, name, last), f"{name}: warn {limit.warn:g} is {side} crit {limit.crit:g}{note}")


RULES: tuple[Callable[[Draft], Iterator[Problem]], ...] = (
    duplicate_names,
    cluster,
    nodes,
    addresses,
    ways,
    services,
    pools,
    vips,
    maintenance,
    thresholds,
)
