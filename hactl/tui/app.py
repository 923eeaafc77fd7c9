"""The dashboard's application: takes pictures from a source, hands the newest to the screen on top, opens screens.

It owns no state of the cluster beyond the newest picture and does no I/O: the source's own tasks do that.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from textual import events, on, work
from textual.app import SuspendNotSupported
from textual.driver import Driver
from textual.screen import Screen

from hactl.model.assess import assess
from hactl.model.dashboard import Settings
from hactl.model.errors import HactlError
from hactl.model.findings import Finding
from hactl.model.inventory import Inventory
from hactl.model.picture import Picture
from hactl.model.state import initial
from hactl.model.trends import Trends
from hactl.tui.acting import RunSource, told
from hactl.tui.messages import (
    AckGiven,
    AckTaken,
    ActWanted,
    GoTo,
    JournalWanted,
    OpenNode,
    OpenRun,
    PictureArrived,
    PictureWanted,
    ShellWanted,
)
from hactl.tui.news import News
from hactl.tui.places import PLACES, Place
from hactl.tui.read_only import looking
from hactl.tui.screens.base import PictureScreen
from hactl.tui.shell import Shell
from hactl.tui.signals import INTERRUPTED, ended_by_signals
from hactl.tui.terminal import TerminalDriver
from hactl.tui.themes import Memory
from hactl.tui.widgets.line_table import LineTable
from hactl.view.cluster import Fact
from hactl.view.findings import line
from hactl.view.whereto import RUN, Where, row_of

if TYPE_CHECKING:  # the first paint does not wait for what acts
    from hactl.control import Control
    from hactl.control.going import GoingRuns
    from hactl.model.journal import RunSummary
    from hactl.model.lock import LockPicture
    from hactl.tui.away import Launch
    from hactl.tui.beside import Beside, Doors

_LOOK_FOR_RUNS = 1.0  # seconds between two looks
_LOOK_BESIDE = 2.0  # seconds between two looks at what pictures do not tell
_TOLD = 3  # findings in one notice
_READ = 0.001  # seconds in which a key that waits gets here
_ANSWER = 0.01  # seconds in which a key is answered and drawn
_COLLECT = (20_000, 10, 10)  # a picture is thousands of new objects and no cycle: seldom is soon enough


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
        open_beside: Callable[[], Doors] | None = None,
    ) -> None:
        super().__init__(settings, memory)
        self._picture = first
        self.trends = Trends()
        self._open_source = open_source
        self._open_runs = open_runs
        self._look_for_runs = look_for_runs
        self._open_beside = open_beside
        self.beside: Beside | None = None  # before the first picture
        self._going: Sequence[Fact] = ()
        self._runs: RunSource | None = None
        self._source: PictureSource | None = None
        self._started = False
        self._away = False  # another program has the terminal
        self.launch: Launch | None = None  # None: programs are really started
        self._news = News()
        self._pressed = 0.0  # when the newest key or mouse event came, on the monotonic clock
        for place in PLACES:
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
                    await self._keys_first()
                    self.post_message(PictureArrived(picture))

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

    @on(OpenNode)
    def open_node(self, message: OpenNode) -> None:
        from hactl.tui.screens.node import NodeScreen  # noqa: PLC0415 - loaded when it is opened, as every screen but the first

        self.push_screen(NodeScreen(message.node))

    @on(GoTo)
    def go_to(self, message: GoTo) -> None:
        """Where there is no such screen, the node where it can be seen, too."""
        where = message.where
        if where.place == RUN:
            self.post_message(OpenRun(where.name))
        elif where.place in {place.name for place in PLACES}:
            self.call_later(self._point_to, where)
        elif where.node:
            self.post_message(OpenNode(where.node))
        else:
            self.bell()

    async def _point_to(self, where: Where) -> None:
        """Go to a screen, and put the cursor on the row that is about it, if there is one."""
        if where.place != self.current_mode:
            await self.switch_mode(where.place)  # until it is mounted: there are no rows before
        self.go_back(1)
        self.show_newest()
        for table in self.screen.query(LineTable):
            if (key := row_of(where, [row.key for row in table.shown_rows])) is not None:
                table.select(key)
                table.focus()
                return

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

    @on(JournalWanted)
    def open_journal(self, message: JournalWanted) -> None:
        from hactl.tui.screens.journal import JournalScreen, JournalSource  # noqa: PLC0415 - likewise

        source = self._source if isinstance(self._source, JournalSource) else None
        self.push_screen(JournalScreen(source, message.node, message.unit))

    @on(ShellWanted)
    def open_shell(self, message: ShellWanted) -> None:
        if self.read_only:
            self.refuse()
        else:
            self._open_shell(message.node)

    @work(exclusive=True, group="shell")
    async def _open_shell(self, node: str) -> None:
        """In this terminal, until it ends; pictures go on being taken."""
        from hactl.control.shell import shell_argv  # noqa: PLC0415 - loaded when it is wanted
        from hactl.tui import away  # noqa: PLC0415 - likewise

        inventory = self._picture.state.inventory
        argv = shell_argv(inventory, inventory.nodes[node])
        self._away = True
        try:
            await away.leave(self, argv, self.launch or away.launched)
        except SuspendNotSupported:
            self.notify(away.no_terminal(argv), severity="warning", timeout=20, markup=False)
        except OSError as error:
            self.notify(f"No shell: {error}", severity="error", markup=False)
        finally:
            self._away = False

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
        from hactl.tui.screens.form import FormScreen  # noqa: PLC0415 - loaded when it is opened, as every screen but the first
        from hactl.tui.screens.plan import PlanScreen  # noqa: PLC0415 - likewise
        from hactl.tui.screens.run import RunScreen  # noqa: PLC0415 - likewise

        while isinstance(self.screen, PlanScreen | FormScreen):
            self.pop_screen()
        self.push_screen(RunScreen(self.runs, message.run))

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
            self.screen.call_after_refresh(self.watch_cluster)
            self.screen.call_after_refresh(self.watch_runs)
            self.screen.call_after_refresh(self.watch_beside)

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
    opened: list[Control] = []

    def control() -> AbstractAsyncContextManager[PictureSource]:
        from hactl.control import Control  # noqa: PLC0415 - the engine is loaded when the inventory is on the screen
        from hactl.control.roles import remembered  # noqa: PLC0415 - as above

        opened.append(Control(inventory, interval=interval, sightings=remembered(inventory)))
        return opened[-1]

    def beside() -> Doors:
        from hactl.control.acks import Acks  # noqa: PLC0415 - as above
        from hactl.control.unfinished import newest  # noqa: PLC0415 - as above
        from hactl.tui.beside import Doors  # noqa: PLC0415 - as above

        async def look_at_lock(connected: Collection[str]) -> LockPicture:
            from hactl.control.locks import look  # noqa: PLC0415 - as above

            return await look(opened[-1], inventory, connected)

        return Doors(Acks(inventory.name), look_at_lock, partial(newest, inventory.name))

    def runs() -> RunSource:
        from hactl.control.runs import Runs  # noqa: PLC0415 - most dashboards only look

        return Runs(inventory)

    if settings is not None and (settings.keys or settings.columns):
        _check_names(Path(settings.file))
    going: GoingRuns | None = None

    def look_for_runs() -> Sequence[RunSummary]:
        from hactl.control.going import GoingRuns  # noqa: PLC0415 - as above

        nonlocal going
        going = going or GoingRuns(inventory.name)
        return going.look()

    app = HactlApp(
        _nothing_known(inventory),
        control,
        runs,
        look_for_runs,
        settings=settings,
        memory=Memory(),
        open_beside=beside,
    )
    app.run()
    return app.return_code or 0


def _check_names(file: Path) -> None:
    """Raises SettingsError with every name that means nothing here."""
    from hactl.config.dashboard import load_settings  # noqa: PLC0415 - only where there is something to check
    from hactl.tui.names import known  # noqa: PLC0415 - likewise; it loads all screens

    load_settings(file, known())


def _nothing_known(inventory: Inventory) -> Picture:
    """The inventory before anybody is asked."""
    now = time.monotonic()
    state = initial(inventory, now=now, epoch=time.time() - now)
    return Picture(state, assess(state, None, now), now)
