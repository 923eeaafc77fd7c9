"""The map: sites down, roles across, every node in its place with the sign of its level. One of them has the cursor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType

from hactl.model.picture import Picture
from hactl.tui.keys import NamedKeys
from hactl.tui.messages import OpenNode
from hactl.tui.widgets.lines import Line, Lines, Span, levelled
from hactl.view.cluster import SiteMap as Map
from hactl.view.cluster import SiteRow, Spot, site_map, told_by_map
from hactl.view.severity import severity


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands on the map, in cells; `column` counts roles."""

    node: str
    line: int
    column: int
    left: int
    right: int


class SiteMap(NamedKeys, Lines, can_focus=True, inherit_bindings=False):
    """Shows `view.cluster.site_map`. Arrow keys go from node to node; enter or a click opens one."""

    KEYS_OF = "map"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", "Up", show=False),
        Binding("down,j", "step(1)", "Down", show=False),
        Binding("left,h", "across(-1)", "Left", show=False),
        Binding("right,l", "across(1)", "Right", show=False),
        Binding("enter", "open", "Open", tooltip="The page of the node under the cursor; so does a click."),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._seen = Map((), ())
        self._told: object = None  # what it was made of
        self._places: tuple[Place, ...] = ()
        self._at = ""  # the node under the cursor

    @property
    def cursor(self) -> str:
        """The node under the cursor; "" before there is any."""
        return self._at

    def show(self, picture: Picture) -> None:
        told = told_by_map(picture)
        if told != self._told:
            self._told, self._seen = told, site_map(picture)
            self.draw()

    def select(self, node: str) -> bool:
        """Put the cursor on a node; False where the map has no such node."""
        if all(place.node != node for place in self._places):
            return False
        self._at = node
        self.draw()
        return True

    def draw(self) -> None:
        self._places = tuple(places(self._seen))
        if self._places and all(place.node != self._at for place in self._places):
            self._at = self._places[0].node
        self.set_lines(map_lines(self._seen, self._at if self.has_focus else ""))

    def watch_has_focus(self, _has_focus: bool) -> None:  # noqa: FBT001 - Textual's signature
        """Not when the focus goes: by then it is here still."""
        super().watch_has_focus(_has_focus)
        self.draw()

    def on_click(self, event: events.Click) -> None:
        found = self._under(event)
        if found is not None:
            self.select(found.node)
            self.action_open()

    def _under(self, event: events.Click) -> Place | None:
        at = event.get_content_offset(self)
        if at is None:
            return None
        line, x = at.y + self.scroll_offset.y, at.x
        return next((p for p in self._places if p.line == line and p.left <= x < p.right), None)

    def action_step(self, step: int) -> None:
        """To the next node of the same role, from site to site."""
        here = self._here()
        column = [place for place in self._places if here is not None and place.column == here.column]
        if here is not None:
            self._go(column[max(0, min(len(column) - 1, column.index(here) + step))])

    def action_across(self, step: int) -> None:
        """To the nearest node of the next role that has one, at about the same height."""
        here = self._here()
        if here is None:
            return
        columns = sorted({place.column for place in self._places})
        wanted = columns.index(here.column) + step
        if 0 <= wanted < len(columns):
            those = [place for place in self._places if place.column == columns[wanted]]
            self._go(min(those, key=lambda place: abs(place.line - here.line)))

    def action_open(self) -> None:
        if self._at:
            self.post_message(OpenNode(self._at))

    def _here(self) -> Place | None:
        return next((place for place in self._places if place.node == self._at), None)

    def _go(self, place: Place) -> None:
        self.select(place.node)
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if place.line < top or place.line >= top + height:
            self.scroll_to(y=max(0, place.line - height // 2), animate=False)


def map_lines(seen: Map, cursor: str = "") -> list[Line]:
    """A heading of roles; for each site as many lines as its longest column of nodes."""
    names, widths = _widths(seen)
    heading = "".join(f"  {role:<{width}}" for role, width in zip(seen.roles, widths, strict=True))
    lines: list[Line] = [(Span(f"{'site':<{names}}{heading}", "title"),)]
    for site in seen.sites:
        lines += _site_lines(site, names, widths, cursor)
    return lines


def places(seen: Map) -> Iterator[Place]:
    """Where `map_lines` draws each node."""
    names, widths = _widths(seen)
    lefts = [names + 2 + sum(widths[:column]) + 2 * column for column in range(len(widths))]
    line = 1
    for site in seen.sites:
        for column, spots in enumerate(site.spots):
            for index, spot in enumerate(spots):
                left = lefts[column]
                yield Place(spot.name, line + index, column, left, left + cell_len(spot_text(spot)))
        line += max((len(spots) for spots in site.spots), default=0)


def spot_text(spot: Spot) -> str:
    return f"{severity(spot.level).symbol} {spot.name}{' (spare)' if spot.spare else ''}"


def _widths(seen: Map) -> tuple[int, list[int]]:
    """Of the sites' names, and of each role's column."""
    names = max([4, *(len(site.name) + 2 for site in seen.sites)])
    widths = [
        max([len(role), *(len(spot_text(spot)) for site in seen.sites for spot in site.spots[index])])
        for index, role in enumerate(seen.roles)
    ]
    return names, widths


def _site_lines(site: SiteRow, names: int, widths: list[int], cursor: str) -> Iterator[Line]:
    for index, spots in enumerate(zip_longest(*site.spots)):
        head = f"{severity(site.level).symbol} {site.name}" if index == 0 else ""
        spans = [levelled(f"{head:<{names}}", site.level if head else None)]
        for spot, width in zip(spots, widths, strict=True):
            text = f"{spot_text(spot) if spot else '':<{width}}"
            under = spot is not None and spot.name == cursor
            spans += [Span("  "), Span(text, "cursor") if under else levelled(text, spot.level if spot else None)]
        yield tuple(spans)
