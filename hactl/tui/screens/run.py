"""A run while it goes on, and afterwards: nodes by steps, the command of the moment, the prober, the story.

A window on the journal: closing it changes nothing for the run.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Button, Footer

from hactl.model.errors import HactlError
from hactl.model.findings import Level
from hactl.model.run import CommandDone, CommandStarted, ProbeTick, Recorded, RunState, WishKind, after
from hactl.tui.acting import RunSource, told
from hactl.tui.widgets.chart import Beat, Chart
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.prose import Prose
from hactl.view.events import event_sentence
from hactl.view.lines import Line
from hactl.view.run import (
    matrix_rows,
    outcome_level,
    outcome_word,
    pools_line,
    prober_line,
    progress_words,
    proof_lines,
    unfinished,
)

_EVERY = 0.25  # seconds between two drawings at most
_KEPT = 2000  # lines of the story
_BEATS = 600  # intervals of the prober
_OUTPUT = 6  # last lines of a command's output


class RunScreen(Screen[None]):
    """Follows one run."""

    AUTO_FOCUS = "#matrix"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause / go on"),
        Binding("x", "stop", "Stop at a safe point"),
        Binding("u", "undo", "Undo"),
        Binding("R", "resume", "Resume"),
        Binding("escape", "app.pop_screen", "Back"),
    ]

    def __init__(self, runs: RunSource, run: str) -> None:
        super().__init__()
        self._runs = runs
        self._run = run
        self._state: RunState | None = None
        self._story: deque[Line] = deque(maxlen=_KEPT)
        self._beats: deque[Beat] = deque(maxlen=_BEATS)
        self._command: list[Line] = []
        self._alive = True
        self._changed = False

    def compose(self) -> ComposeResult:
        yield Prose(id="head")
        yield LineTable(id="matrix", empty="nothing has to be done")
        yield Prose(id="command")
        yield Chart(id="prober")
        yield Prose(follow=True, id="story")
        with Horizontal(id="buttons"):
            yield Button("Pause", id="pause", compact=True)
            yield Button("Stop", id="stop", compact=True, variant="warning")
            yield Button("Undo", id="undo", compact=True, variant="error")
            yield Button("Resume", id="resume", compact=True, variant="primary")
        yield Footer()

    def on_mount(self) -> None:
        titles = {"matrix": "nodes and steps", "command": "command", "prober": "requests", "story": "what happened"}
        for name, title in titles.items():
            self.query_one(f"#{name}").border_title = title
        self.set_interval(_EVERY, self._draw_if_changed)
        self._follow()

    # --- the story ---

    @work(exclusive=True)
    async def _follow(self) -> None:
        try:
            self._state = self._runs.state(self._run)
            number = 0
            while self.is_running:
                async for recorded in self._runs.follow(self._run, number):
                    number = recorded.number
                    self._take(recorded)
                self._alive = self._runs.alive(self._run)
                self._changed = True
                # Ended, or its runner is gone: somebody may resume or undo it.
                await asyncio.sleep(1.0)
        except HactlError as error:
            self._story.append(Line(told(error), Level.CRIT))
            self._changed = True

    def _take(self, recorded: Recorded) -> None:
        state = self._state
        if state is None:
            return
        # The state came from the whole journal; events up to its last one only make the story.
        self._state = after(state, recorded) if recorded.number > state.last else state
        self._alive = True
        if isinstance(recorded.event, ProbeTick):
            self._beats.append(Beat(recorded.event.slowest, recorded.event.failed))
        elif isinstance(recorded.event, CommandStarted | CommandDone):
            self._command = list(_command(recorded.event, self._command))
        if (told_in := event_sentence(recorded, state.plan)) is not None:
            level, sentence = told_in
            when = time.strftime("%H:%M:%S", time.localtime(recorded.at))
            self._story.append(Line(f"{when}  {sentence}", level if level is not Level.OK else None, hang=10))
        self._changed = True

    # --- drawing ---

    def _draw_if_changed(self) -> None:
        state = self._state
        if state is None or not (self._changed or state.current):
            return
        self._changed = False
        now = time.time()
        self.query_one("#head", Prose).show(list(self._head(state)))
        self.query_one("#matrix", LineTable).show(matrix_rows(state, now))
        self.query_one("#command", Prose).show(self._command)
        failed = any(total.failed for total in state.probes.values())
        self.query_one("#prober", Chart).show(prober_line(state) or "nothing is probed", self._beats, bad=failed)
        self.query_one("#story", Prose).show(self._story)
        self.refresh_bindings()
        for name in ("pause", "stop", "undo", "resume"):
            self.query_one(f"#{name}", Button).disabled = not self.check_action(name, ())

    def _head(self, state: RunState) -> Iterator[Line]:
        word = outcome_word(state, alive=self._alive)
        yield Line(f"{state.plan.title or state.plan.playbook}  ({state.run})", strong=True)
        level = outcome_level(state.outcome, alive=self._alive)
        yield Line(f"{word}, {progress_words(state)}   {pools_line(state)}", level)
        if state.outcome is not None or not self._alive:
            yield from proof_lines(state, alive=self._alive)
        else:
            for index in state.current:
                yield Line(f"{state.plan.steps[index].label}: {state.steps[index].sentence or 'begins'}")

    # --- wishes ---

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        state = self._state
        if action in {"pause", "stop"}:
            return state is not None and state.outcome is None and self._alive
        if action == "resume":
            return state is not None and unfinished(state.outcome) and not self._alive
        if action == "undo":
            return state is not None and (self._alive or unfinished(state.outcome))
        return True

    @on(Button.Pressed)
    async def press(self, event: Button.Pressed) -> None:
        await self.run_action(event.button.id or "")

    def action_pause(self) -> None:
        paused = self._state is not None and self._state.paused
        self._wish(WishKind.GO_ON if paused else WishKind.PAUSE)

    def action_stop(self) -> None:
        self._wish(WishKind.STOP)

    def action_undo(self) -> None:
        if self._alive and self._state is not None and self._state.outcome is None:
            self._wish(WishKind.UNDO)
        else:
            self._again(self._runs.undo)

    def action_resume(self) -> None:
        self._again(self._runs.resume)

    def _wish(self, kind: WishKind) -> None:
        try:
            self._runs.wish(self._run, kind)
        except HactlError as error:
            self.notify(told(error), severity="error", markup=False)

    @work(exclusive=True, group="again")
    async def _again(self, act: object) -> None:
        try:
            await asyncio.to_thread(act, self._run)  # type: ignore[arg-type] # one of the two methods above
        except HactlError as error:
            self.notify(told(error), severity="error", timeout=15, markup=False)


def _command(event: CommandStarted | CommandDone, before: list[Line]) -> Iterator[Line]:
    """The newest command with the end of what it said."""
    if isinstance(event, CommandStarted):
        yield Line(f"{event.node}> {event.text}", hang=4)
        return
    yield from before[:1]
    said = (event.stdout + event.stderr).splitlines()[-_OUTPUT:]
    yield from (Line(line, indent=2, faint=True) for line in said if line.strip())
    ended = "it was not learned how it ended" if event.exit is None else f"exit {event.exit}"
    yield Line(f"{ended}, {event.seconds:.1f} s", None if event.exit == 0 else Level.WARN, indent=2)
