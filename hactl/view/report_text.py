"""Text as it may stand in a page, whatever a node has said: no markup, no control or bidirectional characters."""

from __future__ import annotations

from html import escape

from hactl.model.text import safe


def shown(text: str) -> str:
    """`text` for an element or a quoted attribute."""
    return escape(safe(text))
