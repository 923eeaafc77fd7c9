"""Ages that go on, and a memory that never changes what is said."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest

from hactl.model.assess import Assessor, assess
from hactl.model.facts import HttpFacts
from hactl.model.findings import Assessment, Level
from hactl.model.state import LinkPhase, NodeState
from tests.model.assess.cases import CASES
from tests.model.builders import DRAINED, NOW, Cluster, disk, lab

SICK = HttpFacts(500, 3.0, "no database")


def test_ages_go_on_while_the_level_stays() -> None:
    cluster = Cluster().say("app1", "disk", disk("/", 85.0))
    first = cluster.assess()
    cluster.say("app1", "disk", disk("/", 87.0))
    second = cluster.assess(first, NOW + 1)
    assert [finding.since for finding in second.findings] == [NOW]
    assert second.nodes["app1"].since == second.cluster.since == second.sites["east"].since == NOW
    assert second.findings[0].sentence.startswith("disk / 87 %")


def test_an_age_begins_anew_with_a_new_level() -> None:
    cluster = Cluster().say("app1", "disk", disk("/", 85.0))
    first = cluster.assess()
    worse = cluster.say("app1", "disk", disk("/", 95.0)).assess(first, NOW + 1)
    assert [(finding.level, finding.since) for finding in worse.findings] == [(Level.CRIT, NOW + 1)]
    fine = cluster.say("app1", "disk", disk("/", 5.0)).assess(worse, NOW + 2)
    assert fine.cluster.level is Level.OK
    assert fine.cluster.since == NOW + 2


def test_ages_are_those_of_the_cause_where_it_tells_them() -> None:
    down = Cluster().down("app1").assess()
    assert [finding.since for finding in down.findings if finding.key == "link:app1"] == [NOW - 30]
    stopped = Cluster().unit("app1", "shop.service", active="failed", since=500.0).assess()
    assert stopped.findings[0].since == NOW - 500
    drained = Cluster().server("*", "be_shop", "shop-a", **DRAINED, last_change=90).assess()
    assert {finding.since for finding in drained.findings if finding.key.startswith("drained")} == {NOW - 90}


def test_nodes_that_said_nothing_new_are_not_judged_again() -> None:
    state, assessor = Cluster().say("app1", "disk", disk("/", 95.0)).state(), Assessor(lab())
    first = assessor.assess(state, NOW)
    changed = {**state.nodes, "app2": replace(state.nodes["app2"])}
    second = assessor.assess(replace(state, nodes=changed), NOW + 0.1)
    assert second.findings[0] is first.findings[0]
    assert second.nodes["app1"] is first.nodes["app1"]


def test_a_remembered_node_turns_stale_all_the_same() -> None:
    state, assessor = Cluster().state(), Assessor(lab())
    assert assessor.assess(state, NOW).findings == ()
    late = assessor.assess(state, NOW + 5)
    assert "stale:app1" in {finding.key for finding in late.findings}
    assert late.nodes["app1"].level is Level.UNKNOWN


# Pauses that end just before, at and after the moments at which answers turn stale.
_PAUSES = [0.0, 0.25, 1.0, 3.0, math.nextafter(3.0, 0), math.nextafter(3.0, 9), 11.0, 120.0]


@pytest.mark.parametrize("seed", range(40))
def test_with_memory_and_without_the_same_is_said(seed: int) -> None:
    """Whatever happens and however long it takes: node states that stay the same objects are remembered rightly."""
    chance = random.Random(seed)
    assessor, now = Assessor(lab()), NOW
    before: Assessment | None = None
    known: dict[str, NodeState] = {}
    for case in chance.choices(CASES, k=6):
        now += chance.choice([*_PAUSES, chance.uniform(0, 20)])
        fresh = case.cluster().state()
        known = {name: known[name] if known.get(name) == node else node for name, node in fresh.nodes.items()}
        state = replace(fresh, nodes=known)
        before = assess(state, before, now)
        assert assessor.assess(state, now) == before, case.name


def test_a_cluster_that_was_not_asked_yet_is_unknown_in_all_its_parts() -> None:
    cluster = Cluster()
    for name in lab().nodes:
        cluster.link(name, LinkPhase.IDLE, since=NOW)
    found = cluster.assess()
    parts = (found.cluster, *found.nodes.values(), *found.sites.values())
    assert {part.level for part in parts} == {Level.UNKNOWN}
    judged = (*found.services.values(), *found.pools.values(), *found.vips.values())
    assert {one.verdict.level for one in judged} == {Level.UNKNOWN}
    assert all(service.available == 0 and service.unknown == service.total for service in found.services.values())


def test_as_answers_come_in_nothing_is_called_fine_before_it_said_so() -> None:
    """Node by node and probe by probe: a service is never ok while one of its own members has not told."""
    full = Cluster()
    cluster = Cluster()
    for readings in cluster.readings.values():
        readings.clear()
    for node, readings in full.readings.items():
        for key, reading in readings.items():
            found = cluster.assess()
            untold = {name for name, told in cluster.readings.items() if "host" not in told}
            assert all(found.nodes[name].level is Level.UNKNOWN for name in untold)
            for service in lab().services.values():
                if untold & set(service.nodes):
                    assert found.services[service.name].verdict.level is not Level.OK
            cluster.readings[node][key] = reading
    assert cluster.assess().cluster.level is Level.OK
