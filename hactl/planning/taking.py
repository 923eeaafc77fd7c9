"""The answers to `from`: what the sources of `model.sources` are, told from the picture that a plan is made from.

That there is none is an answer (a ValueError); that nobody can say which one is another, `UnclearError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from hactl.model.inventory import Inventory, PgbackrestService, PostgresqlService
from hactl.model.parameters import Place, Side, Taken, Value
from hactl.model.picture import Picture
from hactl.model.replication import Replication, replication, why_no_primary
from hactl.model.succession import Candidate, candidates, survivors

Fits: TypeAlias = Callable[[str], str]
"""Why a node will not do, because of where it stands, to be read after its name; "" when it does."""


class UnclearError(ValueError):
    """There may be one, or there is more than one: no default stands for that."""


def taken(what: Taken, values: Mapping[str, Value], inventory: Inventory, picture: Picture | None) -> str:
    """The name that is meant. `values` has the parameters that the source is asked of. "" without a picture, where one
    is needed. Raises ValueError with why there is none, to be read after the parameter's name.
    """
    fits = placed(what.place, values, inventory)
    if (told := _of_inventory(what, values, inventory)) is None:
        told = _of_picture(what, str(values[what.parameter]), inventory, picture, fits) if picture is not None else ""
    if told and (why := fits(told)):
        raise ValueError(f"the {what.source} of {values[what.parameter]} is {told}, which {why}")
    return told


def placed(place: Place | None, values: Mapping[str, Value], inventory: Inventory) -> Fits:
    """Whether a node stands where it has to. Anywhere, where that is not said."""
    site = str(values.get(place.parameter, "")) if place is not None else ""

    def fits(node: str) -> str:
        if not site or place is None:
            return ""
        inside = inventory.nodes[node].site == site
        if inside == (place.side is Side.IN):
            return ""
        return f"is {'' if inside else 'not '}in {site}"

    return fits


def _of_inventory(what: Taken, values: Mapping[str, Value], inventory: Inventory) -> str | None:
    """What no picture is needed for; None for all other sources."""
    match what.source:
        case "the only postgresql":
            databases = (one.name for one in inventory.services.values() if isinstance(one, PostgresqlService))
            return _only("postgresql service", tuple(databases))
        case "the first pgbackrest" | "the first restic" as wanted:
            kind = wanted.removeprefix("the first ")
            found = tuple(one.name for one in inventory.services.values() if one.kind == kind)
            return _only(f"{kind} service", found[:1])
        case "the only vip":
            return _only("vip", tuple(inventory.vips))
        case "servers":
            return f"service:{values[what.parameter]}"
        case "repository" | "drill node":
            return _of_backups(what.source, str(values[what.parameter]), inventory)
    return None


def _of_picture(what: Taken, of: str, inventory: Inventory, picture: Picture, fits: Fits) -> str:
    match what.source:
        case "holder":
            return _holder(of, picture)
        case "successor":
            return _successor(of, inventory, picture)
        case "replacement":
            return _replacement(of, inventory, picture, fits)
    service = inventory.services[of]
    if isinstance(service, PostgresqlService):
        return _DATABASES[what.source](replication(service, picture), fits)
    raise ValueError(f"{of} is no PostgreSQL database")


def _only(what: str, names: tuple[str, ...]) -> str:
    if len(names) == 1:
        return names[0]
    if names:
        raise UnclearError(f"say which {what}: {', '.join(names)}")
    raise ValueError(f"the inventory has no {what}")


def _of_backups(source: str, service: str, inventory: Inventory) -> str:
    match inventory.services[service]:
        case PgbackrestService(repository_host=host) if source == "repository":
            return host
        case PgbackrestService(drill_node=str(node)):
            return node
        case PgbackrestService():
            raise ValueError(f"the inventory names no drill_node for {service}")
    raise ValueError(f"{service} is no pgbackrest service")


def _holder(vip: str, picture: Picture) -> str:
    seen = picture.assessment.vips[vip]
    if len(seen.holders) != 1:
        raise UnclearError(f"nobody can be called the holder of {vip}: {seen.verdict.sentence}")
    return seen.holders[0]


def _of_server(server: str, inventory: Inventory, picture: Picture) -> Replication:
    databases = [one for one in inventory.services_on(server) if isinstance(one, PostgresqlService)]
    if not databases:
        raise ValueError(f"{server} is no server of a PostgreSQL database")
    return replication(databases[0], picture)


def _successor(server: str, inventory: Inventory, picture: Picture) -> str:
    """An old primary that came back may take writes too: the other one is meant, if it is the only other one."""
    found = _of_server(server, inventory, picture)
    rest = [node for node in found.primaries if node != server]
    if len(rest) == 1:
        return rest[0]
    said = f"{' and '.join(rest)} are" if rest else f"nobody but {server} is" if found.primaries else "nobody is"
    raise UnclearError(f"{said} the primary of {found.service.name} now")


def _replacement(server: str, inventory: Inventory, picture: Picture, fits: Fits) -> str:
    found = _of_server(server, inventory, picture)
    if _primary(found) != server:
        raise UnclearError(f"{server} is not the primary of {found.service.name}: that is {found.primary}")
    return _best(found, candidates(found), fits)


def _primary(found: Replication) -> str:
    if why := why_no_primary(found):
        raise UnclearError(why)
    return found.primary


def _last_primary(found: Replication) -> str:
    if found.primaries:
        return _primary(found)
    if found.lost is None:
        raise UnclearError(f"{why_no_primary(found)}, and nobody knows which one it was; say so yourself")
    return found.lost.node


def _candidate(found: Replication, fits: Fits) -> str:
    return _best(found, candidates(found), fits)


def _survivor(found: Replication, fits: Fits) -> str:
    gone = [found.primary] if found.primary else [found.lost.node] if found.lost else []
    return _best(found, survivors(found, gone), fits)


def _best(found: Replication, ranked: tuple[Candidate, ...], fits: Fits) -> str:
    """The first that can and stands where it has to."""
    judged = {one.node: (*one.reasons, *(f"it {why}" for why in (fits(one.node),) if why)) for one in ranked}
    for node, reasons in judged.items():
        if not reasons:
            return node
    said = "; ".join(f"{node}: {' and '.join(reasons)}" for node, reasons in judged.items())
    raise ValueError(f"nobody can take over {found.service.name}: {said or 'it has no standby'}")


_DATABASES: Mapping[str, Callable[[Replication, Fits], str]] = MappingProxyType(
    {
        "primary": lambda found, _: _primary(found),
        "last primary": lambda found, _: _last_primary(found),
        "candidate": _candidate,
        "survivor": _survivor,
    }
)
