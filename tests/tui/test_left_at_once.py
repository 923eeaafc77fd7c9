"""A screen that is left while it is still being made: nobody looks for parts of it that are not there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from textual.screen import Screen

from hactl.model.plan import Request
from hactl.tui.screens.form import FormScreen
from hactl.tui.screens.journal import JournalScreen
from hactl.tui.screens.node import NodeScreen
from hactl.tui.screens.plan import PlanScreen
from hactl.tui.screens.playbook import PlaybookScreen
from hactl.tui.screens.report import ReportScreen
from hactl.tui.screens.run import RunScreen
from tests.tui.acts import RUN, Runs
from tests.tui.quick import settle
from tests.tui.test_shell_keys import app_with

RUNS = Runs()
MADE: dict[str, Callable[[], Screen[None]]] = {
    "a node": lambda: NodeScreen("app1"),
    "a journal": lambda: JournalScreen(None, "app1", ""),
    "a plan": lambda: PlanScreen(RUNS, Request("drain")),
    "a run": lambda: RunScreen(RUNS, RUN),
    "a report": lambda: ReportScreen(RUNS, RUN),
    "a form": lambda: FormScreen(RUNS.playbooks()[0]),
    "a playbook": lambda: PlaybookScreen(RUNS.playbooks()[0]),
}


@pytest.mark.parametrize("name", MADE)
async def test_it_goes_without_a_word(name: str) -> None:
    async with app_with(RUNS, read_only=False).run_test(size=(100, 30)) as pilot:
        for turns in (*range(12), 20, 30, 50):  # of the event loop, until it is left
            await settle(pilot, 1)
            pilot.app.push_screen(MADE[name]())
            for _ in range(turns):
                await asyncio.sleep(0)
            pilot.app.pop_screen()
        await settle(pilot)
        assert pilot.app.is_running
        assert len(pilot.app.screen_stack) == 1
