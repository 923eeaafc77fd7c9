"""The last look before the terminal: text stays, what acts goes, and the line keeps its width."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from hactl.model.text import acts
from hactl.tui.only_text import OnlyText
from tests.tui.hostile import PIECES


@pytest.mark.parametrize("piece", PIECES)
def test_what_is_drawn_keeps_its_width(piece: str) -> None:
    text = PIECES[piece]
    (drawn,) = OnlyText().apply([Segment(text)], Color(0, 0, 0))
    assert cell_len(drawn.text) == cell_len(text)
    assert not acts(drawn.text)


@pytest.mark.parametrize("text", ["", "plain", "é 全角 ✖ ▲ ─│ ⠿", "[@click=app.quit]x[/]", "e\u0301"])
def test_text_is_left_as_it_is(text: str) -> None:
    assert not acts(text)
    line = [Segment(text, Style(bold=True))]
    assert OnlyText().apply(line, Color(0, 0, 0)) is line


def test_only_the_piece_that_acts_is_changed() -> None:
    line = [Segment("left", Style(bold=True)), Segment("a\x1b[2J\u202eb\nc\u3164", Style(italic=True))]
    assert OnlyText().apply(line, Color(0, 0, 0)) == [line[0], Segment("a[2Jbc", Style(italic=True))]
