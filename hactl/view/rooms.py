"""The room that there is for backups where they lie: as a cell, a sentence, and in documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hactl.model.assess.base import because
from hactl.model.assess.rooms import METRIC, key
from hactl.model.findings import Level
from hactl.model.observed import Unknown
from hactl.model.picture import Picture
from hactl.model.rooms import Disk
from hactl.view import units
from hactl.view.cells import NOTHING, UNKNOWN, size_cell
from hactl.view.lines import Line
from hactl.view.tables import Cell


@dataclass(frozen=True, slots=True)
class DiskEntry:
    """The file system that holds a repository. `unknown`: why nobody can tell; then the numbers are null."""

    node: str
    path: str
    unknown: str | None
    bytes: int | None
    free_bytes: int | None
    used_percent: float | None


def disk_entry(disk: Disk | None) -> DiskEntry | None:
    if disk is None:
        return None
    node, path = disk.place.node, disk.place.path
    if isinstance(disk.room, Unknown):
        return DiskEntry(node, path, because(disk.room, node), None, None, None)
    room = disk.room.value
    return DiskEntry(node, path, None, room.size, room.available, round(room.used_percent, 1))


def free_cell(picture: Picture, service: str, disk: Disk | None) -> Cell:
    """What is left, in the colour of the finding about it."""
    if disk is None:
        return NOTHING
    if isinstance(disk.room, Unknown):
        return UNKNOWN
    return size_cell(disk.room.value.available, _level(picture, service, disk))


def disk_lines(picture: Picture, service: str, disk: Disk | None) -> list[Line]:
    """As in "room: 12 GiB free of 20 GiB (40 % in use), in /var/lib/pgbackrest on backup1"."""
    if disk is None:
        return []
    where = f"in {disk.place.path} on {disk.place.node}"
    if isinstance(disk.room, Unknown):
        why = because(disk.room, disk.place.node)
        return [Line(f"room: not known, {where}: {why}", Level.UNKNOWN, indent=2, hang=4)]
    room = disk.room.value
    used = f"{units.percent(room.used_percent)} in use"
    said = f"room: {units.size(room.available)} free of {units.size(room.size)} ({used}), {where}"
    return [Line(said, _level(picture, service, disk), indent=2, hang=4)]


def full_lines(picture: Picture, services: Iterable[str]) -> Iterator[Line]:
    """The repositories of these services that fill up."""
    wanted = frozenset(services)
    for one in picture.assessment.findings:
        if one.metric == METRIC and one.service in wanted:
            yield Line(f"{one.service}: {one.sentence}", one.level)


def _level(picture: Picture, service: str, disk: Disk) -> Level | None:
    wanted = key(service, disk.place)
    return next((one.level for one in picture.assessment.findings if one.key == wanted), None)
