"""A picture as text, in the format that is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hactl.model.picture import Picture


def render(picture: Picture, fmt: str, *, ages: bool = False) -> str:
    """A picture as text, without a final newline. `ages`: somebody watches, and knows how long things have been so."""
    if fmt == "table":
        from hactl.cli import board, draw

        return "\n".join(board.lines(picture, draw.width(), ages=ages))
    from hactl.cli.output import rendered
    from hactl.view.document import document

    return rendered(document(picture), fmt)
