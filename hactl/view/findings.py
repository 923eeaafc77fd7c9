"""Findings as rows, worst first, and as sentences. Those that somebody has acknowledged stand last, and say so."""

from __future__ import annotations

from collections.abc import Collection

from hactl.model.ack import Ack
from hactl.model.acks import open_findings
from hactl.model.findings import Finding, ScopeKind, subject
from hactl.model.picture import Picture
from hactl.view import units
from hactl.view.cells import age_cell, level_cell
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
_HINT = Column("hint", "what to do", minimum=20, priority=2, grow=True)


def finding_rows(picture: Picture, *, hints: bool = False) -> Table:
    """What is not ok, worst first then oldest first, keyed by the finding's key; what is acknowledged below all else.

    With `hints` what to do about each.
    """
    columns = (*COLUMNS, *((_ACK,) if picture.acks else ()), *((_HINT,) if hints else ()))
    return Table(columns, tuple(_row(picture, finding, columns) for finding in in_order(picture)))


def in_order(picture: Picture) -> tuple[Finding, ...]:
    """Those that nobody has acknowledged, then the others."""
    known = (finding for finding in picture.assessment.findings if finding.key in picture.acks)
    return (*open_findings(picture), *known)


def ack_words(ack: Ack, wall: float) -> str:
    """Until when, by whom and why, at `wall` epoch seconds: "until 18:30:00 UTC, anna@laptop: new disk"."""
    return f"until {units.moment(ack.until, wall)}, {ack.who}: {ack.reason}"


def _row(picture: Picture, finding: Finding, columns: tuple[Column, ...]) -> Row:
    ack = picture.acks.get(finding.key)
    level = level_cell(finding.level)
    if ack is not None:  # told by more than a fainter colour
        level = Cell(f"({severity(finding.level).word})", None, level.sort)
    cells = {
        "level": level,
        "about": Cell(subject(finding)),
        "finding": Cell(finding.sentence),
        "age": age_cell(picture.now - finding.since),
        "acknowledged": Cell(ack_words(ack, picture.state.wall(picture.now)) if ack else ""),
        "hint": Cell(finding.hint),
    }
    shown = tuple(cells[column.key] for column in columns)
    return Row(finding.key, shown, finding.level, faint=ack is not None)


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
