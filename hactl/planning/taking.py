"""The answers to `from`: what the sources of `model.sources` are, told from the picture that a plan is made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from hactl.model.backups import backup_services
from hactl.model.inventory import Inventory, PgbackrestService, PostgresqlService
from hactl.model.parameters import Taken, Value
from hactl.model.picture import Picture
from hactl.model.replication import Candidate, Replication, replication, why_no_primary


def taken(what: Taken, values: Mapping[str, Value], inventory: Inventory, picture: Picture | None) -> str:
    """The name that is meant. `values` has the parameter that the source is asked of. "" without a picture, where one
    is needed. Raises ValueError with why there is none, to be read after the parameter's name.
    """
    if (told := _of_inventory(what, values, inventory)) is not None:
        return told
    if picture is None:
        return ""
    of = str(values[what.parameter])
    if what.source == "holder":
        return _holder(of, picture)
    if what.source == "successor":
        return _successor(of, inventory, picture)
    service = inventory.services[of]
    if isinstance(service, PostgresqlService):
        return _DATABASES[what.source](replication(service, picture))
    raise ValueError(f"{of} is no PostgreSQL database")


def _of_inventory(what: Taken, values: Mapping[str, Value], inventory: Inventory) -> str | None:
    """What no picture is needed for; None for all other sources."""
    match what.source:
        case "the only postgresql":
            databases = (one.name for one in inventory.services.values() if isinstance(one, PostgresqlService))
            return _only("postgresql service", tuple(databases))
        case "the only pgbackrest":
            return _only("pgbackrest service", tuple(one.name for one in backup_services(inventory)))
        case "the only vip":
            return _only("vip", tuple(inventory.vips))
        case "repository":
            return _repository(str(values[what.parameter]), inventory)
    return None


def _only(what: str, names: tuple[str, ...]) -> str:
    if len(names) == 1:
        return names[0]
    raise ValueError(f"say which {what}: {', '.join(names)}" if names else f"the inventory has no {what}")


def _repository(service: str, inventory: Inventory) -> str:
    found = inventory.services[service]
    if isinstance(found, PgbackrestService):
        return found.repository_host
    raise ValueError(f"{service} is no pgbackrest service")


def _holder(vip: str, picture: Picture) -> str:
    seen = picture.assessment.vips[vip]
    if len(seen.holders) != 1:
        raise ValueError(f"nobody can be called the holder of {vip}: {seen.verdict.sentence}")
    return seen.holders[0]


def _primary(found: Replication) -> str:
    if why := why_no_primary(found):
        raise ValueError(why)
    return found.primary


def _successor(server: str, inventory: Inventory, picture: Picture) -> str:
    """An old primary that came back may take writes too: the other one is meant, if it is the only other one."""
    databases = [one for one in inventory.services_on(server) if isinstance(one, PostgresqlService)]
    if not databases:
        raise ValueError(f"{server} is no server of a PostgreSQL database")
    found = replication(databases[0], picture)
    rest = [node for node in found.primaries if node != server]
    if len(rest) == 1:
        return rest[0]
    said = f"{' and '.join(rest)} are" if rest else f"nobody but {server} is" if found.primaries else "nobody is"
    raise ValueError(f"{said} the primary of {found.service.name} now")


def _last_primary(found: Replication) -> str:
    if found.primaries:
        return _primary(found)
    if found.lost is None:
        raise ValueError(f"{why_no_primary(found)}, and nobody knows which one it was; say so yourself")
    return found.lost.node


def _candidate(found: Replication) -> str:
    return _best(found, found.candidates)


def _survivor(found: Replication) -> str:
    gone = [found.primary] if found.primary else [found.lost.node] if found.lost else []
    return _best(found, found.survivors(gone))


def _best(found: Replication, candidates: tuple[Candidate, ...]) -> str:
    if candidates and candidates[0].eligible:
        return candidates[0].node
    reasons = "; ".join(f"{one.node}: {' and '.join(one.reasons)}" for one in candidates)
    raise ValueError(f"nobody can take over {found.service.name}: {reasons or 'it has no standby'}")


_DATABASES: Mapping[str, Callable[[Replication], str]] = MappingProxyType(
    {"primary": _primary, "last primary": _last_primary, "candidate": _candidate, "survivor": _survivor}
)
