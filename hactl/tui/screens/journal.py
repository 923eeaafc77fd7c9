"""The journal of a node's systemd as it grows, of all units or of one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import ClassVar, Protocol, runtime_checkable

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from hactl.model.errors import HactlError
from hactl.model.findings import Level
from hactl.model.picture import Picture
from hactl.tui.acting import told
from hactl.tui.screens.base import PictureScreen
from hactl.tui.widgets.paint import titled
from hactl.tui.widgets.prose import Prose
from hactl.tui.widgets.status_line import Question, StatusLine
from hactl.tui.widgets.tail import Tail
from hactl.view.lines import Line

_FIND = "find"
_FIND_HINT = "lines with this text; !text: lines without it"


@runtime_checkable
class JournalSource(Protocol):
    """Follows journals over connections that are there: `hactl.control.Control`. A recording has none."""

    def journal(self, node: str, unit: str = "") -> AsyncIterator[tuple[str, ...]]:
        """Lines in batches, oldest first, until it ends. Raises HactlError."""


class JournalScreen(PictureScreen):
    """Follows one journal for as long as it is open."""

    AUTO_FOCUS = "#tail"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p,space", "pause", "Pause/go on", key_display="p", tooltip="What comes meanwhile is not lost."),
        Binding("slash", "find", "Filter"),
        Binding("u", "turn(1)", "Next unit", tooltip="Of those that carry services here; then the whole node again."),
        Binding("c", "clear", "Clear", tooltip="Forget what is shown; what is new comes."),
        Binding("escape", "leave", "Back"),
    ]

    def __init__(self, source: JournalSource | None, node: str, unit: str = "") -> None:
        super().__init__()
        self._source = source
        self._node = node
        self._unit = unit
        self._state = "connecting"

    def crumb(self) -> str:
        return f"journal of {self._node}"

    def body(self) -> ComposeResult:
        yield Prose(id="trouble")
        yield Tail(id="tail")

    def on_mount(self) -> None:
        trouble = self.query_one("#trouble")
        trouble.can_focus = False
        trouble.add_class("hidden")
        self._follow()

    def draw(self, picture: Picture) -> None:
        """Nothing of a picture is in a journal."""

    # --- following ---

    @work(exclusive=True, group="journal")
    async def _follow(self) -> None:
        tail = self.query_one(Tail)
        self._say("connecting")
        if self._source is None:
            self._say("ended", "There is no journal here: a recording holds what nodes were asked, no logs.")
            return
        try:
            async for lines in self._source.journal(self._node, self._unit):
                self._say("live")
                tail.add(lines)
        except HactlError as error:
            self._say("ended", told(error))
        else:
            self._say("ended", "The node has ended it; what it said last stands at the end.")

    def _say(self, state: str, trouble: str = "") -> None:
        self._state = state
        line = self.query_one("#trouble", Prose)
        line.set_class(not trouble, "hidden")
        line.show([Line(trouble, Level.CRIT)])
        self._title()

    @on(Tail.Changed)
    def _title(self) -> None:
        tail = self.query_one(Tail)
        shown, held = tail.counts
        words = [self._unit or "all units", f"paused, {tail.waiting} new" if tail.paused else self._state]
        if tail.needle:
            words.append(f"{shown} of {held} lines: {tail.needle}")
        titled(tail, f"{self._node}: {', '.join(words)}")

    # --- keys ---

    def action_pause(self) -> None:
        tail = self.query_one(Tail)
        tail.pause(on=not tail.paused)

    def action_clear(self) -> None:
        self.query_one(Tail).clear()

    def action_turn(self, step: int) -> None:
        """The next unit's journal, from its own last lines on."""
        if self.picture is None:
            return
        here = self.picture.state.inventory.services_on(self._node)
        units = ["", *dict.fromkeys(unit for service in here for unit in service.units)]
        at = units.index(self._unit) if self._unit in units else 0
        self._unit = units[(at + step) % len(units)]
        self.query_one(Tail).clear()
        self._follow()

    def action_leave(self) -> None:
        """First takes the filter off, where there is one."""
        tail = self.query_one(Tail)
        if tail.needle:
            tail.filter("")
        else:
            self.app.pop_screen()

    # --- the filter ---

    def action_find(self) -> None:
        self.ask(Question(_FIND, "/", _FIND_HINT, self.query_one(Tail).needle))

    @on(StatusLine.Typed)
    def find(self, event: StatusLine.Typed) -> None:
        if event.purpose == _FIND:
            self.query_one(Tail).filter(event.text)

    @on(StatusLine.Given)
    def keep(self, event: StatusLine.Given) -> None:
        if event.purpose == _FIND:
            self.answered()

    @on(StatusLine.Left)
    def drop(self, event: StatusLine.Left) -> None:
        if event.purpose == _FIND:
            self.query_one(Tail).filter("")
