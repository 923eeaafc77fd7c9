"""The backups screen: every key of it, and what it says of repositories, over judged pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from hactl.config.playbooks import load_playbook
from hactl.drivers.verbs.catalogue import VERBS
from hactl.model.drills import Check, CheckOutcome, Verdict
from hactl.model.playbook import Playbook
from hactl.tui.screens.backups import BackupsScreen
from hactl.tui.screens.drill import DrillScreen
from hactl.tui.screens.form import FormScreen
from hactl.tui.screens.node import NodeScreen
from hactl.tui.screens.plan import PlanScreen
from hactl.tui.screens.run import RunScreen
from hactl.tui.widgets.drill_history import Plots
from tests.model.builders import Cluster, drill, drills, lab, made
from tests.tui.acts import RUN, Runs
from tests.tui.test_database import app_with, told
from tests.tui.test_nodes import at, has, until
from tests.tui.test_screens import screen_text

BACKUPS, DRILL = "pgbackrest:backup", "drill:backup"
SIZE = (140, 40)
WHERE = {"service": "backup", "repository": 1}


async def opened(pilot: Pilot[None], *texts: str) -> None:
    await pilot.press("5")
    await at(pilot, BackupsScreen)
    await has(pilot, "repositories", *texts)


def parameters_of(playbook: str) -> set[str]:
    """What the playbook that ships can be given."""
    return set(load_playbook(playbook, VERBS, env={"HOME": "/nowhere"}).parameters)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_what_there_is(size: tuple[int, int]) -> None:
    async with app_with(Cluster().picture()).run_test(size=size) as pilot:
        await opened(pilot, "2025-full", "2025-diff", "20h", "stands alone", "status: ok", drill().run, "1 m 6 s")


async def test_what_is_wrong_and_what_to_do() -> None:
    lacking = Cluster().change("backup1", BACKUPS, backups=(made("full", 200), made("incr", 2, prior="gone")))
    async with app_with(lacking.picture()).run_test(size=SIZE) as pilot:
        await opened(pilot, "lacks gone", "last full backup 8 d 8 h ago", "> Take a full backup now")


async def test_a_repository_that_nobody_can_ask() -> None:
    async with app_with(Cluster().down("backup1").picture()).run_test(size=SIZE) as pilot:
        await opened(pilot, "no backup", "what it holds is not known: no route")


@pytest.mark.parametrize("size", [(120, 36), (200, 60)])
async def test_how_it_went_from_drill_to_drill(size: tuple[int, int]) -> None:
    tried = Cluster().say("backup1", DRILL, drills(drill(9, rto=40.0, rpo=9.0), drill(2)))
    async with app_with(tried.picture()).run_test(size=size) as pilot:
        await opened(pilot, "from drill to drill", "max 1 m 6 s", "max 9 s", "+64 %", "database 1 GiB")
        plots = pilot.app.screen.query_one(Plots)
        await until(
            pilot, lambda: len(plots.text.splitlines()) == plots.size.height > 4, "graphs as high as there is room"
        )


async def test_a_low_terminal_has_room_for_the_table_alone() -> None:
    async with app_with(Cluster().picture()).run_test(size=(80, 24)) as pilot:
        await opened(pilot, drill().run)
        assert "from drill to drill" not in screen_text(pilot.app)
        assert pilot.app.screen.query_one("#drills").size.height >= 3


async def test_what_is_wrong_with_drills_comes_first() -> None:
    failed = drill(1, verdict=Verdict.FAIL, checks=(Check("orders", CheckOutcome.FAIL, "0 is not > 0"),))
    tried = Cluster().say("backup1", DRILL, drills(drill(2), failed))
    async with app_with(tried.picture()).run_test(size=(80, 24)) as pilot:
        await opened(pilot, "the last drill, 1 d ago, failed: orders: 0 is not > 0", "1 of 1 failed")


async def test_drills_that_nobody_can_tell_of() -> None:
    async with app_with(Cluster().down("backup1").picture()).run_test(size=SIZE) as pilot:
        await opened(pilot, "drills of backup, on backup1: not known: no route", "no drill yet")


async def test_each_services_drills_are_its_own() -> None:
    async with app_with(Cluster().say("backup2", "drill:offsite", drills(records=())).picture()).run_test(
        size=SIZE
    ) as pilot:
        await opened(pilot, drill().run)
        await pilot.press("down")
        await has(pilot, "drills of offsite, on backup2", "no drill yet")


async def test_a_drill_opens_and_is_written_as_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tried = Cluster().say("backup1", DRILL, drills(drill(9, rto=50.0), drill(2, run="20251007-091000-xyz")))
    async with app_with(tried.picture()).run_test(size=SIZE) as pilot:
        await opened(pilot, "20251007-091000-xyz")
        await pilot.press("tab", "tab", "enter")
        await at(pilot, DrillScreen)
        await has(
            pilot, "drill 20251007-091000-xyz of backup", "+31 % against the good drill before", "orders-sound: ok"
        )
        await pilot.press("w")
        page = tmp_path / "20251007-091000-xyz.html"
        await until(pilot, page.exists, "the page")
        await until(pilot, lambda: any("xyz.html" in text for text in told(pilot)), "where it was written to")
        assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
        await pilot.press("r")
        await until(pilot, lambda: any("not in the journal" in text for text in told(pilot)), "why there is no run")
        await pilot.press("escape")
        await at(pilot, BackupsScreen)


async def test_the_run_of_a_drill_is_one_key_away() -> None:
    tried = Cluster().say("backup1", DRILL, drills(drill(2, run=RUN)))
    async with app_with(tried.picture(), Runs()).run_test(size=SIZE) as pilot:
        await opened(pilot, RUN)
        await pilot.press("tab", "tab", "enter")
        await at(pilot, DrillScreen)
        await pilot.press("r")
        await at(pilot, RunScreen)


async def test_where_nobody_may_make_drills_the_key_says_so() -> None:
    inventory = lab()
    bare = {"backup": replace(inventory.services["backup"], drill_user=None)}
    cluster = Cluster(replace(inventory, services={**inventory.services, **bare}))
    runs = Runs()
    async with app_with(cluster.picture(), runs).run_test(size=SIZE) as pilot:
        await opened(pilot, "drills of backup: the inventory names nobody to make them")
        await pilot.press("d")
        await until(pilot, lambda: any("see drill_user" in text for text in told(pilot)), "what is lacking")
        assert not runs.asked


@pytest.mark.parametrize(
    ("key", "playbook", "parameters"),
    [
        ("b", "backup", {"kind": "incr"}),
        ("f", "backup", {"kind": "full"}),
        ("v", "backup-verify", {}),
        ("d", "restore-drill", {}),
    ],
)
async def test_keys_that_act_open_the_plan(key: str, playbook: str, parameters: dict[str, str]) -> None:
    runs = Runs()
    async with app_with(Cluster().picture(), runs).run_test(size=SIZE) as pilot:
        await opened(pilot, "2025-full")
        await pilot.press(key)
        await at(pilot, PlanScreen)
        asked = runs.asked[-1]
        assert (asked.playbook, asked.parameters, asked.limit) == (playbook, WHERE | parameters, None)
        assert asked.parameters.keys() <= parameters_of(playbook)


@pytest.mark.parametrize(("key", "playbook"), [("b", "files-backup"), ("v", "files-verify"), ("d", "files-drill")])
async def test_files_of_a_node_are_acted_on_alone(key: str, playbook: str) -> None:
    runs = Runs()
    async with app_with(Cluster().picture(), runs).run_test(size=SIZE) as pilot:
        await opened(pilot, "uploads")
        await pilot.press("end")
        await has(pilot, "snapshots of uploads on app3")
        await pilot.press("f")
        await until(pilot, lambda: any("is a full one" in text for text in told(pilot)), "that there is one way only")
        await pilot.press(key)
        await at(pilot, PlanScreen)
        asked = runs.asked[-1]
        assert (asked.playbook, asked.parameters, asked.limit) == (playbook, {"service": "uploads"}, "app3")
        assert asked.parameters.keys() <= parameters_of(playbook)


class Restoring(Runs):
    def playbooks(self) -> tuple[Playbook, ...]:
        return (load_playbook("restore", VERBS, env={"HOME": "/nowhere"}),)


@pytest.mark.parametrize(("keys", "backup"), [((), None), (("tab", "down"), "2025-full")])
async def test_a_restore_is_filled_in_from_where_the_cursor_is(keys: tuple[str, ...], backup: str | None) -> None:
    runs = Restoring()
    async with app_with(Cluster().picture(), runs).run_test(size=SIZE) as pilot:
        await opened(pilot, "2025-full")
        await pilot.press(*keys, "R")
        await at(pilot, FormScreen)
        await has(pilot, "Restore the whole database")
        assert getattr(pilot.app.focused, "id", "") == "parameter-to"  # the one that nothing stands in yet
        await pilot.press("d", "ctrl+g")
        await at(pilot, PlanScreen)
        asked = runs.asked[-1]
        given = {"backups": "backup", "repository": "1", "to": "db1"} | ({"backup": backup} if backup else {})
        assert (asked.playbook, asked.parameters) == ("restore", given)


async def test_files_are_restored_by_hand() -> None:
    async with app_with(Cluster().picture(), Restoring()).run_test(size=SIZE) as pilot:
        await opened(pilot, "uploads")
        await pilot.press("end", "R")
        await until(pilot, lambda: any("restic restore" in text for text in told(pilot)), "how")


async def test_who_only_looks_cannot_act() -> None:
    runs = Runs()
    async with app_with(Cluster().picture(), runs, read_only=True).run_test(size=SIZE) as pilot:
        await opened(pilot, "2025-full")
        await pilot.press("b", "f", "v", "d", "R")
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
