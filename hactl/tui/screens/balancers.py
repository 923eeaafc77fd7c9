"""The balancers: every server of every pool beside what each balancer says of it, and how its pool has fared."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from hactl.model.parameters import Value
from hactl.model.picture import Picture
from hactl.tui.acting import request
from hactl.tui.messages import ActWanted, OpenNode, OpenRun
from hactl.tui.screens.base import TableScreen
from hactl.tui.widgets.graph import Graphs
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.paint import titled
from hactl.tui.widgets.prose import Prose
from hactl.view.balancers import balancer_matrix, place_lines, run_of
from hactl.view.graphs import pool_graphs

_SEVERAL = "Marked servers stand in several pools: d and u act in one. D and U act in all pools of a node."
_NO_RUN = "No note names a run that has taken this server out."


class BalancersScreen(TableScreen):
    """The matrix. Capital letters act in every pool of the node, small ones in the pool of the row alone."""

    AUTO_FOCUS = "#balancers"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high"), (46, "-highest")]  # noqa: RUF012 - Textual declares it so
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("D", "act('drain', False)", "Drain", tooltip="The node, in every pool that it is in."),
        Binding("U", "act('undrain', False)", "Undrain", tooltip="The node, in every pool that it is in."),
        Binding("d", "act('drain', True)", "Drain here", tooltip="The server, in this pool alone."),
        Binding("u", "act('undrain', True)", "Undrain here", tooltip="The server, in this pool alone."),
        Binding("o", "open_run", "Its run", show=False, tooltip="The run that has taken this server out."),
    ]

    def body(self) -> ComposeResult:
        yield LineTable(id="balancers", empty="no server matches", marking=True)
        yield Prose(id="place")
        yield Graphs(id="graphs")

    def on_mount(self) -> None:
        self.query_one("#place").can_focus = False
        self._title()

    @property
    def table(self) -> LineTable:
        return self.query_one("#balancers", LineTable)

    def draw(self, picture: Picture) -> None:
        self.table.show(balancer_matrix(picture))
        self._draw_below()

    def _draw_below(self) -> None:
        """What is said of the row under the cursor, and its pool's trends."""
        picture, key = self.picture, self.table.cursor_key
        if picture is None or key is None:
            return
        pool, _, node = key.partition("/")
        said, graphs = self.query_one("#place", Prose), self.query_one(Graphs)
        titled(said, f"{node} in {pool}")
        said.show(place_lines(picture, key))
        titled(graphs, f"pool {pool}, last 15 minutes")
        lines = self.size.height
        height = 1 if lines < 30 else 3 if lines < 46 else 6
        graphs.show(pool_graphs(picture, self.house.trends, pool), height=height)

    @on(LineTable.Moved, "#balancers")
    def follow_cursor(self) -> None:
        self._draw_below()

    @on(LineTable.Chosen, "#balancers")
    def open_node(self, event: LineTable.Chosen) -> None:
        self.post_message(OpenNode(event.key.partition("/")[2]))

    @on(LineTable.Marked, "#balancers")
    def _title(self) -> None:
        count = len(self.table.marked)
        titled(self.table, f"pools: {count} marked, escape takes the marks off" if count else "pools")

    def action_unfilter(self) -> None:
        """Escape clears the filter; where there is none, the marks."""
        if not self.clear_filter():
            self.table.unmark()

    def action_act(self, playbook: str, here: bool) -> None:  # noqa: FBT001 - an action's parameter
        """Plan a playbook for the marked servers, else for the one under the cursor; `here`: in their pool alone."""
        at = self.table.cursor_key
        keys = self.table.marked or ((at,) if at is not None else ())
        pools = list(dict.fromkeys(key.partition("/")[0] for key in keys))
        nodes = dict.fromkeys(key.partition("/")[2] for key in keys)
        if here and len(pools) > 1:
            self.notify(_SEVERAL, severity="warning", markup=False)
        elif nodes:
            parameters: dict[str, Value] = {"pool": pools[0]} if here else {}
            self.post_message(ActWanted(request(playbook, parameters, limit=",".join(nodes))))

    def action_open_run(self) -> None:
        """The run that a note about this server's drain names."""
        key = self.table.cursor_key
        run = run_of(self.picture, key) if self.picture is not None and key is not None else ""
        if run:
            self.post_message(OpenRun(run))
        else:
            self.notify(_NO_RUN, markup=False)
