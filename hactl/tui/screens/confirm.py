"""A question over the screen that asks it: what would happen, line by line, then y or escape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from hactl.tui.keys import NamedKeys
from hactl.tui.screens.base import Keys
from hactl.tui.widgets.paint import titled
from hactl.tui.widgets.prose import Prose
from hactl.view.lines import Line


class ConfirmScreen(NamedKeys, ModalScreen[bool]):
    """Dismissed with whether the operator said yes."""

    AUTO_FOCUS = "#question"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("escape,n", "answer(False)", "No", key_display="esc"),
    ]

    def __init__(self, title: str, lines: Sequence[Line]) -> None:
        super().__init__()
        self._title = title
        self._lines = tuple(lines)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Prose(id="question")
        yield Keys()

    def on_mount(self) -> None:
        titled(self.query_one("#dialog"), self._title)
        self.query_one("#question", Prose).show(self._lines)

    def action_answer(self, yes: bool) -> None:  # noqa: FBT001 - Textual passes it by position
        self.dismiss(yes)
