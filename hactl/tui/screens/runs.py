"""Runs of this cluster, the newest first: what was done, by whom, how it ended. Enter opens one."""

from __future__ import annotations

import time

from textual import on
from textual.app import ComposeResult

from hactl.model.errors import HactlError
from hactl.model.picture import Picture
from hactl.tui.acting import RunSource, told
from hactl.tui.messages import OpenRun
from hactl.tui.screens.base import TableScreen
from hactl.tui.widgets.line_table import LineTable
from hactl.view.runs import run_rows

_EVERY = 1.0  # seconds


class RunsScreen(TableScreen):
    """The list of runs, read from the journal again and again while it is on top."""

    AUTO_FOCUS = "#runs"

    def __init__(self, runs: RunSource) -> None:
        super().__init__()
        self._runs = runs
        self._complained = False

    def body(self) -> ComposeResult:
        yield LineTable(id="runs", empty="nothing was done to this cluster from here yet")

    def on_mount(self) -> None:
        self.query_one("#runs").border_title = "runs"
        self._read()
        self.set_interval(_EVERY, self._read)

    def draw(self, picture: Picture) -> None:
        """Nothing of a picture is in the list."""

    def _read(self) -> None:
        if not self.is_current:
            return
        try:
            summaries = self._runs.runs()
        except HactlError as error:
            if not self._complained:
                self._complained = True
                self.notify(told(error), severity="error", timeout=15, markup=False)
            return
        self.query_one("#runs", LineTable).show(run_rows(summaries, time.time()))

    @on(LineTable.Chosen, "#runs")
    def open_run(self, event: LineTable.Chosen) -> None:
        self.post_message(OpenRun(event.key))
