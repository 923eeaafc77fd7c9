"""Small helpers for widgets that draw their own lines."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Literal

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.style import Style
from textual.content import Content
from textual.widget import Widget

_WORDS = re.compile(r"(\s*)(\S+)")


def component(widget: Widget, name: str) -> Style:
    """The style that the style sheet gives to a component class, without the widget's own background under it."""
    return widget.get_component_rich_style(name, partial=True)


def padded(text: str, width: int, align: Literal["left", "right"] = "left") -> str:
    """`text` in exactly `width` cells; what is cut ends with …."""
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        return set_cell_size(text, max(0, width - 1)) + "…" if width > 0 else ""
    return " " * (width - length) + text if align == "right" else text + " " * (width - length)


def folded(text: str, width: int, *, first: str = "", rest: str = "") -> list[str]:
    """Lines of at most `width` cells, each after its indent; at least one. Words are kept whole where they fit."""
    if text.isascii():
        lines = textwrap.wrap(text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    else:  # textwrap counts characters
        lines = list(_folded(_WORDS.findall(text), width, first, rest))
    return lines or [""]


def _folded(words: Sequence[tuple[str, str]], width: int, first: str, rest: str) -> Iterator[str]:
    """`words`, each with the gap before it, which is kept within a line."""
    line, indent = first, first
    for before, word in words:
        gap = "" if line == indent else before
        if cell_len(line) + len(gap) + cell_len(word) <= width:
            line += gap + word
            continue
        if line != indent:
            yield line
            indent = rest
        *whole, last = chop_cells(word, max(2, width - cell_len(indent)))
        for piece in whole:
            yield indent + piece
            indent = rest
        line = indent + last
    if words:
        yield line


def titled(widget: Widget, text: str) -> None:
    """Write it into the widget's border as it is: a string would be markup. Where it stands there, nothing is drawn."""
    title = Content(text)
    if widget.border_title != title.markup:
        widget.border_title = title


def subtitled(widget: Widget, text: str) -> None:
    """Likewise at the bottom."""
    title = Content(text)
    if widget.border_subtitle != title.markup:
        widget.border_subtitle = title
