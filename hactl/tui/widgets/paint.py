"""Small helpers for widgets that draw their own lines."""

from __future__ import annotations

from typing import Literal

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from textual.widget import Widget


def component(widget: Widget, name: str) -> Style:
    """The style that the style sheet gives to a component class, without the widget's own background under it."""
    return widget.get_component_rich_style(name, partial=True)


def padded(text: str, width: int, align: Literal["left", "right"] = "left") -> str:
    """`text` in exactly `width` cells; what is cut ends with …."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, max(0, width - 1)) + "…" if width > 0 else ""
    return " " * (width - length) + text if align == "right" else text + " " * (width - length)
