"""The screens, driven by keys over pictures that the real judgement made."""

from __future__ import annotations

import pytest

from hactl.model.picture import Picture
from hactl.tui.app import HactlApp
from hactl.tui.screens.node import NodeScreen
from hactl.tui.widgets.banner import Banner
from hactl.tui.widgets.facts import Facts
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.site_map import SiteMap
from tests.tui.pictures import INVENTORY, Reel, down, picture, up

ONE_IS_GONE = f"{len(INVENTORY.nodes) - 1}/{len(INVENTORY.nodes)}"  # nodes that are up
BLANK = picture(now=0.0)


def screen_text(app: HactlApp) -> str:
    return "\n".join("".join(segment.text for segment in line) for line in app.screen._compositor.render_strips())


def app_with(*pictures: Picture) -> HactlApp:
    return HactlApp(BLANK, lambda: Reel(list(pictures)))


@pytest.mark.parametrize("size", [(80, 24), (200, 60), (40, 10)])
async def test_first_paint_shows_the_inventory_before_any_sample(size: tuple[int, int]) -> None:
    app = HactlApp(BLANK, lambda: Reel([]))
    async with app.run_test(notifications=True, size=size) as pilot:
        await pilot.pause()
        seen = app.screen.query_one(SiteMap).text
        assert all(name in seen for name in INVENTORY.nodes)
        assert "UNKNOWN" in app.screen.query_one(Banner).text  # never OK before it is known


async def test_everything_that_matters_fits_80x24() -> None:
    app = app_with(picture(*up(), *down("db2", "no answer within 5 s")))
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.pause()
        text = screen_text(app)
        for wanted in ("lab", "CRIT", "db2", "no answer within 5 s", "shop", ONE_IS_GONE, "? Help"):
            assert wanted in text, wanted


async def test_a_newer_picture_replaces_the_older_one() -> None:
    app = app_with(picture(*up()), picture(*up(), *down("app1", "connection refused")))
    async with app.run_test(notifications=True, size=(100, 30)) as pilot:
        await pilot.pause()
        assert "connection refused" in screen_text(app)


async def test_nodes_table_filter_and_page() -> None:
    app = app_with(picture(*up()))
    async with app.run_test(notifications=True, size=(120, 30)) as pilot:
        await pilot.press("2")
        await pilot.pause()
        nodes = app.screen.query_one("#nodes", LineTable)
        assert [row.key for row in nodes.shown_rows] == list(INVENTORY.nodes)
        await pilot.press("slash", *"db", "enter", "down", "enter")
        await pilot.pause()
        assert isinstance(app.screen, NodeScreen)
        assert app.screen.node == "db2"
        assert "50 %" in app.screen.query_one(Facts).text  # memory, in words with its unit
        await pilot.press("right")
        assert app.screen.node == "db3"
        await pilot.press("escape")
        await pilot.pause()
        assert [row.key for row in nodes.shown_rows] == ["db1", "db2", "db3"]
        await pilot.press("escape")
        assert len(nodes.shown_rows) == len(INVENTORY.nodes)


async def test_enter_on_a_finding_opens_its_node() -> None:
    app = app_with(picture(*up(), *down("app3", "no route to host")))
    async with app.run_test(notifications=True, size=(100, 30)) as pilot:
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, NodeScreen)
        assert app.screen.node == "app3"


async def test_switching_screens_shows_the_newest_picture_at_once() -> None:
    app = app_with(picture(*up(), *down("lb2", "host key has changed")))
    async with app.run_test(notifications=True, size=(100, 30)) as pilot:
        await pilot.pause()
        await pilot.press("2")
        await pilot.pause()
        assert ONE_IS_GONE in app.screen.query_one(Banner).text


async def test_r_asks_the_source_for_samples_now() -> None:
    reel = Reel([picture(*up())])
    app = HactlApp(BLANK, lambda: reel)
    async with app.run_test(notifications=True) as pilot:
        await pilot.pause()
        await pilot.press("r")
        assert reel.refreshed == [None]


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_leaving_closes_the_source(key: str) -> None:
    reel = Reel([picture(*up())])
    app = HactlApp(BLANK, lambda: reel)
    async with app.run_test(notifications=True) as pilot:
        await pilot.pause()
        await pilot.press(key)
    assert reel.closed
    assert app.return_code == 0


async def test_q_is_a_letter_in_the_filter() -> None:
    app = app_with(picture(*up()))
    async with app.run_test(notifications=True) as pilot:
        await pilot.press("2", "slash", "q")
        await pilot.pause()
        assert app.is_running
        assert app.screen.query_one("#nodes", LineTable).shown_rows == ()


async def test_help_lists_the_keys() -> None:
    app = app_with(picture(*up()))
    async with app.run_test(notifications=True, size=(120, 40)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        assert "Sample now" in screen_text(app)
        await pilot.press("question_mark")
        await pilot.pause()
        assert not app.screen.query("HelpPanel")


class BrokenSource(Reel):
    def watch(self):  # type: ignore[override]  # the engine broke before its first picture
        raise RuntimeError("engine broke")


async def test_a_broken_engine_ends_the_app_loudly() -> None:
    with pytest.raises(Exception, match="engine broke"):
        async with HactlApp(BLANK, lambda: BrokenSource([])).run_test(notifications=True) as pilot:
            await pilot.pause(0.5)


def test_the_real_dashboard_remembers_the_primaries_that_others_have_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the command line does: what is known of a primary that is lost does not depend on who looks."""
    from hactl.control.roles import remembered
    from hactl.tui import start as dashboard

    opened: list[object] = []
    monkeypatch.setattr(HactlApp, "run", lambda self: opened.append(self._open_source()))
    assert dashboard.run(INVENTORY) == 0
    (control,) = opened
    assert isinstance(remembered(INVENTORY), type(control._sightings))  # type: ignore[attr-defined]
