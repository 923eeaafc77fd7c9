"""Repositories and backups as rows and sentences: ages, chains, what nobody knows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hactl.model.backups import Repository, backup_services, repositories
from hactl.model.facts import Backup
from hactl.model.findings import Level
from hactl.model.inventory import Inventory
from hactl.view.backups import backup_rows, nothing_lines, repository_lines, repository_rows
from hactl.view.rooms import disk_entry, full_lines
from tests.model.builders import GIB, Cluster, lab, made, rooms

BACKUPS = "pgbackrest:backup"
FULL = made("full", 20, label="20251120-010000F", stored=GIB // 4)
INCR = made("incr", 2, label="20251120-010000F_20251120-190000I", prior=FULL.label, stored=GIB // 64)


def of(*backups: Backup, **changes: object) -> tuple[Cluster, tuple[Repository, ...]]:
    cluster = Cluster().change("backup1", BACKUPS, backups=backups, **changes)
    service, *_ = backup_services(cluster.inventory)
    return cluster, repositories(service, cluster.picture())


def without_drills() -> Inventory:
    inventory = lab()
    bare = {name: replace(one, drill_user=None) for name, one in inventory.services.items() if name == "backup"}
    return replace(inventory, services={**inventory.services, **bare})


def test_a_backup_a_line_newest_first() -> None:
    _, found = of(FULL, INCR)
    rows = [[cell.text for cell in row.cells] for row in backup_rows(found).rows]
    assert [row[:8] for row in rows] == [
        [INCR.label, "incr", "2h", "1 m", "1 GiB", "16 MiB", "0000000100000000", f"builds on {FULL.label}"],
        [FULL.label, "full", "20h", "1 m", "1 GiB", "256 MiB", "0000000100000000", "stands alone"],
    ]
    assert [row[8:] for row in rows] == [["1", "backup"]] * 2


@pytest.mark.parametrize(
    ("backups", "states"),
    [
        ((INCR,), [f"lacks {FULL.label}"]),
        ((replace(FULL, error=True), INCR), [f"lacks {FULL.label}", "has errors"]),
        ((FULL, replace(INCR, label="x", prior="y"), replace(INCR, label="z", prior="x")), ["lacks x", "lacks y"]),
    ],
)
def test_what_cannot_be_restored_says_why(backups: tuple[Backup, ...], states: list[str]) -> None:
    _, found = of(*backups)
    shown = backup_rows(found).rows
    assert [row.cells[7].text for row in shown if row.level is Level.CRIT] == states
    assert found[0].known is not None
    assert len(found[0].known.good) == len(backups) - len(states)


def test_a_repository_in_sentences() -> None:
    cluster, found = of(FULL, INCR)
    assert [line.text for line in repository_lines(cluster.picture(), found[0])] == [
        "backup, repository 1 on backup1, stanza main",
        "status: ok",
        "backups: 1 full, 1 incr; they take 272 MiB",
        "can be restored: any moment from 20h ago on, while no WAL between is missing",
        "archive: 000000010000000000000001 to 00000001000000000000003F, all that the primary has finished",
        "room: 12 GiB free of 20 GiB (40 % in use), in /var/lib/pgbackrest on backup1",
        "policy: a full backup every 8 d, any every 1 d 2 h",
        "last good drill: 2d ago, of 2025-full, RTO 1 m 6 s, RPO 2.5 s (8 KiB of WAL)",
    ]


@pytest.mark.parametrize(
    ("inventory", "change", "last", "level"),
    [
        (lab(), {"records": ()}, "last good drill: none", Level.WARN),
        (without_drills(), {}, "policy: a full backup every 8 d, any every 1 d 2 h", None),
    ],
)
def test_a_repository_says_whether_it_was_tried(inventory, change, last, level) -> None:
    cluster = Cluster(inventory)
    if change:
        cluster.change("backup1", "drill:backup", **change)
    service, *_ = backup_services(cluster.inventory)
    picture = cluster.picture()
    line = repository_lines(picture, repositories(service, picture)[0])[-1]
    assert (line.text, line.level) == (last, level)


@pytest.mark.parametrize(
    ("newest", "said"),
    [("0000000100000000" + "0000003D", "2 segments behind"), ("0000000100000000" + "0000003E", "1 segment behind")],
)
def test_how_far_the_archive_is(newest: str, said: str) -> None:
    cluster, found = of(FULL, archive_max={1: newest})
    assert any(said in line.text for line in repository_lines(cluster.picture(), found[0]))


def test_what_nobody_knows_is_not_nothing() -> None:
    cluster = Cluster().down("backup1")
    service, *_ = backup_services(cluster.inventory)
    found = repositories(service, cluster.picture())
    (line,) = nothing_lines(found)
    assert line.text.startswith("backup, repository 1: what it holds is not known: no route")
    assert line.level is Level.UNKNOWN
    assert backup_rows(found).rows == ()
    assert repository_lines(cluster.picture(), found[0])[1].level is Level.UNKNOWN
    empty = nothing_lines(of()[1])
    assert [(line.text, line.level) for line in empty] == [("backup, repository 1 holds no backup", Level.CRIT)]


def test_a_repository_counts_what_can_be_restored_alone() -> None:
    cluster, _ = of(FULL, replace(INCR, prior="gone"))
    row = next(one for one in repository_rows(cluster.picture()).rows if one.key == "backup/1")
    cells = dict(zip((column.key for column in repository_rows(cluster.picture()).columns), row.cells, strict=True))
    assert (cells["any"].text, cells["count"].text, cells["stored"].text) == ("20h", "1", "272 MiB")


def test_room_is_told_and_what_nobody_knows_of_it() -> None:
    cluster, _ = of(FULL)
    cluster.say("backup1", "room:backup", rooms("/var/lib/pgbackrest", used_percent=95))
    picture = cluster.picture()
    service, *_ = backup_services(cluster.inventory)
    (one,) = repositories(service, picture)
    (line,) = [line for line in repository_lines(picture, one) if line.text.startswith("room: ")]
    assert (line.text, line.level) == (
        "room: 1 GiB free of 20 GiB (95 % in use), in /var/lib/pgbackrest on backup1",
        Level.CRIT,
    )
    (said,) = full_lines(picture, ["backup"])
    assert said.text.startswith("backup: the disk of repository 1")
    entry = disk_entry(one.disk)
    assert entry is not None
    assert (entry.free_bytes, entry.used_percent, entry.unknown) == (GIB, 95.0, None)

    picture = cluster.fail("backup1", "room:backup", "timeout", "backup1: no answer.").picture()
    (one,) = repositories(service, picture)
    table = repository_rows(picture)
    (row,) = [row for row in table.rows if row.key == "backup/1"]
    assert row.cells[[column.key for column in table.columns].index("free")].text == "?"
    assert "room: not known, in /var/lib/pgbackrest on backup1: no answer" in [
        line.text for line in repository_lines(picture, one)
    ]
    entry = disk_entry(one.disk)
    assert entry is not None
    assert (entry.free_bytes, entry.unknown) == (None, "no answer")
