"""Repositories and their backups as rows and sentences."""

from __future__ import annotations

from collections.abc import Iterable

from hactl.model.assess.base import because
from hactl.model.backups import Repository, backup_services, primary_lsn, repositories
from hactl.model.drilled import drilled
from hactl.model.facts import Backup
from hactl.model.findings import Level
from hactl.model.holdings import Holdings
from hactl.model.inventory import PgbackrestService
from hactl.model.observed import Unknown
from hactl.model.picture import Picture
from hactl.view import units
from hactl.view.cells import NOTHING, UNKNOWN, age_cell, level_cell, size_cell
from hactl.view.drills import last_good_words
from hactl.view.lines import Line
from hactl.view.rooms import disk_lines, free_cell
from hactl.view.tables import Cell, Column, Row, Table

REPOSITORY_COLUMNS = (
    Column("service", "service", minimum=6),
    Column("level", "level", minimum=7),
    Column("repository", "repo", "right", priority=2),
    Column("full", "last full", "right", minimum=3),
    Column("any", "last any", "right", minimum=3),
    Column("size", "size", "right", priority=3),
    Column("stored", "stored", "right", priority=5),
    Column("count", "backups", "right", priority=4),
    Column("free", "free", "right", priority=3),
    Column("gap", "wal gap", "right", minimum=3, priority=1),
    Column("status", "status", minimum=6, grow=True),
)
BACKUP_COLUMNS = (
    Column("label", "backup", minimum=16),
    Column("kind", "type", minimum=4),
    Column("age", "age", "right", minimum=3),
    Column("took", "took", "right", priority=3),
    Column("size", "database", "right", priority=2),
    Column("stored", "stored", "right", priority=4),
    Column("wal", "needs wal", priority=5),
    Column("state", "state", minimum=12, grow=True),
    Column("repository", "repo", "right", priority=6),
    Column("service", "service", priority=7),
)


def repository_rows(picture: Picture) -> Table:
    """One row a repository of every backup service, keyed "SERVICE/NUMBER". Ages are since the backup ended."""
    rows = []
    for service in backup_services(picture.state.inventory):
        level = picture.assessment.services[service.name].verdict.level
        lsn = primary_lsn(service, picture)
        for one in repositories(service, picture):
            free = free_cell(picture, service.name, one.disk)
            head = (Cell(service.name), level_cell(level), Cell(str(one.number), None, one.number))
            cells = (*head, *_held(one, lsn, free))
            rows.append(Row(f"{service.name}/{one.number}", cells, level))
    return Table(REPOSITORY_COLUMNS, tuple(rows))


def _held(one: Repository, lsn: int | None, free: Cell) -> tuple[Cell, ...]:
    if isinstance(one.holdings, Unknown):
        return (*((UNKNOWN,) * 5), free, UNKNOWN, Cell(f"? {one.holdings.reason}", Level.UNKNOWN))
    holdings = one.holdings.value
    code, message = holdings.status
    gap = holdings.gap(lsn)
    running = ", a backup is being made" if holdings.facts.running else ""
    newest = holdings.good[-1] if holdings.good else None
    return (
        _newest(holdings, holdings.fulls),
        _newest(holdings, holdings.good),
        NOTHING if newest is None else size_cell(newest.size),
        size_cell(holdings.stored),
        Cell(str(len(holdings.good)), None, len(holdings.good)),
        free,
        UNKNOWN if gap is None else Cell(f"{gap} seg", None, gap),
        Cell(f"{message}{running}", Level.CRIT if code else None),
    )


def _newest(holdings: Holdings, backups: tuple[Backup, ...]) -> Cell:
    return age_cell(min(map(holdings.age, backups))) if backups else Cell("none", Level.CRIT)


def backup_rows(found: Iterable[Repository]) -> Table:
    """Every backup of these repositories, newest first, keyed "SERVICE/NUMBER/LABEL"."""
    known = ((one, one.known) for one in found if one.known is not None)
    return Table(
        BACKUP_COLUMNS,
        tuple(_backup(one, holdings, backup) for one, holdings in known for backup in reversed(holdings.backups)),
    )


def nothing_lines(found: Iterable[Repository]) -> list[Line]:
    """The repositories that no backup can be shown of, and why."""
    lines = []
    for one in found:
        name = f"{one.service.name}, repository {one.number}"
        if isinstance(one.holdings, Unknown):
            why = because(one.holdings, one.service.repository_host)
            lines.append(Line(f"{name}: what it holds is not known: {why}", Level.UNKNOWN))
        elif not one.holdings.value.backups:
            lines.append(Line(f"{name} holds no backup", Level.CRIT))
    return lines


def _backup(one: Repository, holdings: Holdings, backup: Backup) -> Row:
    state = Cell(f"builds on {backup.prior}" if backup.prior else "stands alone")
    if backup.error:
        state = Cell("has errors", Level.CRIT)
    elif needed := holdings.broken.get(backup.label) or holdings.lacking.get(backup.label):
        state = Cell(f"lacks {needed}", Level.CRIT)
    same = backup.wal_start == backup.wal_stop
    cells = (
        Cell(backup.label),
        Cell(backup.kind),
        age_cell(holdings.age(backup)),
        Cell(units.duration(backup.stopped - backup.started), None, backup.stopped - backup.started),
        size_cell(backup.size),
        size_cell(backup.stored),
        Cell(backup.wal_start if same else f"{backup.wal_start} to {backup.wal_stop}"),
        state,
        Cell(str(one.number), None, one.number),
        Cell(one.service.name),
    )
    return Row(f"{one.service.name}/{one.number}/{backup.label}", cells, state.level)


def repository_lines(picture: Picture, one: Repository) -> list[Line]:
    """One repository in sentences: what can be restored, to when, what it takes, what the policy wants."""
    service = one.service
    head = f"{service.name}, repository {one.number} on {service.repository_host}, stanza {service.stanza}"
    if isinstance(one.holdings, Unknown):
        why = because(one.holdings, service.repository_host)
        unknown = Line(f"what it holds is not known: {why}", Level.UNKNOWN, indent=2)
        return [Line(head, strong=True), unknown, *disk_lines(picture, service.name, one.disk)]
    holdings = one.holdings.value
    code, message = holdings.status
    lines = [Line(head, strong=True), Line(f"status: {message}", Level.CRIT if code else None, indent=2)]
    lines += [Line(text, indent=2, hang=4) for text in _sentences(holdings, primary_lsn(service, picture))]
    lines += disk_lines(picture, service.name, one.disk)
    policy = (
        f"policy: a full backup every {units.duration(service.max_age_full)}, any every "
        f"{units.duration(service.max_age_any)}"
    )
    return [*lines, Line(policy, indent=2), *_tried(picture, service)]


def _tried(picture: Picture, service: PgbackrestService) -> list[Line]:
    """When it was last seen that what is here can be restored."""
    found = drilled(service, picture)
    if found is None:
        return []
    none = found.known is not None and found.known.last_good is None
    return [Line(last_good_words(found), Level.WARN if none else None, indent=2, hang=4)]


def _sentences(holdings: Holdings, lsn: int | None) -> list[str]:
    kinds = ", ".join(f"{count} {kind}" for kind in ("full", "diff", "incr") if (count := _count(holdings, kind)))
    stored = f"; they take {units.size(holdings.stored)}" if holdings.stored else ""
    found = [f"backups: {kinds or 'none'}{stored}"]
    if holdings.good:
        oldest = units.age(holdings.age(holdings.good[0]))
        found.append(f"can be restored: any moment from {oldest} ago on, while no WAL between is missing")
    if holdings.newest_wal:
        gap = holdings.gap(lsn)
        behind = "how far behind the primary is not known" if gap is None else _behind(gap)
        found.append(f"archive: {holdings.oldest_wal} to {holdings.newest_wal}, {behind}")
    else:
        found.append("archive: empty")
    if holdings.facts.running:
        found.append("a backup is being made now")
    return found


def _count(holdings: Holdings, kind: str) -> int:
    return sum(one.kind == kind for one in holdings.good)


def _behind(gap: int) -> str:
    return f"{gap} segment{'s' if gap != 1 else ''} behind the primary" if gap else "all that the primary has finished"
