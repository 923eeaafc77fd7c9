"""The exercises of a lab that seems to run, for the dashboard's tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest import mock

from hactl.control.training import Checked, Played
from hactl.lab.spec import RUN_ROOT
from hactl.model.errors import LabError
from hactl.model.picture import Picture
from hactl.model.scenario import Hint, Scenario
from hactl.model.scenario_goals import Judgement
from hactl.model.scenario_score import Score, scored
from hactl.model.scenario_story import Mark, Standing, Traffic
from tests.model.scenarios import played, scenario, won

LAB = "train"
PATH = str(RUN_ROOT / LAB / "inventory.toml")


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


@contextmanager
def exercising() -> Iterator[Fake]:
    """Whoever opens the exercises of the lab gets these."""
    fake = Fake()
    with (
        mock.patch("hactl.lab.Lab", lambda name: name),
        mock.patch("hactl.control.training.Training", lambda lab: {LAB: fake}[lab]),
    ):
        yield fake


def seen_at(picture: Picture, path: str = PATH) -> Picture:
    """As if its inventory stood there: as the lab's own does."""
    return replace(picture, state=replace(picture.state, inventory=replace(picture.state.inventory, path=path)))
