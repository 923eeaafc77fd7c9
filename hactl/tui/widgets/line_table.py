"""A table for live data: draws its own lines, and after an update redraws only the lines that changed.

A DataTable whose every cell changes each second costs several times as much CPU, and answers keys later. This widget
keeps the cursor on the same row key through updates, sorting and filtering. It shows `view.tables` rows; which columns
have room is decided there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from hactl.model.dashboard import ALL_COLUMNS, ColumnChoice
from hactl.model.findings import Level
from hactl.tui.keys import NamedKeys
from hactl.tui.widgets.paint import component, padded
from hactl.view.tables import Cell, Placed, Row, Table, Widths, fit, matching, sorted_rows

GAP = 2
MARK = "* "  # stands before a marked row, as much room before the others
NEWS = "! "  # stands before a row that is news


class _Looks(NamedTuple):
    """What a row's style depends on."""

    odd: bool
    news: bool
    faint: bool
    at_cursor: bool


class LineTable(NamedKeys, ScrollView, can_focus=True, inherit_bindings=False):
    """Rows of a `view` table with a cursor, sorting and a filter. Posts `Chosen` on enter or double click.

    With `marking` rows can be marked by the space bar, for what is done to several; posts `Marked`. `filterable`
    says whether the screen's filter may be about this table.
    """

    KEYS_OF: ClassVar[str | None] = "table"

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header",
        "table--cursor",
        "table--odd",
        "table--faint",
        "table--news",
        "table--ok",
        "table--warn",
        "table--crit",
        "table--unknown",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "edge(0)", "First", show=False),
        Binding("end,G", "edge(-1)", "Last", show=False),
        Binding("enter", "choose", "Open", tooltip="What the row under the cursor is about; so does a double click."),
        Binding("space", "mark", "Mark", tooltip="For what is done to several rows at once."),
        Binding("m", "mark", "Mark", tooltip="For what is done to several rows at once."),
        Binding("s", "sort_next", "Sort", show=False, tooltip="By the next column; so does a click on its heading."),
        Binding("I", "sort_reverse", "Reverse", show=False, tooltip="Sort the other way round."),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)
    others: reactive[int] = reactive(0, repaint=False)  # counts how often other rows came into sight, or to matter

    class About(Message):
        """Something about one row; `key` is the row's."""

        def __init__(self, table: LineTable, key: str) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> LineTable:
            return self.table

    class Chosen(About):
        """The operator opened the row."""

    class Moved(About):
        """The cursor is on another row now."""

    class Marked(About):
        """The marks are others now; `key` is the row whose mark was turned, "" when all were taken off."""

    def __init__(
        self,
        *,
        empty: str = "nothing to show",
        marking: bool = False,
        filterable: bool = True,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self.filterable = filterable
        self._empty = empty
        self._choice = ALL_COLUMNS
        self._news: frozenset[str] = frozenset()
        self._marking = marking
        self._marks: set[str] = set()
        self._table = Table((), ())
        self._natural: Sequence[int] = ()
        self._rows: tuple[Row, ...] = ()
        self._placed: tuple[Placed, ...] = ()
        self._sort: str | None = None  # a column key; None: the order that the view gives
        self._reverse = False
        self._needle = ""
        self._widths = Widths()
        self._strips: dict[int, tuple[Row, object, Strip]] = {}
        self._styles: dict[object, Style] = {}

    # --- what it shows ---------------------------------------------------------------------------------------

    @property
    def cursor_key(self) -> str | None:
        """The key of the row under the cursor; None when there is no row."""
        return self._rows[self.cursor].key if self.cursor < len(self._rows) else None

    @property
    def sorted_by(self) -> tuple[str | None, bool]:
        return self._sort, self._reverse

    @property
    def marked(self) -> tuple[str, ...]:
        """The keys of marked rows in the table's own order, also of those that the filter hides."""
        return tuple(row.key for row in self._table.rows if row.key in self._marks)

    def unmark(self) -> None:
        """Take all marks off."""
        self._marks.clear()
        self.refresh()
        self.post_message(self.Marked(self, ""))

    @property
    def _gutter(self) -> int:
        return len(MARK) if self._marking or self._news else 0

    @property
    def needle(self) -> str:
        """What the rows are filtered by; "" when all are shown."""
        return self._needle

    @property
    def filtered(self) -> str:
        """That rows are hidden, for who has to say so; "" when none are."""
        return f"/{self._needle}: {len(self._rows)} of {len(self._table.rows)}" if self._needle else ""

    @property
    def looked_at(self) -> frozenset[str] | None:
        """The keys of the rows that can be seen; None when the others count as well: for the order, or the filter."""
        if self._sort is not None or self._needle or not self._rows:
            return None
        top = self.scroll_offset.y
        return frozenset(row.key for row in self._rows[top : top + self.size.height])

    @property
    def shown_rows(self) -> tuple[Row, ...]:
        return self._rows

    def show(self, table: Table) -> None:
        """Take the newest rows. Only lines whose row changed are drawn again."""
        self._table = table
        self._natural = self._widths.of(table)
        self._arrange()

    def filter(self, needle: str) -> None:
        """Show only rows that contain `needle` (`!needle`: that do not)."""
        self._needle = needle
        self._arrange()
        self.others += 1

    def choose(self, choice: ColumnChoice) -> None:
        """Show these columns, as far as there is room."""
        self._choice = choice
        self._arrange()

    def highlight(self, keys: frozenset[str]) -> None:
        """Make rows stand out as news, by a sign before them as well; none for an empty set."""
        if keys != self._news:
            self._news = keys
            self._strips.clear()
            self._arrange()
            self.refresh()

    def sort(self, key: str | None, *, reverse: bool = False) -> None:
        """Sort by a column's key; None gives back the view's own order."""
        self._sort, self._reverse = key, reverse
        self._strips.clear()
        self._arrange()
        self.others += 1

    def select(self, key: str) -> bool:
        """Put the cursor on a row, if it is shown; whether it is."""
        for index, row in enumerate(self._rows):
            if row.key == key:
                self.cursor = index
                return True
        return False

    def _arrange(self) -> None:
        held, before, placed_before = self.cursor_key, self._rows, self._placed
        seen = self._cursor_seen
        rows = matching(self._table.rows, self._needle)
        keys = [column.key for column in self._table.columns]
        if self._sort in keys:
            rows = sorted_rows(rows, keys.index(self._sort), reverse=self._reverse)
        self._rows = rows
        self._place()
        self._hold_cursor(held)
        if self._placed != placed_before or len(rows) != len(before):
            self._strips.clear()
            self.virtual_size = Size(self._content_width(), len(rows) + 1)
            self.refresh()
            if seen:
                self._see_cursor()
        else:
            self._refresh_lines([index for index in self._lines if not self._looks_alike(before[index], rows[index])])

    def _place(self) -> None:
        room = self.scrollable_content_region.width - self._gutter
        self._placed = fit(self._table, max(1, room), gap=GAP, choice=self._choice, widths=self._natural)

    def _content_width(self) -> int:
        return self._gutter + sum(place.width for place in self._placed) + GAP * max(0, len(self._placed) - 1)

    @property
    def _lines(self) -> range:
        """The rows that are in sight, by index."""
        top = self.scroll_offset.y
        return range(top, min(len(self._rows), top + max(0, self.size.height - 1)))

    def _looks_alike(self, one: Row, other: Row) -> bool:
        """Whether two rows are drawn the same way; what only orders them is not seen."""
        if one is other:
            return True
        if (one.key, one.faint) != (other.key, other.faint):
            return False
        for place in self._placed:
            cell, new = one.cells[place.index], other.cells[place.index]
            if cell is not new and (cell.text, cell.level, cell.unknown) != (new.text, new.level, new.unknown):
                return False
        return True

    def _hold_cursor(self, key: str | None) -> None:
        if self.cursor_key == key:
            return
        for index, row in enumerate(self._rows):
            if row.key == key:
                self.cursor = index
                return
        self.cursor = max(0, min(self.cursor, len(self._rows) - 1))

    def _refresh_lines(self, rows: list[int]) -> None:
        top, (width, height) = self.scroll_offset.y, self.size
        lines = [index + 1 - top for index in rows]
        if regions := [Region(0, line, width, 1) for line in lines if 0 < line < height]:
            self.refresh(*regions)

    # --- drawing ---------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Line 0 is the header and does not scroll; the others are rows."""
        width = self.size.width
        if y == 0:
            return self._header(width)
        index = y - 1 + self.scroll_offset.y
        if index >= len(self._rows):
            told = not self._rows and y == 1 and self._table.columns  # not before anything was shown here
            text = self._empty if told else ""
            return Strip([Segment(text.ljust(width), self.rich_style)]).crop(0, width)
        row, at_cursor = self._rows[index], index == self.cursor and self.has_focus
        tag = (at_cursor, row.key in self._marks, row.key in self._news, index % 2, width, self.app.theme)
        held = self._strips.get(index)
        if held is None or held[0] is not row or held[1] != tag:
            held = row, tag, self._draw(row, width, at_cursor=at_cursor, odd=index % 2 == 1)
            self._strips[index] = held
        return held[2]

    def _header(self, width: int) -> Strip:
        style = self.rich_style + component(self, "table--header")
        segments = [Segment(" " * self._gutter, style)]
        for position, place in enumerate(self._placed):
            if position:
                segments.append(Segment(" " * GAP, style))
            mark = "" if place.column.key != self._sort else ("↓" if self._reverse else "↑")
            title = place.column.title[: max(0, place.width - len(mark))] + mark
            segments.append(Segment(padded(title, place.width, place.column.align), style))
        return Strip(segments).adjust_cell_length(width, style)

    def _draw(self, row: Row, width: int, *, at_cursor: bool, odd: bool) -> Strip:
        """Neighbours that look the same are one piece: what there is to do later goes by their number."""
        looks = _Looks(odd=odd, news=row.key in self._news, faint=row.faint, at_cursor=at_cursor)
        base = self._style(looks)
        segments: list[Segment] = []
        text = ""
        if self._gutter:
            mark = MARK if row.key in self._marks else NEWS if looks.news else ""
            segments.append(Segment(mark.ljust(self._gutter), base + Style(bold=True)))
        for position, place in enumerate(self._placed):
            cell = row.cells[place.index]
            if position:
                text += " " * GAP
            shown, style = padded(cell.text, place.width, place.column.align), self._style(looks, _level(cell))
            if style is base:
                text += shown
            else:
                segments += [Segment(text, base), Segment(shown, style)] if text else [Segment(shown, style)]
                text = ""
        free = width - self._content_width()
        if free > 0:
            text += " " * free
        strip = Strip([*segments, Segment(text, base)] if text else segments, max(width, width - free))
        return strip if free >= 0 else strip.crop(0, width)

    def _style(self, looks: _Looks, level: Level | None = None) -> Style:
        """Found once for each way to look: the style sheet is slow to ask."""
        style = self._styles.get((looks, level))
        if style is None:
            style = self._styles[looks, level] = self._asked_style(looks, level)
        return style

    def _asked_style(self, looks: _Looks, level: Level | None) -> Style:
        style = self.rich_style
        for name in ("odd", "news", "faint"):
            if getattr(looks, name):
                style += component(self, f"table--{name}")
        if looks.at_cursor:
            style += component(self, "table--cursor")
        if level is None:
            return style
        own = component(self, f"table--{level.word}")
        return style + (Style(bold=own.bold) if looks.at_cursor else own)

    # --- events and actions ----------------------------------------------------------------------------------

    def notify_style_update(self) -> None:
        self._strips.clear()
        self._styles.clear()
        super().notify_style_update()

    def on_resize(self, _event: events.Resize) -> None:
        self._use_room()
        if self.has_focus:
            self._see_cursor()

    def watch_show_vertical_scrollbar(self) -> None:
        """A scroll bar takes of the room, and nobody tells of a new size."""
        self._use_room()

    def _use_room(self) -> None:
        before = self._placed
        self._place()
        if self._placed != before:
            self._strips.clear()
            self.virtual_size = Size(self._content_width(), len(self._rows) + 1)
            self.refresh()

    def on_focus(self) -> None:
        self._refresh_lines([self.cursor])

    def on_blur(self) -> None:
        self._refresh_lines([self.cursor])

    def on_click(self, event: events.Click) -> None:
        if event.y == 0:
            self._sort_at(event.x)
            return
        index = event.y - 1 + self.scroll_offset.y
        if index < len(self._rows):
            self.cursor = index
            if event.chain == 2:
                self.action_choose()

    def _sort_at(self, x: int) -> None:
        left = self._gutter
        for place in self._placed:
            if left <= x < left + place.width + GAP:
                again = self._sort == place.column.key
                self.sort(place.column.key, reverse=again and not self._reverse)
                return
            left += place.width + GAP

    def watch_cursor(self, old: int, new: int) -> None:
        self._refresh_lines([old, new])
        if (key := self.cursor_key) is not None:
            self.post_message(self.Moved(self, key))
        self._see_cursor()

    @property
    def _cursor_seen(self) -> bool:
        """Whether its row is among those that are in sight."""
        top = self.scroll_offset.y
        return top <= self.cursor < top + max(1, self.size.height - 1)

    def _see_cursor(self) -> None:
        """Scroll as little as brings its row into sight."""
        visible, top = max(1, self.size.height - 1), self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + visible:
            self.scroll_to(y=self.cursor - visible + 1, animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.refresh()
        self.others += 1

    def action_move(self, step: int) -> None:
        self.cursor = max(0, min(len(self._rows) - 1, self.cursor + step))

    def action_page(self, direction: int) -> None:
        self.action_move(direction * max(1, self.size.height - 2))

    def action_edge(self, where: int) -> None:
        self.cursor = 0 if where == 0 else max(0, len(self._rows) - 1)

    def action_choose(self) -> None:
        if (key := self.cursor_key) is not None:
            self.post_message(self.Chosen(self, key))

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take its mark off, and go to the next one."""
        if (key := self.cursor_key) is not None:
            self._marks ^= {key}
            self.action_move(1)
            self.refresh()
            self.post_message(self.Marked(self, key))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        return action != "mark" or self._marking

    def action_sort_next(self) -> None:
        """Sort by the next column that is shown; after the last one comes the view's own order again."""
        keys: list[str | None] = [None, *(place.column.key for place in self._placed)]
        at = keys.index(self._sort) if self._sort in keys else 0
        self.sort(keys[(at + 1) % len(keys)])

    def action_sort_reverse(self) -> None:
        self.sort(self._sort, reverse=not self._reverse)


def _level(cell: Cell) -> Level | None:
    """The level that a cell is drawn in."""
    return Level.UNKNOWN if cell.unknown and cell.level is None else cell.level
