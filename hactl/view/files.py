"""Files that restic keeps, as rows and sentences beside those of databases' backups."""

from __future__ import annotations

from collections.abc import Iterable

from hactl.model.assess.base import because
from hactl.model.facts import Snapshot
from hactl.model.findings import Level
from hactl.model.observed import Unknown
from hactl.model.picture import Picture
from hactl.model.snapshots import Kept
from hactl.model.stores import Files, files, files_services, kept_services, stores
from hactl.view import units
from hactl.view.backups import BACKUP_COLUMNS, REPOSITORY_COLUMNS, repository_rows
from hactl.view.cells import NOTHING, UNKNOWN, age_cell, level_cell, size_cell
from hactl.view.lines import Line
from hactl.view.rooms import disk_lines, free_cell
from hactl.view.tables import Cell, Row, Table

SHORT = 8
"""So many digits of a snapshot's id restic shows, and takes for the whole."""


def store_rows(picture: Picture) -> Table:
    """One row a repository of every service that keeps copies, databases' first, keyed "SERVICE/NUMBER-OR-NODE"."""
    inventory = picture.state.inventory
    rows = [_row(picture, one) for service in files_services(inventory) for one in files(service, picture)]
    return Table(REPOSITORY_COLUMNS, (*repository_rows(picture).rows, *rows))


def _row(picture: Picture, one: Files) -> Row:
    members = picture.assessment.services[one.service.name].members
    level = members[one.node].level
    head = (Cell(one.service.name), level_cell(level), Cell(one.node))
    free = free_cell(picture, one.service.name, one.disk)
    return Row(f"{one.service.name}/{one.node}", (*head, *_held(one, free)), level)


def _held(one: Files, free: Cell) -> tuple[Cell, ...]:
    """Every snapshot is a whole one, so the last full one is the last one; there is no WAL."""
    if isinstance(one.kept, Unknown):
        return (*((UNKNOWN,) * 5), free, NOTHING, Cell(f"? {one.kept.reason}", Level.UNKNOWN))
    kept = one.kept.value
    wrong, status = kept.status
    newest = kept.snapshots[-1] if kept.snapshots else None
    age = Cell("none", Level.CRIT) if newest is None else age_cell(kept.age(newest))
    return (
        *(age, age, NOTHING if newest is None else size_cell(newest.size), size_cell(kept.stored)),
        *(Cell(str(len(kept.snapshots)), None, len(kept.snapshots)), free, NOTHING),
        Cell(status, Level.CRIT if wrong else None),
    )


def snapshot_rows(found: Iterable[Files]) -> Table:
    """Every snapshot of these repositories, newest first, keyed "SERVICE/NODE/ID"."""
    known = ((one, one.known) for one in found)
    rows = (_snapshot(one, kept, each) for one, kept in known if kept is not None for each in reversed(kept.snapshots))
    return Table(BACKUP_COLUMNS, tuple(rows))


def _snapshot(one: Files, kept: Kept, snapshot: Snapshot) -> Row:
    took = UNKNOWN if snapshot.took is None else Cell(units.duration(snapshot.took), None, snapshot.took)
    cells = (
        *(Cell(snapshot.id[:SHORT]), Cell("files"), age_cell(kept.age(snapshot)), took),
        *(size_cell(snapshot.size), size_cell(snapshot.stored), NOTHING, Cell("stands alone")),
        *(Cell(one.node), Cell(one.service.name)),
    )
    return Row(f"{one.service.name}/{one.node}/{snapshot.id[:SHORT]}", cells)


def missing_lines(found: Iterable[Files]) -> list[Line]:
    """The repositories that no snapshot can be shown of, and why."""
    lines = []
    for one in found:
        name = f"{one.service.name} of {one.node}"
        if isinstance(one.kept, Unknown):
            why = because(one.kept, one.node)
            lines.append(Line(f"{name}: what its repository holds is not known: {why}", Level.UNKNOWN))
        elif one.kept.value.status[0]:
            lines.append(Line(f"{name}: {one.kept.value.status[1]}", Level.CRIT))
        elif not one.kept.value.snapshots:
            lines.append(Line(f"{name}: no snapshot", Level.CRIT))
    return lines


def files_lines(picture: Picture, one: Files) -> list[Line]:
    """One node's repository in sentences."""
    service = one.service
    lines = [Line(f"{service.name} of {one.node}, in {service.repository_of(one.node)}", strong=True)]
    if isinstance(one.kept, Unknown):
        why = because(one.kept, one.node)
        unknown = Line(f"what it holds is not known: {why}", Level.UNKNOWN, indent=2)
        return [*lines, unknown, *disk_lines(picture, service.name, one.disk)]
    kept = one.kept.value
    wrong, status = kept.status
    lines.append(Line(f"status: {status}", Level.CRIT if wrong else None, indent=2))
    lines += [Line(text, indent=2, hang=4) for text in _sentences(one, kept)]
    lines += disk_lines(picture, service.name, one.disk)
    return [*lines, Line(f"policy: a snapshot every {units.duration(service.max_age)}", indent=2)]


def _sentences(one: Files, kept: Kept) -> list[str]:
    count = len(kept.snapshots)
    stored = f"; they take {units.size(kept.stored)}" if kept.stored else ""
    found = [f"files: {', '.join(one.service.paths)}", f"snapshots: {count or 'none'}{stored}"]
    if count:
        newest, oldest = units.age(kept.age(kept.snapshots[-1])), units.age(kept.age(kept.snapshots[0]))
        found.append(f"can be restored: as they were {newest} ago" + (f", back to {oldest} ago" if count > 1 else ""))
    return found


def restorable(picture: Picture, services: Iterable[str]) -> bool:
    """Whether every repository of these services is known to hold something that can be restored."""
    wanted = frozenset(services)
    kept = (one for one in kept_services(picture.state.inventory) if one.name in wanted)
    return all(store.restorable for one in kept for store in stores(one, picture))
