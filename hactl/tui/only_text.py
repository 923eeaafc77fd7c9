"""The last look at every line before it goes to the terminal: text only, whatever a widget was given to draw.

Strings are safe where they enter (`model.text`); this holds even where that was forgotten.
"""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from hactl.model.text import acts, inert


class OnlyText(LineFilter):
    """Takes out of drawn lines what would act on the terminal; lines keep their width."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's signature
        if not any(acts(segment.text) for segment in segments):
            return segments
        return [Segment(_inert(segment.text), segment.style) if acts(segment.text) else segment for segment in segments]


def _inert(text: str) -> str:
    """In as many cells: some characters change the width of those beside them."""
    return set_cell_size(inert(text, cell_len), cell_len(text))
