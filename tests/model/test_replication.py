"""Who is primary, who could take over and why not: one change to a healthy lab at a time."""

from __future__ import annotations

from collections.abc import Callable

from hactl.model.inventory import PostgresqlService
from hactl.model.observed import Observed, Unknown
from hactl.model.replication import LastSeen, Replication, replication, why_no_primary
from hactl.model.succession import candidates
from tests.model.builders import MIB, NOW, WAL, Cluster, primary, slot, standby

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
    assert [(one.node, one.rank, one.eligible) for one in candidates(found)] == [("db2", 1, True), ("db3", 2, True)]


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
    assert candidates(found)[1].reasons == ("it streams from db2, not from the primary db1",)


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
    assert [(one.node, one.eligible) for one in candidates(found)] == [("db2", True), ("db3", True), ("db1", False)]


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


def test_no_primary_at_all() -> None:
    found = look(Cluster().say("db1", DB, standby()))
    assert why_no_primary(found) == "database has no primary"
    assert found.lost is None
