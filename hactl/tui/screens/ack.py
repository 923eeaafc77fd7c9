"""A form over the overview: why a finding may stay, and until when."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from hactl.model.ack import Ack, acknowledge
from hactl.model.assess import subject
from hactl.model.errors import InputError
from hactl.model.findings import Finding, Level
from hactl.model.until import end_of
from hactl.tui.acting import told
from hactl.tui.keys import NamedKeys
from hactl.tui.screens.base import Keys
from hactl.tui.widgets.paint import titled
from hactl.tui.widgets.prose import Prose
from hactl.view import units
from hactl.view.lines import Line

_WHILE = "4h"
_ABOUT = (
    'A span ("90m", "4h", "2d") or a moment in UTC ("18:30", "2026-11-22 08:00"). It is over earlier when the finding '
    "gets worse, or has gone."
)


@dataclass(frozen=True, slots=True)
class Given:
    """What was filled in; `until` is epoch seconds."""

    reason: str
    until: float


class AckScreen(NamedKeys, ModalScreen[Given | None]):
    """Dismissed with what was filled in, once that makes sense; with None when it was left."""

    AUTO_FOCUS = "#reason"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+g", "give", "Acknowledge", key_display="^g", priority=True),
        Binding("down", "app.focus_next", "Next", show=False, priority=True),
        Binding("up", "app.focus_previous", "Previous", show=False, priority=True),
        Binding("escape", "leave", "Back"),
    ]

    def __init__(self, finding: Finding, before: Ack | None = None) -> None:
        super().__init__()
        self._finding, self._before = finding, before

    def compose(self) -> ComposeResult:
        reason = self._before.reason if self._before is not None else ""
        with Vertical(id="dialog"):
            yield Prose(id="question")
            for name, text, hint in (("reason", reason, "why it may stay for a while"), ("until", _WHILE, "4h")):
                with Horizontal(classes="field"):
                    yield Label(f"{name:>6}  ", markup=False)
                    yield Input(text, id=name, placeholder=hint, compact=True, select_on_focus=False)
            yield Prose(id="said")
        yield Keys()

    def on_mount(self) -> None:
        titled(self.query_one("#dialog"), "acknowledge")
        page, said = self.query_one("#question", Prose), self.query_one("#said", Prose)
        page.can_focus = said.can_focus = False
        finding = self._finding
        page.show([Line(f"{subject(finding)}: {finding.sentence}", finding.level, mark=finding.level.word), Line()])
        self._explain()

    @on(Input.Changed)
    def _explain(self) -> None:
        """What the end means, while it is typed; what is wrong about it only when it is given."""
        now = time.time()
        try:
            end = end_of(self.query_one("#until", Input).value, now)
        except InputError:
            ends = ""
        else:
            ends = f"until {units.moment(end, now)}. "
        self.query_one("#said", Prose).show([Line(ends + _ABOUT, faint=True)])

    @on(Input.Submitted)
    def next_or_give(self, event: Input.Submitted) -> None:
        if event.input.id == "reason":
            self.query_one("#until", Input).focus()
        else:
            self.action_give()

    def action_give(self) -> None:
        reason, now = self.query_one("#reason", Input).value, time.time()
        try:
            until = end_of(self.query_one("#until", Input).value, now)
            acknowledge(self._finding, reason=reason, who="", at=now, until=until)  # says what is wrong about it
        except InputError as error:
            self.query_one("#said", Prose).show([Line(told(error), Level.CRIT)])
            return
        self.dismiss(Given(reason, until))

    def action_leave(self) -> None:
        self.dismiss(None)
