"""How full the file systems are that hold the repositories of a service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hactl.model.assess.base import ClusterCase, is_up, listed
from hactl.model.facts import Room
from hactl.model.findings import Finding, Level, Scope, ScopeKind
from hactl.model.inventory import PgbackrestService, Service
from hactl.model.observed import Observed
from hactl.model.rooms import Place, key_of, places, room
from hactl.model.units import size

METRIC = "repository_percent"


def judge(case: ClusterCase, service: Service) -> Iterator[Finding]:
    """One finding a file system that fills up, or whose room nobody can tell though its node answers."""
    for place, names in _by_place(places(service, case.inventory)).items():
        if place.node not in case.state.nodes:
            continue
        held = room(service.name, place, case.state, case.now)
        if isinstance(held, Observed):
            yield from _full(case, service, place, names, held.value)
        else:
            yield from _unknown(case, service, place, names, held.reason)


def key(service: str, place: Place) -> str:
    return f"repository-room:{service}:{place.node}:{place.path}"


def _by_place(found: Mapping[str, Place]) -> Mapping[Place, list[str]]:
    together: dict[Place, list[str]] = {}
    for name, place in found.items():
        together.setdefault(place, []).append(name)
    return together


def _full(case: ClusterCase, service: Service, place: Place, names: list[str], held: Room) -> Iterator[Finding]:
    yield from case.measured(
        METRIC,
        key(service.name, place),
        held.used_percent,
        f"{_what(service, place, names)} is nearly full:",
        Scope(ScopeKind.SERVICE, service.name),
        node=place.node,
        service=service.name,
        after=f", {size(held.available)} free",
        hint=_HINTS[isinstance(service, PgbackrestService)],
    )


_HINTS = {
    True: "A backup needs its room before an old one is expired: see repo-retention-full, or give it a larger disk.",
    False: "restic forget with --prune makes room; so does a larger disk.",
}


def _unknown(case: ClusterCase, service: Service, place: Place, names: list[str], reason: str) -> Iterator[Finding]:
    """Only where the question failed: a node that cannot be reached has a finding of its own."""
    state = case.state.nodes[place.node]
    reading = state.readings.get(key_of(service.name))
    if not is_up(state) or reading is None or (reading.last is None and reading.failure is None):
        return
    said = reason.removeprefix(f"{place.node}: ").rstrip(".")
    yield case.finding(
        key(service.name, place),
        Level.UNKNOWN,
        Scope(ScopeKind.SERVICE, service.name),
        f"how full {_what(service, place, names)} is cannot be told: {said}",
        hint="Where it lies is for the inventory to say: repository_paths.",
        node=place.node,
        service=service.name,
    )


def _what(service: Service, place: Place, names: list[str]) -> str:
    """As in "the disk of repository 1 (/var/lib/pgbackrest on backup1)"."""
    if isinstance(service, PgbackrestService):
        whose = f"repositor{'ies' if len(names) > 1 else 'y'} {listed(names)}"
    else:
        whose = f"the repositories of {listed(names)}" if len(names) > 1 else f"the repository of {names[0]}"
    return f"the disk of {whose} ({place.path} on {place.node})"
