"""Rows that nobody sees may wait; whoever comes to look, sorts or filters sees the newest picture."""

from __future__ import annotations

import pytest

from hactl.model.picture import Picture
from hactl.model.state import Sample
from hactl.tui.app import HactlApp
from hactl.tui.messages import PictureArrived
from hactl.tui.widgets.line_table import LineTable
from tests.tui.pictures import INVENTORY, Reel, host, picture, up

LAST = list(INVENTORY.nodes)[-1]
LOW = (80, 9)
DOWN = ["down"] * (len(INVENTORY.nodes) - 1)


def loaded(*loads: float) -> Picture:
    """Everybody answers once a second, with these loads."""
    samples = [
        Sample(node, "host", 2.0 + at, 2.0, host(load1=load))
        for at, load in enumerate(loads)
        for node in INVENTORY.nodes
    ]
    return picture(*up(), *samples, now=2.0 + len(loads))


@pytest.mark.parametrize(
    "keys",
    [["G"], ["pagedown", "pagedown", "pagedown"], DOWN, ["s"], ["slash", *LAST]],
)
async def test_what_comes_into_sight_is_as_new_as_the_picture(keys: list[str]) -> None:
    app = HactlApp(loaded(), lambda: Reel([loaded(0.25)]))
    async with app.run_test(size=LOW) as pilot:
        await pilot.press("2")
        await pilot.pause()
        app.post_message(PictureArrived(loaded(0.25, 0.75)))
        await pilot.pause()
        table = app.screen.query_one("#nodes", LineTable)
        assert table.looked_at is not None
        assert LAST not in table.looked_at
        await pilot.press(*keys)
        await pilot.pause()
        shown = "\n".join(strip.text for strip in app.screen._compositor.render_strips())
        assert LAST in shown
        assert "0.75" in shown
        assert "0.25" not in shown
