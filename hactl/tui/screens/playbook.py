"""A playbook to be read: in words, or as its file has it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from hactl.model.playbook import Playbook
from hactl.model.text import safe
from hactl.tui.screens.base import BaseScreen, Keys
from hactl.tui.screens.form import FormScreen
from hactl.tui.widgets.paint import titled
from hactl.tui.widgets.prose import Prose
from hactl.view.lines import Line
from hactl.view.playbook_text import playbook_lines


class PlaybookScreen(BaseScreen[None]):
    """Reads one; enter fills it in."""

    AUTO_FOCUS = "#playbook"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "fill_in", "Fill in"),
        Binding("t", "source", "Source", tooltip="The playbook's file; again: in words."),
        Binding("escape", "app.pop_screen", "Back"),
    ]

    def __init__(self, playbook: Playbook) -> None:
        super().__init__()
        self._playbook = playbook
        self._source = False

    def crumb(self) -> str:
        return self._playbook.name

    def compose(self) -> ComposeResult:
        yield Prose(id="playbook")
        yield Keys()

    def on_mount(self) -> None:
        self._in_words()

    def action_fill_in(self) -> None:
        self.app.push_screen(FormScreen(self._playbook))

    def action_source(self) -> None:
        self._source = not self._source
        if self._source:
            self._read()
        else:
            self._in_words()

    def _in_words(self) -> None:
        page = self.query_one("#playbook", Prose)
        titled(page, f"playbook: {self._playbook.name}")
        page.show(list(playbook_lines(self._playbook)))

    @work(exclusive=True)
    async def _read(self) -> None:
        page, path = self.query_one("#playbook", Prose), Path(self._playbook.source)
        titled(page, str(path))
        try:
            text = await asyncio.to_thread(path.read_text, encoding="utf-8")
        except OSError as error:
            page.show([Line(f"{path} cannot be read: {error.strerror}")])
            return
        page.show([_as_written(line) for line in safe(text).splitlines()])


def _as_written(line: str) -> Line:
    """With its indentation; a comment is faint."""
    bare = line.strip()
    indent = len(line) - len(line.lstrip())
    return Line(bare, indent=indent, hang=4, strong=bare.startswith("["), faint=bare.startswith("#"))
