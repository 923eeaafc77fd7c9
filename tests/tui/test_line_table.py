"""The table: what it draws again, and what stays under the cursor."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region

from hactl.model.findings import Level
from hactl.tui.widgets.line_table import LineTable
from hactl.view.tables import Cell, Column, Row, Table

COLUMNS = (Column("name", "name"), Column("size", "size", align="right"), Column("says", "says", minimum=4, grow=True))


def table(*rows: tuple[str, float | None, str]) -> Table:
    return Table(COLUMNS, tuple(Row(name, (Cell(name), amount(size), Cell(says))) for name, size, says in rows))


def amount(size: float | None) -> Cell:
    return Cell("?", unknown=True) if size is None else Cell(f"{size:g}", Level.WARN if size > 50 else None, sort=size)


THREE = table(("bravo", 9, "two"), ("alpha", 100, "one"), ("charlie", None, "three"))


class Stage(App[None]):
    def compose(self) -> ComposeResult:
        yield LineTable(empty="nothing here")


def names(shown: LineTable) -> list[str]:
    return [row.key for row in shown.shown_rows]


def text(shown: LineTable) -> list[str]:
    return [shown.render_line(y).text.rstrip() for y in range(shown.size.height)]


async def test_empty_table_says_so() -> None:
    async with Stage().run_test(notifications=True, size=(40, 6)) as pilot:
        shown = pilot.app.query_one(LineTable)
        shown.show(table())
        await pilot.pause()
        assert "nothing here" in text(shown)[1]
        await pilot.press("down", "enter", "end")  # nothing to move to, nothing to open
        assert shown.cursor_key is None


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        ([], ["bravo", "alpha", "charlie"]),
        (["s"], ["alpha", "bravo", "charlie"]),
        (["s", "s"], ["bravo", "alpha", "charlie"]),
        (["s", "s", "I"], ["alpha", "bravo", "charlie"]),  # unknown stays last either way
        (["s", "s", "s", "s"], ["bravo", "alpha", "charlie"]),  # back to the view's own order
    ],
)
async def test_sorting(keys: Sequence[str], order: list[str]) -> None:
    async with Stage().run_test(notifications=True, size=(40, 8)) as pilot:
        shown = pilot.app.query_one(LineTable)
        shown.show(THREE)
        await pilot.press(*keys)
        assert names(shown) == order


@pytest.mark.parametrize(
    ("needle", "left"),
    [
        ("", ["bravo", "alpha", "charlie"]),
        ("ALP", ["alpha"]),
        ("!alp", ["bravo", "charlie"]),
        ("t", ["bravo", "charlie"]),
    ],
)
async def test_filter(needle: str, left: list[str]) -> None:
    async with Stage().run_test(notifications=True, size=(40, 8)) as pilot:
        shown = pilot.app.query_one(LineTable)
        shown.show(THREE)
        shown.filter(needle)
        assert names(shown) == left


async def test_cursor_stays_on_its_row() -> None:
    async with Stage().run_test(notifications=True, size=(40, 8)) as pilot:
        shown = pilot.app.query_one(LineTable)
        shown.show(THREE)
        await pilot.press("down")
        assert shown.cursor_key == "alpha"
        shown.show(table(("zulu", 1, "new"), ("bravo", 9, "two"), ("delta", 2, "new"), ("alpha", 1, "one")))
        assert shown.cursor_key == "alpha"
        await pilot.press("s")
        assert shown.cursor_key == "alpha"
        shown.show(table(("bravo", 9, "two")))
        assert shown.cursor_key == "bravo"


async def test_only_changed_lines_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage().run_test(notifications=True, size=(40, 8)) as pilot:
        shown = pilot.app.query_one(LineTable)
        shown.show(THREE)
        await pilot.pause()
        drawn: list[Region] = []
        refresh = shown.refresh
        monkeypatch.setattr(
            shown, "refresh", lambda *regions, **more: drawn.extend(regions) or refresh(*regions, **more)
        )
        shown.show(table(("bravo", 9, "two"), ("alpha", 99, "one"), ("charlie", None, "three")))
        assert [region.y for region in drawn if region.height == 1] == [2]


async def test_scrolls_with_the_cursor_under_a_fixed_header() -> None:
    many = table(*((f"row{number:03}", number, "x") for number in range(100)))
    async with Stage().run_test(notifications=True, size=(40, 10)) as pilot:
        shown = pilot.app.query_one(LineTable)
        shown.show(many)
        await pilot.pause()
        await pilot.press("end")
        await pilot.pause()
        lines = text(shown)
        assert lines[0].startswith("name")
        assert shown.cursor_key == "row099"
        assert any(line.startswith("row099") for line in lines)
        await pilot.press("home")
        await pilot.pause()
        assert text(shown)[1].startswith("row000")


async def test_click_on_a_heading_sorts_and_on_a_row_selects() -> None:
    async with Stage().run_test(notifications=True, size=(40, 8)) as pilot:
        shown = pilot.app.query_one(LineTable)
        shown.show(THREE)
        await pilot.pause()
        await pilot.click(LineTable, offset=(1, 0))
        assert names(shown) == ["alpha", "bravo", "charlie"]
        await pilot.click(LineTable, offset=(1, 0))
        assert names(shown) == ["charlie", "bravo", "alpha"]
        await pilot.click(LineTable, offset=(2, 3))
        assert shown.cursor_key == "alpha"


@pytest.mark.parametrize(
    "hostile", ["[@click=app.exit]x[/]", "[/dev/sda1] [bold", "a" * 500, "日本語" * 40, "\U0001f600"]
)
async def test_any_text_is_drawn_as_text(hostile: str) -> None:
    async with Stage().run_test(notifications=True, size=(40, 6)) as pilot:
        shown = pilot.app.query_one(LineTable)
        shown.show(table((hostile, 1, hostile)))
        await pilot.pause()
        strip = shown.render_line(1)
        assert strip.cell_length == shown.size.width
        assert not any(segment.style and segment.style.meta.get("@click") for segment in strip)


# --- what is under the cursor stays in sight ---


def rows(*names: str) -> Table:
    return table(*((name, 1, "said") for name in names))


@pytest.mark.parametrize(
    ("at", "after"),
    [
        (0, "bcdefgha"),  # acknowledged: it moves to the end
        (0, "bcdefghijklma"),  # and others have come
        (7, "abcdefgxyzh"),
        (7, "habcdefg"),
        (4, "fghabcde"),
    ],
)
async def test_the_row_under_the_cursor_stays_in_sight(at: int, after: str) -> None:
    async with Stage().run_test(size=(40, 6)) as pilot:
        shown = pilot.app.query_one(LineTable)
        shown.show(rows(*"abcdefgh"))
        await pilot.pause()
        shown.cursor = at
        await pilot.pause()
        key = shown.cursor_key
        assert key is not None
        shown.show(rows(*after))
        await pilot.pause()
        assert shown.cursor_key == key
        assert any(line.startswith(key) for line in text(shown)[1:]), text(shown)


async def test_where_the_operator_has_scrolled_to_stays_while_the_cursor_is_elsewhere() -> None:
    async with Stage().run_test(size=(40, 6)) as pilot:
        shown = pilot.app.query_one(LineTable)
        shown.show(rows(*"abcdefgh"))
        await pilot.pause()
        shown.scroll_to(y=3, animate=False)
        await pilot.pause()
        shown.show(rows(*"abcdefghi"))
        await pilot.pause()
        assert text(shown)[1].startswith("d")


async def test_a_smaller_terminal_keeps_the_cursor_in_sight() -> None:
    async with Stage().run_test(size=(40, 9)) as pilot:
        shown = pilot.app.query_one(LineTable)
        shown.show(rows(*"abcdefgh"))
        await pilot.press("end")
        await pilot.resize_terminal(40, 4)
        await pilot.pause()
        assert any(line.startswith("h") for line in text(shown)), text(shown)
