"""The day on which no server of the database is left, in the real lab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hactl.lab import Lab
from tests.cli.driving import script
from tests.lab.acting import Operator, until

pytestmark = [pytest.mark.lab, pytest.mark.story, pytest.mark.timeout(900)]

OK, GUARDED = 0, 7
DATABASES = ("db1", "db2", "db3")
DATA = "/var/lib/postgresql/15/main"
REASON = ("--reason", "both sites are gone")


@pytest.fixture
def anna(lab: Lab, tmp_path: Path) -> Iterator[Operator]:
    home = tmp_path / "anna"
    home.mkdir()
    script(home)  # the inventory's fencing asks the lab about power by its name
    one = Operator(lab, home)
    yield one
    one.kill_runner()


def psql(lab: Lab, node: str, sql: str, database: str = "shop") -> str:
    argv = ["runuser", "-u", "postgres", "--", "psql", "-XAtq", "-d", database, "-c", sql]
    return lab.exec(node, argv).stdout.strip()


def primary(lab: Lab) -> str:
    (found,) = [node for node in DATABASES if psql(lab, node, "SELECT pg_is_in_recovery()") == "f"]
    return found


def test_both_sites_are_gone_and_the_database_comes_back_from_the_repository(lab: Lab, anna: Operator) -> None:
    first = primary(lab)
    others = [node for node in DATABASES if node != first]
    psql(lab, first, "CREATE TABLE IF NOT EXISTS kept (x int); TRUNCATE kept")
    psql(lab, first, "INSERT INTO kept SELECT generate_series(1, 1000)")
    segment = psql(lab, first, "SELECT pg_walfile_name(pg_switch_wal())")
    archived = "SELECT last_archived_wal FROM pg_stat_archiver"
    until(lambda: psql(lab, first, archived) >= segment, "the rows are in the archive", 120)
    plan = anna("restore", "--to", first, "--plan")
    assert plan.returncode == GUARDED
    assert f"{others[0]} answers, as a standby: fail over to it" in plan.stdout

    for node in others:
        lab.faults.inject("power-off", node)
    lab.exec(first, ["systemctl", "kill", "--signal=KILL", "postgresql@15-main"])
    lab.exec(first, ["systemctl", "stop", "postgresql@15-main"])
    assert lab.exec(first, ["rm", "-rf", DATA]).returncode == OK
    done = anna("restore", "--to", first, "--yes", "--confirm", lab.spec.name, *REASON, timeout=400)
    assert done.returncode == OK, done.stdout + done.stderr
    assert "are lost, and all that came after" in done.stdout
    assert psql(lab, first, "SELECT count(*), pg_is_in_recovery() FROM kept") == "1000|f"
    left = (
        "SELECT name FROM pg_file_settings WHERE sourcefile LIKE '%auto.conf' AND name ~ '^(recovery_|restore_command)'"
    )
    assert psql(lab, first, left) == ""

    lab.faults.undo("power-off")
    for node in others:
        done = anna("rejoin", node, "--clone", "--yes", timeout=400)
        assert done.returncode == OK, done.stdout + done.stderr
    streaming = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
    until(lambda: psql(lab, first, streaming) == "2", "both others stream from it")
    psql(lab, first, "DROP TABLE kept")
