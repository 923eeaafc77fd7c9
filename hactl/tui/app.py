"""The dashboard's application: takes pictures from a source, hands the newest to the screen on top, opens screens.

It owns no state of the cluster beyond the newest picture and does no I/O: the source's own tasks do that.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, Protocol

from textual import on, work

from hactl.model.assess import assess
from hactl.model.dashboard import Settings
from hactl.model.errors import HactlError
from hactl.model.findings import Finding
from hactl.model.inventory import Inventory
from hactl.model.picture import Picture
from hactl.model.state import initial
from hactl.model.trends import Trends
from hactl.tui.acting import RunSource
from hactl.tui.messages import ActWanted, OpenNode, OpenRun, PictureArrived, PictureWanted
from hactl.tui.news import News
from hactl.tui.places import PLACES
from hactl.tui.read_only import looking
from hactl.tui.screens.base import PictureScreen
from hactl.tui.shell import Shell
from hactl.tui.signals import ended_by_signals
from hactl.tui.themes import Memory
from hactl.view.cluster import Fact
from hactl.view.findings import line

if TYPE_CHECKING:  # the first paint does not wait for what acts
    from hactl.control.going import GoingRuns
    from hactl.model.journal import RunSummary

_LOOK_FOR_RUNS = 1.0  # seconds between two looks
_TOLD = 3  # findings in one notice


class PictureSource(Protocol):
    """Where pictures come from: `hactl.control.Control`, or a list of them in a test."""

    def watch(self) -> AsyncIterator[Picture]: ...

    def refresh(self, node: str | None = None) -> None: ...


class HactlApp(Shell):
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
    ) -> None:
        super().__init__(settings, memory)
        self._picture = first
        self.trends = Trends()
        self._open_source = open_source
        self._open_runs = open_runs
        self._look_for_runs = look_for_runs
        self._going: Sequence[Fact] = ()
        self._runs: RunSource | None = None
        self._source: PictureSource | None = None
        self._started = False
        self._news = News()
        for place in PLACES:
            self.add_mode(place.name, partial(place.make, self))

    @property
    def picture(self) -> Picture:
        """The newest picture."""
        return self._picture

    @work(exclusive=True)
    async def watch_cluster(self) -> None:
        """Runs for as long as the app. An error here ends the app: never a screen that looks alive and is not."""
        gc.freeze()  # what was loaded stays; the collector need not look at it
        gc.enable()
        with ended_by_signals(lambda code: self.exit(return_code=code)):
            async with self._open_source() as source:
                self._source = source
                async for picture in source.watch():
                    self.post_message(PictureArrived(picture))

    @work(exclusive=True, group="runs")
    async def watch_runs(self) -> None:
        """Look for runs that are not over, for the banner. A journal that cannot be read is told of where runs are."""
        while self._look_for_runs is not None:
            try:
                going = _facts(await asyncio.to_thread(self._look_for_runs))
            except HactlError:
                going = ()
            if going != self._going:
                self._going = going
                self.show_newest()
            await asyncio.sleep(_LOOK_FOR_RUNS)

    @on(PictureArrived)
    def take_picture(self, message: PictureArrived) -> None:
        self._picture = message.picture
        self.trends.take(message.picture)
        new = self._news.take(message.picture)
        self.show_newest()
        if new:
            self._tell(new)

    def _tell(self, new: Sequence[Finding]) -> None:
        """What has just become critical, on whatever screen the operator is."""
        if self.settings.bell:
            self.bell()
        lines = [line(one) for one in new[:_TOLD]]
        more = [f"and {len(new) - _TOLD} more"] if len(new) > _TOLD else []
        self.notify("\n".join([*lines, *more]), title="new", severity="error", timeout=15, markup=False)

    @on(OpenNode)
    def open_node(self, message: OpenNode) -> None:
        from hactl.tui.screens.node import NodeScreen  # noqa: PLC0415 - loaded when it is opened, as every screen but the first

        self.push_screen(NodeScreen(message.node))

    # --- acting: loaded when it is first wanted ---

    @property
    def runs(self) -> RunSource:
        """The door to plans and runs. Raises HactlError where there is none."""
        if self._runs is None:
            if self._open_runs is None:
                raise HactlError("Nothing can be done from here.")
            self._runs = looking(self._open_runs()) if self.read_only else self._open_runs()
        return self._runs

    @on(ActWanted)
    def plan(self, message: ActWanted) -> None:
        if self.read_only:
            self.refuse()
            return
        from hactl.tui.screens.plan import PlanScreen  # noqa: PLC0415 - loaded when it is opened, as every screen but the first

        self.push_screen(PlanScreen(self.runs, message.request))

    @on(OpenRun)
    def open_run(self, message: OpenRun) -> None:
        """On the screen that the operator came from: the plan and its form are done with."""
        from hactl.tui.screens.run import RunScreen  # noqa: PLC0415 - loaded when it is opened, as every screen but the first

        self.go_back(1)
        self.push_screen(RunScreen(self.runs, message.run))

    @on(PictureWanted)
    def show_newest(self) -> None:
        if isinstance(self.screen, PictureScreen):
            self.screen.show(self._picture, self._going)
            self.screen.highlight(self._news.subjects)
        if not self._started:  # the inventory is on the screen before anything is imported for SSH
            self._started = True
            self.screen.call_after_refresh(self.watch_cluster)
            self.screen.call_after_refresh(self.watch_runs)

    def action_refresh_now(self) -> None:
        if self._source is not None:
            self._source.refresh()


def _facts(runs: Sequence[RunSummary]) -> Sequence[Fact]:
    if not runs:
        return ()
    from hactl.view.runs import run_facts  # noqa: PLC0415 - most of the time there is none to tell of

    return run_facts(runs)


def run(inventory: Inventory, *, interval: float = 2.0, settings: Settings | None = None) -> int:
    """Open the dashboard on a cluster until the operator leaves it. Returns the process's exit code."""

    def control() -> AbstractAsyncContextManager[PictureSource]:
        from hactl.control import Control  # noqa: PLC0415 - the engine is loaded when the inventory is on the screen

        return Control(inventory, interval=interval)

    def runs() -> RunSource:
        from hactl.control.runs import Runs  # noqa: PLC0415 - most dashboards only look

        return Runs(inventory)

    going: GoingRuns | None = None

    def look_for_runs() -> Sequence[RunSummary]:
        from hactl.control.going import GoingRuns  # noqa: PLC0415 - as above

        nonlocal going
        going = going or GoingRuns(inventory.name)
        return going.look()

    app = HactlApp(_nothing_known(inventory), control, runs, look_for_runs, settings=settings, memory=Memory())
    app.run()
    return app.return_code or 0


def _nothing_known(inventory: Inventory) -> Picture:
    """The inventory before anybody is asked."""
    now = time.monotonic()
    state = initial(inventory, now=now, epoch=time.time() - now)
    return Picture(state, assess(state, None, now), now)
