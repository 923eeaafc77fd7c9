"""What is shown before anybody was asked is what the judgement says of it, but for its words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from hactl.config import load_inventory
from hactl.model.assess import assess
from hactl.model.findings import ServiceVerdict, Verdict
from hactl.model.inventory import Inventory
from hactl.model.state import initial
from hactl.model.unasked import unasked
from tests.model.builders import EPOCH, NOW, ROOT

SHIPPED = sorted((ROOT / "inventory").rglob("*.toml"))


@pytest.fixture(params=SHIPPED, ids=lambda path: path.stem)
def inventory(request: pytest.FixtureRequest) -> Inventory:
    path: Path = request.param
    return load_inventory(path)


def test_it_is_what_is_judged(inventory: Inventory) -> None:
    judged = assess(initial(inventory, now=NOW, epoch=EPOCH), None, NOW)
    shown = unasked(inventory, NOW)
    assert shown.nodes == judged.nodes
    assert levels(shown.sites) == levels(judged.sites)
    assert shown.cluster.level == judged.cluster.level
    assert [one for one in judged.findings if one.key.startswith("link:")] == list(shown.findings)
    assert {name: one.unknown for name, one in shown.vips.items()} == {
        name: one.unknown for name, one in judged.vips.items()
    }
    assert {name: one.verdict.level for name, one in shown.pools.items()} == {
        name: one.verdict.level for name, one in judged.pools.items()
    }
    assert counts(shown.services) == counts(judged.services)


def levels(verdicts: Mapping[str, Verdict]) -> dict[str, object]:
    return {name: (verdict.level, verdict.since) for name, verdict in verdicts.items()}


def counts(services: Mapping[str, ServiceVerdict]) -> dict[str, object]:
    return {
        name: (one.verdict.level, one.available, one.unknown, one.total, one.minimum, levels(one.members))
        for name, one in services.items()
    }
