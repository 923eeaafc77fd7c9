"""Findings as rows, worst first, and as sentences."""

from __future__ import annotations

from hactl.model.assess import subject
from hactl.model.findings import Finding
from hactl.model.picture import Picture
from hactl.view.cells import age_cell, level_cell
from hactl.view.tables import Cell, Column, Row, Table

COLUMNS = (
    Column("level", "level", minimum=7),
    Column("about", "about", minimum=6),
    Column("finding", "finding", minimum=20, grow=True),
    Column("age", "age", "right", minimum=3, priority=1),
    Column("hint", "what to do", minimum=20, priority=2, grow=True),
)


def finding_rows(picture: Picture, *, hints: bool = False) -> Table:
    """What is not ok, worst first then oldest first, keyed by the finding's key; with `hints` what to do about each."""
    columns = COLUMNS if hints else COLUMNS[:-1]
    return Table(columns, tuple(_row(picture, finding, len(columns)) for finding in picture.assessment.findings))


def _row(picture: Picture, finding: Finding, columns: int) -> Row:
    cells = (
        level_cell(finding.level),
        Cell(subject(finding)),
        Cell(finding.sentence),
        age_cell(picture.now - finding.since),
        Cell(finding.hint),
    )
    return Row(finding.key, cells[:columns], finding.level)


def line(finding: Finding) -> str:
    """One finding as a line of text: "crit  db1: unreachable since ..."."""
    return f"{finding.level.word}  {subject(finding)}: {finding.sentence}"
