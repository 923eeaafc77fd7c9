"""docs/inventory.md is complete and true: the example is valid, every key and metric is there as the code has it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hactl.config import parse_inventory
from hactl.config import schema as tables
from hactl.config import service_schema as services
from hactl.model.metrics import METRICS

TEXT = (Path(__file__).parents[2] / "docs" / "inventory.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
HEADINGS = {
    "`[cluster]`": tables.ClusterEntry,
    "`[ssh]`, and `ssh` in a node": tables.SshEntry,
    "`[[sites]]`": tables.SiteEntry,
    "`[[nodes]]`": tables.NodeEntry,
    "`[[services]]`": services.ServiceEntry,
    "`[[pools]]`": tables.PoolEntry,
    "`[[vips]]`": tables.VipEntry,
    "`[[maintenance]]`": tables.MaintenanceEntry,
    "`[fencing]`": tables.FencingEntry,
    "`public`": services.PublicEntry,
    "`checks`": services.SqlCheckEntry,
    "`newest`": services.NewestEntry,
    **{f'`kind = "{kind}"`': model for kind, model in services.SERVICES.items()},
}


def section(heading: str) -> str:
    """The text below a heading, up to the next one of any depth."""
    return re.split(r"^#+ ", TEXT.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def test_the_example_is_valid() -> None:
    assert len(EXAMPLES) == 1
    assert len(parse_inventory(EXAMPLES[0].encode(), Path("/example.toml")).nodes) == 9


@pytest.mark.parametrize("heading", HEADINGS)
def test_every_key_is_explained_and_no_other(heading: str) -> None:
    rows = [line.split(" | ")[0] for line in section(heading).splitlines() if line.startswith("| `")]
    explained = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    common = set(services.ServiceEntry.model_fields) if heading.startswith("`kind") else set()
    extra = {"kind"} if heading == "`[[services]]`" else set()
    keys = {info.alias or key for key, info in HEADINGS[heading].model_fields.items()}
    assert explained == (keys - common - {"kind"}) | extra


def test_every_metric_stands_there_with_its_default() -> None:
    scale = {"MiB": 2**20, "GiB": 2**30}

    def number(cell: str) -> float | None:
        value, _, unit = cell.partition(" ")
        return None if value == "off" else float(value) * scale.get(unit, 1)

    told = {}
    for line in section("`[thresholds]`").splitlines():
        if line.startswith("| `"):
            name, _, warn, crit, _ = line.strip("| ").split(" | ")
            told[name.strip("`")] = (number(warn), number(crit))
    assert told == {name: (metric.default.warn, metric.default.crit) for name, metric in METRICS.items()}
