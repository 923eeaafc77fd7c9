"""The end of a text that grows: the newest lines, bounded, filtered; at the end it follows, elsewhere it stays."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from hactl.tui.keys import NamedKeys
from hactl.tui.widgets.paint import component

HELD = 5000
"""Lines that are kept; of more, the oldest go."""
_STEP = 20  # cells that one goes to the side at once
_FURTHEST = 2000  # cells


class Tail(NamedKeys, ScrollView, can_focus=True, inherit_bindings=False):
    """Lines of text, never markup. Paused, it takes what comes and shows none of it."""

    KEYS_OF = "text"
    COMPONENT_CLASSES: ClassVar[set[str]] = {"tail--found"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home,g", "scroll_home", "Top", show=False),
        Binding("end,G", "scroll_end", "End", show=False, tooltip="And follow what comes."),
        Binding("left,h", "shift(-1)", "Left", show=False, tooltip="Along lines that are longer than the screen."),
        Binding("right,l", "shift(1)", "Right", show=False),
    ]

    class Changed(Message):
        """What there is to say about it is something else now."""

    def __init__(self, *, id: str | None = None, held: int = HELD) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._held = held
        self._lines: deque[str] = deque(maxlen=held)
        self._shown: deque[str] = deque(maxlen=held)
        self._waiting: deque[str] = deque(maxlen=held)  # came while it was paused
        self._needle = ""
        self._left = 0  # cells of every line that are out of sight on the left
        self.paused = False

    @property
    def needle(self) -> str:
        return self._needle

    @property
    def waiting(self) -> int:
        """Lines that came while it was paused, as far as they are held."""
        return len(self._waiting)

    @property
    def counts(self) -> tuple[int, int]:
        """How many lines are shown, and how many are held."""
        return len(self._shown), len(self._lines)

    @property
    def shown_lines(self) -> Sequence[str]:
        return tuple(self._shown)

    def add(self, lines: Iterable[str]) -> None:
        """The newest lines, oldest first."""
        if self.paused:
            self._waiting.extend(lines)
        else:
            self._take(list(lines))
        self.post_message(self.Changed())

    def clear(self) -> None:
        for some in (self._lines, self._shown, self._waiting):
            some.clear()
        self._resize()
        self.post_message(self.Changed())

    def pause(self, *, on: bool) -> None:
        """Hold still, or show all that has come meanwhile."""
        self.paused = on
        if not on:
            waiting, self._waiting = list(self._waiting), deque(maxlen=self._held)
            self._take(waiting)
        self.post_message(self.Changed())

    def filter(self, needle: str) -> None:
        """Show only lines with `needle` in any case (`!needle`: without it)."""
        self._needle = needle
        self._shown = deque(filter(self._matches, self._lines), maxlen=self._held)
        self._resize()
        self.scroll_end(animate=False)
        self.post_message(self.Changed())

    def _take(self, lines: list[str]) -> None:
        at_end = self.scroll_offset.y >= self.max_scroll_y
        before, fitting = len(self._shown), [line for line in lines if self._matches(line)]
        self._lines.extend(lines)
        self._shown.extend(fitting)
        gone = before + len(fitting) - len(self._shown)
        self._resize()
        if at_end:
            self.scroll_end(animate=False)
        elif gone:  # what one reads stays where it is
            self.scroll_to(y=max(0, self.scroll_offset.y - gone), animate=False)

    def action_shift(self, direction: int) -> None:
        self._left = max(0, min(_FURTHEST, self._left + direction * _STEP))
        self.refresh()

    def _matches(self, line: str) -> bool:
        wanted = self._needle.removeprefix("!").casefold()
        return not wanted or (wanted in line.casefold()) != self._needle.startswith("!")

    def _resize(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._shown))
        self.refresh()

    # --- drawing ---

    def render_line(self, y: int) -> Strip:
        index, width, base = y + self.scroll_offset.y, self.scrollable_content_region.width, self.rich_style
        if index >= len(self._shown):
            return Strip.blank(width, base)
        line = self._shown[index].expandtabs(4)
        wanted = self._needle.casefold()
        at = line.casefold().find(wanted) if wanted and not wanted.startswith("!") else -1
        if at < 0 or len(line) != len(line.casefold()):  # where case changes lengths nothing is marked
            strip = Strip([Segment(line, base)])
        else:
            end = at + len(wanted)
            parts = [(line[:at], base), (line[at:end], base + component(self, "tail--found")), (line[end:], base)]
            strip = Strip([Segment(text, style) for text, style in parts if text])
        return strip.crop(self._left, self._left + width).adjust_cell_length(width, base)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.refresh()
