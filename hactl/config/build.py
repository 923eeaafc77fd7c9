"""A checked Draft becomes the model: roles expanded, defaults filled in, paths made absolute. Cannot fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hactl.config.draft import Draft
from hactl.config.resolve import Scope, effective_ssh, jumps, levels, socket_path
from hactl.config.schema import AlgorithmsEntry, FencingEntry, MaintenanceEntry, NodeEntry, PoolEntry, SshEntry
from hactl.config.service_schema import (
    HaproxyEntry,
    HttpEntry,
    KeepalivedEntry,
    PgbackrestEntry,
    PostgresqlEntry,
    PublicEntry,
    ResticEntry,
    ServiceEntry,
)
from hactl.model.inventory import (
    Algorithms,
    BecomeMethod,
    Endpoint,
    Fencing,
    HaproxyService,
    HttpService,
    Inventory,
    KeepalivedService,
    MaintenanceWindow,
    Newest,
    Node,
    PgbackrestService,
    Pool,
    PostgresqlManager,
    PostgresqlService,
    ResticService,
    Routing,
    Service,
    Site,
    SqlCheck,
    SshSettings,
    Standing,
    Threshold,
    Thresholds,
    TransportKind,
    UnitService,
    Vip,
)

T = TypeVar("T")

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_USUAL_UNITS: dict[type[ServiceEntry], tuple[str, ...]] = {
    HaproxyEntry: ("haproxy.service",),
    KeepalivedEntry: ("keepalived.service",),
}


def build(draft: Draft, path: Path) -> Inventory:
    """The inventory that `draft` describes; `path` is absolute. `draft` has passed every check."""
    if draft.cluster is None:
        raise ValueError("a draft without [cluster] has not passed the checks")
    cluster, drill = draft.cluster.name, draft.cluster.drill_node
    nodes = {found.entry.name: _node(draft, found.entry, cluster, path.parent) for found in draft.nodes}
    scope = Scope(cluster, "", path.parent)
    services = [_service(draft, found.entry, scope) for found in draft.services]
    return Inventory(
        name=cluster,
        sites={found.entry.name: Site(found.entry.name, found.entry.description) for found in draft.sites},
        nodes=nodes,
        services={service.name: service for service in services},
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


def _service(draft: Draft, entry: ServiceEntry, scope: Scope) -> Service:
    name, nodes, units = entry.name, draft.members(entry), _units(entry)
    minimum = _minimum(draft, entry, nodes)
    match entry:
        case HttpEntry(version=version):
            return HttpService(
                name,
                nodes,
                units,
                minimum,
                port=entry.port,
                health=entry.health,
                host=entry.host,
                expect_status=entry.expect_status,
                package=entry.package,
                version_path=version.path if version is not None else None,
                version_command=tuple(version.command or ()) if version is not None else (),
                public=tuple(_endpoint(name, endpoint, scope) for endpoint in entry.public),
            )
        case PostgresqlEntry():
            return PostgresqlService(
                name,
                nodes,
                units,
                minimum,
                version=entry.version,
                cluster=entry.cluster,
                port=entry.port,
                data_directory=entry.data_directory or f"/var/lib/postgresql/{entry.version}/{entry.cluster}",
                socket_directory=entry.socket_directory,
                user=entry.user,
                database=entry.database,
                manager=PostgresqlManager(entry.manager),
            )
        case PgbackrestEntry() | ResticEntry():
            return _copies(draft, entry, nodes, units, minimum)
        case HaproxyEntry():
            return HaproxyService(
                name, nodes, units, minimum, admin_socket=entry.admin_socket, state_file=entry.state_file
            )
        case KeepalivedEntry():
            return KeepalivedService(name, nodes, units, minimum, track_file=entry.track_file)
    return UnitService(name, nodes, units, minimum)


def _copies(
    draft: Draft, entry: PgbackrestEntry | ResticEntry, nodes: tuple[str, ...], units: tuple[str, ...], minimum: int
) -> PgbackrestService | ResticService:
    """What keeps copies: of a database, or of files."""
    given = (entry.name, nodes, units, minimum)
    if isinstance(entry, ResticEntry):
        return ResticService(
            *given,
            paths=tuple(entry.paths),
            repository=entry.repository,
            password_file=entry.password_file,
            os_user=entry.os_user,
            max_age=float(entry.max_age),
            scratch=entry.scratch,
        )
    return PgbackrestService(
        *given,
        database=entry.database,
        stanza=entry.stanza,
        repository_host=entry.repository_host or nodes[0],
        repositories=tuple(entry.repositories),
        os_user=entry.os_user,
        max_age_full=float(entry.max_age_full),
        max_age_any=float(entry.max_age_any),
        drill_node=entry.drill_node or (draft.cluster.drill_node if draft.cluster is not None else None),
        drill_user=entry.drill_user,
        drill_directory=entry.drill_directory,
        drill_config=entry.drill_config,
        drill_port=entry.drill_port,
        max_age_drill=_or(entry.max_age_drill, float, None),
        target_rto=_or(entry.target_rto, float, None),
        target_rpo=_or(entry.target_rpo, float, None),
        checks=tuple(SqlCheck(**check.model_dump()) for check in entry.checks),
        newest=None if entry.newest is None else Newest(**entry.newest.model_dump()),
    )


def _endpoint(service: str, entry: PublicEntry, scope: Scope) -> Endpoint:
    return Endpoint(
        service,
        entry.url,
        socket=None if entry.socket is None else scope.expand(entry.socket),
        via=entry.via,
        rate=float(entry.rate),
        timeout=float(entry.timeout),
        expect_status=entry.expect_status,
    )


def _units(entry: ServiceEntry) -> tuple[str, ...]:
    """The units that were given, else those that Debian's packages bring."""
    if entry.unit is not None:
        return (entry.unit,)
    if entry.units is not None:
        return tuple(entry.units)
    if isinstance(entry, PostgresqlEntry):
        plain = f"postgresql@{entry.version}-{entry.cluster}.service"
        return ("patroni.service",) if entry.manager == "patroni" else (plain,)
    return _USUAL_UNITS.get(type(entry), ())


def _minimum(draft: Draft, entry: ServiceEntry, nodes: tuple[str, ...]) -> int:
    """What was given, else the strictest pool's minimum, else 1; never more than there are active nodes."""
    if entry.minimum is not None:
        return entry.minimum
    pooled = [found.entry.minimum for found in draft.pools if found.entry.service == entry.name]
    return min(max(pooled, default=1), sum(draft.is_active(node) for node in nodes))


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
