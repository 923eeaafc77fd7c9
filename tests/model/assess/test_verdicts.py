"""Roll-ups: how many of how many, and what users notice of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hactl.model.assess.counts import Counts
from hactl.model.findings import Level
from hactl.model.inventory import Inventory, Standing
from tests.model.assess.cases import CASES
from tests.model.builders import DOWN, DRAINED, NOW, Cluster, disk, lab

BY_NAME = {case.name: case for case in CASES}
OK, WARN, UNKNOWN, CRIT = Level.OK, Level.WARN, Level.UNKNOWN, Level.CRIT


@pytest.mark.parametrize(
    ("counts", "level"),
    [
        (Counts(3, 0, 3, 2), OK),
        (Counts(2, 0, 3, 2), WARN),
        (Counts(1, 0, 3, 2), CRIT),
        (Counts(2, 1, 3, 2), UNKNOWN),
        (Counts(1, 1, 3, 2), UNKNOWN),
        (Counts(0, 1, 3, 2), CRIT),
        (Counts(0, 3, 3, 2), UNKNOWN),
        (Counts(2, 0, 2, 2), OK),
        (Counts(0, 0, 1, 0), WARN),
    ],
)
def test_counts(counts: Counts, level: Level) -> None:
    assert counts.level is level


@pytest.mark.parametrize(
    ("case", "service", "level", "sentence"),
    [
        ("nothing is wrong", "shop", OK, "3 of 3 available, minimum 2"),
        ("nothing is wrong", "database", OK, "3 of 3 available, minimum 1"),
        ("unit stopped: the cause, not its echoes", "shop", WARN, "2 of 3 available, minimum 2"),
        ("two of three app nodes off", "shop", CRIT, "1 of 3 available, minimum 2"),
        ("app node off for SSH only: the balancers still use it", "shop", OK, "3 of 3 available, minimum 2"),
        ("stranded drain", "shop", WARN, "2 of 3 available, minimum 2"),
        ("admin socket denied", "shop", OK, "3 of 3 available, minimum 2"),
        ("admin socket denied", "balancer", UNKNOWN, "1 of 2 available, 1 unknown, minimum 1"),
        ("primary off", "database", CRIT, "2 of 3 available, 1 unknown, minimum 1"),
        ("two writable primaries", "database", CRIT, "2 writable primaries: db1 and db2; 3 of 3 available, minimum 1"),
        (
            "standby not streaming",
            "database",
            WARN,
            "redundancy: no standby in another site than east; 2 of 3 available, minimum 1",
        ),
        ("abandoned slot", "database", WARN, "3 of 3 available, minimum 1"),
        ("session limit", "balancer", WARN, "2 of 2 available, minimum 1"),
        ("no full backup", "backup", CRIT, "0 of 1 available, minimum 1"),
        ("backup host off", "backup", UNKNOWN, "0 of 1 available, 1 unknown, minimum 1"),
        ("nobody has the address", "vrrp", CRIT, "nobody has 192.168.56.10; 2 of 2 available, minimum 1"),
        ("disk over its limit", "shop", OK, "3 of 3 available, minimum 2"),
    ],
)
def test_services(case: str, service: str, level: Level, sentence: str) -> None:
    verdict = BY_NAME[case].cluster().assess().services[service].verdict
    assert (verdict.level, verdict.sentence) == (level, sentence)


@pytest.mark.parametrize(
    ("case", "pool", "level", "sentence"),
    [
        ("nothing is wrong", "database-primary", OK, "routes to db1, the primary"),
        ("a balancer routes to a standby", "database-primary", CRIT, "routes to db1 and db2"),
        ("primary off", "database-primary", CRIT, "no member is up on lb1 and lb2"),
        ("admin socket denied", "shop", OK, "3 of 3 available, minimum 2; lb1 could not be asked"),
        ("no balancer can be asked", "shop", UNKNOWN, "0 of 3 available, 3 unknown, minimum 2"),
        ("one balancer has only just noticed", "shop", WARN, "2 of 3 available, minimum 2"),
        ("queue", "shop", WARN, "3 of 3 available, minimum 2"),
    ],
)
def test_pools(case: str, pool: str, level: Level, sentence: str) -> None:
    verdict = BY_NAME[case].cluster().assess().pools[pool].verdict
    assert (verdict.level, verdict.sentence) == (level, sentence)


def test_drained_and_disagreed_members_are_named() -> None:
    pool = Cluster().server("lb1", "be_shop", "shop-a", **DRAINED).assess().pools["shop"]
    assert pool.drained == ("app1",)
    assert pool.disagreements == ("app1: drained on lb1, up on lb2",)


def test_nodes_and_sites_are_as_bad_as_what_is_said_about_them() -> None:
    found = Cluster().down("db3").server("*", "be_shop", "shop-a", **DRAINED).assess()
    assert found.nodes["db3"].level is CRIT
    assert found.nodes["app1"].level is WARN
    assert found.nodes["app2"].level is OK
    assert (found.sites["west"].level, found.sites["west"].sentence) == (CRIT, "1 of 2 nodes not fine: db3")
    assert found.sites["east"].level is WARN


def test_the_worst_and_oldest_comes_first() -> None:
    cluster = Cluster().down("db3").say("app1", "disk", disk("/", 95.0)).say("app2", "disk", disk("/", 85.0))
    keys = [finding.key for finding in cluster.assess().findings]
    assert keys[:2] == ["link:db3", "disk:app1:/"]
    assert cluster.assess().cluster.sentence.startswith("db3: unreachable since")
    assert cluster.assess().cluster.sentence.endswith("(and 3 more)")


def _with_spare(node: str) -> Inventory:
    inventory = lab()
    return replace(inventory, nodes={**inventory.nodes, node: replace(inventory.nodes[node], standing=Standing.SPARE)})


def test_of_a_spare_nothing_is_worse_than_a_warning_and_nothing_depends_on_it() -> None:
    cluster = Cluster(_with_spare("app3")).down("app3").server("*", "be_shop", "shop-c", **DOWN)
    found = cluster.assess()
    assert {finding.key: finding.level for finding in found.findings} == {"link:app3": WARN}
    assert found.nodes["app3"].level is WARN
    assert (found.services["shop"].total, found.services["shop"].verdict.level) == (2, OK)
    sick = Cluster(_with_spare("app3")).say("app3", "disk", disk("/", 99.0))
    assert [finding.level for finding in sick.assess().findings] == [WARN]


def test_a_backup_server_of_haproxy_does_not_count() -> None:
    cluster = Cluster().server("*", "be_shop", "shop-c", backup=True)
    found = cluster.assess()
    assert found.findings == ()
    assert (found.pools["shop"].available, found.pools["shop"].total) == (2, 2)


def test_an_answer_that_is_not_fresh_is_never_a_verdict() -> None:
    """An hour later nothing is known any more, and nothing is fine."""
    found = Cluster().assess(now=NOW + 3600)
    assert found.cluster.level is UNKNOWN
    assert {node.level for node in found.nodes.values()} == {UNKNOWN}
    assert {service.verdict.level for service in found.services.values()} == {UNKNOWN}
    assert found.vips["public"].holders == ()
