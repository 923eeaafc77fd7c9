"""What every screen has: the banner on top, the keys at the bottom, a filter line where it has a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, Input

from hactl.model.picture import Picture
from hactl.tui.messages import PictureWanted
from hactl.tui.widgets.banner import Banner
from hactl.tui.widgets.line_table import LineTable
from hactl.view.cluster import Fact


class Keys(Footer):
    """The keys at the bottom; the palette has its key, too, but takes no room there."""

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)


class PictureScreen(Screen[None]):
    """Shows pictures. Subclasses compose `body` and fill it in `draw`."""

    picture: Picture | None = None
    runs: Sequence[Fact] = ()

    def body(self) -> ComposeResult:
        raise NotImplementedError

    def draw(self, picture: Picture) -> None:
        """Hand the newest rows to the widgets. Cheap: called for every picture while the screen is on top."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield Banner()
        yield from self.body()
        yield Keys()

    def show(self, picture: Picture, runs: Sequence[Fact] = ()) -> None:
        """Take a newer picture, and the runs that are not over; drawn at once when mounted."""
        self.picture, self.runs = picture, runs
        if self.is_mounted:
            self.query_one(Banner).show(picture, runs)
            self.draw(picture)

    def on_screen_resume(self) -> None:
        self.post_message(PictureWanted())


class TableScreen(PictureScreen):
    """A screen around one big table with a filter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter"),
        Binding("escape", "unfilter", "Clear filter", show=False),
    ]

    def compose(self) -> ComposeResult:
        yield Banner()
        yield from self.body()
        yield Input(placeholder="show rows with this text; !text: rows without it", id="filter", classes="hidden")
        yield Keys()

    def action_filter(self) -> None:
        line = self.query_one("#filter", Input)
        line.remove_class("hidden")
        line.focus()

    def action_unfilter(self) -> None:
        line = self.query_one("#filter", Input)
        line.value = ""
        line.add_class("hidden")
        self.query_one(LineTable).focus()

    @on(Input.Changed, "#filter")
    def apply_filter(self, event: Input.Changed) -> None:
        self.query_one(LineTable).filter(event.value)

    @on(Input.Submitted, "#filter")
    def keep_filter(self) -> None:
        self.query_one(LineTable).focus()
