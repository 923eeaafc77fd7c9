"""Runs of this cluster, the newest first: what was done, by whom, how it ended. Enter opens one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from hactl.model.errors import HactlError
from hactl.model.picture import Picture
from hactl.tui.acting import RunSource, told
from hactl.tui.messages import OpenRun
from hactl.tui.screens.base import TableScreen
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.paint import titled
from hactl.view.runs import Field, RunFilter, run_rows

if TYPE_CHECKING:
    from hactl.model.journal import RunSummary

_EVERY = 1.0  # seconds


class RunsScreen(TableScreen):
    """The list of runs, read from the journal again and again while it is on top. A key goes through the values that
    occur in a column, and past the last one to all of them.
    """

    AUTO_FOCUS = "#runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "only('playbook')", "Playbook", tooltip="Only runs of the next playbook that occurs."),
        Binding("o", "only('outcome')", "Outcome", tooltip="Only runs that ended, or stand, like this."),
        Binding("n", "only('node')", "Node", tooltip="Only runs that were for this node."),
        Binding("w", "only('who')", "Who", tooltip="Only runs of this person."),
        Binding("u", "unfinished", "Unfinished", tooltip="Only what goes on, or waits to be resumed or undone."),
    ]

    def __init__(self, runs: RunSource) -> None:
        super().__init__()
        self._runs = runs
        self._complained = False
        self._summaries: Sequence[RunSummary] = ()
        self._filter = RunFilter()

    def body(self) -> ComposeResult:
        yield LineTable(id="runs", empty="no such run")

    def on_mount(self) -> None:
        self._list()
        self._read()
        self.set_interval(_EVERY, self._read)

    def draw(self, picture: Picture) -> None:
        """Nothing of a picture is in the list."""

    @work(exclusive=True, group="list")
    async def _read(self) -> None:
        if not self.is_current:
            return
        try:
            self._summaries = await asyncio.to_thread(self._runs.runs)
        except HactlError as error:
            if not self._complained:
                self._complained = True
                self.notify(told(error), severity="error", timeout=15, markup=False)
            return
        self._list()

    def _list(self) -> None:
        shown = [summary for summary in self._summaries if self._filter.takes(summary)]
        table = self.query_one("#runs", LineTable)
        words = self._filter.words
        count = f" ({len(shown)} of {len(self._summaries)}); escape shows all" if words else ""
        titled(table, f"runs{': ' * bool(words)}{words}{count}")
        table.show(run_rows(shown, self.house.now()))

    def action_only(self, field: Field) -> None:
        self._filter = self._filter.next(field, self._summaries)
        self._list()

    def action_unfinished(self) -> None:
        self._filter = replace(self._filter, unfinished=not self._filter.unfinished)
        self._list()

    def action_unfilter(self) -> None:
        """Escape clears the text filter; where there is none, the others."""
        if not self.clear_filter():
            self._filter = RunFilter()
            self._list()

    @on(LineTable.Chosen, "#runs")
    def open_run(self, event: LineTable.Chosen) -> None:
        self.post_message(OpenRun(event.key))
