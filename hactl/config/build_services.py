"""Services as the model has them: who provides them, by which units, how many are needed, and what each kind adds."""

from __future__ import annotations

from typing import TypeAlias

from hactl.config.draft import Draft
from hactl.config.resolve import Scope
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
    Endpoint,
    HaproxyService,
    HttpService,
    KeepalivedService,
    Newest,
    PgbackrestService,
    PostgresqlManager,
    PostgresqlService,
    ResticService,
    Service,
    SqlCheck,
    UnitService,
)

_Common: TypeAlias = tuple[str, tuple[str, ...], tuple[str, ...], int]
"""What every service has: its name, nodes, units and minimum."""

_USUAL_UNITS: dict[type[ServiceEntry], tuple[str, ...]] = {
    HaproxyEntry: ("haproxy.service",),
    KeepalivedEntry: ("keepalived.service",),
}


def service(draft: Draft, entry: ServiceEntry, scope: Scope) -> Service:  # noqa: PLR0911 - one return a kind
    nodes = draft.members(entry)
    common = (entry.name, nodes, _units(entry), _minimum(draft, entry, nodes))
    match entry:
        case HttpEntry():
            return _http(entry, common, scope)
        case PostgresqlEntry():
            return _postgresql(entry, common)
        case PgbackrestEntry():
            return _pgbackrest(entry, common, draft.cluster.drill_node if draft.cluster is not None else None)
        case ResticEntry():
            return _restic(entry, common)
        case HaproxyEntry():
            return HaproxyService(*common, admin_socket=entry.admin_socket, state_file=entry.state_file)
        case KeepalivedEntry():
            return KeepalivedService(*common, track_file=entry.track_file)
    return UnitService(*common)


def _http(entry: HttpEntry, common: _Common, scope: Scope) -> HttpService:
    return HttpService(
        *common,
        port=entry.port,
        health=entry.health,
        host=entry.host,
        expect_status=entry.expect_status,
        package=entry.package,
        version_path=entry.version.path if entry.version is not None else None,
        version_command=tuple(entry.version.command or ()) if entry.version is not None else (),
        public=tuple(_endpoint(entry.name, endpoint, scope) for endpoint in entry.public),
    )


def _postgresql(entry: PostgresqlEntry, common: _Common) -> PostgresqlService:
    return PostgresqlService(
        *common,
        version=entry.version,
        cluster=entry.cluster,
        port=entry.port,
        data_directory=entry.data_directory or f"/var/lib/postgresql/{entry.version}/{entry.cluster}",
        socket_directory=entry.socket_directory,
        user=entry.user,
        database=entry.database,
        manager=PostgresqlManager(entry.manager),
    )


def _pgbackrest(entry: PgbackrestEntry, common: _Common, drill_node: str | None) -> PgbackrestService:
    return PgbackrestService(
        *common,
        database=entry.database,
        stanza=entry.stanza,
        repository_host=entry.repository_host or common[1][0],
        repositories=tuple(entry.repositories),
        repository_paths=tuple(entry.repository_paths or ("/var/lib/pgbackrest",) * len(entry.repositories)),
        os_user=entry.os_user,
        max_age_full=float(entry.max_age_full),
        max_age_any=float(entry.max_age_any),
        drill_node=entry.drill_node or drill_node,
        drill_user=entry.drill_user,
        drill_directory=entry.drill_directory,
        drill_config=entry.drill_config,
        drill_port=entry.drill_port,
        max_age_drill=_seconds(entry.max_age_drill),
        target_rto=_seconds(entry.target_rto),
        target_rpo=_seconds(entry.target_rpo),
        checks=tuple(SqlCheck(**check.model_dump()) for check in entry.checks),
        newest=None if entry.newest is None else Newest(**entry.newest.model_dump()),
    )


def _restic(entry: ResticEntry, common: _Common) -> ResticService:
    return ResticService(
        *common,
        paths=tuple(entry.paths),
        repository=entry.repository,
        password_file=entry.password_file,
        os_user=entry.os_user,
        max_age=float(entry.max_age),
        scratch=entry.scratch,
        max_age_drill=_seconds(entry.max_age_drill),
        target_rto=_seconds(entry.target_rto),
        target_rpo=_seconds(entry.target_rpo),
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


def _seconds(given: float | None) -> float | None:
    """A whole number of TOML is an int."""
    return None if given is None else float(given)
