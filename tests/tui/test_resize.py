"""A terminal that changes its size is used at once: no picture need come first."""

from __future__ import annotations

from textual.pilot import Pilot

from hactl.model.picture import Picture
from hactl.tui.app import HactlApp
from hactl.tui.screens.node import NodeScreen
from hactl.tui.widgets.facts import Facts
from hactl.tui.widgets.line_table import LineTable
from tests.tui.pictures import Reel, picture
from tests.tui.snapshots import scene_cluster

NARROW, WIDE = (100, 30), (200, 30)


def opened(*pictures: Picture) -> HactlApp:
    return HactlApp(picture(now=0.0), lambda: Reel(list(pictures)))


async def shown(pilot: Pilot[None], size: tuple[int, int]) -> str:
    await pilot.resize_terminal(*size)
    await pilot.pause()
    return "\n".join(strip.text for strip in pilot.app.screen._compositor.render_strips())


async def test_hints_come_and_go_with_the_room_for_them() -> None:
    async with opened(scene_cluster().picture()).run_test(size=NARROW) as pilot:
        await pilot.pause()
        assert "start it; else" not in await shown(pilot, NARROW)
        assert "start it; else" in await shown(pilot, WIDE)
        assert "start it; else" not in await shown(pilot, NARROW)


async def test_columns_come_and_go() -> None:
    async with opened(scene_cluster().picture()).run_test(size=NARROW) as pilot:
        await pilot.press("2")
        table = pilot.app.screen.query_one("#nodes", LineTable)
        narrow = [place.column.key for place in table._arranged.placed]
        await shown(pilot, WIDE)
        assert len(table._arranged.placed) > len(narrow)
        await shown(pilot, NARROW)
        assert [place.column.key for place in table._arranged.placed] == narrow


async def test_what_is_wrapped_leaves_room_for_the_bar_beside_it() -> None:
    async with opened(scene_cluster().picture()).run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.app.push_screen(NodeScreen("db2"))
        for size in (WIDE, (130, 14), (64, 14), WIDE):
            await shown(pilot, size)
            facts = pilot.app.screen.query_one(Facts)
            assert max(map(len, facts.text.splitlines())) <= facts.scrollable_content_region.width
