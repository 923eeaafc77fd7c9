"""Tables as data: columns that know how much room they want, rows with stable keys, cells with a level.

Who draws (a terminal table, a widget) decides on colours and borders; `fit` decides for all of them which columns a
width has room for.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from hactl.model.dashboard import ALL_COLUMNS, ColumnChoice
from hactl.model.findings import Level


@dataclass(frozen=True, slots=True)
class Column:
    """`priority` 0 is always shown; of the others the highest number leaves first when room is short.

    `grow`: may take what room is left over; a growing column may also be cut down to `minimum`. `extra`: shown only
    to who asks for it.
    """

    key: str
    title: str
    align: Literal["left", "right"] = "left"
    minimum: int = 1
    priority: int = 0
    grow: bool = False
    extra: bool = False


class Cell(NamedTuple):
    """`level` None: plain text. `sort` orders the column (None: by text; unknown cells go last).

    A tuple: hundreds are made for a picture, and compared with those of the one before.
    """

    text: str
    level: Level | None = None
    sort: float | str | None = None
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """`key` names the same thing from picture to picture; `cells` stand in the order of the table's columns.

    `faint`: somebody knows of it already; to be drawn without emphasis.
    """

    key: str
    cells: tuple[Cell, ...]
    level: Level | None = None
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """A column that is shown: its index in the table and its width in terminal cells."""

    index: int
    column: Column
    width: int


class Widths:
    """How wide columns would like to be, of one table after the other: only rows that are new are measured."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[Row, tuple[int, ...]]] = {}

    def of(self, table: Table) -> Sequence[int]:
        """In terminal cells; a heading and a column's minimum count as well."""
        before, kept = self._rows, dict[str, tuple[Row, tuple[int, ...]]]()
        for row in table.rows:
            held = before.get(row.key)
            if held is None or held[0] is not row:
                held = row, tuple([text_width(cell.text) for cell in row.cells])
            kept[row.key] = held
        self._rows = kept
        least = [max(len(column.title), column.minimum) for column in table.columns]
        return [max(column) for column in zip(least, *(widths for _row, widths in kept.values()), strict=True)]


def fit(
    table: Table,
    width: int,
    *,
    gap: int = 2,
    choice: ColumnChoice = ALL_COLUMNS,
    widths: Sequence[int] | None = None,
) -> tuple[Placed, ...]:
    """The columns that `width` terminal cells have room for, in order, with their widths.

    Columns leave by priority until the rest fits; then growing columns are cut down towards their minimum. Of columns
    that were chosen none leaves while another can. `widths`: what `Widths` says of the table, where that is known.
    """
    natural = Widths().of(table) if widths is None else widths
    wanted = {
        index: natural[index]
        for index, column in enumerate(table.columns)
        if column.key in choice.show or not (column.extra or column.key in choice.hide)
    }
    shown = list(wanted)

    def least(index: int) -> int:
        column = table.columns[index]
        return min(wanted[index], max(column.minimum, len(column.title))) if column.grow else wanted[index]

    def priority(index: int) -> float:
        column = table.columns[index]
        return column.priority / 1000 if column.key in choice.show else column.priority

    def excess() -> int:
        return sum(map(least, shown)) + gap * max(0, len(shown) - 1) - width

    while excess() > 0:
        leaving = max(shown, key=priority)
        if priority(leaving) == 0:
            break
        shown.remove(leaving)
    spare = max(0, -excess())
    placed = []
    for index in shown:
        extra = min(spare, wanted[index] - least(index))
        spare -= extra
        placed.append(Placed(index, table.columns[index], least(index) + extra))
    return tuple(placed)


def text_width(text: str) -> int:
    """Terminal cells that `text` takes: wide and full-width characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def sorted_rows(rows: Sequence[Row], index: int, *, reverse: bool = False) -> tuple[Row, ...]:
    """Rows by one column; rows whose cell is unknown stand last either way. Stable."""

    def key(row: Row) -> tuple[int, float, str]:
        cell = row.cells[index]
        value = cell.text if cell.sort is None else cell.sort
        return (0, 0.0, value.casefold()) if isinstance(value, str) else (0, value, "")

    known = [row for row in rows if not row.cells[index].unknown]
    unknown = [row for row in rows if row.cells[index].unknown]
    return (*sorted(known, key=key, reverse=reverse), *unknown)


def matching(rows: Sequence[Row], needle: str) -> tuple[Row, ...]:
    """Rows with `needle` in one of their cells, in any case; `!needle` for those without it."""
    inverse = needle.startswith("!")
    wanted = needle.removeprefix("!").casefold()
    if not wanted:
        return tuple(rows)
    return tuple(row for row in rows if any(wanted in cell.text.casefold() for cell in row.cells) != inverse)
