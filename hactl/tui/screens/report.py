"""The report of a run, as text on the screen; as a page in a file it is written from here as well."""

from __future__ import annotations

import asyncio
from io import StringIO
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from hactl.model.errors import HactlError
from hactl.tui.acting import RunSource, told
from hactl.tui.screens.base import BaseScreen, Keys
from hactl.tui.widgets.paint import titled
from hactl.tui.widgets.prose import Prose
from hactl.view.run_text import report_lines


class ReportScreen(BaseScreen[None]):
    """Everything that a run leaves behind."""

    AUTO_FOCUS = "#report"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "write", "Write as a page", tooltip="One HTML file, in the present folder."),
        Binding("escape", "app.pop_screen", "Back"),
    ]

    def __init__(self, runs: RunSource, run: str) -> None:
        super().__init__()
        self._runs = runs
        self._run = run
        self._page = Prose(id="report")  # held: the screen may be left while the report is being read

    def compose(self) -> ComposeResult:
        yield self._page
        yield Keys()

    def on_mount(self) -> None:
        titled(self._page, f"report of {self._run}")
        self._read()

    @work(exclusive=True)
    async def _read(self) -> None:
        try:
            state = await asyncio.to_thread(self._runs.state, self._run)
            story = await asyncio.to_thread(self._runs.story, self._run)
            alive = self._runs.alive(self._run)
        except HactlError as error:
            self.notify(told(error), severity="error", timeout=15, markup=False)
            return
        self._page.show(list(report_lines(state, story, self.house.now(), alive=alive)))

    @work(exclusive=True, group="write")
    async def action_write(self) -> None:
        """In a terminal into the present folder; a browser is given it as a download."""
        name = f"{self._run}.html"
        try:
            page = await asyncio.to_thread(_page, self._runs, self._run)
            if self.app.is_web:
                self.app.deliver_text(StringIO(page), save_filename=name, mime_type="text/html")
                return
            path = Path.cwd() / name
            await asyncio.to_thread(path.write_text, page, encoding="utf-8")
        except HactlError as error:
            self.notify(told(error), severity="error", timeout=15, markup=False)
        except OSError as error:
            self.notify(f"{name} cannot be written: {error.strerror}", severity="error", timeout=15, markup=False)
        else:
            self.notify(str(path), title="written", timeout=10, markup=False)


def _page(runs: RunSource, run: str) -> str:
    from hactl.view.report import report_page  # noqa: PLC0415 - its charts and style are loaded when one is wanted

    return report_page(run, runs.state(run).plan, runs.story(run))
