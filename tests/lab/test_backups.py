"""Backups by the real pgBackRest of the lab, driven from a shell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hactl.lab import Lab
from tests.cli.driving import ROOT
from tests.lab.acting import Operator, until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

OK, NEGATIVE, FAILED, GUARDED = 0, 1, 3, 7
DYING = f"{ROOT / 'tests' / 'lab' / 'dying'}:{ROOT}"
# The run begins, the lock is taken, the guards have spoken, the step has begun, its command is sent.
SENT = 5


@pytest.fixture
def anna(lab: Lab, tmp_path: Path) -> Iterator[Operator]:
    (tmp_path / "anna").mkdir()
    one = Operator(lab, tmp_path / "anna")
    yield one
    one.kill_runner()


def psql(lab: Lab, node: str, sql: str) -> str:
    return lab.exec(node, ["runuser", "-u", "postgres", "--", "psql", "-XAtqc", sql]).stdout.strip()


def backups(anna: Operator, service: str = "backup") -> dict[str, dict]:
    """By label, newest first."""
    done = anna("backup", "list", "--service", service, "-o", "json")
    assert done.returncode == OK, done.stderr
    (repository,) = json.loads(done.stdout)["repositories"]
    return {one["label"]: one for one in repository["backups"]}


def test_a_backup_is_taken_listed_and_whole(anna: Operator) -> None:
    before = backups(anna)
    done = anna("backup", "run", "--type", "full", "--yes", "-o", "json")
    assert done.returncode == OK, done.stdout + done.stderr
    run = json.loads(done.stdout)["run"]
    done = anna("backup", "run", "--yes")
    assert done.returncode == OK, done.stdout + done.stderr
    incr, full, *_ = (new := [one for label, one in backups(anna).items() if label not in before])
    assert (len(new), full["type"], full["run"]) == (2, "full", run)
    assert (incr["type"], incr["prior"], incr["restorable"]) == ("incr", full["label"], True)
    assert f"incr backup {incr['label']}" in done.stdout
    info = anna("backup", "info").stdout
    assert "all that the primary has finished" in info
    done = anna("backup", "verify", "--yes")
    assert done.returncode == OK, done.stdout
    assert "repository 1 is whole" in done.stdout


def test_a_flipped_byte_is_found(lab: Lab, anna: Operator) -> None:
    newest = next(label for label, one in backups(anna).items() if one["type"] == "full")
    lab.faults.inject("damage-backup")
    done = anna("backup", "verify", "--yes")
    assert done.returncode == FAILED, done.stdout
    assert f"backup {newest}" in done.stdout
    assert "1 with another checksum" in done.stdout
    lab.faults.undo("damage-backup")
    assert anna("backup", "verify", "--yes").returncode == OK


def test_killed_while_it_is_taken_and_resumed_there_is_one(anna: Operator) -> None:
    before = backups(anna)
    killed = anna("backup", "run", "--type", "full", "--yes", PYTHONPATH=DYING, HACTL_DIE_AT=str(SENT))
    assert killed.returncode not in {OK, FAILED}, killed.stdout
    done = anna("runs", "resume", "last", "--yes")
    assert done.returncode == OK, done.stdout + done.stderr
    new = [one for label, one in backups(anna).items() if label not in before]
    story = json.loads(anna("runs", "show", "last", "-o", "json").stdout)
    assert [one["run"] for one in new] == [story["run"]]


@pytest.mark.story
def test_two_backups_at_once_are_refused(lab: Lab, anna: Operator) -> None:
    """Somebody takes one by hand, which stands still in its middle."""
    by_hand = "pgbackrest --stanza=main --type=full backup"
    lab.exec(
        "backup1",
        ["sh", "-c", f"sudo -u pgbackrest {by_hand} >/dev/null 2>&1 & sleep 0.5; pkill -STOP -fx '{by_hand}'"],
    )
    try:
        plan = anna("backup", "run", "--plan")
        assert "another backup of backup is being made" in plan.stdout, plan.stdout
        assert plan.returncode == GUARDED
        assert "a backup is being made now" in anna("backup", "info").stdout
    finally:
        lab.exec("backup1", ["pkill", "-CONT", "-fx", by_hand])
        until(lambda: "being made" not in anna("backup", "info").stdout, "the backup by hand has ended")


@pytest.mark.story
def test_a_repository_whose_disk_fills_up_is_told_of_everywhere(lab: Lab, anna: Operator) -> None:
    """And one that nobody can find is unknown, not empty."""
    (free,) = {one["disk"]["unknown"] for one in anna.json("backup", "info")["repositories"]}
    assert free is None
    lab.faults.inject("disk-full", "backup1", path="/var/lib/pgbackrest", percent="93")
    try:
        first, second, *_ = anna.json("backup", "info")["repositories"]
        assert first["disk"]["used_percent"] > 90 > second["disk"]["used_percent"]
        for words in (("backup", "list"), ("backup", "info"), ("status",)):
            done = anna(*words)
            assert "the disk of repository 1 (/var/lib/pgbackrest on backup1) is nearly full: 9" in (
                " ".join((done.stdout + done.stderr).split())
            ), words
    finally:
        lab.faults.undo("disk-full")
    lab.exec("backup2", ["mv", "/var/lib/pgbackrest", "/var/lib/elsewhere"])
    try:
        said = " ".join(anna("backup", "info", "--service", "offsite").stdout.split())
    finally:
        lab.exec("backup2", ["mv", "/var/lib/elsewhere", "/var/lib/pgbackrest"])
    assert "room: not known, in /var/lib/pgbackrest on backup2: df: /var/lib/pgbackrest: No such file" in said


@pytest.mark.story
def test_an_off_site_copy_that_falls_behind_is_a_finding_of_its_own(lab: Lab, anna: Operator) -> None:
    def behind() -> dict[str, int]:
        found = anna.json("backup", "info")["repositories"]
        return {one["service"]: one["wal_gap_segments"] for one in found}

    primary = next(one for one in ("db1", "db2", "db3") if "f" in psql(lab, one, "SELECT pg_is_in_recovery()"))
    closed = "/var/lib/pgbackrest/archive/main/15-1"
    lab.exec("backup2", ["chmod", "-R", "a-w", closed])
    try:
        for _ in range(12):
            psql(lab, primary, "SELECT pg_switch_wal() FROM pg_logical_emit_message(false, '', '')")
        until(lambda: behind()["backup"] == 0, "the first repository has all of it", 120)
        assert behind()["offsite"] >= 10
        sentence, _ = anna.findings()["wal-gap:offsite:2"]
        assert sentence.startswith(f"WAL segments of {primary} that repository 2 lacks: 1")
    finally:
        lab.exec("backup2", ["chmod", "-R", "u+w", closed])
    until(lambda: behind()["offsite"] == 0, "the second one has it, too", 180)


def test_while_one_repository_is_away_the_other_goes_on_and_then_it_gets_what_it_lacks(
    lab: Lab, anna: Operator
) -> None:
    def repositories() -> tuple[dict, dict]:
        first, second, *_ = json.loads(anna("backup", "info", "-o", "json").stdout)["repositories"]
        return first, second

    primary = next(one for one in ("db1", "db2", "db3") if "f" in psql(lab, one, "SELECT pg_is_in_recovery()"))
    before = backups(anna, "offsite")
    lab.faults.inject("power-off", "backup1")
    # More than one: by itself archive-push would stay at the first.
    for _ in range(3):
        last = psql(lab, primary, "SELECT pg_walfile_name(pg_switch_wal()) FROM pg_logical_emit_message(false, '', '')")
    done = anna("backup", "run", "--service", "offsite", "--yes")
    assert done.returncode == OK, done.stdout + done.stderr
    assert len(backups(anna, "offsite")) == len(before) + 1
    gone, kept = repositories()
    assert anna("backup", "list").returncode == NEGATIVE
    assert (gone["service"], gone["backups"], gone["unknown"] is None) == ("backup", [], False)
    assert kept["newest_wal"] >= last
    lab.faults.undo("power-off")
    until(lambda: (repositories()[0]["newest_wal"] or "") >= kept["newest_wal"], "backup1 has what it lacked", 120)
