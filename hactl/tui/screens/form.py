"""A playbook before it is planned: what it does, and its parameters as lines to fill in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import Input, Label

from hactl.model.parameters import Parameter
from hactl.model.playbook import Playbook
from hactl.tui.acting import request
from hactl.tui.messages import ActWanted
from hactl.tui.screens.base import Keys
from hactl.tui.widgets.prose import Prose
from hactl.view.lines import Line
from hactl.view.plan import value_text

_LIMIT = "limit"
_ABOUT_LIMIT = "Only these of its targets: names, globs, role:, site:, !TERM, separated by commas."


class FormScreen(Screen[None]):
    """One line a parameter; what the line with the cursor means stands below. Stays open below the plan."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "plan", "Plan"),
        Binding("down", "app.focus_next", "Next", show=False, priority=True),
        Binding("up", "app.focus_previous", "Previous", show=False, priority=True),
        Binding("escape", "app.pop_screen", "Back"),
    ]

    def __init__(self, playbook: Playbook) -> None:
        super().__init__()
        self._playbook = playbook

    def compose(self) -> ComposeResult:
        yield Prose(id="book")
        with VerticalScroll(id="form", can_focus=False):
            yield from self._lines()
        yield Prose(id="about")
        yield Keys()

    def _lines(self) -> Iterator[Horizontal]:
        book = self._playbook
        width = max(map(len, (_LIMIT, *book.parameters))) + 2
        if book.targets is not None:
            yield _line(_LIMIT, "all of them", width)
        for parameter in book.parameters.values():
            yield _line(parameter.name, _default(parameter), width, f"parameter-{parameter.name}")

    def on_mount(self) -> None:
        book, page = self._playbook, self.query_one("#book", Prose)
        page.border_title = f"playbook: {book.name}"
        page.show([Line(book.title, strong=True), Line(" ".join(book.description.split()), hang=0)])
        page.can_focus = self.query_one("#about").can_focus = False
        needed = [name for name, parameter in book.parameters.items() if parameter.required]
        self.query_one(f"#parameter-{needed[0]}" if needed else "Input").focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Say what this line is for."""
        name = event.widget.name or _LIMIT
        parameter = self._playbook.parameters.get(name)
        about = self.query_one("#about", Prose)
        about.border_title = name
        about.show([Line(_ABOUT_LIMIT)] if parameter is None else list(_about(parameter)))

    @on(Input.Submitted)
    def next_line(self) -> None:
        self.focus_next(Input)

    def action_plan(self) -> None:
        """What is left empty keeps its default; what is missing or wrong the plan says, all at once."""
        filled = {line.name: line.value for line in self.query(Input) if line.name is not None and line.value.strip()}
        limit = filled.pop(_LIMIT, None) if _LIMIT not in self._playbook.parameters else None
        self.post_message(ActWanted(request(self._playbook.name, filled, limit=limit)))


def _line(name: str, placeholder: str, width: int, identity: str = _LIMIT) -> Horizontal:
    label = Label(name.rjust(width - 2), markup=False)
    return Horizontal(label, Input(id=identity, name=name, placeholder=placeholder, compact=True), classes="field")


def _about(parameter: Parameter) -> Iterator[Line]:
    yield Line(parameter.help or "(nothing is said about it)")
    if parameter.choices:
        yield Line(f"One of: {', '.join(parameter.choices)}", faint=True)


def _default(parameter: Parameter) -> str:
    if parameter.taken is not None:
        return f"{parameter.kind.value}, {parameter.taken}"
    if parameter.default is None:
        return f"{parameter.kind.value}, has to be given"
    return f"{parameter.kind.value}, {value_text(parameter.default) or 'empty'}"
