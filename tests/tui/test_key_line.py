"""The line of keys: whole hints only, and the right ones where there is little room."""

from __future__ import annotations

import pytest

from hactl.tui.places import PLACES
from hactl.tui.widgets.key_line import Hint, Key, KeyLine, Rank, fitting
from hactl.tui.widgets.status_line import StatusLine
from tests.tui.acts import Runs
from tests.tui.quick import press, settle
from tests.tui.test_acting import until
from tests.tui.test_shell_keys import app_with


def hint(key: str, does: str, rank: Rank = Rank.HERE) -> Hint:
    return Hint((Key(key, key),), does, rank)


PLACES_HINT = Hint(tuple(Key(one, one) for one in "1234"), "screens", Rank.PLACES, short="1-4")
HINTS = (
    hint("esc", "Back"),
    hint("D", "Drain", Rank.REFUSED),
    hint("S", "Shell"),
    PLACES_HINT,
    hint("?", "Help", Rank.HELP),
    hint("q", "Quit", Rank.EVERYWHERE),
)


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (100, "esc Back  D Drain  S Shell  1 2 3 4 screens  ? Help  q Quit"),
        (60, "esc Back  D Drain  S Shell  1 2 3 4 screens  ? Help  q Quit"),
        (59, "esc Back  S Shell  1 2 3 4 screens  ? Help  q Quit"),
        (50, "esc Back  S Shell  1 2 3 4 screens  ? Help"),
        (42, "esc Back  S Shell  1-4 screens  ? Help"),
        (38, "esc Back  S Shell  ? Help  q Quit"),
        (33, "esc Back  S Shell  ? Help"),
        (20, "esc Back  ? Help"),
        (15, "? Help  q Quit"),
        (14, "? Help"),
        (6, ""),
        (0, ""),
    ],
)
def test_hints_are_whole_and_help_is_the_last_to_go(width: int, shown: str) -> None:
    drawn = "  ".join(f"{' '.join(key.shown for key in keys)} {hint.does}" for hint, keys in fitting(HINTS, width))
    assert drawn == shown
    assert len(drawn) < max(1, width)


@pytest.mark.parametrize("width", [20, 40, 80, 120, 200])
async def test_no_screen_has_half_a_hint_and_each_says_how_to_get_help(width: int) -> None:
    async with app_with(Runs(), read_only=False).run_test(size=(width, 24)) as pilot:
        for keys in (*([place.key] for place in PLACES), ["2", "enter"], ["6", "enter"], ["2", "D"], ["7", "enter"]):
            await press(pilot, *keys)
            line = pilot.app.screen.query_one(KeyLine)
            await until(pilot, lambda line=line: line.text, "keys")
            assert ("f1 Help" if keys == ["7", "enter"] else "? Help") in line.text  # a form takes letters
            assert len(line.text) <= width
            assert all(hint.does in line.text for hint in line.hints)


async def test_keys_are_clicked_one_by_one() -> None:
    async with app_with(Runs(), read_only=False).run_test(size=(120, 30)) as pilot:
        line = pilot.app.screen.query_one(KeyLine)
        await until(pilot, lambda: "1 2 3" in line.text, "keys")
        await pilot.click(line, offset=(line.text.index("screens"), 0))
        assert pilot.app.current_mode == "overview"
        await pilot.click(line, offset=(line.text.index(" 3 ") + 1, 0))
        await until(pilot, lambda: pilot.app.current_mode == "balancers", "balancers")


async def test_its_tooltip_is_that_of_the_key_under_the_mouse() -> None:
    async with app_with(Runs(), read_only=False).run_test(size=(120, 30)) as pilot:
        line = pilot.app.screen.query_one(KeyLine)
        await until(pilot, lambda: "1 2 3" in line.text, "keys")
        await pilot.hover(line, offset=(line.text.index("1 2"), 0))
        assert line.tooltip == "Overview"
        await pilot.hover(line, offset=(line.text.index("Acknow"), 0))
        assert "Say that the finding is known" in str(line.tooltip)
        await pilot.hover(line, offset=(118, 0))
        assert line.tooltip is None


async def test_what_is_refused_is_dim_and_a_click_on_it_does_nothing() -> None:
    runs = Runs()
    async with app_with(runs, read_only=True).run_test(size=(200, 30)) as pilot:
        await press(pilot, "2")
        line = pilot.app.screen.query_one(KeyLine)
        await until(pilot, lambda: "D Drain" in line.text, "keys")
        assert {one.rank for one in line.hints if one.does in {"Drain", "Undrain", "Shell"}} == {Rank.REFUSED}
        await pilot.click(line, offset=(line.text.index("Drain"), 0))
        await settle(pilot)
        assert not runs.asked


@pytest.mark.parametrize(("keys", "filters"), [(["2"], True), (["1"], True), (["2", "D"], False), (["7", "v"], False)])
async def test_the_filter_is_told_of_where_there_is_something_to_filter(keys: list[str], *, filters: bool) -> None:
    async with app_with(Runs(), read_only=False).run_test(size=(100, 30)) as pilot:
        await press(pilot, *keys)
        line = pilot.app.screen.query_one(StatusLine)
        await until(pilot, lambda: ": go to" in line.text, "the way")
        assert ("/ filter" in line.text) is filters
