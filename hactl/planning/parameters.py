"""What the operator gives a playbook: read by kind, filled up with defaults, checked against the inventory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from hactl.model.errors import InputError, LimitError
from hactl.model.inventory import Inventory
from hactl.model.limit import parse_limit
from hactl.model.parameters import Parameter, ParameterKind, Value
from hactl.model.picture import Picture
from hactl.model.playbook import Playbook
from hactl.model.suggest import did_you_mean, quoted
from hactl.model.values import from_word, said, typed
from hactl.planning.resolve import ended
from hactl.planning.taking import UnclearError, placed, taken

_NAMES: Mapping[ParameterKind, Callable[[Inventory], Iterable[str]]] = MappingProxyType(
    {
        ParameterKind.NODE: lambda inventory: inventory.nodes,
        ParameterKind.SERVICE: lambda inventory: inventory.services,
        ParameterKind.POOL: lambda inventory: inventory.pools,
        ParameterKind.VIP: lambda inventory: inventory.vips,
        ParameterKind.SITE: lambda inventory: inventory.sites,
    }
)


@dataclass(frozen=True, slots=True)
class Told:
    """Every parameter with its value. `empty`: of those that are taken and are empty, why there is none to take."""

    values: dict[str, Value] = field(default_factory=dict)
    empty: dict[str, str] = field(default_factory=dict)


def filled(
    playbook: Playbook, raw: Mapping[str, str | Value], inventory: Inventory, picture: Picture | None = None
) -> Mapping[str, Value]:
    """The values alone of what is `told`."""
    return told(playbook, raw, inventory, picture).values


def told(
    playbook: Playbook, raw: Mapping[str, str | Value], inventory: Inventory, picture: Picture | None = None
) -> Told:
    """Every parameter of the playbook with its value. Words of a command line are read by the parameter's kind; what is
    taken from the picture is "" as long as there is none.

    Raises InputError that names every problem: unknown parameters, missing ones, values of the wrong kind, names that
    the inventory does not have, and what the picture cannot tell.
    """
    problems = [_unknown(name, playbook) for name in raw if name not in playbook.parameters]
    found = Told()
    for name, wanted in playbook.parameters.items():
        try:
            if wanted.taken is not None and name not in raw:
                found.values[name] = _taken(wanted, found, inventory, picture)
            else:
                found.values[name] = _value(wanted, raw, inventory)
                _in_place(wanted, found, inventory)
        except ValueError as error:
            problems.append(ended(said(name, str(error))))
    if problems:
        remedy = f"See: hactl playbook show {playbook.name}"
        raise InputError("\n".join(problems), remedy=remedy)
    return found


def _taken(wanted: Parameter, found: Told, inventory: Inventory, picture: Picture | None) -> Value:
    """Raises ValueError where nobody can tell, and where there is none and no default. What it would be asked of may be
    missing or empty: that has been said, or is why this one is.
    """
    what, otherwise = wanted.taken, wanted.default if wanted.default is not None else ""
    if what is None or (what.parameter and found.values.get(what.parameter, "") == ""):
        if what is not None and what.parameter in found.empty:
            found.empty[wanted.name] = found.empty[what.parameter]
        return otherwise
    try:
        return taken(what, found.values, inventory, picture)
    except UnclearError:
        raise
    except ValueError as error:
        if wanted.default is None:
            raise
        found.empty[wanted.name] = str(error)
        return otherwise


def _in_place(wanted: Parameter, found: Told, inventory: Inventory) -> None:
    """What is said has to stand where what is taken would. Raises ValueError."""
    value = str(found.values[wanted.name])
    place = wanted.taken.place if wanted.taken is not None and value in inventory.nodes else None
    if why := placed(place, found.values, inventory)(value):
        raise ValueError(f"{value} {why}")


def _unknown(name: str, playbook: Playbook) -> str:
    known = playbook.parameters
    hint = did_you_mean(name, known)
    taken = f"; it takes {', '.join(known)}" if known else "; it takes none"
    return f"{playbook.name} has no parameter {quoted(name)}{hint or taken + '.'}"


def _value(wanted: Parameter, raw: Mapping[str, str | Value], inventory: Inventory) -> Value:
    """Raises ValueError with what is wrong, to be read after the parameter's name."""
    if wanted.name not in raw:
        if wanted.default is None:
            raise ValueError(f"has to be given: {wanted.help}")
        return wanted.default
    given = raw[wanted.name]
    value = from_word(wanted, given) if isinstance(given, str) else typed(wanted, given)
    if value != "":  # "not given", where the default is that
        _known(wanted, value, inventory)
    return value


def _known(wanted: Parameter, value: Value, inventory: Inventory) -> None:
    if wanted.kind is ParameterKind.LIMIT:
        try:
            parse_limit(str(value), inventory)
        except LimitError as error:
            raise ValueError(error.message.rstrip(".")) from None
    if wanted.kind in _NAMES:
        names = tuple(_NAMES[wanted.kind](inventory))
        if value not in names:
            hint = did_you_mean(str(value), names)
            raise ValueError(f"there is no {wanted.kind} {quoted(str(value))}{hint}")
