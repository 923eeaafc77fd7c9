"""The dashboard's application: takes pictures from a source, and hands the newest to the screen on top.

It owns no state of the cluster beyond the newest picture and does no I/O: the source's own tasks do that.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Protocol

from textual import events, on, work
from textual.driver import Driver
from textual.screen import Screen

from hactl.model.dashboard import Settings
from hactl.model.errors import HactlError
from hactl.model.findings import Finding
from hactl.model.picture import Picture
from hactl.tui.acting import RunSource, told
from hactl.tui.messages import AckGiven, AckTaken, PictureArrived, PictureWanted
from hactl.tui.news import News
from hactl.tui.opening import Opening
from hactl.tui.places import PLACES, TRAINING, Place
from hactl.tui.screens.base import PictureScreen
from hactl.tui.signals import INTERRUPTED, ended_by_signals
from hactl.tui.terminal import TerminalDriver
from hactl.tui.themes import Memory
from hactl.view.cluster import Fact
from hactl.view.findings import line

if TYPE_CHECKING:  # the first paint does not wait for it
    from hactl.model.journal import RunSummary
    from hactl.model.trends import Trends
    from hactl.tui.beside import Beside, Doors

_LOOK_FOR_RUNS = 1.0  # seconds between two looks
_LOOK_BESIDE = 2.0  # seconds between two looks at what pictures do not tell
_TOLD = 3  # findings in one notice
_PAINTED = 0.02  # seconds in which what is drawn first gets to the terminal
_READ = 0.001  # seconds in which a key that waits gets here
_ANSWER = 0.01  # seconds in which a key is answered and drawn
_COLLECT = (20_000, 10, 10)  # a picture is thousands of new objects and no cycle: seldom is soon enough


class PictureSource(Protocol):
    """Where pictures come from: `hactl.control.Control`, or a list of them in a test."""

    def watch(self) -> AsyncIterator[Picture]: ...

    def refresh(self, node: str | None = None) -> None: ...


class HactlApp(Opening):
    """`first` is shown at once; then whatever `open_source` makes, which is called once that is on the screen."""

    TITLE = "hactl"
    CSS_PATH = "hactl.tcss"
    DEFAULT_MODE = PLACES[0].name

    def __init__(
        self,
        first: Picture,
        open_source: Callable[[], AbstractAsyncContextManager[PictureSource]],
        open_runs: Callable[[], RunSource] | None = None,
        look_for_runs: Callable[[], Sequence[RunSummary]] | None = None,
        *,
        settings: Settings | None = None,
        memory: Memory | None = None,
        open_beside: Callable[[], Doors] | None = None,
    ) -> None:
        super().__init__(open_runs, settings, memory)
        self._picture = first
        self._open_source = open_source
        self._look_for_runs = look_for_runs
        self._open_beside = open_beside
        self.beside: Beside | None = None  # before the first picture
        self._going: Sequence[Fact] = ()
        self._source: PictureSource | None = None
        self._started = False
        self._news = News()
        self._pressed = 0.0  # when the newest key or mouse event came, on the monotonic clock
        for place in (*PLACES, TRAINING):
            self.add_mode(place.name, partial(self._made, place))

    def _made(self, place: Place) -> Screen[None]:
        self.styled(place.name)
        return place.make(self)

    def get_driver_class(self) -> type[Driver]:
        """Textual's choice, but a terminal may go away."""
        chosen = super().get_driver_class()
        return TerminalDriver if issubclass(TerminalDriver, chosen) else chosen

    @property
    def picture(self) -> Picture:
        """The newest picture."""
        return self._picture

    @property
    def source(self) -> PictureSource | None:
        return self._source

    @cached_property
    def trends(self) -> Trends:
        """What the last minutes were like, of every picture so far."""
        from hactl.model.trends import Trends  # noqa: PLC0415 - the first paint does not wait for it

        return Trends()

    @work(exclusive=True)
    async def watch_cluster(self) -> None:
        """Runs for as long as the app. An error here ends the app: never a screen that looks alive and is not."""
        gc.freeze()  # what was loaded stays; the collector need not look at it
        gc.set_threshold(*_COLLECT)
        gc.enable()
        with ended_by_signals(self._signalled):
            async with self._open_source() as source:
                self._source = source
                async for picture in source.watch():
                    await self._keys_first()
                    self.trends.take(picture)
                    self.take_picture(PictureArrived(picture))

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent):
            self._pressed = time.monotonic()
        await super().on_event(event)

    async def _keys_first(self) -> None:
        """What the operator has just pressed is answered before more is made of a picture."""
        await asyncio.sleep(_READ)
        if time.monotonic() - self._pressed < _ANSWER:
            await asyncio.sleep(_ANSWER)

    def _signalled(self, code: int) -> None:
        """Ctrl+c in another program's terminal is that program's."""
        if not (self._away and code == INTERRUPTED):
            self.exit(return_code=code)

    @work(exclusive=True, group="runs")
    async def watch_runs(self) -> None:
        """Look for runs that are not over, for the banner. A journal that cannot be read is told of where runs are.

        What a run has changed is asked as soon as it has ended: some answers are a minute old otherwise.
        """
        before = frozenset[str]()
        while self._look_for_runs is not None:
            try:
                runs = await asyncio.to_thread(self._look_for_runs)
            except HactlError:
                runs = ()
            going, under_way = _facts(runs), frozenset(one.run for one in runs if one.alive)
            if before - under_way:
                self.action_refresh_now()
            before = under_way
            if going != self._going:
                self._going = going
                self.show_newest()
            await asyncio.sleep(_LOOK_FOR_RUNS)

    @work(exclusive=True, group="beside")
    async def watch_beside(self) -> None:
        """Look at what pictures do not tell: acknowledgements, who holds the lock, runs that have ended."""
        complained = ""
        while True:
            if self.beside is not None and await self.beside.turn(self._picture, self._going):
                self._show_marked(self.beside)
                if (problem := self.beside.known.problem) and problem != complained:
                    self.notify(problem, severity="error", timeout=15, markup=False)
                complained = problem
            await asyncio.sleep(_LOOK_BESIDE)

    def _show_marked(self, beside: Beside) -> None:
        self._picture = beside.known.marked(self._picture)
        self.show_newest()

    @on(PictureArrived)
    def take_picture(self, message: PictureArrived) -> None:
        if self.beside is None:
            self.beside = self._made_beside()
        self._picture = self.beside.take(message.picture)
        new = self._news.take(self._picture)
        self.show_newest()
        if new:
            self._tell(new)

    def _made_beside(self) -> Beside:
        from hactl.tui.beside import Beside, Doors  # noqa: PLC0415 - the first paint does not wait for it

        return Beside(self._open_beside() if self._open_beside is not None else Doors(), settles=not self.read_only)

    def _tell(self, new: Sequence[Finding]) -> None:
        """What has just become critical, on whatever screen the operator is."""
        if self.settings.bell:
            self.bell()
        lines = [line(one) for one in new[:_TOLD]]
        more = [f"and {len(new) - _TOLD} more"] if len(new) > _TOLD else []
        self.notify("\n".join([*lines, *more]), title="new", severity="error", timeout=15, markup=False)

    @on(AckGiven)
    def acknowledge(self, message: AckGiven) -> None:
        if (beside := self.beside) is not None:
            add = partial(beside.known.add, message.finding, message.reason, message.until)
            self._change_acks(beside, add, "acknowledged")

    @on(AckTaken)
    def unacknowledge(self, message: AckTaken) -> None:
        if (beside := self.beside) is not None:
            self._change_acks(beside, partial(beside.known.remove, message.key), "no longer acknowledged")

    @work(group="acks")
    async def _change_acks(self, beside: Beside, change: Callable[[], object], said: str) -> None:
        try:
            await asyncio.to_thread(change)
        except HactlError as error:
            self.notify(told(error), severity="error", timeout=15, markup=False)
            return
        await asyncio.to_thread(beside.known.look, settle=False)
        self._show_marked(beside)
        self.notify(said, timeout=3, markup=False)

    @on(PictureWanted)
    def show_newest(self) -> None:
        if not self.screen_stack:  # what is still under way while the app is taken away has nowhere to go
            return
        if isinstance(self.screen, PictureScreen):
            around = self.beside.around(self._going) if self.beside is not None else self._going
            self.screen.show(self._picture, around)
            self.screen.highlight(self._news.subjects)
        if not self._started:  # the inventory is on the screen before anything is imported for SSH
            self._started = True
            self.screen.call_after_refresh(self._watch_soon)

    def _watch_soon(self) -> None:
        """Not before the first paint is on the terminal: loading keeps the interpreter from the thread that writes."""
        if self.is_headless:
            self._watch()
        else:
            self.set_timer(_PAINTED, self._watch)

    def _watch(self) -> None:
        self.watch_cluster()
        self.watch_runs()
        self.watch_beside()

    def action_refresh_now(self) -> None:
        if self._source is not None:
            self._source.refresh()


def _facts(runs: Sequence[RunSummary]) -> Sequence[Fact]:
    if not runs:
        return ()
    from hactl.view.runs import run_facts  # noqa: PLC0415 - most of the time there is none to tell of

    return run_facts(runs)
