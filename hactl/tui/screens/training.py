"""The exercises of the lab: the list above, below it the story under the cursor or what was said last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from hactl.model.errors import HactlError
from hactl.model.picture import Picture
from hactl.tui.acting import told
from hactl.tui.screens.base import ACTS, PictureScreen
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.paint import titled
from hactl.tui.widgets.prose import Prose
from hactl.view.lines import Line
from hactl.view.scenarios import begun_lines, check_lines, hint_line, report_lines, story_lines
from hactl.view.scenarios import scenario_rows as rows

if TYPE_CHECKING:
    from hactl.control.training import Checked, Played
    from hactl.model.scenario import Hint, Scenario
    from hactl.model.scenario_score import Score

_EVERY = 2.0  # seconds between two looks at what goes on


class TrainingSource(Protocol):
    """`hactl.control.training.Training` is the real one. Everything blocks."""

    def scenarios(self) -> tuple[Scenario, ...]: ...

    def best(self) -> Mapping[str, Score]: ...

    def current(self) -> Played | None: ...

    def start(self, name: str | None = None) -> Played: ...

    def check(self) -> Checked: ...

    def hint(self) -> tuple[int, Hint]: ...

    def stop(self) -> Played: ...

    def report(self) -> Played: ...


class TrainingScreen(PictureScreen):
    """Begin one, ask for what is missing, take a hint, read how it went."""

    AUTO_FOCUS = "#exercises"
    ACTS: ClassVar[frozenset[str]] = ACTS | {"begin", "surprise", "hint", "give_up"}
    DEFAULT_CSS = """
    TrainingScreen #exercises, TrainingScreen #exercise {
        border-top: solid $primary-muted; border-title-color: $text-muted; padding: 0 1;
    }
    TrainingScreen #exercises { height: 1fr; min-height: 4; }
    TrainingScreen #exercise { height: 2fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "begin", "Begin", tooltip="The exercise under the cursor: users come, the clock runs."),
        Binding("d", "surprise", "Game day", tooltip="Something breaks; the report says what it was."),
        Binding("c", "check", "Check", tooltip="Ask the cluster whether the goal holds."),
        Binding("h", "hint", "Hint", tooltip="The next hint of what goes on; it costs points."),
        Binding("v", "report", "Report", tooltip="How the newest one went, or goes."),
        Binding("x", "give_up", "Give up", tooltip="End what goes on; the lab is put back."),
    ]

    def __init__(self, training: TrainingSource) -> None:
        super().__init__()
        self._training = training
        self._scenarios: Mapping[str, Scenario] = {}
        self._said = False  # what is below is an answer, and no story

    def body(self) -> ComposeResult:
        yield LineTable(id="exercises", empty="no exercises here")
        yield Prose(id="exercise")

    def draw(self, picture: Picture) -> None:
        """Nothing of a picture is in the list."""

    def on_mount(self) -> None:
        titled(self.query_one("#exercises"), "exercises")
        titled(self.query_one("#exercise"), "the story")
        self._list()
        self.set_interval(_EVERY, self._look)

    @property
    def table(self) -> LineTable:
        return self.query_one("#exercises", LineTable)

    def _show(self, title: str, lines: Sequence[Line]) -> None:
        titled(self.query_one("#exercise"), title)
        self.query_one("#exercise", Prose).show(lines)

    @work(exclusive=True, group="list")
    async def _list(self) -> None:
        try:
            found = await asyncio.to_thread(self._training.scenarios)
            best = await asyncio.to_thread(self._training.best)
        except HactlError as error:
            self.notify(told(error), severity="error", timeout=15, markup=False)
            return
        self._scenarios = {one.name: one for one in found}
        self.table.show(rows(found, best))
        self._story()

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        """What goes on stands above the list."""
        if not self.is_current:
            return
        try:
            going = await asyncio.to_thread(self._training.current)
        except HactlError as error:
            titled(self.table, f"exercises: {told(error)}")
            return
        state = f": {going.standing.name} goes on, {going.traffic.failed} requests failed" if going else ""
        titled(self.table, f"exercises{state}")

    @on(LineTable.Moved, "#exercises")
    def follow_cursor(self) -> None:
        self._said = False
        self._story()

    def _story(self) -> None:
        key = self.table.cursor_key
        if key is not None and not self._said:
            self._show("the story", list(story_lines(self._scenarios[key])))

    def on_screen_resume(self) -> None:
        self._look()

    # --- what is asked ---

    def action_begin(self) -> None:
        if (key := self.table.cursor_key) is not None:
            self._ask("begins", lambda: list(begun_lines(self._training.start(key).standing)))

    def action_surprise(self) -> None:
        self._ask("begins", lambda: list(begun_lines(self._training.start().standing)))

    def action_check(self) -> None:
        def asked() -> list[Line]:
            found = self._training.check()
            return list(check_lines(found.standing, found.number, found.judgements, holds=found.holds))

        self._ask("what is missing", asked)

    def action_hint(self) -> None:
        self._ask("hint", lambda: [hint_line(*self._training.hint())])

    def action_report(self) -> None:
        self._ask("report", lambda: _report(self._training.report()))

    def action_give_up(self) -> None:
        self._ask("report", lambda: _report(self._training.stop()))

    @work(exclusive=True, group="ask")
    async def _ask(self, title: str, asked: Callable[[], list[Line]]) -> None:
        """One question at a time; the lab may take its time to answer."""
        self._said = True
        self._show(title, [Line("one moment ...", faint=True)])
        try:
            lines = await asyncio.to_thread(asked)
        except HactlError as error:
            self._show(title, [Line(told(error))])
            return
        self._show(title, lines)
        self._list()
        self._look()


def _report(played: Played) -> list[Line]:
    return list(report_lines(played.standing, played.traffic, played.score, played.id))
