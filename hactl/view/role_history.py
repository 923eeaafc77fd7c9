"""The history of roles as rows and as a document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from hactl.model.role_history import RoleChange
from hactl.view import units
from hactl.view.cells import NOTHING, UNKNOWN, size_cell
from hactl.view.document import Json
from hactl.view.lines import Line
from hactl.view.tables import Cell, Column, Row, Table

SCHEMA = "hactl.db-history/1"
NOBODY = "nobody from here"

HISTORY_COLUMNS = (
    Column("when", "when", minimum=10),
    Column("service", "database", priority=5),
    Column("what", "what", minimum=8),
    Column("timeline", "tl", "right", priority=3),
    Column("downtime", "no writes", "right", priority=1),
    Column("lost", "lost", "right", priority=2),
    Column("who", "by", priority=4),
    Column("why", "why", minimum=6, grow=True),
)


@dataclass(frozen=True, slots=True)
class RoleChangeDocument:
    """`after` became the primary instead of `before`, or with `returned` a standby again; null is not known. It was
    between the epoch seconds `since` and `until`. `run` null: nobody acted from this machine, so that who and why are
    not known.
    """

    service: str
    after: str | None
    before: str | None
    returned: bool
    timeline: int | None
    since: float | None
    until: float | None
    run: str | None
    playbook: str | None
    who: str | None
    why: str | None
    outcome: str | None
    write_downtime_seconds: float | None
    lost_bytes: int | None


@dataclass(frozen=True, slots=True)
class HistoryDocument:
    """What `hactl db history -o json` prints, newest first. `silent`: servers that told nothing, and why."""

    schema: str
    cluster: str
    changes: list[RoleChangeDocument]
    silent: dict[str, str]


def history_rows(changes: Iterable[RoleChange], now: float) -> Table:
    """One row a change, newest first. `now` is epoch seconds."""
    rows = tuple(_row(number, one, now) for number, one in enumerate(changes))
    return Table(HISTORY_COLUMNS, rows)


def _row(number: int, one: RoleChange, now: float) -> Row:
    cells = (
        Cell(when(one, now), None, one.until or one.since or 0.0),
        Cell(one.service),
        Cell(what(one)),
        UNKNOWN if one.timeline is None else Cell(str(one.timeline), None, one.timeline),
        _downtime(one),
        NOTHING if one.returned else UNKNOWN if one.lost_bytes is None else size_cell(one.lost_bytes),
        Cell(one.who if one.run else NOBODY, None, None, unknown=not one.run),
        Cell(f"{one.why or one.playbook} ({one.run})" if one.run else "not known", None, None, unknown=not one.run),
    )
    return Row(str(number), cells)


def change_lines(changes: Iterable[RoleChange], now: float) -> list[Line]:
    """A sentence for each: when, what, by whom, and what it cost. `now` is epoch seconds."""
    return [Line(_sentence(one, now), hang=2) for one in changes]


def _sentence(one: RoleChange, now: float) -> str:
    parts = [f"{when(one, now)}  {what(one)}"]
    if one.run:
        parts.append(f"{one.playbook} by {one.who}")
    if one.write_downtime is not None:
        parts.append(f"no writes for {units.duration(one.write_downtime)}")
    if one.lost_bytes is not None and not one.returned:
        parts.append(f"{units.size(one.lost_bytes)} lost" if one.lost_bytes else "nothing lost")
    return ", ".join(parts)


def _downtime(one: RoleChange) -> Cell:
    if one.returned:
        return NOTHING
    if one.write_downtime is None:
        return UNKNOWN
    return Cell(units.duration(one.write_downtime), None, one.write_downtime)


def when(one: RoleChange, now: float) -> str:
    """A moment, or the two between which it was."""
    if one.until is None:
        return "?" if one.since is None else f"after {units.moment(one.since, now)}"
    if one.since is None or one.run or one.until - one.since < 1:
        return units.moment(one.until, now)
    return f"{units.moment(one.since, now)} to {units.moment(one.until, now)}"


def what(one: RoleChange) -> str:
    if one.returned:
        return f"{one.after} a standby again"
    if not one.after:
        return "a server was promoted"
    return f"{one.before} -> {one.after}" if one.before else f"{one.after} the primary"


def history_document(cluster: str, changes: Iterable[RoleChange], silent: Mapping[str, str]) -> dict[str, Json]:
    listed = [
        RoleChangeDocument(
            service=one.service,
            after=one.after or None,
            before=one.before or None,
            returned=one.returned,
            timeline=one.timeline,
            since=one.since,
            until=one.until,
            run=one.run or None,
            playbook=one.playbook or None,
            who=one.who or None,
            why=one.why or None,
            outcome=one.outcome or None,
            write_downtime_seconds=one.write_downtime,
            lost_bytes=one.lost_bytes,
        )
        for one in changes
    ]
    return asdict(HistoryDocument(SCHEMA, cluster, listed, dict(silent)))
