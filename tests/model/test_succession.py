"""Who could take over and why not: one change to a healthy lab at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hactl.model.inventory import Standing
from hactl.model.observed import Unknown
from hactl.model.succession import candidates, survivors
from tests.model.builders import MIB, WAL, Cluster, lab, primary, standby
from tests.model.test_replication import DB, gone, look

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "paused": ({"replay_paused": True, "replayed": WAL - MIB}, "its replay is paused, 1 MiB wait to be replayed"),
    "timeline": ({"timeline": 2}, "it is on timeline 2, the primary db1 on 1"),
    "not streaming": ({"receiver_status": ""}, "it does not stream from db1"),
    "another database": ({"system_identifier": "7"}, "it is a copy of another database than db1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_who_is_not_eligible_and_why(case: str) -> None:
    changes, why = REFUSED[case]
    first, last = candidates(look(Cluster().change("db2", DB, **changes)))
    assert (first.node, first.reasons) == ("db3", ())
    assert (last.node, last.rank, last.reasons) == ("db2", 2, (why,))


def test_a_standby_that_cannot_be_asked_is_named_and_not_eligible() -> None:
    found = look(Cluster().down("db2", reason="db2: no route."))
    assert found.unknown == ("db2",)
    assert candidates(found)[1].reasons == ("it cannot be asked: no route",)
    assert isinstance(candidates(found)[1].received, Unknown)


def test_a_spare_is_no_candidate() -> None:
    inventory = lab()
    spare = replace(inventory.nodes["db2"], standing=Standing.SPARE)
    cluster = Cluster(replace(inventory, nodes={**inventory.nodes, "db2": spare}))
    assert candidates(look(cluster))[1].reasons == ("it is a spare",)


@pytest.mark.parametrize(("behind", "order"), [(1, ["db2", "db3"]), (64 * MIB, ["db3", "db2"])])
def test_the_nearer_standby_is_better_unless_the_difference_is_nothing(behind: int, order: list[str]) -> None:
    assert [one.node for one in candidates(look(Cluster().change("db2", DB, lsn=WAL - behind)))] == order


def test_of_two_that_are_equally_near_the_one_at_the_primary_s_site_is_better() -> None:
    cluster = Cluster().say("db3", DB, primary()).say("db1", DB, standby(primary_host="192.168.57.33"))
    cluster.change("db2", DB, primary_host="192.168.57.33")
    inventory = cluster.inventory
    west = replace(inventory.nodes["db2"], site="west")
    cluster.inventory = replace(inventory, nodes={**inventory.nodes, "db2": west})
    assert [one.node for one in candidates(look(cluster))] == ["db2", "db1"]


def test_survivors_are_ranked_by_timeline_and_then_by_what_they_received() -> None:
    found = gone(lambda c: c.change("db2", DB, lsn=WAL + MIB), lambda c: c.say("db3", DB, standby(timeline=2)))
    assert [one.node for one in candidates(found)] == ["db3", "db2", "db1"]
    assert candidates(found)[1].reasons == ("it is on timeline 1, and others are on 2",)


def test_a_copy_of_another_database_is_no_survivor() -> None:
    assert candidates(gone(lambda c: c.change("db3", DB, system_identifier="7")))[1].reasons == (
        "it is a copy of another database than the others",
    )


def test_survivors_of_a_primary_that_is_given_up_while_it_can_be_seen() -> None:
    found = look(Cluster().change("db2", DB, receiver_status=""))
    assert [(one.node, one.eligible) for one in survivors(found, ["db1"])] == [("db2", True), ("db3", True)]
