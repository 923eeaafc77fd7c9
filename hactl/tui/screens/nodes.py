"""All nodes in one table: sort, filter, open, drain, undrain."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from hactl.model.picture import Picture
from hactl.tui.acting import request
from hactl.tui.messages import ActWanted, OpenNode
from hactl.tui.screens.base import TableScreen
from hactl.tui.widgets.line_table import LineTable
from hactl.view.nodes import node_rows


class NodesScreen(TableScreen):
    """The nodes table. Enter opens a node's page; what is done is done to the marked nodes, else to the one there."""

    AUTO_FOCUS = "#nodes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("D", "act('drain')", "Drain"),
        Binding("U", "act('undrain')", "Undrain"),
    ]

    def body(self) -> ComposeResult:
        yield LineTable(id="nodes", empty="no node matches", marking=True)

    def on_mount(self) -> None:
        self.query_one("#nodes").border_title = "nodes"

    def draw(self, picture: Picture) -> None:
        self.query_one("#nodes", LineTable).show(node_rows(picture))

    @on(LineTable.Chosen, "#nodes")
    def open_node(self, event: LineTable.Chosen) -> None:
        self.post_message(OpenNode(event.key))

    @on(LineTable.Marked, "#nodes")
    def count_marks(self) -> None:
        table = self.query_one("#nodes", LineTable)
        count = len(table.marked)
        table.border_title = f"nodes: {count} marked, escape takes the marks off" if count else "nodes"

    def action_unfilter(self) -> None:
        """Escape clears the filter; where there is none, the marks."""
        if not self.clear_filter():
            self.query_one("#nodes", LineTable).unmark()

    def action_act(self, playbook: str) -> None:
        """Plan a playbook for the marked nodes, else for the one under the cursor."""
        table = self.query_one("#nodes", LineTable)
        nodes = table.marked or ((table.cursor_key,) if table.cursor_key is not None else ())
        if nodes:
            self.post_message(ActWanted(request(playbook, {}, limit=",".join(nodes))))
