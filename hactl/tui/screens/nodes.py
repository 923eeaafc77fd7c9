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
    """The nodes table. Enter opens a node's page."""

    AUTO_FOCUS = "#nodes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("D", "act('drain')", "Drain"),
        Binding("U", "act('undrain')", "Undrain"),
    ]

    def body(self) -> ComposeResult:
        yield LineTable(id="nodes", empty="no node matches")

    def on_mount(self) -> None:
        self.query_one("#nodes").border_title = "nodes"

    def draw(self, picture: Picture) -> None:
        self.query_one("#nodes", LineTable).show(node_rows(picture))

    @on(LineTable.Chosen, "#nodes")
    def open_node(self, event: LineTable.Chosen) -> None:
        self.post_message(OpenNode(event.key))

    def action_act(self, playbook: str) -> None:
        """Plan a playbook for the node under the cursor."""
        node = self.query_one("#nodes", LineTable).cursor_key
        if node is not None:
            self.post_message(ActWanted(request(playbook, {}, limit=node)))
