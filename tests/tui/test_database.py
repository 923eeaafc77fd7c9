"""The database screen: every key of it, and what it says when the primary is gone, over judged pictures."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.pilot import Pilot

from hactl.model.dashboard import Settings
from hactl.model.journal import RunSummary
from hactl.model.picture import Picture
from hactl.model.run import RunState
from hactl.tui.app import HactlApp
from hactl.tui.role_changes import RoleChanges
from hactl.tui.screens.database import DatabaseScreen
from hactl.tui.screens.node import NodeScreen
from hactl.tui.screens.plan import PlanScreen
from tests.model.builders import MIB, NOW, WAL, Cluster, primary
from tests.model.test_role_history import BY_RUN, a_run
from tests.tui.acts import Runs
from tests.tui.pictures import Reel, picture
from tests.tui.test_nodes import at, has

DB = "postgresql:database"
SIZE = (140, 40)


def gone() -> Cluster:
    cluster = Cluster().say("db1", DB, primary(lsn=WAL + MIB), at=NOW - 14).down("db1", reason="no route.")
    for node in ("db2", "db3"):
        cluster.change(node, DB, receiver_status="", primary_host="", follows="db1")
    return cluster


def app_with(shown: Picture, runs: Runs | None = None, *, read_only: bool = False) -> HactlApp:
    doors = runs or Runs()
    settings = Settings(read_only=read_only)
    return HactlApp(picture(now=0.0), lambda: Reel([shown]), lambda: doors, settings=settings)


def told(pilot: Pilot[None]) -> list[str]:
    return [one.message for one in pilot.app._notifications]


async def opened(pilot: Pilot[None]) -> None:
    await pilot.press("4")
    await at(pilot, DatabaseScreen)
    await has(pilot, "db3")


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_the_tree_and_who_could_take_over(size: tuple[int, int]) -> None:
    lagging = Cluster().change("db3", DB, lsn=WAL - MIB, replayed=WAL - 3 * MIB)
    async with app_with(lagging.picture()).run_test(notifications=True, size=size) as pilot:
        await opened(pilot)
        await has(
            pilot, "db1", "└ db2", "takes writes", "streaming", "2 MiB", "who could take over", "1  db2 (east): yes"
        )


async def test_lags_have_bars_where_there_is_room() -> None:
    lagging = Cluster().change("db3", DB, replayed=WAL - 3 * MIB)
    async with app_with(lagging.picture()).run_test(notifications=True, size=SIZE) as pilot:
        await opened(pilot)
        await has(pilot, "█████···    3 MiB", "········      0 B")


async def test_a_primary_that_is_gone() -> None:
    async with app_with(gone().picture()).run_test(notifications=True, size=SIZE) as pilot:
        await opened(pilot)
        await has(
            pilot,
            "? was primary 14s ago",
            "database has no primary in sight",
            "db1 was last seen as primary 14 s ago",
            "db2 had 1 MiB less then",
            "3  db1 (east): no: it cannot be asked: no route",
        )


@pytest.mark.parametrize(
    ("keys", "playbook", "parameters"),
    [
        (("s",), "switchover", {"service": "database"}),
        (("down", "s"), "switchover", {"service": "database", "to": "db2"}),
        (("f",), "failover", {"service": "database"}),
        (("down", "down", "f"), "failover", {"service": "database", "to": "db3"}),
        (("down", "j"), "rejoin", {"service": "database", "server": "db2"}),
    ],
)
async def test_keys_that_act_open_the_plan(keys: tuple[str, ...], playbook: str, parameters: dict[str, str]) -> None:
    runs = Runs()
    async with app_with(Cluster().picture(), runs).run_test(notifications=True, size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press(*keys)
        await at(pilot, PlanScreen)
        asked = runs.asked[-1]
        assert (asked.playbook, asked.parameters, asked.limit) == (playbook, parameters, None)


async def test_the_primary_has_nothing_to_rejoin() -> None:
    runs = Runs()
    async with app_with(Cluster().picture(), runs).run_test(notifications=True, size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("j")
        assert told(pilot) == ["db1 is the primary: there is nothing that it could rejoin."]
        assert isinstance(pilot.app.screen, DatabaseScreen)
        assert not runs.asked


async def test_who_only_looks_cannot_act() -> None:
    runs = Runs()
    async with app_with(Cluster().picture(), runs, read_only=True).run_test(notifications=True, size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("s", "f", "down", "j")
        await pilot.pause()
        assert isinstance(pilot.app.screen, DatabaseScreen)
        assert not runs.asked


async def test_a_server_s_node_is_one_key_away() -> None:
    async with app_with(Cluster().picture()).run_test(notifications=True, size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("down", "enter")
        await at(pilot, NodeScreen)


class Switched(Runs):
    """Somebody has moved the role, and the run may go on to be undone."""

    reads = 0

    def state(self, run: str) -> RunState:
        self.reads += 1
        return a_run()

    def runs(self) -> list[RunSummary]:
        return [replace(one, alive=False, playbook="switchover") for one in super().runs()]


async def test_what_became_of_the_role_and_what_it_cost() -> None:
    async with app_with(Cluster().picture(), Switched()).run_test(size=SIZE) as pilot:
        await opened(pilot)
        await has(pilot, "changes of roles", "db1 -> db2, switchover by anna@laptop, no writes for 1.4 s, nothing lost")


class GoingOn(Switched):
    def runs(self) -> list[RunSummary]:
        return [replace(one, outcome=None) for one in super().runs()]


@pytest.mark.parametrize(("runs", "reads"), [(Switched(), 1), (GoingOn(), 2)])
def test_a_run_that_is_over_is_read_once(runs: Switched, reads: int) -> None:
    changes, listed = RoleChanges(), runs.runs()
    runs.runs = lambda: listed  # type: ignore[method-assign] # what lists it reads it, too
    runs.reads = 0
    assert changes.look(runs) == changes.look(runs) == (BY_RUN,)
    assert runs.reads == reads


async def test_text_from_a_server_is_text() -> None:
    hostile = Cluster().change("db2", DB, primary_host="[@click=app.quit]x[/]")
    async with app_with(hostile.picture()).run_test(notifications=True, size=SIZE) as pilot:
        await opened(pilot)
        await has(pilot, "[@click=app.quit]x[/]")
