"""All nodes in one table: sort, filter, open, drain, undrain, a shell, the journal."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from hactl.model.picture import Picture
from hactl.tui.acting import request
from hactl.tui.messages import ActWanted, JournalWanted, OpenNode, ShellWanted
from hactl.tui.screens.base import TableScreen
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.paint import titled
from hactl.view.nodes import NodeRows


class NodesScreen(TableScreen):
    """The nodes table. Enter opens a node's page; what is done is done to the marked nodes, else to the one there."""

    AUTO_FOCUS = "#nodes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("D", "act('drain')", "Drain", tooltip="Plan it for the marked nodes, else for this one."),
        Binding("U", "act('undrain')", "Undrain", tooltip="Plan it for the marked nodes, else for this one."),
        Binding("S", "shell", "Shell", tooltip="ssh to this node in this terminal; its end leads back."),
        Binding("L", "journal", "Journal", tooltip="Follow this node's journal."),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._rows = NodeRows()

    def body(self) -> ComposeResult:
        yield LineTable(id="nodes", empty="no node matches", marking=True)

    def on_mount(self) -> None:
        titled(self.table, "nodes")
        self.watch(self.table, "others", self.draw_again, init=False)

    @property
    def table(self) -> LineTable:
        return self.query_one("#nodes", LineTable)

    def draw(self, picture: Picture) -> None:
        """Rows that nobody sees may wait; they are made when they come into sight."""
        self.table.show(self._rows.table(picture, self.table.looked_at))

    @on(LineTable.Chosen, "#nodes")
    def open_node(self, event: LineTable.Chosen) -> None:
        self.post_message(OpenNode(event.key))

    @on(LineTable.Marked, "#nodes")
    def count_marks(self) -> None:
        count = len(self.table.marked)
        titled(self.table, f"nodes: {count} marked, escape takes the marks off" if count else "nodes")

    def action_unfilter(self) -> None:
        """Escape clears the filter; where there is none, the marks."""
        if not self.clear_filter():
            self.table.unmark()

    def action_act(self, playbook: str) -> None:
        """Plan a playbook for the marked nodes, else for the one under the cursor."""
        here = self.table.cursor_key
        nodes = self.table.marked or ((here,) if here is not None else ())
        if nodes:
            self.post_message(ActWanted(request(playbook, {}, limit=",".join(nodes))))

    def action_shell(self) -> None:
        if (node := self.table.cursor_key) is not None:
            self.post_message(ShellWanted(node))

    def action_journal(self) -> None:
        if (node := self.table.cursor_key) is not None:
            self.post_message(JournalWanted(node))
