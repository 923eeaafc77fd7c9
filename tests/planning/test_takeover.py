"""A failover's plan says what may be lost, and refuses where a better choice would keep it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hactl.model.inventory import PostgresqlManager
from hactl.model.playbook import Playbook, Scope
from tests.model.builders import MIB, NOW, WAL, Cluster, primary, standby
from tests.planning.playing import planned, playbook, refused, said, step

DB = "postgresql:database"


def failover(to: str = "db2") -> Playbook:
    return playbook(
        step("postgresql.fence", on="db1", scope=Scope.RUN),
        step("postgresql.promote", on=to, scope=Scope.RUN),
        targets=None,
        name="failover",
        guards={"replication": False, "critical-finding": False, "unknown-data": False, "minimum-available": False},
    )


def off(*, ahead: int = 0, ago: float = 14) -> Cluster:
    """The primary is gone; so much further than its standbys it was seen, so many seconds ago."""
    cluster = Cluster().say("db1", DB, primary(lsn=WAL + ahead), at=NOW - ago).down("db1")
    for node in ("db2", "db3"):
        cluster.change(node, DB, receiver_status="", primary_host="")
    return cluster


TOLD = [
    (
        off(ahead=1_258_291),
        "db1 was last seen 1.2 MiB ahead of db2, 14 s ago: that, and what it wrote since, is lost",
    ),
    (off(), "db2 has everything that db1 had when it was last seen, 14 s ago: what it wrote since is lost"),
    (
        off().forget("db1", DB).change("db2", DB, follows="db1"),
        "what may be lost with db2 is unknown: nobody here has seen the primary while it was there",
    ),
    (
        off().forget("db1", DB),
        "what may be lost with db2 is unknown: nobody knows which server was the primary",
    ),
]


@pytest.mark.parametrize(("cluster", "sentence"), TOLD)
def test_what_may_be_lost_is_told_and_holds_nobody_up(cluster: Cluster, sentence: str) -> None:
    plan = planned(failover(), cluster)
    assert said(plan, "data-loss") == [sentence]
    assert "data-loss" not in refused(plan)


REFUSED = [
    (off().change("db3", DB, lsn=WAL + 3 * MIB), "db3 has received 3 MiB more, which would be lost with db2"),
    (off().say("db3", DB, standby(timeline=2)), "db2 is no good successor: it is on timeline 1, and others are on 2"),
    (off().change("db2", DB, system_identifier="7"), "it is a copy of another database than the others"),
    (Cluster(), "db1 is the primary of database and answers: `hactl switchover` loses nothing"),
]


@pytest.mark.parametrize(("cluster", "sentence"), REFUSED)
def test_what_a_better_choice_would_keep_is_refused(cluster: Cluster, sentence: str) -> None:
    plan = planned(failover(), cluster)
    assert any(sentence in one.sentence for one in plan.refusals if one.guard == "data-loss")
    assert "data-loss" not in refused(planned(failover(), cluster, overrides=frozenset({"data-loss"})))


def test_the_best_survivor_is_not_refused() -> None:
    plan = planned(failover("db3"), off().change("db3", DB, lsn=WAL + 3 * MIB))
    assert "data-loss" not in refused(plan)


def test_a_promotion_that_fences_nobody_is_no_failover() -> None:
    book = playbook(step("postgresql.promote", on="db2", scope=Scope.RUN), targets=None)
    assert said(planned(book, off(ahead=MIB)), "data-loss") == ["no primary is given up"]


def test_nothing_is_done_behind_patroni_s_back() -> None:
    cluster = Cluster()
    service = replace(cluster.inventory.services["database"], manager=PostgresqlManager.PATRONI)
    cluster.inventory = replace(cluster.inventory, services={**cluster.inventory.services, "database": service})
    plan = planned(failover(), cluster, overrides=frozenset({"data-loss"}))
    (said_so,) = [one.sentence for one in plan.refusals if not one.can_override]
    assert said_so.startswith("database is managed by Patroni, behind whose back nothing may be promoted or stopped")
