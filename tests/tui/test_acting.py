"""Plans, runs and playbooks on the screen, driven by keys: nothing starts before it was read and confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from hactl.model.events import WishKind
from hactl.tui.app import HactlApp
from hactl.tui.places import PLACES
from hactl.tui.screens.plan import PlanScreen
from hactl.tui.screens.run import RunScreen
from tests.tui.acts import ENDED, RUN, Runs
from tests.tui.pictures import Reel, picture, up
from tests.tui.test_screens import screen_text


def app_with(runs: Runs) -> HactlApp:
    return HactlApp(picture(now=0.0), lambda: Reel([picture(*up())]), lambda: runs)


async def until(pilot: Pilot[None], true: Callable[[], object], what: str) -> None:
    for _ in range(200):
        await pilot.pause()
        if true():
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"not on the screen: {what}\n{screen_text(pilot.app)}")  # type: ignore[arg-type] # it is ours


async def shows(pilot: Pilot[None], *texts: str) -> None:
    app = pilot.app
    assert isinstance(app, HactlApp)
    await until(pilot, lambda: all(text in screen_text(app) for text in texts), f"{texts}")


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_a_drain_is_planned_read_confirmed_and_followed(size: tuple[int, int]) -> None:
    runs = Runs()
    async with app_with(runs).run_test(notifications=True, size=size) as pilot:
        await pilot.press("2", "down", "down", "D")
        await shows(pilot, "plan 3f2a9c")
        assert runs.asked[0].playbook == "drain"
        assert runs.asked[0].limit == "app1"
        assert not runs.started
        await shows(pilot, "weakest moment", "plan 3f2a9c: 4 steps", "y carries it out")
        await pilot.press("y")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the run")
        assert [plan.digest for plan in runs.started] == ["3f2a9c" * 10]
        await shows(pilot, "1 of 4 steps", "shop 2/3", "20 requests, 1 failed")


async def test_leaving_a_plan_starts_nothing() -> None:
    runs = Runs()
    async with app_with(runs).run_test(notifications=True, size=(100, 30)) as pilot:
        await pilot.press("2", "U")
        await shows(pilot, "plan 3f2a9c")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, PlanScreen), "the nodes again")
        assert not runs.started


async def test_a_refused_plan_cannot_be_carried_out_until_a_reason_sets_the_guard_aside() -> None:
    runs = Runs(refused=True)
    async with app_with(runs).run_test(notifications=True, size=(120, 40)) as pilot:
        await pilot.press("2", "D")
        await shows(pilot, "Refused", "--override minimum-available")
        await pilot.press("y")
        await pilot.pause()
        assert not runs.started
        await pilot.press("o", *"exercise", "enter")
        await until(pilot, lambda: len(runs.asked) == 2, "planned again")
        assert runs.asked[1].overrides == {"minimum-available"}
        assert runs.asked[1].reason == "exercise"
        await shows(pilot, "waived")
        await pilot.press("y")
        await until(pilot, lambda: runs.started, "started")


async def test_what_cannot_be_undone_has_to_be_typed() -> None:
    runs = Runs(irreversible=True)
    async with app_with(runs).run_test(notifications=True, size=(120, 40)) as pilot:
        await pilot.press("2", "D")
        await shows(pilot, "plan 3f2a9c")
        await pilot.press("y", *"no", "enter")
        await pilot.pause()
        assert not runs.started
        await pilot.press("backspace", "backspace", *"lab", "enter")
        await until(pilot, lambda: runs.started, "started")


async def test_wishes_and_the_way_back() -> None:
    runs = Runs()
    async with app_with(runs).run_test(notifications=True, size=(120, 40)) as pilot:
        await pilot.press("6")
        await shows(pilot, RUN, "going on")
        await pilot.press("enter")
        await shows(pilot, "run 20261121")
        await shows(pilot, "set server be_shop/app1 state drain", "7 sessions left")
        await pilot.press("p", "x")
        await pilot.click("#stop")
        await until(pilot, lambda: len(runs.wishes) == 3, "three wishes")
        assert runs.wishes == [WishKind.PAUSE, WishKind.STOP, WishKind.STOP]
        await pilot.press("escape")
        await shows(pilot, RUN)


async def test_an_undo_is_asked_for_with_what_it_would_put_back() -> None:
    runs = Runs()
    async with app_with(runs).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("6", "enter")
        await shows(pilot, "1 of 4 steps")
        await pilot.press("u")
        await shows(pilot, "the last step first", "1  drain app1", "y puts it back")
        await pilot.press("escape", "u", "n")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the run again")
        assert not runs.again
        await pilot.press("u", "y")
        await until(pilot, lambda: runs.again == [f"undo {RUN}"], "undone")


async def test_a_run_whose_runner_is_gone_can_be_resumed_or_undone() -> None:
    runs = Runs(gone=True)
    async with app_with(runs).run_test(notifications=True, size=(120, 40)) as pilot:
        await pilot.press("6", "enter")
        await shows(pilot, "unfinished", "hactl runs resume")
        await pilot.press("x", "R", "u", "y")
        await until(pilot, lambda: runs.again, "asked")
        assert not runs.wishes
        assert set(runs.again) <= {f"resume {RUN}", f"undo {RUN}"}


async def test_what_is_done_is_done_to_the_marked_nodes() -> None:
    runs = Runs()
    async with app_with(runs).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("2", "down", "down", "space", "space")
        await shows(pilot, "2 marked", "* app1", "* app2")
        await pilot.press("D")
        await shows(pilot, "plan 3f2a9c")
        assert runs.asked[-1].limit == "app1,app2"
        await pilot.press("escape", "escape", "U")
        await until(pilot, lambda: len(runs.asked) == 2, "planned again")
        assert runs.asked[-1].limit == "app3"  # no marks: the node under the cursor


async def test_a_run_is_told_of_on_every_screen_while_it_goes_on() -> None:
    runs = Runs()
    app = HactlApp(picture(now=0.0), lambda: Reel([picture(*up())]), lambda: runs, runs.runs)
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        for key in (place.key for place in PLACES):
            await pilot.press(key)
            await shows(pilot, "▶ drain 1/4")
        runs.gone = True
        await shows(pilot, "▲ drain unfinished")


async def test_the_end_shows_its_proof() -> None:
    async with app_with(Runs(events=ENDED)).run_test(notifications=True, size=(140, 45)) as pilot:
        await pilot.press("6", "enter")
        await shows(pilot, "app1 and app2 are out", "never fewer than 2 of 3")


async def test_text_from_a_node_is_text() -> None:
    async with app_with(Runs()).run_test(notifications=True, size=(140, 45)) as pilot:
        await pilot.press("6", "enter")
        await shows(pilot, "[@click=app.quit]")


async def test_a_playbook_is_filled_in() -> None:
    runs = Runs()
    async with app_with(runs).run_test(notifications=True, size=(120, 40)) as pilot:
        await pilot.press("7")
        await shows(pilot, "Take a node out")
        await pilot.press("enter")
        await shows(pilot, "how long sessions may take")
        await pilot.press("down", "down", *"90s", "ctrl+g")
        await until(pilot, lambda: runs.asked, "planned")
        assert runs.asked[0].parameters == {"timeout": "90s"}


async def test_what_a_run_has_changed_is_asked_as_soon_as_it_has_ended() -> None:
    runs, source = Runs(), Reel([picture(*up())])
    under_way = runs.runs()
    app = HactlApp(picture(now=0.0), lambda: source, lambda: runs, lambda: tuple(under_way))
    async with app.run_test(size=(120, 30)) as pilot:
        await shows(pilot, "▶ drain")
        assert source.refreshed == []
        under_way.clear()
        await until(pilot, lambda: source.refreshed == [None], "everybody is asked")
