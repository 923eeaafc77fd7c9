"""A replicated database as rows: the tree, the lags, what is not known."""

from __future__ import annotations

import pytest

from hactl.model.findings import Level
from hactl.model.inventory import PostgresqlService
from hactl.model.replication import Replication, replication
from hactl.model.role_history import RoleChange
from hactl.view.replication import (
    archive_lines,
    candidate_rows,
    finding_lines,
    lag_bar,
    lost_lines,
    lsn_text,
    slot_rows,
    summary,
    tree_rows,
)
from hactl.view.role_history import history_rows
from hactl.view.tables import Table
from tests.model.builders import EPOCH, MIB, NOW, WAL, Cluster, archiver, primary, slot, standby

DB = "postgresql:database"


def look(cluster: Cluster) -> Replication:
    service = cluster.inventory.services["database"]
    assert isinstance(service, PostgresqlService)
    return replication(service, cluster.picture())


def texts(table: Table, *keys: str) -> list[list[str]]:
    places = [[column.key for column in table.columns].index(key) for key in keys]
    return [[row.cells[place].text for place in places] for row in table.rows]


def test_the_tree_of_a_healthy_database() -> None:
    found = look(Cluster())
    assert summary(found).text == "database: primary db1, timeline 1, PostgreSQL 15.14, 2 of 2 standbys stream"
    assert texts(tree_rows(found), "node", "role", "state", "behind", "replay", "slot") == [
        ["db1", "primary", "takes writes", "-", "-", "-"],
        ["└ db2", "standby", "streaming", "0 B", "0 B", "db2"],
        ["└ db3", "standby", "streaming", "0 B", "0 B", "db3"],
    ]


def test_a_cascade_stands_below_its_upstream() -> None:
    found = look(Cluster().change("db3", DB, primary_host="192.168.56.32"))
    assert texts(tree_rows(found), "node") == [["db1"], ["└ db2"], ["  └ db3"]]


def test_standbys_that_follow_each_other_in_a_circle_are_shown_once() -> None:
    cluster = Cluster().change("db2", DB, primary_host="192.168.57.33").change("db3", DB, primary_host="192.168.56.32")
    assert sorted(row.key for row in tree_rows(look(cluster)).rows) == ["db1", "db2", "db3"]


def test_what_cannot_be_asked_says_as_what_it_was_seen() -> None:
    cluster = Cluster().down("db1", reason="no route.").change("db2", DB, receiver_status="", follows="db1")
    found = look(cluster)
    assert texts(tree_rows(found), "node", "role", "state")[0] == ["db1", "? was primary 1s ago", "no route"]
    assert texts(tree_rows(found), "node", "state")[1] == ["└ db2", "follows db1, no stream"]
    assert summary(found).text == "database has no primary in sight, and db1 could not be asked"


def test_lags_and_how_they_move() -> None:
    before = standby(replayed=WAL - 3 * MIB)
    cluster = Cluster().say("db2", DB, standby(replayed=WAL - MIB), before=before)
    row = texts(tree_rows(look(cluster)), "replay", "replay_by")[1]
    assert row == ["1 MiB", "-1 MiB/s"]


def test_two_primaries_are_marked() -> None:
    found = look(Cluster().say("db2", DB, primary(timeline=2)))
    assert {row.key for row in tree_rows(found).rows if row.level is Level.CRIT} == {"db1", "db2"}
    assert summary(found).text == "database has 2 primaries: db1 and db2"


@pytest.mark.parametrize(
    ("count", "bar"), [(0, "········"), (1, "█·······"), (1024, "█·······"), (MIB, "████····"), (1 << 40, "████████")]
)
def test_a_bar_grows_with_the_logarithm(count: int, bar: str) -> None:
    assert lag_bar(count, 8) == bar


def test_candidates_with_the_reason_of_each_that_cannot() -> None:
    found = look(Cluster().change("db2", DB, replay_paused=True))
    assert texts(candidate_rows(found), "rank", "node", "verdict") == [
        ["1", "db3", "yes"],
        ["2", "db2", "no: its replay is paused, 0 B wait to be replayed"],
    ]


def test_what_survivors_lack() -> None:
    cluster = Cluster().say("db1", DB, primary(lsn=WAL + MIB), at=NOW - 14).down("db1")
    said = [line.text for line in lost_lines(look(cluster))]
    assert said == [
        f"db1 was last seen as primary 14 s ago, at {lsn_text(WAL + MIB)}",
        "db2 had 1 MiB less then",
        "db3 had 1 MiB less then",
    ]


def test_slots_and_the_archive() -> None:
    cluster = Cluster().change("db1", DB, slots=(slot("db2"), slot("old", active=False, retained=5 * MIB)))
    assert texts(slot_rows(look(cluster)), "node", "slot", "reader", "held") == [
        ["db1", "db2", "reads", "0 B"],
        ["db1", "old", "nobody reads it", "5 MiB"],
    ]
    failing = archiver(seconds_since_failed=3.0, failed=7, ready=4)
    (line,) = archive_lines(look(Cluster().change("db1", DB, archiver=failing)))
    assert line.text == ("archiving on db1: on, last segment 2 m ago, 4 wait, fails: 7 failures, the last one 3 s ago")


def test_what_is_wrong_stands_with_what_to_do() -> None:
    cluster = Cluster().change("db2", DB, receiver_status="")
    said = [line.text for line in finding_lines(cluster.picture(), look(cluster))]
    assert "db2: does not stream from the primary db1" in said
    assert any(text.startswith("> Look at its log") for text in said)


def test_a_history_says_what_is_not_known() -> None:
    now = EPOCH + NOW
    done = RoleChange(
        "database",
        "db2",
        "db1",
        2,
        now - 90,
        now - 88,
        run="r1",
        who="anna",
        why="kernel",
        write_downtime=1.4,
        lost_bytes=0,
    )
    noticed = RoleChange("database", "db3", "db2", 3, now - 60, now - 30)
    rows = texts(history_rows([noticed, done], now), "what", "timeline", "downtime", "lost", "who", "why")
    assert rows == [
        ["db2 -> db3", "3", "?", "?", "nobody from here", "not known"],
        ["db1 -> db2", "2", "1.4 s", "0 B", "anna", "kernel (r1)"],
    ]
    assert " to " in texts(history_rows([noticed], now), "when")[0][0]
