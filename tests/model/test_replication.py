"""Who is primary, who could take over and why not: one change to a healthy lab at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hactl.model.inventory import PostgresqlService, Standing
from hactl.model.observed import Observed, Unknown
from hactl.model.replication import LastSeen, Replication, replication, why_no_primary
from tests.model.builders import MIB, NOW, WAL, Cluster, lab, primary, slot, standby

DB = "postgresql:database"


def look(cluster: Cluster) -> Replication:
    service = cluster.inventory.services["database"]
    assert isinstance(service, PostgresqlService)
    return replication(service, cluster.picture())


def off(cluster: Cluster) -> None:
    """db1 does not answer; its last answer stays."""
    cluster.down("db1").change("db2", DB, receiver_status="", primary_host="").change(
        "db3", DB, receiver_status="", primary_host=""
    )


def test_healthy() -> None:
    found = look(Cluster())
    assert (found.primary, found.primaries, found.writable, found.unknown) == ("db1", ("db1",), ("db1",), ())
    assert [(one.node, one.site, one.upstream, one.streaming, one.sync) for one in found.standbys] == [
        ("db2", "east", "db1", True, "async"),
        ("db3", "west", "db1", True, "async"),
    ]
    assert [one.slot for one in found.standbys] == [slot("db2"), slot("db3")]
    assert [one.behind for one in found.standbys] == [Observed(0, NOW - 1)] * 2
    assert found.lost is None
    assert [(one.node, one.rank, one.eligible) for one in found.candidates] == [("db2", 1, True), ("db3", 2, True)]


def test_lags_are_apart() -> None:
    cluster = Cluster().change("db2", DB, lsn=WAL - MIB, replayed=WAL - 3 * MIB)
    (db2, _) = look(cluster.change("db1", DB, replicas=())).standbys
    assert (db2.behind, db2.to_replay, db2.sync) == (Observed(MIB, NOW - 1), 2 * MIB, "")


def test_the_slot_that_a_standby_uses_is_the_one_that_it_names() -> None:
    cluster = Cluster().change("db2", DB, slot_name="hot").change("db1", DB, slots=(slot("hot"), slot("db2")))
    assert look(cluster).standbys[0].slot == slot("hot")


def test_a_standby_of_a_standby() -> None:
    found = look(Cluster().change("db3", DB, primary_host="192.168.56.32"))
    assert found.standbys[1].upstream == "db2"
    assert found.candidates[1].reasons == ("it streams from db2, not from the primary db1",)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "paused": ({"replay_paused": True, "replayed": WAL - MIB}, "its replay is paused, 1 MiB wait to be replayed"),
    "timeline": ({"timeline": 2}, "it is on timeline 2, the primary db1 on 1"),
    "not streaming": ({"receiver_status": ""}, "it does not stream from db1"),
    "another database": ({"system_identifier": "7"}, "it is a copy of another database than db1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_who_is_not_eligible_and_why(case: str) -> None:
    changes, why = REFUSED[case]
    first, last = look(Cluster().change("db2", DB, **changes)).candidates
    assert (first.node, first.reasons) == ("db3", ())
    assert (last.node, last.rank, last.reasons) == ("db2", 2, (why,))


def test_a_standby_that_cannot_be_asked_is_named_and_not_eligible() -> None:
    found = look(Cluster().down("db2", reason="db2: no route."))
    assert found.unknown == ("db2",)
    assert found.candidates[1].reasons == ("it cannot be asked: no route",)
    assert isinstance(found.candidates[1].received, Unknown)


def test_a_spare_is_no_candidate() -> None:
    inventory = lab()
    spare = replace(inventory.nodes["db2"], standing=Standing.SPARE)
    cluster = Cluster(replace(inventory, nodes={**inventory.nodes, "db2": spare}))
    assert look(cluster).candidates[1].reasons == ("it is a spare",)


@pytest.mark.parametrize(("behind", "order"), [(1, ["db2", "db3"]), (64 * MIB, ["db3", "db2"])])
def test_the_nearer_standby_is_better_unless_the_difference_is_nothing(behind: int, order: list[str]) -> None:
    assert [one.node for one in look(Cluster().change("db2", DB, lsn=WAL - behind)).candidates] == order


def test_of_two_that_are_equally_near_the_one_at_the_primary_s_site_is_better() -> None:
    cluster = Cluster().say("db3", DB, primary()).say("db1", DB, standby(primary_host="192.168.57.33"))
    cluster.change("db2", DB, primary_host="192.168.57.33")
    inventory = cluster.inventory
    west = replace(inventory.nodes["db2"], site="west")
    cluster.inventory = replace(inventory, nodes={**inventory.nodes, "db2": west})
    assert [one.node for one in look(cluster).candidates] == ["db2", "db1"]


def test_two_primaries() -> None:
    found = look(Cluster().say("db2", DB, primary(timeline=2, read_only=True)))
    assert (found.primary, found.primaries, found.writable) == ("", ("db1", "db2"), ("db1",))
    assert why_no_primary(found) == "database has 2 primaries: db1 and db2"
    assert isinstance(found.standbys[0].behind, Unknown)


# --- a primary that is gone -----------------------------------------------------------------------------------


def gone(*changes: Callable[[Cluster], object]) -> Replication:
    cluster = Cluster()
    off(cluster)
    for change in changes:
        change(cluster)
    return look(cluster)


def test_the_lost_primary_as_it_was_last_seen() -> None:
    found = gone(lambda c: c.say("db1", DB, primary(lsn=WAL + MIB), at=NOW - 14), lambda c: c.down("db1"))
    assert why_no_primary(found) == "database has no primary in sight, and db1 could not be asked"
    assert found.lost == LastSeen("db1", Observed(primary(lsn=WAL + MIB), NOW - 14))
    assert found.loss("db2") == Observed(MIB, NOW - 14)
    assert found.loss("db1") == Unknown("db1 cannot be asked", NOW)
    assert [(one.node, one.eligible) for one in found.candidates] == [("db2", True), ("db3", True), ("db1", False)]


def test_a_lost_primary_that_nobody_saw_is_whom_the_standbys_follow() -> None:
    found = gone(
        lambda c: c.forget("db1", DB),
        lambda c: c.change("db2", DB, follows="db1"),
        lambda c: c.change("db3", DB, follows="192.168.56.31"),
    )
    assert found.lost == LastSeen("db1", None)
    assert found.loss("db2") == Unknown("nobody here has seen the primary while it was there", NOW)


def test_nobody_knows_which_was_the_primary() -> None:
    assert gone(lambda c: c.forget("db1", DB)).lost is None


def test_survivors_are_ranked_by_timeline_and_then_by_what_they_received() -> None:
    found = gone(lambda c: c.change("db2", DB, lsn=WAL + MIB), lambda c: c.say("db3", DB, standby(timeline=2)))
    assert [one.node for one in found.candidates] == ["db3", "db2", "db1"]
    assert found.candidates[1].reasons == ("it is on timeline 1, and others are on 2",)


def test_a_copy_of_another_database_is_no_survivor() -> None:
    assert gone(lambda c: c.change("db3", DB, system_identifier="7")).candidates[1].reasons == (
        "it is a copy of another database than the others",
    )


def test_survivors_of_a_primary_that_is_given_up_while_it_can_be_seen() -> None:
    found = look(Cluster().change("db2", DB, receiver_status=""))
    assert [(one.node, one.eligible) for one in found.survivors(["db1"])] == [("db2", True), ("db3", True)]


def test_no_primary_at_all() -> None:
    found = look(Cluster().say("db1", DB, standby()))
    assert why_no_primary(found) == "database has no primary"
    assert found.lost is None
