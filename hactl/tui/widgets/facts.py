"""A node's facts in groups, as the view gives them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType

from hactl.model.picture import Picture
from hactl.tui.widgets.lines import Line, Lines, Span, levelled
from hactl.view.node_page import Section, node_facts


class Facts(Lines, can_focus=True, inherit_bindings=False):
    """Shows `view.node_page.node_facts`; scrolls by the arrow keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home,g", "scroll_home", "Top", show=False),
        Binding("end,G", "scroll_end", "End", show=False),
    ]

    def show(self, picture: Picture, node: str) -> None:
        self.set_lines(list(fact_lines(node_facts(picture, node))))


def fact_lines(sections: tuple[Section, ...]) -> Iterator[Line]:
    """A title a section, then label and value of each fact; an empty line between sections."""
    width = max((len(fact.label) for section in sections for fact in section.facts), default=0)
    for index, section in enumerate(sections):
        if index:
            yield ()
        yield (Span(section.title, "title"),)
        for fact in section.facts:
            yield Span(f"  {fact.label:<{width}}  ", "dim"), levelled(fact.value, fact.level)
