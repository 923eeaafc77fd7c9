"""The exercises on the screen: the list, the story, what is asked and answered; nothing begins where one only looks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual.pilot import Pilot

from hactl.lab.spec import lab_of
from hactl.model.dashboard import Settings
from hactl.tui.app import HactlApp
from tests.tui.acts import Runs
from tests.tui.exercises import LAB, PATH, Fake, exercising, seen_at
from tests.tui.pictures import INVENTORY, Reel, picture, up
from tests.tui.test_acting import shows


@pytest.fixture
def training() -> Iterator[Fake]:
    with exercising() as fake:
        yield fake


def over(path: str, settings: Settings | None = None) -> HactlApp:
    """The dashboard over the cluster with this inventory."""
    seen = seen_at(picture(*up()), path)
    return HactlApp(seen, lambda: Reel([seen]), Runs, settings=settings)


async def opened(pilot: Pilot[None]) -> None:
    await pilot.press("8")
    await shows(pilot, "made-up", "second-one", "It happens on the primary.", "lab > training")


async def test_one_is_begun_checked_and_given_up(training: Fake) -> None:
    async with over(PATH).run_test(size=(110, 40), notifications=True) as pilot:
        await opened(pilot)
        await pilot.press("down")
        await shows(pilot, "It is quiet on the holder.")
        await pilot.press("b")
        await shows(pilot, "It happens on db1.", "goes on, 7 requests failed")
        await pilot.press("c")
        await shows(pilot, "app1 still takes new requests")
        await pilot.press("h")
        await shows(pilot, "Hint 1 (5 points): look around")
        await pilot.press("x")
        await shows(pilot, "stopped before the goal was reached")
        assert training.calls == ["start second-one", "stop"]
        await pilot.press("v")
        await shows(pilot, "what happened", "7 failed")


@pytest.mark.usefixtures("training")
async def test_an_error_is_told_in_its_place() -> None:
    async with over(PATH).run_test(size=(110, 40), notifications=True) as pilot:
        await opened(pilot)
        await pilot.press("c")
        await shows(pilot, "No exercise goes on in the lab train.")


@pytest.mark.usefixtures("training")
async def test_a_surprise_is_not_told() -> None:
    async with over(PATH).run_test(size=(110, 40), notifications=True) as pilot:
        await opened(pilot)
        await pilot.press("d")
        await shows(pilot, "A surprise", "(a surprise) goes on")


@pytest.mark.parametrize("key", ["b", "d", "h", "x", "enter"])
async def test_who_only_looks_begins_nothing(key: str, training: Fake) -> None:
    async with over(PATH, Settings(read_only=True)).run_test(size=(110, 40), notifications=True) as pilot:
        await opened(pilot)
        await pilot.press(key)
        await pilot.pause()
        assert training.calls == []


@pytest.mark.usefixtures("training")
async def test_the_way_there_and_back() -> None:
    async with over(PATH).run_test(size=(110, 40)) as pilot:
        await shows(pilot, "7 8 screens")
        await pilot.press("2", *":trai", "enter")
        await shows(pilot, "lab > training", "made-up")
        await pilot.press("2")
        await shows(pilot, "lab > nodes")
        await pilot.press("8", "1")
        await shows(pilot, "lab > overview")


async def test_only_a_lab_has_exercises() -> None:
    assert lab_of(PATH) == LAB
    assert lab_of("/etc/hactl/inventory.toml") == lab_of("") == ""
    for path in ("/etc/hactl/inventory.toml", INVENTORY.path):
        async with over(path).run_test(size=(110, 40)) as pilot:
            await shows(pilot, "6 7 screens")
            await pilot.press("8", *":training", "enter")
            await shows(pilot, "Nothing here is called")
            await pilot.press("escape")
            await shows(pilot, "lab > overview")
