"""A table for live data: draws its own lines, and after an update redraws only the lines that changed.

A DataTable whose every cell changes each second costs several times as much CPU, and answers keys later. This widget
keeps the cursor on the same row key through updates, sorting and filtering. Which rows and columns are shown is
`arranged`'s, how they look `row_painter`'s.
"""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from hactl.model.dashboard import ColumnChoice
from hactl.tui.keys import NamedKeys
from hactl.tui.widgets.arranged import Arranged
from hactl.tui.widgets.row_painter import MARK, NEWS, STYLES, Looks, RowPainter
from hactl.view.tables import Row, Table


class LineTable(NamedKeys, ScrollView, can_focus=True, inherit_bindings=False):
    """Rows of a `view` table with a cursor, sorting and a filter. Posts `Chosen` on enter or double click.

    With `marking` rows can be marked by the space bar, for what is done to several; posts `Marked`. `filterable`
    says whether the screen's filter may be about this table.
    """

    KEYS_OF: ClassVar[str | None] = "table"

    COMPONENT_CLASSES: ClassVar[set[str]] = STYLES
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
        self._marking = marking
        self._marks: set[str] = set()
        self._news: frozenset[str] = frozenset()
        self._arranged = Arranged()
        self._painter = RowPainter(self, self._arranged)
        self._strips: dict[int, tuple[Row, object, Strip]] = {}

    # --- what it shows ---------------------------------------------------------------------------------------

    @property
    def cursor_key(self) -> str | None:
        """The key of the row under the cursor; None when there is no row."""
        rows = self._arranged.rows
        return rows[self.cursor].key if self.cursor < len(rows) else None

    @property
    def sorted_by(self) -> tuple[str | None, bool]:
        return self._arranged.sort, self._arranged.reverse

    @property
    def marked(self) -> tuple[str, ...]:
        """The keys of marked rows in the table's own order, also of those that the filter hides."""
        return tuple(row.key for row in self._arranged.table.rows if row.key in self._marks)

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
        return self._arranged.needle

    @property
    def filtered(self) -> str:
        """That rows are hidden, for who has to say so; "" when none are."""
        of = self._arranged
        return f"/{of.needle}: {len(of.rows)} of {len(of.table.rows)}" if of.needle else ""

    @property
    def looked_at(self) -> frozenset[str] | None:
        """The keys of the rows that can be seen; None when the others count as well: for the order, or the filter."""
        if self._arranged.sort is not None or self.needle or not self.shown_rows:
            return None
        top = self.scroll_offset.y
        return frozenset(row.key for row in self.shown_rows[top : top + self.size.height])

    @property
    def shown_rows(self) -> tuple[Row, ...]:
        return self._arranged.rows

    def show(self, table: Table) -> None:
        """Take the newest rows. Only lines whose row changed are drawn again."""
        if self._arranged.take(table):
            self._arrange()

    def filter(self, needle: str) -> None:
        """Show only rows that contain `needle` (`!needle`: that do not)."""
        self._arranged.needle = needle
        self._arrange()
        self.others += 1

    def choose(self, choice: ColumnChoice) -> None:
        """Show these columns, as far as there is room."""
        self._arranged.choice = choice
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
        self._arranged.sort, self._arranged.reverse = key, reverse
        self._strips.clear()
        self._arrange()
        self.others += 1

    def select(self, key: str) -> bool:
        """Put the cursor on a row, if it is shown; whether it is."""
        index = self._arranged.index_of(key)
        if index is not None:
            self.cursor = index
        return index is not None

    def _arrange(self) -> None:
        held, before, seen = self.cursor_key, self._arranged.rows, self._cursor_seen
        self._arranged.arrange()
        rows = self._arranged.rows
        others = self._place()
        self._hold_cursor(held)
        if others or len(rows) != len(before):
            self._draw_all()
            if seen:
                self._see_cursor()
        else:
            alike = self._arranged.looks_alike
            self._refresh_lines([index for index in self._lines if not alike(before[index], rows[index])])

    def _place(self) -> bool:
        """Choose columns for the room that there is; whether they are others now."""
        return self._arranged.place(self.scrollable_content_region.width - self._gutter)

    def _draw_all(self) -> None:
        self._strips.clear()
        self.virtual_size = Size(self._gutter + self._arranged.width, len(self.shown_rows) + 1)
        self.refresh()

    @property
    def _lines(self) -> range:
        """The rows that are in sight, by index."""
        top = self.scroll_offset.y
        return range(top, min(len(self.shown_rows), top + max(0, self.size.height - 1)))

    def _hold_cursor(self, key: str | None) -> None:
        if self.cursor_key != key:
            index = self._arranged.index_of(key)
            self.cursor = index if index is not None else max(0, min(self.cursor, len(self.shown_rows) - 1))

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
            return self._painter.heading(width, self._gutter)
        rows, index = self.shown_rows, y - 1 + self.scroll_offset.y
        if index >= len(rows):
            told = not rows and y == 1 and self._arranged.table.columns  # not before anything was shown here
            text = self._empty if told else ""
            return Strip([Segment(text.ljust(width), self.rich_style)]).crop(0, width)
        row, at_cursor = rows[index], index == self.cursor and self.has_focus
        tag = (at_cursor, row.key in self._marks, row.key in self._news, index % 2, width, self.app.theme)
        held = self._strips.get(index)
        if held is None or held[0] is not row or held[1] != tag:
            looks = Looks(odd=index % 2 == 1, news=row.key in self._news, faint=row.faint, at_cursor=at_cursor)
            held = row, tag, self._painter.row(row, looks, self._sign(row.key), width)
            self._strips[index] = held
        return held[2]

    def _sign(self, key: str) -> str:
        """What stands before a row."""
        return (MARK if key in self._marks else NEWS if key in self._news else "").ljust(self._gutter)

    # --- events and actions ----------------------------------------------------------------------------------

    def notify_style_update(self) -> None:
        self._strips.clear()
        self._painter.forget()
        super().notify_style_update()

    def on_resize(self, _event: events.Resize) -> None:
        self._use_room()
        if self.has_focus:
            self._see_cursor()

    def watch_show_vertical_scrollbar(self) -> None:
        """A scroll bar takes of the room, and nobody tells of a new size."""
        self._use_room()

    def _use_room(self) -> None:
        if self._place():
            self._draw_all()

    def on_focus(self) -> None:
        self._refresh_lines([self.cursor])

    def on_blur(self) -> None:
        self._refresh_lines([self.cursor])

    def on_click(self, event: events.Click) -> None:
        if event.y == 0:
            self._sort_at(event.x)
            return
        index = event.y - 1 + self.scroll_offset.y
        if index < len(self.shown_rows):
            self.cursor = index
            if event.chain == 2:
                self.action_choose()

    def _sort_at(self, x: int) -> None:
        key = self._arranged.column_at(x - self._gutter)
        if key is not None:
            self.sort(key, reverse=self.sorted_by == (key, False))

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
        self.cursor = max(0, min(len(self.shown_rows) - 1, self.cursor + step))

    def action_page(self, direction: int) -> None:
        self.action_move(direction * max(1, self.size.height - 2))

    def action_edge(self, where: int) -> None:
        self.cursor = 0 if where == 0 else max(0, len(self.shown_rows) - 1)

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
        keys: list[str | None] = [None, *(place.column.key for place in self._arranged.placed)]
        at = keys.index(self._arranged.sort) if self._arranged.sort in keys else 0
        self.sort(keys[(at + 1) % len(keys)])

    def action_sort_reverse(self) -> None:
        self.sort(self._arranged.sort, reverse=not self._arranged.reverse)
