"""The training lab's inventory as a verb's scene, with nothing known of its nodes yet."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from hactl.config.load import load_inventory
from hactl.model.assess import assess
from hactl.model.inventory import Inventory
from hactl.model.picture import Picture
from hactl.model.state import initial
from hactl.model.verb import Scene

RUN = "20261121-143005-k3f"


@lru_cache
def lab() -> Inventory:
    return load_inventory(Path(__file__).parents[3] / "inventory" / "lab.toml")


def scene_of(node: str) -> Scene:
    state = initial(lab(), now=0.0, epoch=0.0)
    return Scene(lab(), lab().nodes[node], Picture(state, assess(state, None, 0.0), 0.0), run=RUN)
