"""Drills as rows, sentences and traces."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hactl.model.drilled import Drilled, all_drilled, before, befores, change, chosen, in_time, newest_first
from hactl.model.drills import FILES, Check, CheckOutcome, DrillRecord, Verdict
from hactl.model.errors import InputError
from hactl.model.findings import Level
from hactl.view.drills import (
    change_words,
    check_rows,
    drill_rows,
    history_lines,
    last_good_words,
    record_lines,
    spread,
    traces,
)
from tests.model.builders import DAY, EPOCH, GIB, NOW, Cluster, drill, drills, lab

DRILL = "drill:backup"
WALL = EPOCH + NOW
FAILED = drill(
    1,
    verdict=Verdict.FAIL,
    rto=80.0,
    checks=(Check("orders", CheckOutcome.FAIL, "0 is not > 0"), Check("amcheck", CheckOutcome.SKIPPED, "not there")),
)


def of(*records: DrillRecord, **changes: object) -> Drilled:
    cluster = Cluster().say("backup1", DRILL, drills(*records, **changes))
    (found,) = (one for one in all_drilled(cluster.picture()) if one.service.name == "backup")
    return found


def cells(one: Drilled, row: int = 0) -> dict[str, str]:
    table = drill_rows((one,))
    return dict(zip((column.key for column in table.columns), (c.text for c in table.rows[row].cells), strict=True))


def test_newest_first_each_against_the_good_one_before() -> None:
    one = of(drill(8, rto=50.0), FAILED, drill(0.5, rto=55.0, rpo=None, rpo_bytes=8192))
    table = drill_rows((one,))
    assert [row.level for row in table.rows] == [Level.OK, Level.CRIT, Level.OK]
    assert [cells(one, row)["rto_change"] for row in range(3)] == ["+10 %", "+60 %", "-"]
    assert [cells(one, row)["rpo"] for row in range(3)] == ["8 KiB", "2.5 s", "2.5 s"]
    assert [cells(one, row)["checks"] for row in range(3)] == ["2 ok", "1 of 2 failed", "2 ok"]


def test_of_a_drill_that_came_to_nothing_nothing_is_made_up() -> None:
    bare = replace(FAILED, label="", kind="", rto=None, rpo=None, rpo_bytes=None, size=None, checks=(), phases={})
    shown = cells(of(bare))
    assert {shown[key] for key in ("rto", "rto_change", "rpo", "size", "backup", "took")} == {"-"}
    assert shown["checks"] == "none"


def test_what_is_over_its_target_stands_out() -> None:
    table = drill_rows((of(drill(verdict=Verdict.PARTIAL, target_rto=60.0, target_rpo=2.0)),))
    levels = dict(zip((column.key for column in table.columns), (c.level for c in table.rows[0].cells), strict=True))
    assert (levels["verdict"], levels["rto"], levels["rpo"]) == (Level.WARN,) * 3


def test_a_service_in_sentences() -> None:
    one = of(drill(8), FAILED)
    assert [(line.text, line.level) for line in history_lines(one)] == [
        ("drills of backup, on backup1", None),
        ("last good drill: 8d ago, of 2025-full, RTO 1 m 6 s, RPO 2.5 s (8 KiB of WAL)", None),
        ("the last one, 1d ago, failed: orders: 0 is not > 0", Level.CRIT),
        ("all: 1 pass, 1 fail", None),
        ("policy: a good drill every 7 d, RTO of at most 5 m, RPO of at most 5 m", None),
        ("room for the next one: 20 GiB", None),
    ]


@pytest.mark.parametrize(("seconds", "told"), [(0, "40s"), (15, "55s"), (30, "1m")])
def test_a_drill_grows_older_between_two_answers(seconds: float, told: str) -> None:
    cluster = Cluster().say("backup1", DRILL, drills(drill(39 / DAY)))
    picture = cluster.picture(NOW + seconds)
    (one,) = (one for one in all_drilled(picture) if one.service.name == "backup")
    assert last_good_words(one).startswith(f"last good drill: {told} ago")


def test_none_yet_and_nobody_knows_are_not_the_same() -> None:
    none = of(records=())
    assert (last_good_words(none), history_lines(none)[1].level) == ("last good drill: none", Level.WARN)
    (unknown,) = (one for one in all_drilled(Cluster().down("backup1").picture()) if one.service.name == "backup")
    assert last_good_words(unknown) == "last good drill: not known: no route to 192.168.56.11"
    assert [(line.text, line.level) for line in history_lines(unknown)][1:] == [
        ("nobody can say: no route to 192.168.56.11", Level.UNKNOWN)
    ]
    assert drill_rows((unknown,)).rows == ()


def test_where_there_is_nowhere_to_drill_there_are_none() -> None:
    inventory = lab()
    bare = {name: replace(one, drill_node=None) for name, one in inventory.services.items() if name == "backup"}
    found = all_drilled(Cluster(replace(inventory, services={**inventory.services, **bare})).picture())
    assert "backup" not in [one.service.name for one in found]


def test_one_drill_in_sentences() -> None:
    record = drill(1, query="SELECT id FROM orders", answer="1\n2")
    assert [line.text for line in record_lines(record, drill(8, rto=60.0, rpo=5.0), WALL)] == [
        f"drill {record.run} of backup",
        "pass",
        "backup: 2025-full (full), repository 1, restored to end of archive",
        "the copy holds everything until 2025-10-08 09:09:57 UTC",
        "began 2025-10-08 09:10 UTC, on backup1, by anna@laptop",
        "size of the database: 1 GiB",
        "phases: prepare 1.5 s, restore 1 m 2 s, start 4 s, check 12 s, teardown 1 s",
        "RTO: 1 m 6 s (restore and start), target 5 m, +9 % against the good drill before",
        "RPO: 2.5 s (8 KiB of WAL), target 5 m, -50 % against the good drill before",
        "asked of the copy: SELECT id FROM orders",
        "1",
        "2",
    ]


def test_a_failed_drill_says_why_and_every_check() -> None:
    lines = record_lines(replace(FAILED, rto=None, rpo=None, rpo_bytes=None), None, WALL)
    assert ("fail: orders: 0 is not > 0", Level.CRIT) in [(line.text, line.level) for line in lines]
    assert ("RTO: the copy never answered", Level.CRIT) in [(line.text, line.level) for line in lines]
    assert ("RPO: not measured, target 5 m", Level.WARN) in [(line.text, line.level) for line in lines]
    assert [(row.level, *(cell.text for cell in row.cells)) for row in check_rows(FAILED).rows] == [
        (Level.CRIT, "orders", "fail", "0 is not > 0"),
        (Level.WARN, "amcheck", "skipped", "not there"),
    ]


@pytest.mark.parametrize(
    ("values", "count", "slots"),
    [
        ([1.0, 2.0], 4, [1.0, 1.0, 2.0, 2.0]),
        ([1.0, None, 3.0], 7, [1.0, 1.0, 1.0, None, None, 3.0, 3.0]),
        ([1.0, 2.0, 3.0], 2, [2.0, 3.0]),
        ([], 2, [None, None]),
        ([1.0], 0, []),
    ],
)
def test_drills_share_the_room(values: list[float | None], count: int, slots: list[float | None]) -> None:
    assert spread(values, count) == slots


def test_traces() -> None:
    found = traces((drill(9), drill(2, rto=None, size=2 * GIB)))
    assert [(one.label, one.newest) for one in found] == [("RTO", None), ("RPO", 2.5), ("database", 2.0 * GIB)]
    assert list(found[0].slices(4)) == [65.5, 65.5, None, None]
    assert [one.newest for one in traces(())] == [None, None, None]


def test_what_a_drill_is_compared_with() -> None:
    good, failed, last = drill(9), replace(FAILED, run="20251002-010101-bad"), drill(0.5)
    elsewhere, not_as_far = drill(1.5, repository=2), drill(1.2, target="2025-full")
    other_node = drill(1.1, node="backup2")
    assert before((good, elsewhere, not_as_far, other_node, failed, last), last) == good
    assert before((good,), good) is None
    every = sorted((good, elsewhere, not_as_far, failed, last), key=in_time)
    assert befores(every) == {failed.key: good, last.key: good}
    assert befores(every) == {one.key: past for one in every if (past := before(every, one)) is not None}
    assert (change(11.0, 10.0), change(None, 10.0), change(1.0, 0.0)) == (pytest.approx(0.1), None, None)
    assert [change_words(share) for share in (0.1, -0.25, 0.001)] == ["+10 %", "-25 %", "0 %"]


def test_which_drill_is_meant() -> None:
    new, old = drill(1, run="20251008-091000-k3f"), drill(8, run="20251001-091000-abc")
    records = newest_first((of(old, new),))
    names = ("last", "k3f", "20251008", new.run, "abc")
    assert [chosen(name, records) for name in names] == [(new,), (new,), (new,), (new,), (old,)]
    for name, said in (
        ("2025", "may be 2 drills"),
        ("20251008-091000-k3g", f'did you mean "{new.run}"'),
        ("", "no drill"),
    ):
        with pytest.raises(InputError, match=said):
            chosen(name, records)
    with pytest.raises(InputError, match="no drill yet"):
        chosen("last", ())


def test_of_a_run_on_several_nodes_every_nodes_drill_is_meant_the_one_that_failed_first() -> None:
    there = {node: drill(1, service="uploads", kind=FILES, node=node) for node in ("app1", "app2")}
    there["app1"] = replace(there["app1"], verdict=Verdict.FAIL)
    found = [of(one) for one in (there["app2"], there["app1"])]
    assert chosen("last", newest_first(found)) == (there["app1"], there["app2"])


def test_a_drill_with_files_has_no_server_to_start() -> None:
    record = drill(1, service="uploads", kind=FILES, node="app1", label="0000003c", rpo_bytes=None)
    said = [line.text for line in record_lines(record, None, record.started + DAY)]
    assert said[0] == f"drill {record.run} of uploads on app1"
    assert "backup: 0000003c (files), repository of app1, restored to newest snapshot" in said
    assert "size of the files: 1 GiB" in said
    assert "RTO: 1 m 6 s (restore), target 5 m" in said
    assert cells(of(record))["repository"] == "-"
