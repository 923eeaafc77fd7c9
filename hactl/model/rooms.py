"""Where repositories lie: the node and the folder whose file system fills up with them, and how full it is. Pure.

Whatever lies elsewhere, in an object store or on a machine that the inventory does not name, has no place here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hactl.model.facts import Room, RoomFacts
from hactl.model.inventory import Inventory, PgbackrestService, ResticService, Service
from hactl.model.observed import Maybe, Observed, Unknown
from hactl.model.picture import Picture
from hactl.model.state import ClusterState

_NODE = "{node}"
# As restic spells them: sftp://user@host//path, sftp:user@host:/path, local:/path, /path.
_SFTP = re.compile(r"sftp:(?://(?:[^/@]*@)?([^/:@]+)(?::\d+)?/|(?:[^/@:]*@)?([^/:@]+):)(/.*)")
_LOCAL = re.compile(r"(?:local:)?(/.*)")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    node: str
    path: str


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system of a repository, as far as its node can tell of it."""

    place: Place
    room: Maybe[Room]


def key_of(service: str) -> str:
    """Of the probe that asks how full it is."""
    return f"room:{service}"


def places(service: Service, inventory: Inventory) -> Mapping[str, Place]:
    """By repository: of pgBackRest its number, of restic the node whose files it keeps."""
    if isinstance(service, PgbackrestService):
        paths = {number: service.repository_path(number) for number in service.repositories}
        return {str(number): Place(service.repository_host, path) for number, path in paths.items() if path}
    if isinstance(service, ResticService):
        return _of_files(service, inventory)
    return {}


def _of_files(service: ResticService, inventory: Inventory) -> Mapping[str, Place]:
    """Where each node has its own, the folder that holds them all: theirs nobody else may look into."""
    if (local := _LOCAL.fullmatch(service.repository)) is not None:
        return {node: Place(node, _shared(local[1])) for node in service.nodes}
    if (far := _SFTP.fullmatch(service.repository)) is None:
        return {}
    known = {name: one.name for one in inventory.nodes.values() for name in (one.name, one.address)}
    hosts = {node: known.get((far[1] or far[2]).replace(_NODE, node)) for node in service.nodes}
    path = _shared(far[3])
    return {node: Place(host, path) for node, host in hosts.items() if host is not None}


def _shared(path: str) -> str:
    before, own, _ = path.partition(_NODE)
    return (before.rpartition("/")[0] if own else before).rstrip("/") or "/"


def asked_on(node: str, inventory: Inventory) -> Mapping[str, tuple[str, ...]]:
    """The folders of each service whose file systems that node is asked for."""
    found: dict[str, tuple[str, ...]] = {}
    for service in inventory.services.values():
        here = {place.path for place in places(service, inventory).values() if place.node == node}
        if here:
            found[service.name] = tuple(sorted(here))
    return found


def disks(service: Service, picture: Picture) -> Mapping[str, Disk]:
    """By repository, as `places` has them."""
    found = places(service, picture.state.inventory)
    return {name: Disk(place, room(service.name, place, picture.state, picture.now)) for name, place in found.items()}


def room(service: str, place: Place, state: ClusterState, now: float) -> Maybe[Room]:
    """How full the place is, as far as its node can tell."""
    if place.node not in state.nodes:
        return Unknown(f"{place.node} was not asked", now)
    answer = state.nodes[place.node].read(key_of(service), RoomFacts, now)
    if isinstance(answer, Unknown):
        return answer
    told = answer.value.rooms.get(place.path)
    if told is not None:
        return Observed(told, answer.at)
    return Unknown(answer.value.unknown.get(place.path, "its node did not tell"), answer.at)
