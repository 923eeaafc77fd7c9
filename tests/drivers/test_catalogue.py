from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hactl.config.load import load_inventory
from hactl.drivers.catalogue import probes_for
from hactl.drivers.probe import AskProbe, Cadence, ExecProbe, FetchProbe, QueryProbe, TickProbe
from hactl.model.inventory import Inventory

LAB = Path(__file__).parents[2] / "inventory" / "lab.toml"
MACHINE = ("host", "disk", "clock", "units")


@pytest.fixture(scope="module")
def lab() -> Inventory:
    return load_inventory(LAB)


@pytest.mark.parametrize(
    ("node", "services"),
    [
        ("lb1", ("packages", "haproxy:balancer")),
        ("app2", ("note", "packages", "http:shop", "version:shop", "restic:uploads", "drill:uploads")),
        ("db3", ("note", "packages", "postgresql:database")),
        ("backup1", ("packages", "pgbackrest:backup", "room:backup", "room:uploads", "drill:backup")),
    ],
)
def test_probes_of_the_labs_nodes(lab: Inventory, node: str, services: tuple[str, ...]) -> None:
    assert tuple(probe.key for probe in probes_for(lab, lab.nodes[node])) == (*MACHINE, *services)


def test_keys_are_unique_and_deadlines_sensible(lab: Inventory) -> None:
    for node in lab.nodes.values():
        probes = probes_for(lab, node)
        assert len({probe.key for probe in probes}) == len(probes)
        for probe in probes:
            assert 0 < probe.deadline <= 2 * probe.cadence.value


def test_kinds_and_cadences(lab: Inventory) -> None:
    probes = {probe.key: probe for node in lab.nodes.values() for probe in probes_for(lab, node)}
    kinds = {key: (type(probe), probe.cadence) for key, probe in probes.items()}
    assert kinds == {
        "host": (TickProbe, Cadence.FAST),
        "disk": (TickProbe, Cadence.MEDIUM),
        "clock": (TickProbe, Cadence.MEDIUM),
        "units": (TickProbe, Cadence.MEDIUM),
        "note": (TickProbe, Cadence.MEDIUM),
        "packages": (ExecProbe, Cadence.RARE),
        "haproxy:balancer": (AskProbe, Cadence.FAST),
        "http:shop": (FetchProbe, Cadence.FAST),
        "version:shop": (FetchProbe, Cadence.SLOW),
        "postgresql:database": (QueryProbe, Cadence.FAST),
        "pgbackrest:backup": (ExecProbe, Cadence.SLOW),
        "pgbackrest:offsite": (ExecProbe, Cadence.SLOW),
        "room:backup": (TickProbe, Cadence.SLOW),
        "room:offsite": (TickProbe, Cadence.SLOW),
        "room:uploads": (TickProbe, Cadence.SLOW),
        "drill:backup": (ExecProbe, Cadence.SLOW),
        "drill:offsite": (ExecProbe, Cadence.SLOW),
        "drill:uploads": (ExecProbe, Cadence.SLOW),
        "restic:uploads": (ExecProbe, Cadence.SLOW),
    }


def test_only_nodes_that_may_hold_a_vip_are_asked_for_addresses(lab: Inventory) -> None:
    asked = {
        node.name
        for node in lab.nodes.values()
        for probe in probes_for(lab, node)
        if isinstance(probe, TickProbe) and probe.key == "host" and "fib_trie" in probe.body
    }
    assert asked == {"lb1", "lb2"}


def test_a_repository_host_without_the_role_is_asked_all_the_same(lab: Inventory) -> None:
    backup = replace(lab.services["backup"], nodes=("db1",), repository_host="db3")
    moved = replace(lab, services={**lab.services, "backup": backup})
    assert "pgbackrest:backup" in {probe.key for probe in probes_for(moved, lab.nodes["db3"])}
    assert "pgbackrest:backup" not in {probe.key for probe in probes_for(moved, lab.nodes["db1"])}


def test_names_from_the_inventory_reach_the_shell_only_as_words(lab: Inventory) -> None:
    unit = "x;touch /tmp/owned $(id).service"
    shop = replace(lab.services["shop"], units=(unit,))
    odd = replace(lab, services={**lab.services, "shop": shop})
    probes = probes_for(odd, lab.nodes["app1"])
    body = next(one.body for one in probes if isinstance(one, TickProbe) and one.key == "units")
    assert f"-- '{unit}' 2>&1" in body
