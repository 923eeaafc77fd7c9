"""The dashboard over a recording: the same screens, two lines that say so on each of them, and keys for the time.

It only looks: nothing can be done, and nobody is asked anything.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Self

from textual import on, work
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input

from hactl.model.dashboard import Settings
from hactl.model.errors import HactlError, RecordingError
from hactl.model.picture import Picture
from hactl.model.recording_time import second_of
from hactl.tui.app import HactlApp
from hactl.tui.beside import Doors
from hactl.tui.keys import named
from hactl.tui.news import News
from hactl.tui.past import remembered
from hactl.tui.screens.base import BaseScreen
from hactl.tui.screens.run import RunScreen
from hactl.tui.widgets.status_line import Question, StatusLine
from hactl.tui.widgets.timeline import Timeline

if TYPE_CHECKING:
    from hactl.control.replay import Replay

_TIME = "time"
_TIME_HINT = "+3:20 from the begin, -30s from the end, 14:30:05 (UTC), a date and time, or end"
_REFUSED = "This is a recording: what it shows is over, and nothing can be done in it."
_HELD = 0.1  # seconds: a key that is held down goes somewhere else at once
_OF_TIME = frozenset({"play", "faster", "step", "jump", "mark", "ask_time"})


class ReplayApp(HactlApp):
    """`replay` stands where the dashboard begins. Whoever opened it closes it."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        "replay",
        [
            Binding("space", "play", "Play/pause", priority=True, key_display="space"),
            Binding("plus,equals_sign", "faster(1)", "Faster", show=False, priority=True, key_display="+"),
            Binding("minus", "faster(-1)", "Slower", show=False, priority=True, key_display="-"),
            Binding("full_stop", "step(1)", "Next sample", show=False, priority=True, key_display="."),
            Binding("comma", "step(-1)", "Previous sample", show=False, priority=True, key_display=","),
            Binding("right_square_bracket", "jump(10)", "10 s on", show=False, priority=True, key_display="]"),
            Binding("left_square_bracket", "jump(-10)", "10 s back", show=False, priority=True, key_display="["),
            Binding("right_curly_bracket", "jump(60)", "1 min on", show=False, priority=True, key_display="}"),
            Binding("left_curly_bracket", "jump(-60)", "1 min back", show=False, priority=True, key_display="{"),
            Binding("right_parenthesis", "mark(1)", "Next change", priority=True, key_display=")"),
            Binding("left_parenthesis", "mark(-1)", "Previous change", show=False, priority=True, key_display="("),
            Binding("at", "ask_time", "Go to a time", show=False, priority=True, key_display="@"),
        ],
    )

    def __init__(self, replay: Replay, *, settings: Settings | None = None) -> None:
        super().__init__(
            replay.picture(replay.stands.at),
            lambda: _Watched(replay, self._fail),
            lambda: replay.runs,
            replay.runs.going,
            settings=settings,
            open_beside=lambda: Doors(newest_runs=replay.runs.runs),
        )
        self.read_only = True
        self.replay = replay
        self.broken: HactlError | None = None
        self._backwards, self._leaps = replay.backwards, 0

    # --- what is another thing here than over a live cluster ---

    @property
    def lab(self) -> str:
        """What was a lab then may be another one now, or none."""
        return ""

    def now(self) -> float:
        return self.replay.now

    def above_keys(self) -> Sequence[Widget]:
        return (Timeline(self.replay),)

    def refuse(self) -> None:
        self.notify(_REFUSED, severity="warning", markup=False)

    def _fail(self, error: HactlError) -> None:
        """The recording cannot be made out any further: never a screen that looks whole and is not."""
        self.broken = error
        self.exit(return_code=2)

    # --- time ---

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The time's keys are letters of whatever is being typed."""
        if action in _OF_TIME:
            return not self._typing()
        return super().check_action(action, parameters)

    def _typing(self) -> bool:
        screen = self.screen
        if isinstance(screen, ModalScreen) or isinstance(self.focused, Input):
            return True
        return isinstance(screen, BaseScreen) and screen.status is not None and screen.status.question is not None

    def action_play(self) -> None:
        self.replay.toggle()
        self._moved()

    def action_faster(self, steps: int) -> None:
        self.replay.accelerate(steps)
        self._moved()

    def action_step(self, frames: int) -> None:
        self.replay.step(frames)
        self._moved()

    def action_jump(self, seconds: int) -> None:
        self.replay.jump(seconds)
        self._moved()

    def action_mark(self, direction: int) -> None:
        if self.replay.to_mark(direction) is None:
            self.bell()
        self._moved()

    def action_ask_time(self) -> None:
        if isinstance(self.screen, BaseScreen):
            self.screen.ask(Question(_TIME, "@", _TIME_HINT))

    @on(StatusLine.Given)
    def go_to_time(self, event: StatusLine.Given) -> None:
        if event.purpose != _TIME or not isinstance(self.screen, BaseScreen):
            return
        try:
            at = second_of(event.text, self.replay.header.began, self.replay.length)
        except ValueError as error:
            event.line.complain(str(error))
            return
        self.screen.answered()
        self.replay.go_to(at)
        self._moved()

    @on(Timeline.Sought)
    def seek(self, event: Timeline.Sought) -> None:
        self.replay.go_to(event.at)
        self._moved()

    def _moved(self) -> None:
        """Show at once where it stands now; where time went back, what came later has to be forgotten."""
        for line in self.screen.query(Timeline):
            line.draw()
        if self._leaps != self.replay.leaps:
            self._leaps = self.replay.leaps
            self._news = News()  # what is critical there has not become so just now
            self._remember()
        if self._backwards == self.replay.backwards:
            return
        self._backwards = self.replay.backwards
        known = {summary.run for summary in self.replay.runs.runs()}
        for depth, screen in enumerate(self.screen_stack):
            if isinstance(screen, RunScreen):
                if screen.run_id not in known:  # it has not begun yet
                    self.go_back(depth)
                    return
                screen.read_again()

    def on_mount(self) -> None:
        if self._leaps != self.replay.leaps:  # it does not begin at the begin
            self._moved()

    @work(exclusive=True, group="past")
    async def _remember(self) -> None:
        """Know of the time before as if it had been watched: graphs, events, and what is news."""
        await asyncio.sleep(_HELD)
        stop = threading.Event()
        try:
            past = await asyncio.to_thread(remembered, self.replay, stop)
        except RecordingError as error:
            self._fail(error)
            return
        finally:
            stop.set()  # should this have been cancelled
        if past is None:
            return
        if self.beside is None:
            self.beside = self._made_beside()
        past.take(self.picture)
        self.trends, self._news = past.trends, past.news
        self.beside.remember(past.recent)
        self.show_newest()


class _Watched:
    """The recording as the dashboard opens it; what is wrong with the file ends the dashboard, in our words."""

    def __init__(self, replay: Replay, failed: Callable[[HactlError], None]) -> None:
        self._replay, self._failed = replay, failed

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    async def watch(self) -> AsyncIterator[Picture]:
        try:
            async for picture in self._replay.watch():
                yield picture
        except RecordingError as error:
            self._failed(error)

    def refresh(self, node: str | None = None) -> None:
        """Nobody can be asked."""


def run(replay: Replay, *, settings: Settings | None = None) -> int:
    """Open the dashboard over a recording until the operator leaves it. Returns the process's exit code.

    Raises RecordingError when the file turns out to be damaged on the way.
    """
    app = ReplayApp(replay, settings=settings)
    app.run()
    if app.broken is not None:
        raise app.broken
    return app.return_code or 0
