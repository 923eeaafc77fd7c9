"""The playbooks: read what they do, fill their parameters in, plan."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Input, Label

from hactl.model.errors import HactlError
from hactl.model.parameters import Parameter
from hactl.model.picture import Picture
from hactl.model.playbook import Playbook
from hactl.tui.acting import RunSource, request, told
from hactl.tui.messages import ActWanted
from hactl.tui.screens.base import TableScreen
from hactl.tui.widgets.line_table import LineTable
from hactl.view.plan import value_text
from hactl.view.tables import Cell, Column, Row, Table

_COLUMNS = (
    Column("name", "playbook"),
    Column("title", "what it does", grow=True, minimum=10),
    Column("source", "from", priority=2),
)


class PlaybooksScreen(TableScreen):
    """All playbooks, shipped and the operator's own. Enter fills one in."""

    AUTO_FOCUS = "#playbooks"

    def __init__(self, runs: RunSource) -> None:
        super().__init__()
        self._runs = runs
        self._books: dict[str, Playbook] = {}

    def body(self) -> ComposeResult:
        yield LineTable(id="playbooks", empty="there are no playbooks")

    def on_mount(self) -> None:
        self.query_one("#playbooks").border_title = "playbooks"
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


class FormScreen(Screen[None]):
    """A playbook's parameters as lines to fill in; ctrl+s plans."""

    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "plan", "Plan"),
        Binding("escape", "app.pop_screen", "Back"),
    ]

    def __init__(self, playbook: Playbook) -> None:
        super().__init__()
        self._playbook = playbook

    def compose(self) -> ComposeResult:
        book = self._playbook
        with VerticalScroll(id="form"):
            yield Label(f"{book.title}\n{book.description}".strip(), markup=False)
            if book.targets is not None:
                yield Label("limit: only these of its targets (names, globs, role:, site:, !TERM)", markup=False)
                yield Input(id="limit", placeholder="all of them", compact=True)
            for parameter in book.parameters.values():
                yield Label(f"{parameter.name}: {_about(parameter)}", markup=False)
                yield Input(id=f"parameter-{parameter.name}", placeholder=_default(parameter), compact=True)
        yield Footer()

    @on(Input.Submitted)
    def next_line(self) -> None:
        self.focus_next(Input)

    def action_plan(self) -> None:
        """What is left empty keeps its default; what is missing or wrong the plan says, all at once."""
        values = {
            name: line.value
            for name in self._playbook.parameters
            if (line := self.query_one(f"#parameter-{name}", Input)).value
        }
        limit = self.query_one("#limit", Input).value if self._playbook.targets is not None else ""
        self.app.pop_screen()
        self.app.post_message(ActWanted(request(self._playbook.name, values, limit=limit or None)))


def playbook_rows(books: dict[str, Playbook]) -> Table:
    """One row a playbook."""
    rows = (
        Row(name, (Cell(name), Cell(book.title), Cell("hactl" if book.shipped else book.source)))
        for name, book in books.items()
    )
    return Table(_COLUMNS, tuple(rows))


def _about(parameter: Parameter) -> str:
    choices = f" ({', '.join(parameter.choices)})" if parameter.choices else ""
    return f"{parameter.help}{choices}"


def _default(parameter: Parameter) -> str:
    if parameter.default is None:
        return f"{parameter.kind.value}, has to be given"
    return f"{parameter.kind.value}, {value_text(parameter.default) or 'empty'}"
