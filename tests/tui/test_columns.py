"""Columns that the settings choose: every table has them, by the names that `hactl config columns` lists."""

from __future__ import annotations

from hactl.model.dashboard import ColumnChoice, Settings
from hactl.tui.app import HactlApp
from hactl.tui.names import known
from hactl.tui.places import PLACES
from hactl.tui.widgets.line_table import LineTable
from tests.model.builders import Cluster
from tests.tui.acts import Runs
from tests.tui.exercises import exercising, seen_at
from tests.tui.pictures import Reel
from tests.tui.test_acting import shows
from tests.tui.test_screens import screen_text


def app_with(settings: Settings | None = None) -> HactlApp:
    seen = seen_at(Cluster().picture())
    return HactlApp(seen, lambda: Reel([seen]), Runs, settings=settings)


async def test_every_table_of_a_place_has_columns_to_choose() -> None:
    listed, found = known().columns, dict[str, set[str]]()
    with exercising():
        async with app_with().run_test(size=(200, 60)) as pilot:
            for key in (*(place.key for place in PLACES), "8"):
                await pilot.press(key)
                await pilot.pause()
                for table in pilot.app.screen.query(LineTable):
                    columns = {column.key for column in table._arranged.table.columns}
                    found[table.id or ""] = {key for key in columns if not key.startswith("on:")}
    assert found.keys() == listed.keys() - {"units"}  # on a node's page
    assert all(columns <= set(listed[table]) for table, columns in found.items())


async def test_what_is_hidden_is_away() -> None:
    settings = Settings(columns={"balancers": ColumnChoice(hide=("same",)), "backups": ColumnChoice(hide=("wal",))})
    async with app_with(settings).run_test(size=(200, 60)) as pilot:
        await pilot.press("3")
        await shows(pilot, "last check")
        assert "agree" not in screen_text(pilot.app)
        await pilot.press("5")
        await shows(pilot, "stands alone")
        assert "needs wal" not in screen_text(pilot.app)
