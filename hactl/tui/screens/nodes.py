"""All nodes in one table: sort, filter, open."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult

from hactl.model.picture import Picture
from hactl.tui.messages import OpenNode
from hactl.tui.screens.base import TableScreen
from hactl.tui.widgets.line_table import LineTable
from hactl.view.nodes import node_rows


class NodesScreen(TableScreen):
    """The nodes table. Enter opens a node's page."""

    AUTO_FOCUS = "#nodes"

    def body(self) -> ComposeResult:
        yield LineTable(id="nodes", empty="no node matches")

    def on_mount(self) -> None:
        self.query_one("#nodes").border_title = "nodes"

    def draw(self, picture: Picture) -> None:
        self.query_one("#nodes", LineTable).show(node_rows(picture))

    @on(LineTable.Chosen, "#nodes")
    def open_node(self, event: LineTable.Chosen) -> None:
        self.post_message(OpenNode(event.key))
