"""A node's facts in groups, as the view gives them, wrapped to the width that there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType

from hactl.model.picture import Picture
from hactl.tui.keys import NamedKeys
from hactl.tui.widgets.lines import Line, Lines, Span, levelled
from hactl.tui.widgets.paint import folded, padded
from hactl.view.cluster import Fact
from hactl.view.node_page import Section, node_facts

_NARROWEST = 16  # cells of a value; where there are fewer, it is cut


class Facts(NamedKeys, Lines, can_focus=True, inherit_bindings=False):
    """Shows `view.node_page.node_facts`; scrolls by the arrow keys."""

    KEYS_OF = "text"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home,g", "scroll_home", "Top", show=False),
        Binding("end,G", "scroll_end", "End", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._sections: tuple[Section, ...] = ()

    def show(self, picture: Picture, node: str) -> None:
        self._sections = node_facts(picture, node)
        self.draw()

    def draw(self) -> None:
        self.set_lines(list(fact_lines(self._sections, self.scrollable_content_region.width)))


def fact_lines(sections: tuple[Section, ...], width: int) -> Iterator[Line]:
    """A title a section, then label and value of each fact; an empty line between sections. Values stand below each
    other; a label that would leave them no room has a line of its own.
    """
    most = max(_NARROWEST, width // 2)
    sizes = [cell_len(fact.label) for section in sections for fact in section.facts]
    labels = max((size for size in sizes if size <= most), default=0)
    room = max(_NARROWEST, width - labels - 4)
    for index, section in enumerate(sections):
        if index:
            yield ()
        yield (Span(section.title, "title"),)
        for fact in section.facts:
            yield from _fact(fact, labels, room, width)


def _fact(fact: Fact, labels: int, room: int, width: int) -> Iterator[Line]:
    label = fact.label
    if cell_len(label) > labels:
        yield (Span("  " + padded(label, min(cell_len(label), max(_NARROWEST, width - 2))), "dim"),)
        label = ""
    for piece in folded(fact.value, room):
        yield Span(f"  {padded(label, labels)}  ", "dim"), levelled(piece, fact.level)
        label = ""
