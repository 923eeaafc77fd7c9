"""Draws tables and sentences of `view` as terminal text: columns that fit, colours by level, nothing cut silently.

Colours only ever repeat what a word says, so that nothing is lost without them.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

import click

from hactl.model.findings import Level
from hactl.view.tables import Cell, Placed, Table, fit, text_width

_GAP = 2
_UNLIMITED = 100_000


def width() -> int:
    """Columns to fill: the terminal's, or $COLUMNS. A pipe has no edge, so nothing is cut there."""
    if sys.stdout.isatty():
        return shutil.get_terminal_size((80, 24)).columns
    given = os.environ.get("COLUMNS", "")
    return int(given) if given.isdigit() and int(given) else _UNLIMITED


def paint(text: str, level: Level | None) -> str:
    """`text` in the colour of `level`; None leaves it plain."""
    match level:
        case Level.OK:
            return click.style(text, fg="green")
        case Level.WARN:
            return click.style(text, fg="yellow")
        case Level.CRIT:
            return click.style(text, fg="red", bold=True)
        case Level.UNKNOWN:
            return click.style(text, fg="magenta")
    return text


def table(shown: Table, columns: int, indent: int = 2) -> list[str]:
    """`shown` with its titles, one line a row, no line wider than `columns`."""
    placed = fit(shown, columns - indent, gap=_GAP)
    blank = " " * indent
    titles = [_cell(Cell(place.column.title), place) for place in placed]
    head = click.style(_joined(titles), bold=True)
    return [blank + head, *(blank + _joined([_cell(row.cells[p.index], p) for p in placed]) for row in shown.rows)]


def _joined(cells: Sequence[str]) -> str:
    return (" " * _GAP).join(cells).rstrip()


def _cell(cell: Cell, place: Placed) -> str:
    text = cell.text
    if text_width(text) > place.width:
        while text_width(text) > place.width - 1:
            text = text[:-1]
        text += "…"
    blank = " " * (place.width - text_width(text))
    painted = paint(text, Level.UNKNOWN if cell.unknown and cell.level is None else cell.level)
    return blank + painted if place.column.align == "right" else painted + blank


def wrapped(text: str, columns: int, *, first: str, rest: str) -> list[str]:
    """`text` as lines of at most `columns`: the first begins with `first`, the others with `rest`. Words stay whole
    unless one alone is too long.
    """
    import textwrap

    room = max(20, columns)
    return textwrap.wrap(text, room, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False) or [first]
