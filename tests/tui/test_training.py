"""The exercises on the screen: the list, the story, what is asked and answered; nothing begins where one only looks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.pilot import Pilot

from hactl.control.training import Checked, Played
from hactl.lab.spec import RUN_ROOT, lab_of
from hactl.model.dashboard import Settings
from hactl.model.errors import LabError
from hactl.model.scenario import Hint, Scenario
from hactl.model.scenario_goals import Judgement
from hactl.model.scenario_score import Score, scored
from hactl.model.scenario_story import Mark, Standing, Traffic
from hactl.tui.app import HactlApp
from hactl.tui.goto import destinations
from hactl.tui.screens.training import TrainingScreen
from tests.model.scenarios import played, scenario, won
from tests.tui.acts import Runs
from tests.tui.pictures import INVENTORY, Reel, picture, up
from tests.tui.test_acting import app_with, shows, until


class Fake:
    """Two exercises; one goes on after `start`."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.standing: Standing | None = None

    def scenarios(self) -> tuple[Scenario, ...]:
        return scenario(), scenario(name="second-one", title="Something else", story="It is quiet on {holder}.")

    def best(self) -> dict[str, Score]:
        return {"made-up": scored(won(), Traffic(sent=10))}

    def current(self) -> Played | None:
        return self._played() if self.standing is not None and not self.standing.over else None

    def start(self, name: str | None = None) -> Played:
        self.calls.append(f"start {name}")
        self.standing = played(secret=name is None)
        return self._played()

    def check(self) -> Checked:
        if self.standing is None:
            raise LabError("No exercise goes on in the lab train.")
        return Checked(self.standing, 1, (Judgement(holds=False, sentence="app1 still takes new requests"),))

    def hint(self) -> tuple[int, Hint]:
        return 1, Hint("look around", 5)

    def stop(self) -> Played:
        self.calls.append("stop")
        self.standing = played((9, Mark.ENDED, "stopped", 0))
        return self._played()

    def report(self) -> Played:
        return self._played()

    def _played(self) -> Played:
        standing, traffic = self.standing or won(), Traffic(sent=100, failed=7)
        return Played("id", standing, traffic, scored(standing, traffic) if standing.over else None, watched=True)


async def opened(pilot: Pilot[None], training: Fake) -> None:
    screen = TrainingScreen(training)
    await pilot.app.push_screen(screen)
    await shows(pilot, "made-up", "second-one", "It happens on the primary.")


async def test_one_is_begun_checked_and_given_up() -> None:
    app, training = app_with(Runs()), Fake()
    async with app.run_test(size=(110, 40), notifications=True) as pilot:
        await opened(pilot, training)
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
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, TrainingScreen), "left")


async def test_an_error_is_told_in_its_place() -> None:
    app = app_with(Runs())
    async with app.run_test(size=(110, 40), notifications=True) as pilot:
        await opened(pilot, Fake())
        await pilot.press("c")
        await shows(pilot, "No exercise goes on in the lab train.")


async def test_a_surprise_is_not_told() -> None:
    app = app_with(Runs())
    async with app.run_test(size=(110, 40), notifications=True) as pilot:
        await opened(pilot, Fake())
        await pilot.press("d")
        await shows(pilot, "A surprise", "(a surprise) goes on")


@pytest.mark.parametrize("key", ["b", "d", "h", "x", "enter"])
async def test_who_only_looks_begins_nothing(key: str) -> None:
    settings = Settings(read_only=True)
    app = HactlApp(picture(now=0.0), lambda: Reel([picture(*up())]), Runs, settings=settings)
    async with app.run_test(size=(110, 40), notifications=True) as pilot:
        training = Fake()
        await opened(pilot, training)
        await pilot.press(key)
        await pilot.pause()
        assert training.calls == []


def test_only_a_lab_has_exercises() -> None:
    app = app_with(Runs())
    assert lab_of(str(RUN_ROOT / "train" / "inventory.toml")) == "train"
    assert lab_of("/etc/hactl/inventory.toml") == lab_of("") == ""
    assert isinstance(app, HactlApp)
    lab = replace(INVENTORY, path=str(RUN_ROOT / "train" / "inventory.toml"))
    assert "training" in {one.word for one in destinations(app, lab, ())}
    assert "training" not in {one.word for one in destinations(app, INVENTORY, ())}
