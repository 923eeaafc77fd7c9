"""The databases: who follows whom and how far behind, live; who could take over; and the keys that move the role."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from hactl.model.errors import HactlError
from hactl.model.parameters import Value
from hactl.model.picture import Picture
from hactl.model.role_history import RoleChange
from hactl.tui.acting import request
from hactl.tui.messages import ActWanted, OpenNode
from hactl.tui.role_changes import RoleChanges
from hactl.tui.screens.base import TableScreen
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.paint import titled
from hactl.tui.widgets.prose import Prose
from hactl.view.cluster import Fact
from hactl.view.lines import Line
from hactl.view.replication import below_lines, forest, server_of
from hactl.view.role_history import change_lines

_NO_DATABASE = "The inventory has no database."
_IS_PRIMARY = "{} is the primary: there is nothing that it could rejoin."
_MOST = 8  # changes of roles that are shown
_BAR = 8  # cells of a lag's bar, where there is room


class Tree(LineTable, inherit_bindings=False):
    """A table whose order means something: it is not sorted, so that its keys are free for what is done here."""

    KEYS_OF: ClassVar[str | None] = "tree"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("home,g", "edge(0)", "First", show=False),
        Binding("end,G", "edge(-1)", "Last", show=False),
        Binding("enter", "choose", "Open", tooltip="The page of the node under the cursor."),
    ]


class DatabaseScreen(TableScreen):
    """The tree of every database above, and what is to be said of the one under the cursor below."""

    AUTO_FOCUS = "#tree"
    DEFAULT_CSS = """
    DatabaseScreen #tree, DatabaseScreen #below {
        border-top: solid $primary-muted; border-title-color: $text-muted; padding: 0 1;
    }
    DatabaseScreen #tree { height: auto; min-height: 4; max-height: 60%; }
    DatabaseScreen #below { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "switchover", "Switchover", tooltip="To the standby under the cursor, else to the best one."),
        Binding(
            "f", "failover", "Failover", tooltip="The primary is gone: to the one under the cursor, else the best."
        ),
        Binding("j", "act('rejoin')", "Rejoin", tooltip="Make the server under the cursor follow the primary again."),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._role_changes = RoleChanges()
        self._changes: tuple[RoleChange, ...] = ()
        self._going: Sequence[Fact] | None = None  # the runs that went on when it was looked for changes

    def body(self) -> ComposeResult:
        yield Tree(id="tree", empty="no server matches")
        yield Prose(id="below")

    def on_mount(self) -> None:
        titled(self.table, "databases")

    @property
    def table(self) -> LineTable:
        return self.query_one("#tree", LineTable)

    def draw(self, picture: Picture) -> None:
        if self.runs != self._going:
            self._going = self.runs
            self.look_back()
        bars = _BAR if self.size.width >= 110 else 0
        self.table.show(forest(picture, bars=bars))
        self._draw_below()

    def _draw_below(self) -> None:
        picture, key = self.picture, self.table.cursor_key
        about = self.query_one("#below", Prose)
        if picture is None or key is None:
            about.show([])
            return
        found, _ = server_of(picture, key)
        titled(about, found.service.name)
        mine = [one for one in self._changes if one.service == found.service.name][:_MOST]
        past = (Line(), Line("changes of roles", strong=True), *change_lines(mine, self.house.now())) if mine else ()
        about.show([*below_lines(picture, found), *past])

    @work(exclusive=True, group="changes")
    async def look_back(self) -> None:
        """A journal that cannot be read is told of by the screen of runs."""
        with suppress(HactlError):
            self._changes = await asyncio.to_thread(self._role_changes.look, self.house.runs)
            self._draw_below()

    @on(LineTable.Moved, "#tree")
    def follow_cursor(self) -> None:
        self._draw_below()

    @on(LineTable.Chosen, "#tree")
    def open_node(self, event: LineTable.Chosen) -> None:
        self.post_message(OpenNode(event.key.partition("/")[2]))

    # --- acting ---

    def action_switchover(self) -> None:
        self._take_over("switchover")

    def action_failover(self) -> None:
        self._take_over("failover")

    def _take_over(self, playbook: str) -> None:
        """Plan it, to the standby under the cursor; on any other row to whom the plan finds best."""
        picture, key = self.picture, self.table.cursor_key
        if picture is None or key is None:
            self.notify(_NO_DATABASE, severity="warning", markup=False)
            return
        found, node = server_of(picture, key)
        parameters: dict[str, Value] = {"service": found.service.name}
        if any(one.node == node for one in found.standbys):
            parameters["to"] = node
        self.post_message(ActWanted(request(playbook, parameters)))

    def action_act(self, playbook: str) -> None:
        """Plan a playbook for the server under the cursor."""
        picture, key = self.picture, self.table.cursor_key
        if picture is None or key is None:
            return
        found, node = server_of(picture, key)
        if node == found.primary:
            self.notify(_IS_PRIMARY.format(node), severity="warning", markup=False)
            return
        self.post_message(ActWanted(request(playbook, {"service": found.service.name, "server": node})))
