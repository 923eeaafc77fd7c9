"""A widget that draws a list of styled lines and redraws only those that changed: for banners, maps and facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from hactl.model.findings import Level
from hactl.tui.widgets.paint import component, padded

LEVELS = ("ok", "warn", "crit", "unknown")
STYLES = (*LEVELS, *(f"badge-{level}" for level in LEVELS), "title", "dim", "cursor")

# The keys of whatever is read and scrolled.
SCROLLING: list[BindingType] = [
    Binding("up,k", "scroll_up", "Up", show=False),
    Binding("down,j", "scroll_down", "Down", show=False),
    Binding("pageup", "page_up", "Page up", show=False),
    Binding("pagedown,space", "page_down", "Page down", show=False),
    Binding("home,g", "scroll_home", "Top", show=False),
    Binding("end,G", "scroll_end", "End", show=False),
]


@dataclass(frozen=True, slots=True)
class Span:
    """Text in one of STYLES, or plain where `style` is "". Never markup."""

    text: str
    style: str = ""


Line = tuple[Span, ...]


def levelled(text: str, level: Level | None, *, badge: bool = False) -> Span:
    """Text in the style of a level."""
    if level is None:
        return Span(text)
    return Span(text, f"badge-{level.word}" if badge else level.word)


class Lines(ScrollView):
    """Draws lines that its subclass makes. Scrolls when they are more than it has room for."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"lines--{style}" for style in STYLES}

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._lines: tuple[Line, ...] = ()
        self._styles: dict[str, Style] = {}  # found once: the style sheet is slow to ask

    @property
    def text(self) -> str:
        """What it shows, without styles."""
        return "\n".join("".join(span.text for span in line) for line in self._lines)

    def set_lines(self, lines: Sequence[Line]) -> None:
        """Show these; lines that stay the same are not drawn again."""
        old, new = self._lines, tuple(lines)
        self._lines = new
        if len(old) != len(new):
            self.virtual_size = Size(self.size.width, len(new))
            self.refresh(layout=True)
            return
        top = self.scroll_offset.y
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            if before != after and 0 <= index - top < self.size.height:
                self.refresh(Region(0, index - top, self.size.width, 1))

    def draw(self) -> None:
        """Make the lines again for the room that there is now. For subclasses whose lines depend on it."""

    def on_resize(self, _event: events.Resize) -> None:
        self.draw()

    def watch_show_vertical_scrollbar(self) -> None:
        """A scroll bar takes of the room, and nobody tells of a new size."""
        self.draw()

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002 - Textual's signature
        return max((sum(cell_len(span.text) for span in line) for line in self._lines), default=0)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's signature
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        index, width, base = y + self.scroll_offset.y, self.size.width, self._style("")
        line = self._lines[index] if index < len(self._lines) else ()
        segments, left = [], width
        for span in line:
            text = padded(span.text, left) if len(span.text) > left else span.text
            style = self._style(span.style)
            segments.append(Segment(text, style))
            left -= Segment.get_line_length(segments[-1:])
            if left <= 0:
                break
        return Strip(segments).adjust_cell_length(width, base)

    def _style(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = (
                self.rich_style + component(self, f"lines--{name}") if name else self.rich_style
            )
        return style

    def notify_style_update(self) -> None:
        self._styles.clear()
        super().notify_style_update()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.refresh()
