"""The dashboard's places: every screen that has a name and a key of its own, in the order of the keys.

Modes, the footer, the palette and whatever goes to a screen by name read this one table. A place's screen is made (and
its module loaded) when it is first gone to: the first paint waits for none but the overview.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.screen import Screen

from hactl.tui.house import House
from hactl.tui.screens.overview import OverviewScreen


@dataclass(frozen=True, slots=True)
class Place:
    name: str
    title: str
    key: str
    make: Callable[[House], Screen[None]]


def _overview(_house: House) -> Screen[None]:
    return OverviewScreen()


def _nodes(_house: House) -> Screen[None]:
    from hactl.tui.screens.nodes import NodesScreen  # noqa: PLC0415 - see above

    return NodesScreen()


def _balancers(_house: House) -> Screen[None]:
    from hactl.tui.screens.balancers import BalancersScreen  # noqa: PLC0415 - see above

    return BalancersScreen()


def _database(_house: House) -> Screen[None]:
    from hactl.tui.screens.database import DatabaseScreen  # noqa: PLC0415 - see above

    return DatabaseScreen()


def _backups(_house: House) -> Screen[None]:
    from hactl.tui.screens.backups import BackupsScreen  # noqa: PLC0415 - see above

    return BackupsScreen()


def _runs(house: House) -> Screen[None]:
    from hactl.tui.screens.runs import RunsScreen  # noqa: PLC0415 - see above

    return RunsScreen(house.runs)


def _playbooks(house: House) -> Screen[None]:
    from hactl.tui.screens.playbooks import PlaybooksScreen  # noqa: PLC0415 - see above

    return PlaybooksScreen(house.runs)


def _training(house: House) -> Screen[None]:
    from hactl.control.training import Training  # noqa: PLC0415 - see above
    from hactl.lab import Lab  # noqa: PLC0415 - see above
    from hactl.tui.screens.training import TrainingScreen  # noqa: PLC0415 - see above

    return TrainingScreen(Training(Lab(house.lab)))


PLACES = (
    Place("overview", "Overview", "1", _overview),
    Place("nodes", "Nodes", "2", _nodes),
    Place("balancers", "Balancers", "3", _balancers),
    Place("database", "Database", "4", _database),
    Place("backups", "Backups", "5", _backups),
    Place("runs", "Runs", "6", _runs),
    Place("playbooks", "Playbooks", "7", _playbooks),
)
TRAINING = Place("training", "Training", "8", _training)
"""Only a lab that runs has it: see `House.lab`."""


def places_of(lab: str) -> tuple[Place, ...]:
    """Those that there are for a cluster, which may be a lab."""
    return (*PLACES, TRAINING) if lab else PLACES
