"""A table that scrolls sideways by whole columns, its first column always in view: a run's nodes and steps.

Nothing is cut: what has no room is told of by number, left and right, on the border.
"""

from __future__ import annotations

from hactl.tui.widgets.arranged import GAP
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.paint import subtitled
from hactl.view.tables import Placed, fit

_ENDLESS = 1 << 20  # cells: every column as wide as it likes to be


class Matrix(LineTable):
    """`reveal` keeps a column in view, until the operator has scrolled with `turn`."""

    _left = 0  # columns after the first that are hidden on the left
    _by_hand = False

    @property
    def hidden(self) -> tuple[int, int]:
        """So many columns are out of sight on the left and on the right."""
        return self._left, max(0, len(self._arranged.table.columns) - self._left - len(self._arranged.placed))

    def reveal(self, key: str) -> None:
        """Scroll until the column is in view."""
        index = next((at for at, column in enumerate(self._arranged.table.columns) if column.key == key), None)
        if self._by_hand or index is None or self._in_view(index):
            return
        step = 1 if index > self._left else -1
        while not self._in_view(index):
            self._scroll_by(step)

    def _in_view(self, column: int) -> bool:
        return any(place.index == column for place in self._arranged.placed)

    def turn(self, columns: int) -> None:
        """Scroll by hand."""
        self._by_hand = True
        if columns < 0 or self.hidden[1]:
            self._scroll_by(columns)

    def _scroll_by(self, columns: int) -> None:
        self._left = max(0, self._left + columns)
        self._place()
        self._strips.clear()
        self.refresh()

    def _place(self) -> bool:
        room, before = self.scrollable_content_region.width - self._gutter, self._arranged.placed
        whole = fit(self._arranged.table, _ENDLESS, gap=GAP)
        self._left = min(self._left, max(0, len(whole) - 2))
        while self._left and _width((*whole[:1], *whole[self._left :])) <= room:
            self._left -= 1  # no room is left empty on the right
        self._arranged.placed = _window(whole, self._left, room)
        left, right = self.hidden
        words = (f"← {left} more" if left else "", f"{right} more →" if right else "")
        subtitled(self, "   ".join(word for word in words if word))
        return self._arranged.placed != before


def _width(places: tuple[Placed, ...]) -> int:
    return sum(place.width for place in places) + GAP * max(0, len(places) - 1)


def _window(whole: tuple[Placed, ...], left: int, room: int) -> tuple[Placed, ...]:
    """The first column, and as many whole ones as there is room for behind those that are hidden; one at least."""
    shown = whole[:1]
    for place in whole[left + 1 :]:
        if len(shown) > 1 and _width((*shown, place)) > room:
            break
        shown = (*shown, place)
    return shown
