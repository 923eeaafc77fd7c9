"""What is opened from the dashboard's screens: other screens, a shell, a plan, a run. Each is loaded when it is first
wanted. Knows nothing of how pictures come.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import SuspendNotSupported

from hactl.model.dashboard import Settings
from hactl.model.errors import HactlError
from hactl.tui.acting import RunSource
from hactl.tui.messages import ActWanted, FormWanted, GoTo, JournalWanted, OpenNode, OpenRun, ShellWanted
from hactl.tui.places import PLACES
from hactl.tui.read_only import looking
from hactl.tui.shell import Shell
from hactl.tui.themes import Memory
from hactl.tui.widgets.line_table import LineTable
from hactl.view.whereto import RUN, Where, row_of

if TYPE_CHECKING:
    from hactl.tui.away import Launch


class Opening(Shell):
    """`open_runs` is called once, when something is to be done or looked at that has been done."""

    def __init__(
        self, open_runs: Callable[[], RunSource] | None, settings: Settings | None, memory: Memory | None
    ) -> None:
        super().__init__(settings, memory)
        self._open_runs = open_runs
        self._runs: RunSource | None = None
        self._away = False  # another program has the terminal
        self.launch: Launch | None = None  # None: programs are really started

    @property
    def source(self) -> object:
        """Where pictures come from, once it is open. Some sources tell journals, too."""
        raise NotImplementedError

    def show_newest(self) -> None:
        """Hand the newest picture to the screen on top."""
        raise NotImplementedError

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

    @on(JournalWanted)
    def open_journal(self, message: JournalWanted) -> None:
        from hactl.tui.screens.journal import JournalScreen, JournalSource  # noqa: PLC0415 - likewise

        source = self.source if isinstance(self.source, JournalSource) else None
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

        inventory = self.picture.state.inventory
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

    # --- acting ---

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

    @on(FormWanted)
    async def fill_in(self, message: FormWanted) -> None:
        if self.read_only:
            self.refuse()
            return
        book = next((book for book in await self.books() if book.name == message.playbook), None)
        if book is None:
            self.notify(f"There is no playbook {message.playbook}.", severity="error", markup=False)
        else:
            self.go_playbook(book, message.given)

    @on(OpenRun)
    def open_run(self, message: OpenRun) -> None:
        """On the screen that the operator came from: the plan and its form are done with."""
        from hactl.tui.screens.form import FormScreen  # noqa: PLC0415 - loaded when it is opened, as every screen but the first
        from hactl.tui.screens.plan import PlanScreen  # noqa: PLC0415 - likewise
        from hactl.tui.screens.run import RunScreen  # noqa: PLC0415 - likewise

        while isinstance(self.screen, PlanScreen | FormScreen):
            self.pop_screen()
        self.push_screen(RunScreen(self.runs, message.run))
