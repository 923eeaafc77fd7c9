"""An inventory as plain JSON values and back: for the cache, and for `hactl inventory export --format json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, TypeAlias, TypeVar

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
    ServiceKind,
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
Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
Convert: TypeAlias = Callable[[Any], object]

_SERVICES: dict[ServiceKind, type[Service]] = {
    ServiceKind.HTTP: HttpService,
    ServiceKind.POSTGRESQL: PostgresqlService,
    ServiceKind.PGBACKREST: PgbackrestService,
    ServiceKind.RESTIC: ResticService,
    ServiceKind.HAPROXY: HaproxyService,
    ServiceKind.KEEPALIVED: KeepalivedService,
    ServiceKind.UNIT: UnitService,
}


def to_json(value: object, *, sparse: bool = False) -> Json:
    """`value` (an Inventory or a part of one) as JSON values; a service also says its kind.

    `sparse` leaves fields away that have their defaults, which `from_json` fills in again.
    """
    if isinstance(value, Enum):
        return str(value.value)
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): to_json(item, sparse=sparse) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(item, sparse=sparse) for item in value]
    if is_dataclass(value):
        kind: dict[str, Json] = {"kind": str(value.kind)} if isinstance(value, Service) else {}
        return kind | {
            field.name: to_json(held, sparse=sparse)
            for field in fields(value)
            if (held := getattr(value, field.name)) != _default(field.default, field.default_factory) or not sparse
        }
    raise TypeError(f"no JSON for {type(value).__name__}")


def _default(default: object, factory: object) -> object:
    return factory() if callable(factory) else default


def inventory_from_json(document: Json) -> Inventory:
    """The inverse of `to_json`. Raises KeyError, TypeError or ValueError when `document` is nothing of the sort."""
    return _INVENTORY(document)


def _table(build: Callable[..., T], **convert: Convert) -> Callable[[Any], T]:
    """A reader of one table: its fields as arguments of `build`, some of them converted."""

    def read(document: Any) -> T:
        arguments = dict(document)
        for key in convert.keys() & arguments.keys():
            arguments[key] = convert[key](arguments[key])
        return build(**arguments)

    return read


def _maybe(convert: Convert) -> Convert:
    return lambda value: None if value is None else convert(value)


def _each(convert: Convert) -> Convert:
    return lambda table: {key: convert(value) for key, value in table.items()}


def _all(convert: Convert) -> Convert:
    return lambda items: tuple(convert(item) for item in items)


_ALGORITHMS = _table(Algorithms, kex=tuple, ciphers=tuple, macs=tuple, host_keys=tuple)
_SSH = _table(
    SshSettings,
    identity=tuple,
    known_hosts=tuple,
    config=_maybe(tuple),
    transport=TransportKind,
    become=BecomeMethod,
    algorithms=_ALGORITHMS,
)
_NODE = _table(Node, roles=tuple, ssh=_SSH, standing=Standing)
_SERVICE_FIELDS: dict[str, Convert] = {
    "nodes": tuple,
    "units": tuple,
    "version_command": tuple,
    "repositories": tuple,
    "repository_paths": tuple,
    "paths": tuple,
    "manager": PostgresqlManager,
    "public": _all(_table(Endpoint)),
    "checks": _all(_table(SqlCheck)),
    "newest": _maybe(_table(Newest)),
}
_READ_SERVICE = {kind: _table(model, **_SERVICE_FIELDS) for kind, model in _SERVICES.items()}


def _service(document: Any) -> Service:
    arguments = dict(document)
    return _READ_SERVICE[ServiceKind(arguments.pop("kind"))](arguments)


_LEVELS = _each(_table(Threshold))
_INVENTORY = _table(
    Inventory,
    sites=_each(_table(Site)),
    nodes=_each(_NODE),
    services=_each(_service),
    pools=_each(_table(Pool, routing=Routing)),
    vips=_each(_table(Vip)),
    maintenance=_all(_table(MaintenanceWindow, days=tuple)),
    fencing=_maybe(_table(Fencing, status=tuple, off=tuple)),
    thresholds=_table(Thresholds, cluster=_LEVELS, roles=_each(_LEVELS), nodes=_each(_LEVELS)),
)
