"""A playbook before it is planned: its parameters as lines to fill in, each checked where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Input, Label

from hactl.model.errors import InputError, LimitError
from hactl.model.inventory import Inventory
from hactl.model.limit import parse_limit
from hactl.model.parameters import Parameter, ParameterKind
from hactl.model.playbook import Playbook
from hactl.planning.parameters import filled
from hactl.tui.acting import request
from hactl.tui.messages import ActWanted
from hactl.tui.screens.base import BaseScreen, Keys
from hactl.tui.widgets.choice import Choice
from hactl.tui.widgets.paint import titled
from hactl.tui.widgets.prose import Prose
from hactl.view.lines import Line
from hactl.view.playbook import written
from hactl.view.playbook_text import parameter_about

_LIMIT = "limit"
_ABOUT_LIMIT = "Only these of its targets: names, globs, role:, site:, !TERM, separated by commas."


@dataclass(frozen=True, slots=True)
class Field:
    """One line of the form. `parameter` None: the limit."""

    name: str
    parameter: Parameter | None
    values: tuple[str, ...] | None  # what can be chosen; None: typed
    default: str
    hint: str

    @property
    def identity(self) -> str:
        return _LIMIT if self.parameter is None else f"parameter-{self.name}"


class FormScreen(BaseScreen[None]):
    """What the field with the cursor means stands below. Stays open below the plan. `given` stands in it already."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+g", "plan", "Plan", key_display="^g"),
        Binding("down", "app.focus_next", "Next field", show=False, priority=True),
        Binding("up", "app.focus_previous", "Previous field", show=False, priority=True),
        Binding("escape", "app.pop_screen", "Back"),
    ]

    def __init__(self, playbook: Playbook, given: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__()
        self._playbook = playbook
        self._given = given
        self._fields: dict[str, Field] = {}

    def crumb(self) -> str:
        return self._playbook.name

    def compose(self) -> ComposeResult:
        self._fields = {field.identity: field for field in form_fields(self._playbook, self.house.runs.inventory)}
        width = max((len(field.name) for field in self._fields.values()), default=0)
        yield Prose(id="book")
        with VerticalScroll(id="form", can_focus=False):
            if not self._fields:
                yield Label("It takes no parameters.", markup=False)
            for field in self._fields.values():
                yield _line(field, width, self._given.get(field.name, ""))
        yield Prose(id="about")
        yield Keys()

    def on_mount(self) -> None:
        book, page = self._playbook, self.query_one("#book", Prose)
        titled(page, f"playbook: {book.name}")
        page.show([Line(book.title, strong=True), Line(" ".join(book.description.split()), hang=0)])
        page.can_focus = self.query_one("#about").can_focus = False
        needed = [one for one in self._fields.values() if one.parameter is not None and one.parameter.required]
        missing = [one for one in needed if one.name not in self._given]
        first = [*missing, *needed, *self._fields.values()][:1]
        for field in first:
            for editor in self.query(f"#{field.identity}"):  # there is none where the screen is left at once
                editor.focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Say what this field is for."""
        field = self._fields.get(event.widget.id or "")
        about = self.query_one("#about", Prose)
        titled(about, field.name if field is not None else "")
        about.show([] if field is None else list(_about(field)))

    @on(Input.Changed)
    @on(Choice.Changed)
    def check(self, event: Input.Changed | Choice.Changed) -> None:
        """Say at once what is wrong with what stands there; what is still missing is not wrong yet."""
        field = self._fields.get(event.control.id or "")
        if field is not None:
            self._complain(field, self._problem(field) if self._value(field) else "")

    @on(Input.Submitted)
    @on(Choice.Submitted)
    def next_line(self) -> None:
        self.focus_next()

    def action_plan(self) -> None:
        """What is left empty keeps its default. Nothing is planned while a field is wrong: the first one is shown."""
        wrong = []
        for field in self._fields.values():
            problem = self._problem(field)
            self._complain(field, problem)
            wrong += [field] if problem else []
        if wrong:
            self.query_one(f"#{wrong[0].identity}").focus()
            return
        values = {field.identity: self._value(field) for field in self._fields.values()}
        limit = values.pop(_LIMIT, "")
        given = {self._fields[identity].name: value for identity, value in values.items() if value}
        self.post_message(ActWanted(request(self._playbook.name, given, limit=limit or None)))

    def _value(self, field: Field) -> str:
        """What was given; "" where it is left as it was."""
        editor = self.query_one(f"#{field.identity}")
        value = editor.value.strip() if isinstance(editor, Input | Choice) else ""
        return "" if value == field.default and field.values is not None else value

    def _problem(self, field: Field) -> str:
        return problem(self._playbook, field, self._value(field), self.house.runs.inventory)

    def _complain(self, field: Field, sentence: str) -> None:
        label = self.query_one(f"#wrong-{field.identity}", Label)
        label.update(sentence)
        label.set_class(not sentence, "hidden")


def form_fields(book: Playbook, inventory: Inventory) -> Iterator[Field]:
    """Where the inventory or the playbook names what can stand there, it is chosen; else it is typed."""
    if book.targets is not None:
        yield Field(_LIMIT, None, None, "", "which nodes" if book.targets.named else "all of them")
    for parameter in book.parameters.values():
        default = "" if parameter.default is None else written(parameter.default)
        values = _choices(parameter, inventory)
        if values is not None and (not default or default not in values):
            values = ("", *(value for value in values if value))
        yield Field(parameter.name, parameter, values, default, parameter_about(book, parameter))


def problem(book: Playbook, field: Field, value: str, inventory: Inventory) -> str:
    """What is wrong with a value, as a sentence; "" when it can be planned with."""
    try:
        if field.parameter is None:
            if value:
                parse_limit(value, inventory)
            named = book.targets is not None and book.targets.named
            return "It has to be said which nodes are meant." if named and not value else ""
        if not value:
            return "It has to be given." if field.parameter.required else ""
        filled(replace(book, parameters={field.name: field.parameter}), {field.name: value}, inventory)
    except (InputError, LimitError) as error:
        return error.message
    return ""


def _choices(parameter: Parameter, inventory: Inventory) -> tuple[str, ...] | None:
    named: dict[ParameterKind, Iterable[str]] = {
        ParameterKind.BOOLEAN: ("false", "true"),
        ParameterKind.NODE: inventory.nodes,
        ParameterKind.SERVICE: inventory.services,
        ParameterKind.POOL: inventory.pools,
        ParameterKind.VIP: inventory.vips,
        ParameterKind.SITE: inventory.sites,
    }
    if parameter.choices:
        return parameter.choices
    return tuple(named[parameter.kind]) if parameter.kind in named else None


def _line(field: Field, width: int, given: str) -> Vertical:
    label = Label(field.name.rjust(width), markup=False)
    editor: Input | Choice
    if field.values is None:
        editor = Input(given, id=field.identity, name=field.name, placeholder=field.hint, compact=True)
    else:
        editor = Choice(field.values, given or field.default, name=field.name, id=field.identity)
    wrong = Label("", id=f"wrong-{field.identity}", classes="wrong hidden", markup=False)
    return Vertical(Horizontal(label, editor, classes="editor"), wrong, classes="field")


def _about(field: Field) -> Iterator[Line]:
    if field.parameter is None:
        yield Line(_ABOUT_LIMIT)
        return
    yield Line(field.parameter.help or "(nothing is said about it)")
    if field.values:
        named = ", ".join(value for value in field.values if value)
        yield Line(f"{field.hint}; one of {named}: left and right, or its first letter", faint=True)
    else:
        yield Line(field.hint, faint=True)
