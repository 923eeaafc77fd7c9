"""One drill: what it has shown, every check of it, and how its numbers stand among those before."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from hactl.model.drilled import before
from hactl.model.drills import DrillRecord
from hactl.tui.messages import OpenRun
from hactl.tui.screens.base import BaseScreen, Keys
from hactl.tui.widgets.paint import titled
from hactl.tui.widgets.prose import Prose
from hactl.view.drills import check_lines, record_lines


class DrillScreen(BaseScreen[None]):
    """What `hactl drill show` tells. `history`: all drills that are known, of any service."""

    AUTO_FOCUS = "#drill"
    DEFAULT_CSS = """
    DrillScreen #drill { height: 1fr; border-top: solid $primary-muted; border-title-color: $text-muted; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "run", "Run", tooltip="Step by step, where the drill was made from this machine."),
        Binding("w", "write", "Write as a page", tooltip="One HTML file, in the present folder."),
        Binding("escape,backspace", "app.pop_screen", "Back"),
    ]

    def __init__(self, record: DrillRecord, history: Sequence[DrillRecord]) -> None:
        super().__init__()
        self._record = record
        self._history = tuple(history)

    def compose(self) -> ComposeResult:
        yield Prose(id="drill")
        yield Keys()

    def on_mount(self) -> None:
        page = self.query_one("#drill", Prose)
        head, *rest = record_lines(self._record, before(self._history, self._record), self.house.now())
        titled(page, head.text)
        page.show([*rest, *check_lines(self._record)])

    def action_run(self) -> None:
        """Who made it from elsewhere has its story, too; this machine knows only what the drill has left behind."""
        run = self._record.run
        if any(one.run == run for one in self.house.runs.runs()):
            self.post_message(OpenRun(run))
        else:
            self.notify(f"Run {run} is not in the journal of this machine.", severity="warning", markup=False)

    @work(exclusive=True, group="write")
    async def action_write(self) -> None:
        """In a terminal into the present folder; a browser is given it as a download."""
        name = f"{self._record.run}.html"
        page = await asyncio.to_thread(_page, self._record, self._history)
        if self.app.is_web:
            self.app.deliver_text(StringIO(page), save_filename=name, mime_type="text/html")
            return
        path = Path.cwd() / name
        try:
            await asyncio.to_thread(path.write_text, page, encoding="utf-8")
        except OSError as error:
            self.notify(f"{name} cannot be written: {error.strerror}", severity="error", timeout=15, markup=False)
        else:
            self.notify(str(path), title="written", timeout=10, markup=False)


def _page(record: DrillRecord, history: Sequence[DrillRecord]) -> str:
    from hactl.view.drill_report import drill_page  # noqa: PLC0415 - its charts and style are loaded when one is wanted

    return drill_page(record, history)
