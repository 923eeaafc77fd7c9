"""How the rows of a table and its heading look: styles from the style sheet, lines of as few pieces as can be."""

from __future__ import annotations

from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from hactl.model.findings import Level
from hactl.tui.widgets.arranged import GAP, Arranged
from hactl.tui.widgets.paint import component, padded
from hactl.view.tables import Cell, Row

MARK = "* "  # stands before a marked row, as much room before the others
NEWS = "! "  # stands before a row that is news

STYLES = {f"table--{name}" for name in ("header", "cursor", "odd", "faint", "news", *(one.word for one in Level))}


class Looks(NamedTuple):
    """What a row's style depends on."""

    odd: bool
    news: bool
    faint: bool
    at_cursor: bool


class RowPainter:
    """Draws for one widget, whose style sheet it asks; what was asked is kept until `forget`."""

    def __init__(self, widget: Widget, arranged: Arranged) -> None:
        self._widget, self._arranged = widget, arranged
        self._styles: dict[object, Style] = {}

    def forget(self) -> None:
        """The style sheet may say something else now."""
        self._styles.clear()

    def heading(self, width: int, gutter: int) -> Strip:
        style = self._widget.rich_style + component(self._widget, "table--header")
        segments = [Segment(" " * gutter, style)]
        for position, place in enumerate(self._arranged.placed):
            if position:
                segments.append(Segment(" " * GAP, style))
            mark = "" if place.column.key != self._arranged.sort else ("↓" if self._arranged.reverse else "↑")
            title = place.column.title[: max(0, place.width - len(mark))] + mark
            segments.append(Segment(padded(title, place.width, place.column.align), style))
        return Strip(segments).adjust_cell_length(width, style)

    def row(self, row: Row, looks: Looks, sign: str, width: int) -> Strip:
        """`sign` stands before it. Neighbours that look the same are one piece: what comes later goes by number."""
        base = self._style(looks)
        segments = [Segment(sign, base + Style(bold=True))] if sign else []
        text = ""
        for position, place in enumerate(self._arranged.placed):
            cell = row.cells[place.index]
            if position:
                text += " " * GAP
            shown, style = padded(cell.text, place.width, place.column.align), self._style(looks, _level(cell))
            if style is base:
                text += shown
            else:
                segments += [Segment(text, base), Segment(shown, style)] if text else [Segment(shown, style)]
                text = ""
        free = width - len(sign) - self._arranged.width
        if free > 0:
            text += " " * free
        strip = Strip([*segments, Segment(text, base)] if text else segments, max(width, width - free))
        return strip if free >= 0 else strip.crop(0, width)

    def _style(self, looks: Looks, level: Level | None = None) -> Style:
        """Found once for each way to look: the style sheet is slow to ask."""
        style = self._styles.get((looks, level))
        if style is None:
            style = self._styles[looks, level] = self._asked_style(looks, level)
        return style

    def _asked_style(self, looks: Looks, level: Level | None) -> Style:
        style = self._widget.rich_style
        for name in ("odd", "news", "faint"):
            if getattr(looks, name):
                style += component(self._widget, f"table--{name}")
        if looks.at_cursor:
            style += component(self._widget, "table--cursor")
        if level is None:
            return style
        own = component(self._widget, f"table--{level.word}")
        return style + (Style(bold=own.bold) if looks.at_cursor else own)


def _level(cell: Cell) -> Level | None:
    """The level that a cell is drawn in."""
    return Level.UNKNOWN if cell.unknown and cell.level is None else cell.level
