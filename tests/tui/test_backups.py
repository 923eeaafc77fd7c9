"""The backups screen: every key of it, and what it says of repositories, over judged pictures."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from hactl.tui.screens.backups import BackupsScreen
from hactl.tui.screens.node import NodeScreen
from hactl.tui.screens.plan import PlanScreen
from tests.model.builders import Cluster, made
from tests.tui.acts import Runs
from tests.tui.test_database import app_with
from tests.tui.test_nodes import at, has

BACKUPS = "pgbackrest:backup"
SIZE = (140, 40)
WHERE = {"service": "backup", "repository": 1}


async def opened(pilot: Pilot[None], *texts: str) -> None:
    await pilot.press("5")
    await at(pilot, BackupsScreen)
    await has(pilot, "repositories", *texts)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_what_there_is(size: tuple[int, int]) -> None:
    async with app_with(Cluster().picture()).run_test(size=size) as pilot:
        await opened(pilot, "2025-full", "2025-diff", "20h", "stands alone", "policy: a full backup every 8 d")


async def test_what_is_wrong_and_what_to_do() -> None:
    lacking = Cluster().change("backup1", BACKUPS, backups=(made("full", 200), made("incr", 2, prior="gone")))
    async with app_with(lacking.picture()).run_test(size=SIZE) as pilot:
        await opened(pilot, "lacks gone", "last full backup 8 d 8 h ago", "> Take a full backup now")


async def test_a_repository_that_nobody_can_ask() -> None:
    async with app_with(Cluster().down("backup1").picture()).run_test(size=SIZE) as pilot:
        await opened(pilot, "no backup", "what it holds is not known: no route")


@pytest.mark.parametrize(
    ("key", "playbook", "parameters"),
    [("b", "backup", {"kind": "incr"}), ("f", "backup", {"kind": "full"}), ("v", "backup-verify", {})],
)
async def test_keys_that_act_open_the_plan(key: str, playbook: str, parameters: dict[str, str]) -> None:
    runs = Runs()
    async with app_with(Cluster().picture(), runs).run_test(size=SIZE) as pilot:
        await opened(pilot, "2025-full")
        await pilot.press(key)
        await at(pilot, PlanScreen)
        asked = runs.asked[-1]
        assert (asked.playbook, asked.parameters, asked.limit) == (playbook, WHERE | parameters, None)


async def test_who_only_looks_cannot_act() -> None:
    runs = Runs()
    async with app_with(Cluster().picture(), runs, read_only=True).run_test(size=SIZE) as pilot:
        await opened(pilot, "2025-full")
        await pilot.press("b", "f", "v")
        await pilot.pause()
        assert isinstance(pilot.app.screen, BackupsScreen)
        assert not runs.asked


@pytest.mark.parametrize("keys", [("enter",), ("tab", "enter")])
async def test_the_repositorys_node_is_one_key_away(keys: tuple[str, ...]) -> None:
    async with app_with(Cluster().picture()).run_test(size=SIZE) as pilot:
        await opened(pilot, "2025-full")
        await pilot.press(*keys)
        await at(pilot, NodeScreen)


async def test_text_from_a_repository_is_text() -> None:
    hostile = Cluster().change("backup1", BACKUPS, backups=(made("full", 20, label="[@click=app.quit]x[/]"),))
    async with app_with(hostile.picture()).run_test(size=SIZE) as pilot:
        await opened(pilot, "[@click=app.quit]x[/]")
