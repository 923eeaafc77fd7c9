"""One node's page: what is known of it in words and graphs, its places in pools, its units, the runs that touched it.

Where there is room all of it stands side by side; in a narrow terminal one panel at a time, below the graphs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical

from hactl.model.errors import HactlError
from hactl.model.picture import Picture
from hactl.tui.acting import request
from hactl.tui.messages import ActWanted, GoTo, JournalWanted, OpenRun, ShellWanted
from hactl.tui.screens.base import PictureScreen
from hactl.tui.widgets.facts import Facts
from hactl.tui.widgets.graph import Graphs
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.paint import titled
from hactl.view.graphs import node_graphs
from hactl.view.node_tables import pool_rows_of, runs_of, unit_rows
from hactl.view.tables import Table
from hactl.view.whereto import Where

if TYPE_CHECKING:
    from hactl.model.journal import RunSummary

_TITLES = {"facts": "", "pools": "pools", "units": "units", "touched": "runs"}
_RUNS_AGAIN = 5.0  # seconds between two looks at the runs
_TURNS = Binding.Group("node")
_HIGH = 40  # lines of a terminal from which graphs are higher, and once more at half as much again


class NodeScreen(PictureScreen):
    """Shows one node; the arrow keys go to the next and the previous one, tab from panel to panel."""

    AUTO_FOCUS = "#facts"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012 - Textual declares it without ClassVar
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "leave", "Back"),
        Binding("D", "act('drain')", "Drain"),
        Binding("U", "act('undrain')", "Undrain"),
        Binding("S", "shell", "Shell", tooltip="ssh to this node in this terminal; its end leads back."),
        Binding("L", "journal", "Journal", tooltip="Of this node; from the panel of units, of that unit."),
        Binding("tab", "panel(1)", "Panel", tooltip="Facts, pools, units, runs."),
        Binding("shift+tab", "panel(-1)", "Panel before", show=False),
        Binding("left", "turn(-1)", "Previous node", group=_TURNS),
        Binding("right", "turn(1)", "Next node", group=_TURNS),
    ]

    def __init__(self, node: str) -> None:
        super().__init__()
        self.node = node
        self._summaries: Sequence[RunSummary] = ()
        # Held, not looked up: a screen may be taken away while its parts are still being put there.
        self._facts, self._graphs = Facts(id="facts"), Graphs(id="graphs")
        self._pools = LineTable(id="pools", empty="it is in no pool")
        self._units = LineTable(id="units", empty="it carries no units that the inventory names")
        self._touched = LineTable(id="touched", empty="no run had it as a target")
        self._beside = Vertical(id="beside")
        self._panels = {one.id or "": one for one in (self._facts, self._pools, self._units, self._touched)}

    def crumb(self) -> str:
        return self.node

    def body(self) -> ComposeResult:
        with Container(id="page"):
            yield self._facts
            with self._beside:
                yield self._graphs
                yield self._pools
                yield self._units
                yield self._touched

    def on_mount(self) -> None:
        for name, panel in self._panels.items():
            titled(panel, _TITLES[name])
            panel.add_class("panel")
        titled(self._graphs, "last 15 minutes")
        self._here("facts")
        self._watch_runs()

    def draw(self, picture: Picture) -> None:
        titled(self._facts, f"node {self.node}")
        self._facts.show(picture, self.node)
        self._graphs.show(node_graphs(picture, self.house.trends, self.node), height=self._graph_height)
        self._fill(self._pools, pool_rows_of(picture, self.node))
        self._fill(self._units, unit_rows(picture, self.node))

    @property
    def _graph_height(self) -> int:
        lines = self.size.height
        return 1 if lines < _HIGH * 3 // 4 else 2 if lines < _HIGH else 3 if lines < _HIGH * 3 // 2 else 5

    def _fill(self, widget: LineTable, table: Table) -> None:
        """As high as it has rows, where all panels are seen at once."""
        widget.styles.max_height = max(1, len(table.rows)) + 3 if self.has_class("-wide") else None
        widget.show(table)

    # --- runs ---

    @work(exclusive=True, group="touched")
    async def _watch_runs(self) -> None:
        """Read the journal of runs again and again: cheap, and never on the event loop."""
        while True:
            try:
                self._summaries = await asyncio.to_thread(self.house.runs.runs)
            except HactlError as error:
                titled(self._touched, f"runs: {error.message}")
            self._show_runs()
            await asyncio.sleep(_RUNS_AGAIN)

    def _show_runs(self) -> None:
        self._touched.show(runs_of(self._summaries, self.node, time.time()))

    @on(LineTable.Chosen, "#touched")
    def open_run(self, event: LineTable.Chosen) -> None:
        self.post_message(OpenRun(event.key))

    @on(LineTable.Chosen, "#pools")
    def open_place(self, event: LineTable.Chosen) -> None:
        self.post_message(GoTo(Where("balancers", event.key)))

    # --- panels ---

    def action_panel(self, step: int) -> None:
        """To the next panel, round the end."""
        names = list(self._panels)
        focused = self.focused.id if self.focused is not None else None
        at = names.index(focused) if focused in names else 0
        self._here(names[(at + step) % len(names)])

    def _here(self, panel: str) -> None:
        for name, widget in self._panels.items():
            widget.set_class(name == panel, "-here")
        self._beside.set_class(panel != "facts", "-here")
        self.set_focus(self._panels[panel])

    # --- keys ---

    def action_leave(self) -> None:
        """First takes a filter off, where there is one."""
        if not self.clear_filter():
            self.app.pop_screen()

    def action_act(self, playbook: str) -> None:
        """Plan a playbook for this node."""
        self.post_message(ActWanted(request(playbook, {}, limit=self.node)))

    def action_shell(self) -> None:
        self.post_message(ShellWanted(self.node))

    @on(LineTable.Chosen, "#units")
    def action_journal(self) -> None:
        unit = (self._units.cursor_key or "") if self._units.has_focus else ""
        self.post_message(JournalWanted(self.node, unit))

    def action_turn(self, step: int) -> None:
        """To another node in the inventory's order, round the end."""
        if self.picture is None:
            return
        names = list(self.picture.state.nodes)
        self.node = names[(names.index(self.node) + step) % len(names)]
        self._facts.scroll_home(animate=False)
        self.draw(self.picture)
        self._show_runs()
        self.show_way()
