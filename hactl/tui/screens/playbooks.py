"""The playbooks: what they are called and do. Enter fills one in; it can be read before."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from hactl.model.errors import HactlError
from hactl.model.picture import Picture
from hactl.model.playbook import Playbook
from hactl.tui.acting import RunSource, told
from hactl.tui.screens.base import TableScreen
from hactl.tui.screens.form import FormScreen
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.paint import titled
from hactl.view.tables import Cell, Column, Row, Table

_COLUMNS = (
    Column("name", "playbook"),
    Column("title", "what it does", grow=True, minimum=10),
    Column("source", "from", priority=2),
)


class PlaybooksScreen(TableScreen):
    """All playbooks, shipped and the operator's own. Enter fills one in."""

    AUTO_FOCUS = "#playbooks"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "read", "Read", tooltip="What it does, its parameters and steps, and its file."),
    ]

    def __init__(self, runs: RunSource) -> None:
        super().__init__()
        self._runs = runs
        self._books: dict[str, Playbook] = {}

    def body(self) -> ComposeResult:
        yield LineTable(id="playbooks", empty="no playbooks here")

    def on_mount(self) -> None:
        titled(self.query_one("#playbooks"), "playbooks")
        try:
            self._books = {book.name: book for book in self._runs.playbooks()}
        except HactlError as error:
            self.notify(told(error), severity="error", timeout=15, markup=False)
        self.query_one("#playbooks", LineTable).show(playbook_rows(self._books))

    def draw(self, picture: Picture) -> None:
        """Nothing of a picture is in the list."""

    @on(LineTable.Chosen, "#playbooks")
    def open_form(self, event: LineTable.Chosen) -> None:
        self.app.push_screen(FormScreen(self._books[event.key]))

    def action_read(self) -> None:
        from hactl.tui.screens.playbook import PlaybookScreen  # noqa: PLC0415 - loaded when it is opened

        if (key := self.query_one("#playbooks", LineTable).cursor_key) is not None:
            self.app.push_screen(PlaybookScreen(self._books[key]))


def playbook_rows(books: dict[str, Playbook]) -> Table:
    """One row a playbook."""
    rows = (
        Row(name, (Cell(name), Cell(book.title), Cell("hactl" if book.shipped else book.source)))
        for name, book in books.items()
    )
    return Table(_COLUMNS, tuple(rows))
