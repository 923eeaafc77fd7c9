"""Findings as rows, worst first, and as sentences. Those that somebody has acknowledged stand last, and say so."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from operator import is_

from hactl.model.ack import Ack
from hactl.model.acks import open_findings
from hactl.model.findings import Finding, Level, ScopeKind, subject
from hactl.model.picture import Picture
from hactl.view import units
from hactl.view.cells import level_cell
from hactl.view.lines import Line
from hactl.view.severity import severity
from hactl.view.tables import Cell, Column, Row, Table

COLUMNS = (
    Column("level", "level", minimum=7),
    Column("about", "about", minimum=6),
    Column("finding", "finding", minimum=20, grow=True),
    Column("age", "age", "right", minimum=3, priority=1),
)
_ACK = Column("acknowledged", "acknowledged", minimum=16, grow=True)
_TURNS = 30  # pictures within which every row is looked after, also where nobody looks
_HINT = Column("hint", "what to do", minimum=20, priority=2, grow=True)
MORE_COLUMNS = (_ACK, _HINT)
"""Those that there are at times."""


def finding_rows(picture: Picture, *, hints: bool = False) -> Table:
    """What is not ok, worst first then oldest first, keyed by the finding's key; what is acknowledged below all else.

    With `hints` what to do about each.
    """
    return FindingRows().table(picture, hints=hints)


class FindingRows:
    """Rows of picture after picture: one is made again when what it shows has changed."""

    def __init__(self) -> None:
        self._told: list[tuple[str, Level]] = []
        self._places: dict[str, int] = {}  # of those, by key
        self._kept: list[_Kept] = []
        self._table = Table((), ())
        self._turn = 0

    def table(self, picture: Picture, wanted: Collection[str] | None = None, *, hints: bool = False) -> Table:
        """As `finding_rows`. Where only the `wanted` rows are looked at, others may be some pictures old: not when
        there are other findings than before, for then others may come into sight.

        Where every row is the one before, so is the table.
        """
        columns = (*COLUMNS, *((_ACK,) if picture.acks else ()), *((_HINT,) if hints else ()))
        findings = in_order(picture)
        told = [(one.key, one.level) for one in findings]
        if columns != self._table.columns:
            self._kept, self._table = [], Table(columns, ())
        if told != self._told or not self._kept:
            before = {one.finding.key: one for one in self._kept}
            self._kept = [self._held(picture, one, before.get(one.key)) for one in findings]
            self._told, self._places = told, {key: place for place, (key, _) in enumerate(told)}
        else:
            for place in self._due(wanted):
                self._kept[place] = self._held(picture, findings[place], self._kept[place])
        rows = tuple([one.row for one in self._kept])
        if len(rows) != len(self._table.rows) or not all(map(is_, rows, self._table.rows)):
            self._table = Table(self._table.columns, rows)
        return self._table

    def _due(self, wanted: Collection[str] | None) -> Collection[int]:
        """The places of the rows that are to be looked after now."""
        if wanted is None:
            return range(len(self._kept))
        self._turn = (self._turn + 1) % _TURNS
        seen = {self._places[key] for key in wanted if key in self._places}
        return seen.union(range(self._turn, len(self._kept), _TURNS))

    def _held(self, picture: Picture, finding: Finding, before: _Kept | None) -> _Kept:
        """The one before, where it shows the same."""
        ack, age = picture.acks.get(finding.key), units.age(picture.now - finding.since)
        known = ack_words(ack, picture.state.wall(picture.now)) if ack is not None else ""
        if before is not None and (before.known, before.age) == (known, age) and before.finding == finding:
            return before
        return _Kept(finding, known, age, _row(finding, known, age, self._table.columns))


@dataclass(frozen=True, slots=True)
class _Kept:
    """A finding's row, and all that it was made of. `known`: its acknowledgement in words; "" where there is none."""

    finding: Finding
    known: str
    age: str
    row: Row


def in_order(picture: Picture) -> tuple[Finding, ...]:
    """Those that nobody has acknowledged, then the others."""
    if not picture.acks:
        return picture.assessment.findings
    known = (finding for finding in picture.assessment.findings if finding.key in picture.acks)
    return (*open_findings(picture), *known)


def ack_words(ack: Ack, wall: float) -> str:
    """Until when, by whom and why, at `wall` epoch seconds: "until 18:30:00 UTC, anna@laptop: new disk"."""
    return f"until {units.moment(ack.until, wall)}, {ack.who}: {ack.reason}"


def _row(finding: Finding, known: str, age: str, columns: tuple[Column, ...]) -> Row:
    level = level_cell(finding.level)
    if known:  # told by more than a fainter colour
        level = Cell(f"({severity(finding.level).word})", None, level.sort)
    cells = {
        "level": level,
        "about": Cell(subject(finding)),
        "finding": Cell(finding.sentence),
        "age": Cell(age, None, -finding.since),
        "acknowledged": Cell(known),
        "hint": Cell(finding.hint),
    }
    return Row(finding.key, tuple([cells[column.key] for column in columns]), finding.level, faint=bool(known))


def about_lines(picture: Picture, services: Collection[str], pools: Collection[str] = ()) -> list[Line]:
    """What is to be said about these services and pools, worst first, each with what to do about it."""
    lines: list[Line] = []
    for one in picture.assessment.findings:
        if one.service in services or (one.scope.kind is ScopeKind.POOL and one.scope.name in pools):
            where = f"{one.node}: " if one.node is not None else ""
            lines.append(Line(f"{where}{one.sentence}", one.level, mark=one.level.word))
            if one.hint:
                lines.append(Line(f"> {one.hint}", indent=2, faint=True))
    return lines


def line(finding: Finding) -> str:
    """One finding as a line of text: "crit  db1: unreachable since ..."."""
    return f"{finding.level.word}  {subject(finding)}: {finding.sentence}"
