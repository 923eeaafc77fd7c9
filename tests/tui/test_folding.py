"""Text that is folded to the room that there is: nothing of it is lost, also where characters take two cells."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from hactl.tui.widgets.facts import fact_lines
from hactl.tui.widgets.paint import folded
from hactl.view.cluster import Fact
from hactl.view.node_page import Section

MOUNT = "/var/lib/docker/overlay2/" + "f" * 64 + "/merged"


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 10, [""]),
        ("one two three", 8, ["one two", "three"]),
        ("on-demand", 5, ["on-de", "mand"]),
        ("全角文字 ab", 6, ["全角文", "字 ab"]),
        ("全角 文字", 5, ["全角", "文字"]),
        ("全角 文字全角文字 ab", 6, ["全角", "文字全", "角文字", "ab"]),
        ("■ ┃ □  2 left   or 3", 14, ["■ ┃ □  2 left", "or 3"]),
        ("🧨🧨🧨", 3, ["🧨", "🧨", "🧨"]),
        ("e\u0301e\u0301", 4, ["e\u0301e\u0301"]),
    ],
)
def test_lines_fit_and_hold_everything(text: str, width: int, lines: list[str]) -> None:
    assert folded(text, width) == lines
    assert all(cell_len(line) <= width for line in lines)


def test_indents_stand_before_the_first_line_and_the_others() -> None:
    assert folded("one two three", 10, first="- ", rest="    ") == ["- one two", "    three"]
    assert folded("öne two three", 10, first="- ", rest="    ") == ["- öne two", "    three"]
    assert folded("全角文字全角", 10, first="- ", rest="    ") == ["- 全角文字", "    全角"]


@pytest.mark.parametrize("width", [20, 40, 60, 120])
def test_a_long_label_takes_no_room_from_the_values(width: int) -> None:
    facts = (Fact("cpu", "12 %"), Fact(MOUNT, "91 % full, 3.2 GB free"), Fact("全角", "8"))
    lines = ["".join(span.text for span in line) for line in fact_lines((Section("disk", facts),), width)]
    assert "  cpu   12 %" in lines
    assert "  全角  8" in lines
    assert len(lines) <= 1 + 2 + 1 + 3
    assert all(cell_len(line) <= max(width, 26) for line in lines)
    assert " ".join("".join(lines).split()).count("91 % full,") == 1
