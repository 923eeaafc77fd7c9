"""What every screen has: the way here and the keys at the bottom, a filter where there is a table, the banner on top
where a picture is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widget import Widget

from hactl.model.picture import Picture
from hactl.tui.house import House
from hactl.tui.keys import NamedKeys
from hactl.tui.messages import PictureWanted
from hactl.tui.widgets.banner import Banner
from hactl.tui.widgets.key_line import KeyLine
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.status_line import Question, StatusLine
from hactl.view.cluster import Fact

Result = TypeVar("Result")

_TINY = 12  # lines of a terminal below which everything that can be spared makes way
_FILTER = "filter"
_FILTER_HINT = "rows with this text; !text: rows without it"

# Actions by which something would be done to the cluster, or be set off that does it.
_OF_RUNS = ("act", "plan", "carry_out", "override", "pause", "stop", "undo", "resume")
ACTS = frozenset((*_OF_RUNS, "acknowledge", "shell", "switchover", "failover", "backup", "drill", "restore"))


class Keys(Vertical):
    """The way here, and below it the keys."""

    def compose(self) -> ComposeResult:
        extra = cast("House", self.app).above_keys()
        self.set_class(bool(extra), "-more")
        yield from extra
        yield StatusLine()
        yield KeyLine()


class BaseScreen(NamedKeys, Screen[Result], inherit_bindings=False):
    """A screen of the dashboard. Yields `Keys()` at the end of what it composes.

    Of Textual's keys for a screen it has the tabulator's; there is no selected text to copy: ctrl+c always quits.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", "Next panel", show=False),
        Binding("shift+tab", "app.focus_previous", "Previous panel", show=False),
    ]
    ACTS: ClassVar[frozenset[str]] = ACTS

    def __init__(self) -> None:
        super().__init__()
        self._left: Widget | None = None  # what had the focus before a question was asked
        self._filtered: LineTable | None = None

    @property
    def house(self) -> House:
        return cast("House", self.app)

    def crumb(self) -> str:
        """What this screen is called on the way to it."""
        return type(self).__name__.removesuffix("Screen").lower()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        """None: shown, and refused. A subclass asks this first."""
        return None if action in self.ACTS and self.house.read_only else True

    def on_mount(self) -> None:
        columns = self.house.settings.columns
        for table in self.query(LineTable):
            if (choice := columns.get(table.id or "")) is not None:
                table.choose(choice)

    def on_screen_resume(self) -> None:
        self.show_way()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height < _TINY, "-tiny")

    def show_way(self) -> None:
        """Draw again where the operator is: after what this screen is about has changed."""
        if line := self.status:
            filtered = [table.filtered for table in (self._filtered,) if table is not None and table.needle]
            badge = "READ-ONLY" if self.house.read_only else ""
            line.show_way([*self.house.way(), *filtered], badge, filters=self.filterable is not None)

    @property
    def status(self) -> StatusLine | None:
        """The line above the keys; None before it is mounted."""
        return next(iter(self.query(StatusLine)), None)

    # --- what is typed into the line above the keys ---

    def ask(self, question: Question) -> None:
        """Open a question there; it has the keys at once. The screen that knows its purpose gets the messages."""
        if (line := self.status) is not None:
            if line.question is None:
                self._left = self.focused
            line.ask(question)
            self.set_focus(line)

    def answered(self) -> None:
        """Close the question, and give the focus back."""
        if (line := self.status) is not None and line.question is not None:
            line.close()
        self.set_focus(self._left)

    @on(StatusLine.Left)
    def give_back(self) -> None:
        self.answered()

    @on(StatusLine.Wanted)
    def go_back(self, event: StatusLine.Wanted) -> None:
        self.house.go_back(event.depth)

    # --- the filter ---

    @property
    def filterable(self) -> LineTable | None:
        """The table that a filter is about: the one with the focus, else the one that has a filter, else the first."""
        if isinstance(self.focused, LineTable) and self.focused.filterable:
            return self.focused
        return self._filtered or next((table for table in self.query(LineTable) if table.filterable), None)

    def start_filter(self) -> None:
        if (table := self.filterable) is not None:
            self.set_focus(table)
            self._filtered = table
            self.ask(Question(_FILTER, "/", _FILTER_HINT, table.needle))

    def clear_filter(self) -> bool:
        """Whether there was one."""
        table, self._filtered = self._filtered, None
        if table is None or not table.needle:
            return False
        table.filter("")
        self.show_way()
        return True

    @on(StatusLine.Typed)
    def apply_filter(self, event: StatusLine.Typed) -> None:
        if event.purpose == _FILTER and self._filtered is not None:
            self._filtered.filter(event.text)
            self.show_way()

    @on(StatusLine.Given)
    def keep_filter(self, event: StatusLine.Given) -> None:
        if event.purpose == _FILTER:
            self.answered()

    @on(StatusLine.Left)
    def drop_filter(self, event: StatusLine.Left) -> None:
        if event.purpose == _FILTER:
            self.clear_filter()


class PictureScreen(BaseScreen[None]):
    """Shows pictures. Subclasses compose `body` and fill it in `draw`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "unfilter", "Clear filter", show=False)]

    picture: Picture | None = None
    runs: Sequence[Fact] = ()
    _news: frozenset[str] = frozenset()

    def __init__(self) -> None:
        super().__init__()
        self._banner = Banner()

    def body(self) -> ComposeResult:
        raise NotImplementedError

    def draw(self, picture: Picture) -> None:
        """Hand the newest rows to the widgets. Cheap: called for every picture while the screen is on top."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield self._banner
        yield from self.body()
        yield Keys()

    def on_mount(self) -> None:
        """The first drawing has something to show: no empty one comes before it."""
        self.picture = self.house.picture
        self._show_all(self.picture)

    def show(self, picture: Picture, runs: Sequence[Fact] = ()) -> None:
        """Take a newer picture, and the runs that are not over; drawn at once when mounted."""
        self.picture, self.runs = picture, runs
        if self.is_mounted and self._banner.is_attached:
            self._show_all(picture)

    def _show_all(self, picture: Picture) -> None:
        self._banner.show(picture, self.runs)
        self.draw(picture)
        if self._filtered is not None:
            self.show_way()  # how many rows are hidden may be another number

    def on_resize(self, event: events.Resize) -> None:
        """Draw once more when all parts have their new sizes: the next picture may be long in coming."""
        super().on_resize(event)
        self.call_after_refresh(self.draw_again)

    def draw_again(self) -> None:
        """The same picture, for what is in sight now."""
        if self.picture is not None and self.is_mounted:
            self.draw(self.picture)

    def highlight(self, subjects: frozenset[str]) -> None:
        """Make the rows stand out that are about news."""
        if subjects == self._news:
            return
        self._news = subjects
        for table in self.query(LineTable):
            table.highlight(subjects)

    def on_screen_resume(self) -> None:
        self.post_message(PictureWanted())

    def action_unfilter(self) -> None:
        self.clear_filter()


class TableScreen(PictureScreen):
    """A screen around one big table."""
