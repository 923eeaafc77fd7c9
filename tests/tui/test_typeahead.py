"""Keys that come in one burst, faster than screens open: each goes to where the one before it has led."""

from __future__ import annotations

import asyncio

import pytest
from textual import events

from hactl.tui.screens.base import BaseScreen
from hactl.tui.typeahead import Handled
from hactl.tui.widgets.line_table import LineTable
from tests.tui.acts import Runs
from tests.tui.quick import settle
from tests.tui.test_acting import until
from tests.tui.test_shell import burst
from tests.tui.test_shell_keys import app_with


@pytest.mark.parametrize(
    ("keys", "screen", "needle"),
    [
        ("2/db", "NodesScreen", "db"),
        ("3/app1", "BalancersScreen", "app1"),
        ("6/dr", "RunsScreen", "dr"),
        ("7/dr", "PlaybooksScreen", "dr"),
        ("2\r3/app", "BalancersScreen", "app"),
        ("2\r\x1b/lb", "NodesScreen", "lb"),
        (":nodes\r/app", "NodesScreen", "app"),
        ("2/db\r\r", "NodeScreen", ""),
        ("2D", "PlanScreen", ""),
        ("2L", "JournalScreen", ""),
        ("7\r", "FormScreen", ""),
        ("1ahe knows", "AckScreen", ""),
        ("21234321", "OverviewScreen", ""),
        ("2\r\x1b\r\x1b\r\x1b6\r", "RunScreen", ""),
    ],
)
async def test_each_key_goes_to_where_the_one_before_it_has_led(keys: str, screen: str, needle: str) -> None:
    runs = Runs()
    async with app_with(runs, read_only=False).run_test(size=(100, 30)) as pilot:
        app = pilot.app
        await until(pilot, lambda: app.screen.query_one("#findings", LineTable).shown_rows, "findings")
        burst(pilot, keys)
        await until(pilot, lambda: type(app.screen).__name__ == screen, screen)
        if needle:
            await until(pilot, lambda: needle in {one.needle for one in app.screen.query(LineTable)}, needle)
        await pilot.pause()
        assert type(app.screen).__name__ == screen
        assert not runs.started


async def test_a_paste_comes_after_the_key_before_it() -> None:
    async with app_with(Runs(), read_only=False).run_test(size=(100, 30)) as pilot:
        burst(pilot, "2/")
        pilot.app.post_message(events.Paste("db2"))
        burst(pilot, "\r")
        await until(pilot, lambda: "db2" in {one.needle for one in pilot.app.screen.query(LineTable)}, "db2")


async def test_no_key_is_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should what follows a key ever get lost on the way."""
    monkeypatch.setattr("hactl.tui.typeahead._LONGEST", 0.05)
    async with app_with(Runs(), read_only=False).run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        monkeypatch.setattr(BaseScreen, "post_message", _lost)
        monkeypatch.setattr(LineTable, "post_message", _lost)
        burst(pilot, "23")
        for _ in range(100):
            await asyncio.sleep(0.02)
            if pilot.app.current_mode == "balancers":
                break
        assert pilot.app.current_mode == "balancers"
        monkeypatch.undo()


def _lost(widget: BaseScreen[None] | LineTable, message: events.Event) -> bool:
    from textual.widget import Widget

    return isinstance(message, Handled) or Widget.post_message(widget, message)
