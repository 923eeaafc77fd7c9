"""A run while it goes on, and afterwards: nodes by steps, the command of the moment, the prober, the story.

A window on the journal: closing it changes nothing for the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button

from hactl.model.errors import HactlError
from hactl.model.events import WishKind
from hactl.model.findings import Level
from hactl.model.run import RunState
from hactl.tui.acting import RunSource, told
from hactl.tui.screens.base import BaseScreen, Keys
from hactl.tui.screens.confirm import ConfirmScreen
from hactl.tui.story import Story
from hactl.tui.widgets.chart import Chart
from hactl.tui.widgets.matrix import Matrix
from hactl.tui.widgets.paint import titled
from hactl.tui.widgets.prose import Prose
from hactl.view.lines import Line
from hactl.view.matrix import matrix_rows, place
from hactl.view.run import (
    outcome_level,
    outcome_word,
    pools_line,
    prober_line,
    progress_words,
    proof_lines,
    to_put_back,
    unfinished,
)
from hactl.view.severity import severity

_EVERY = 0.25  # seconds between two drawings at most
_AT_ONCE = 200  # events of a long story between two looks at the keyboard
_AGAIN = 1.0  # seconds between two looks at a run that nobody works on: somebody may resume or undo it
_TITLES = {"matrix": "nodes and steps", "command": "newest command", "prober": "requests", "story": "what happened"}
_BUTTONS = {"pause": "p Pause", "stop": "x Stop", "undo": "u Undo", "resume": "R Resume"}
_ASKED = {
    WishKind.PAUSE: "waits at the next safe point",
    WishKind.STOP: "stops at the next safe point",
    WishKind.ABORT: "is being aborted",
    WishKind.UNDO: "stops at the next safe point and is undone",
}


class RunScreen(BaseScreen[None]):
    """Follows one run."""

    AUTO_FOCUS = "#story"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (34, "-high")]  # noqa: RUF012 - Textual declares it without ClassVar
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause/go on", tooltip="Wait at the next safe point; go on when it waits."),
        Binding("x", "stop", "Stop", tooltip="End at the next safe point, where nothing is half done."),
        Binding("u", "undo", "Undo", tooltip="Stop at the next safe point and put back what was done; asks first."),
        Binding("R", "resume", "Resume", tooltip="Go on with a run that was stopped, failed or killed."),
        Binding("t", "report", "Report", tooltip="The whole run as text; from there it is written as a page."),
        Binding("left,h", "turn(-1)", "Steps to the left", show=False),
        Binding("right,l", "turn(1)", "Steps to the right", show=False),
        Binding("escape", "app.pop_screen", "Back"),
    ]

    def __init__(self, runs: RunSource, run: str) -> None:
        super().__init__()
        self._runs = runs
        self._run = run
        self._story: Story | None = None
        self._alive = True
        self._changed = False
        self._can: tuple[bool | None, ...] = ()  # which wishes are possible, as the keys show it

    def crumb(self) -> str:
        return f"run {self._run}"

    def compose(self) -> ComposeResult:
        yield Prose(id="head")
        yield Matrix(id="matrix", empty="nothing has to be done")
        yield Prose(id="command")
        yield Chart(id="prober")
        yield Prose(follow=True, id="story")
        with Horizontal(id="buttons"):
            for name, label in _BUTTONS.items():
                button = Button(label, id=name, compact=True, classes="hidden")
                button.can_focus = False  # the keys do the same
                yield button
        yield Keys()

    def on_mount(self) -> None:
        for name, title in _TITLES.items():
            titled(self.query_one(f"#{name}"), title)
        for name in ("head", "matrix", "command"):
            self.query_one(f"#{name}").can_focus = False  # the story has the arrow keys
        self.set_interval(_EVERY, self._draw_if_changed)
        self._follow()

    # --- the story ---

    @property
    def run_id(self) -> str:
        return self._run

    def read_again(self) -> None:
        """Time was turned back: what came later has not happened yet."""
        self._follow()

    @work(exclusive=True)
    async def _follow(self) -> None:
        try:
            self._story = story = Story(await asyncio.to_thread(self._runs.state, self._run))
        except HactlError as error:
            self.query_one("#head", Prose).show([Line(told(error), Level.CRIT)])
            return
        number = 0
        try:
            while self.is_running:
                async for recorded in self._runs.follow(self._run, number):
                    number = recorded.number
                    story.take(recorded)
                    self._alive = self._changed = True
                    if not number % _AT_ONCE:
                        await asyncio.sleep(0)
                alive = self._runs.alive(self._run)
                self._changed |= alive != self._alive
                self._alive = alive
                await asyncio.sleep(_AGAIN)
        except HactlError as error:
            story.complain(error)
            self._changed = True

    # --- drawing ---

    def _draw_if_changed(self) -> None:
        story = self._story
        if story is None or not self.is_current or not (self._changed or story.state.current):
            return
        self._changed = False
        state, now = story.state, self.house.now()
        over = state.outcome is not None or not self._alive
        self.query_one("#head", Prose).show(list(self._head(state)))
        self._draw_matrix(state, now)
        command = self.query_one("#command", Prose)
        command.set_class(over, "hidden")
        command.show(story.command)
        failed = any(total.failed for total in state.probes.values())
        chart = self.query_one("#prober", Chart)
        chart.set_class(not state.probes, "hidden")
        chart.show(prober_line(state), story.beats, bad=failed)
        self.query_one("#story", Prose).show(story.lines)
        self._show_wishes(state)

    def _draw_matrix(self, state: RunState, now: float) -> None:
        matrix = self.query_one("#matrix", Matrix)
        matrix.show(matrix_rows(state, now, alive=self._alive))
        if state.current:  # keeps in view what is done, where nodes or steps are many
            step = state.plan.steps[state.current[-1]]
            matrix.select(place(step))
            matrix.reveal(step.name)

    def action_turn(self, columns: int) -> None:
        self.query_one("#matrix", Matrix).turn(columns)

    def action_report(self) -> None:
        from hactl.tui.screens.report import ReportScreen  # noqa: PLC0415 - loaded when it is opened

        self.app.push_screen(ReportScreen(self._runs, self._run))

    def _head(self, state: RunState) -> Iterator[Line]:
        level = outcome_level(state.outcome, alive=self._alive)
        sign = severity(level).symbol if level is not None else "‖" if state.paused else "▶"
        yield Line(f"{state.plan.playbook} {', '.join(state.plan.targets)}   run {state.run}", strong=True)
        if state.outcome is not None or not self._alive:
            first, *rest = proof_lines(state, alive=self._alive)
            yield Line(f"{sign} {first.text}", level)
            yield from (line for line in rest if state.sentence not in line.text or not state.sentence)
            return
        asked = f", {_ASKED[state.wish]}" if state.wish in _ASKED else ""
        words = [f"{sign} {outcome_word(state, alive=True)}{asked}", progress_words(state), pools_line(state)]
        yield Line("   ".join(word for word in words if word), level if not asked else Level.WARN)
        for index in state.current:
            yield Line(f"{state.plan.steps[index].label}: {state.steps[index].sentence or 'begins'}", indent=2)
        if self._story is not None and self._story.guards is not None:
            yield replace(self._story.guards, indent=2, faint=True)

    def _show_wishes(self, state: RunState) -> None:
        """The buttons of what is possible now, and the same keys in the footer."""
        can = tuple(self.check_action(name, ()) for name in _BUTTONS)
        for name, possible in zip(_BUTTONS, can, strict=True):
            self.query_one(f"#{name}", Button).set_class(not possible, "hidden")
        self.query_one("#buttons").set_class(not any(can), "hidden")
        self.query_one("#pause", Button).label = "p Go on" if state.paused else "p Pause"
        if can != self._can:
            self._can = can
            self.refresh_bindings()

    # --- wishes ---

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if (allowed := super().check_action(action, parameters)) is not True:
            return allowed
        state = self._story.state if self._story is not None else None
        if action in {"pause", "stop"}:
            return state is not None and state.outcome is None and self._alive
        if action == "resume":
            return state is not None and unfinished(state.outcome) and not self._going_on(state)
        if action == "undo":
            return state is not None and bool(to_put_back(state))
        return True

    def _going_on(self, state: RunState) -> bool:
        return self._alive and state.outcome is None

    @on(Button.Pressed)
    async def press(self, event: Button.Pressed) -> None:
        await self.run_action(event.button.id or "")

    def action_pause(self) -> None:
        paused = self._story is not None and self._story.state.paused
        self._wish(WishKind.GO_ON if paused else WishKind.PAUSE)

    def action_stop(self) -> None:
        self._wish(WishKind.STOP)

    def action_undo(self) -> None:
        """Ask, with every step that would be put back; the same key is never enough."""
        if self._story is None:
            return
        steps = to_put_back(self._story.state)
        lines = [Line("What can be put back of this is, the last step first:", strong=True)]
        lines += [Line(f"{step.index + 1:>3}  {step.label}", indent=1, hang=5) for step in steps]
        if self._going_on(self._story.state):
            lines.insert(0, Line("The run stops at its next safe point, or leaves the step it waits in."))
        lines += [Line(), Line("y puts it back; escape leaves everything as it is.", strong=True)]
        self.app.push_screen(ConfirmScreen(f"undo {self._run}", lines), self._undo)

    def _undo(self, confirmed: bool | None) -> None:  # noqa: FBT001 - Textual's callback
        if confirmed:
            self._again(self._runs.undo)

    def action_resume(self) -> None:
        self._again(self._runs.resume)

    def _wish(self, kind: WishKind) -> None:
        try:
            self._runs.wish(self._run, kind)
        except HactlError as error:
            self.notify(told(error), severity="error", markup=False)

    @work(exclusive=True, group="again")
    async def _again(self, act: Callable[[str], None]) -> None:
        """Resume or undo: a process is begun, which takes a moment."""
        try:
            await asyncio.to_thread(act, self._run)
        except HactlError as error:
            self.notify(told(error), severity="error", timeout=15, markup=False)
