"""A table's rows as the operator wants to see them: which, in what order, in the columns that there is room for.

What is the same as before is told at once: a table is shown again with every picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_

from hactl.model.dashboard import ALL_COLUMNS, ColumnChoice
from hactl.view.tables import Placed, Row, Table, Widths, fit, matching, sorted_rows

GAP = 2


class Arranged:
    """`rows` are those that are shown, in `placed` columns. Nothing is made anew before `arrange` and `place`."""

    def __init__(self) -> None:
        self.table = Table((), ())
        self.rows: tuple[Row, ...] = ()
        self.placed: tuple[Placed, ...] = ()
        self.choice: ColumnChoice = ALL_COLUMNS
        self.sort: str | None = None  # a column key; None: the order that the view gives
        self.reverse = False
        self.needle = ""
        self._widths = Widths()
        self._natural: Sequence[int] = ()
        self._fitted: object = None  # what `placed` was made from

    def take(self, table: Table) -> bool:
        """The newest rows; whether any of them is another one."""
        before, self.table = self.table, table
        if before is table or (before.columns is table.columns and _identical(before.rows, table.rows)):
            return False
        self._natural = self._widths.of(table)
        return True

    def arrange(self) -> None:
        rows = matching(self.table.rows, self.needle)
        keys = [column.key for column in self.table.columns]
        if self.sort in keys:
            rows = sorted_rows(rows, keys.index(self.sort), reverse=self.reverse)
        self.rows = rows

    def place(self, room: int) -> bool:
        """In so many cells; whether the columns are others now, or have other widths."""
        asked = (self.table.columns, self._natural, self.choice, room)
        if asked == self._fitted:
            return False
        self._fitted, before = asked, self.placed
        self.placed = fit(self.table, max(1, room), gap=GAP, choice=self.choice, widths=self._natural)
        return self.placed != before

    @property
    def width(self) -> int:
        """Cells that the columns take, with what is between them."""
        return sum(place.width for place in self.placed) + GAP * max(0, len(self.placed) - 1)

    def index_of(self, key: str | None) -> int | None:
        """Where the row with this key is shown."""
        return next((index for index, row in enumerate(self.rows) if row.key == key), None)

    def column_at(self, x: int) -> str | None:
        """The key of the column in this cell of a line."""
        left = 0
        for place in self.placed:
            if left <= x < left + place.width + GAP:
                return place.column.key
            left += place.width + GAP
        return None

    def looks_alike(self, one: Row, other: Row) -> bool:
        """Whether two rows are drawn the same way; what only orders them is not seen."""
        if one is other:
            return True
        if (one.key, one.faint) != (other.key, other.faint):
            return False
        for place in self.placed:
            cell, new = one.cells[place.index], other.cells[place.index]
            if cell is not new and (cell.text, cell.level, cell.unknown) != (new.text, new.level, new.unknown):
                return False
        return True


def _identical(some: Sequence[Row], others: Sequence[Row]) -> bool:
    """The very same rows: two that only say the same cost as much to compare as to show."""
    return len(some) == len(others) and all(map(is_, some, others))
