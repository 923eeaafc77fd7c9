"""The world that a plan is made in: what is written down of the cluster, what is seen of it, what came before, when."""

from __future__ import annotations

from dataclasses import dataclass, field

from hactl.model.inventory import Inventory
from hactl.model.picture import Picture
from hactl.model.plan import History


@dataclass(frozen=True, slots=True)
class World:
    """One moment of it: `wall` in epoch seconds, the picture's own clock beside it. `history` must not hold the run
    that a plan is made for.
    """

    inventory: Inventory
    picture: Picture
    wall: float
    history: History = field(default_factory=History)
