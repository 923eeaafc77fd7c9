"""How the dashboard looks: each theme is whole from the first paint on, everywhere; nothing is lost without colours."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.color import Color
from textual.pilot import Pilot
from textual.strip import Strip

from hactl.model.dashboard import THEMES
from hactl.tui.screens.node import NodeScreen
from hactl.tui.themes import Memory
from tests.tui.pictures import down, picture, up
from tests.tui.quick import settle
from tests.tui.test_shell import at, dashboard, line, shows, until

TROUBLE = picture(*up(), *down("db1", "connection refused"))
PLACES = (("1", "findings"), ("2", "nodes"))
SIZE = (100, 30)


async def drawn(pilot: Pilot[None], key: str, table: str) -> list[list[tuple[str, str]]]:
    """A place as it is on the screen: text and style of all its pieces."""
    await at(pilot, key, table)
    await shows(pilot, "db1")
    await settle(pilot)
    return [[(piece.text, str(piece.style)) for piece in strip] for strip in strips(pilot)]


def strips(pilot: Pilot[None]) -> list[Strip]:
    return pilot.app.screen._compositor.render_strips()  # as the driver gets them


@pytest.mark.parametrize("theme", THEMES)
async def test_a_theme_looks_the_same_whenever_it_is_chosen(theme: str, tmp_path: Path) -> None:
    """At the start, or later: on the screen that is looked at, on one that was seen before, on one that was not."""
    memory = Memory(tmp_path / "dashboard.json")
    assert not memory.keep(theme)
    async with dashboard(TROUBLE, memory=memory).run_test(size=SIZE) as pilot:
        begun = [await drawn(pilot, *place) for place in PLACES]
    for seen in (PLACES[:1], PLACES):
        async with dashboard(TROUBLE).run_test(size=SIZE) as pilot:
            for place in seen:
                await drawn(pilot, *place)
            pilot.app.theme = theme
            assert [await drawn(pilot, *place) for place in PLACES] == begun


async def test_themes_differ(tmp_path: Path) -> None:
    found = []
    for theme in THEMES:
        memory = Memory(tmp_path / theme)
        memory.keep(theme)
        async with dashboard(TROUBLE, memory=memory).run_test(size=SIZE) as pilot:
            found.append(await drawn(pilot, *PLACES[0]))
            assert memory.recall() == theme
    texts = [[[text for text, _ in row] for row in one] for one in found]
    assert ["".join(map("".join, text)) for text in texts] == ["".join(map("".join, texts[0]))] * len(THEMES)
    assert all(one != other for one, other in zip(found, [*found[1:], found[0]], strict=True))


@pytest.mark.parametrize("theme", THEMES)
async def test_without_colours_everything_is_told(theme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    memory = Memory(tmp_path / "dashboard.json")
    memory.keep(theme)
    async with dashboard(TROUBLE, memory=memory).run_test(size=SIZE) as pilot:
        for place in PLACES:
            await drawn(pilot, *place)
            assert all(grey(colour) for strip in strips(pilot) for piece in strip for colour in colours(piece.style))
        await shows(pilot, "CRIT", "✖ 1 crit", "unknown")


def colours(style: object) -> list[Color]:
    found = (getattr(style, "color", None), getattr(style, "bgcolor", None))
    return [colour for colour in found if isinstance(colour, Color)]


def grey(colour: Color) -> bool:
    red, green, blue = colour.get_truecolor()
    return red == green == blue


async def test_a_click_on_the_way_leads_back_over_several_screens() -> None:
    """On the place all that was opened there is closed, as on the cluster; where one is, nothing happens."""
    async with dashboard().run_test(notifications=True, size=SIZE) as pilot:
        for step, depth in (("nodes", 1), ("lab", 1), ("lb1", 2), ("plan", 3)):
            await pilot.press("2")
            await at(pilot, "2", "nodes")
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(pilot.app.screen, NodeScreen), "a node")
            await pilot.press("D")
            await shows(pilot, "lab > nodes > lb1 > plan drain", "plan 3f2a9c")
            await pilot.click("#status", offset=(line(pilot).index(step) + 1, 0))
            await settle(pilot)
            await until(pilot, lambda depth=depth: len(pilot.app.screen_stack) == depth, f"{step}: {depth} screens")
            pilot.app.go_back(1)  # type: ignore[attr-defined] # it is ours


async def test_a_click_on_what_is_left_of_a_long_way_leads_there() -> None:
    async with dashboard().run_test(notifications=True, size=(28, 20)) as pilot:
        await at(pilot, "2", "nodes")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, NodeScreen), "a node")
        await pilot.press("D")
        await until(pilot, lambda: "… " in line(pilot) and "plan drain" in line(pilot), "a way that is cut")
        await pilot.click("#status", offset=(line(pilot).index("lb1") + 1, 0))
        await until(pilot, lambda: len(pilot.app.screen_stack) == 2, "the node again")


async def test_help_has_no_key_without_a_name_of_ours() -> None:
    async with dashboard().run_test(size=SIZE) as pilot:
        for key in "1234567":
            await pilot.press(key)
            await settle(pilot)
            told = [one.binding for one in pilot.app.screen.active_bindings.values() if not one.binding.system]
            assert {one.description for one in told if one.id is None} <= {"palette"}, key
