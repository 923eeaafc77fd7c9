"""The day on which no server of the database is left, in the real lab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hactl.lab import Lab
from tests.cli.driving import script
from tests.lab.acting import Operator, until

pytestmark = [pytest.mark.lab, pytest.mark.story, pytest.mark.timeout(1800)]

OK, GUARDED = 0, 7
DATABASES = ("db1", "db2", "db3")
DATA = "/var/lib/postgresql/15/main"
NOW = "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
CONNECT = "user=replicator passfile=/var/lib/postgresql/.pgpass host=db1"
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


def reaches(lab: Lab, node: str) -> None:
    """All that was written by now is in the archive, in both repositories."""
    segment = psql(lab, node, "SELECT pg_walfile_name(pg_switch_wal())")
    archived = f"SELECT last_archived_wal >= '{segment}' FROM pg_stat_archiver"
    until(lambda: psql(lab, node, archived) == "t", f"{segment} is in the archive", 180)


def ruined(lab: Lab, node: str) -> None:
    lab.exec(node, ["systemctl", "kill", "--signal=KILL", "postgresql@15-main"])
    lab.exec(node, ["systemctl", "stop", "postgresql@15-main"])
    assert lab.exec(node, ["rm", "-rf", DATA]).returncode == OK


def newest(anna: Operator) -> str:
    """The label of the newest backup in the first repository."""
    (repository,) = anna.json("backup", "list", "--service", "backup")["repositories"]  # type: ignore[misc]
    label: str = repository["backups"][0]["label"]
    return label


def test_both_sites_are_gone_and_the_database_comes_back_from_the_repository(lab: Lab, anna: Operator) -> None:
    first = primary(lab)
    others = [node for node in DATABASES if node != first]
    psql(lab, first, "CREATE TABLE IF NOT EXISTS kept (x int); TRUNCATE kept")
    psql(lab, first, "INSERT INTO kept SELECT generate_series(1, 1000)")
    reaches(lab, first)
    plan = anna("restore", "--to", first, "--plan")
    assert plan.returncode == GUARDED
    assert f"{others[0]} answers, as a standby: fail over to it" in plan.stdout

    for node in others:
        lab.faults.inject("power-off", node)
    ruined(lab, first)
    done = anna("restore", "--to", first, "--yes", "--confirm", lab.spec.name, *REASON, timeout=400)
    assert done.returncode == OK, done.stdout + done.stderr
    assert "are lost, and all that came after" in done.stdout
    assert psql(lab, first, "SELECT count(*), pg_is_in_recovery() FROM kept") == "1000|f"
    left = (
        "SELECT name FROM pg_file_settings WHERE sourcefile LIKE '%auto.conf' AND name ~ '^(recovery_|restore_command)'"
    )
    assert psql(lab, first, left) == ""

    # From the other site, with the first repository's host gone: to a moment, before somebody's mistake.
    psql(lab, first, "INSERT INTO kept VALUES (1001)")
    moment = psql(lab, first, f"SELECT pg_sleep(0.01); {NOW}").splitlines()[-1]
    psql(lab, first, "SELECT pg_sleep(0.01); TRUNCATE kept")
    reaches(lab, first)
    anna("backup", "run", "--yes")
    taken = newest(anna)
    psql(lab, first, "INSERT INTO kept VALUES (7)")
    reaches(lab, first)
    ruined(lab, first)
    lab.faults.inject("power-off", "backup1")
    options = ("--service", "offsite", "--time", moment)
    plan = anna("restore", "--to", first, *options, "--plan", timeout=400)
    assert "--repo=2 --type=time" in plan.stdout, plan.stdout + plan.stderr
    done = anna("restore", "--to", first, *options, "--yes", "--confirm", lab.spec.name, *REASON, timeout=600)
    print(done.stdout, done.stderr)
    assert psql(lab, first, "SELECT count(*), max(x), pg_is_in_recovery() FROM kept") == "1001|1001|f"
    lab.faults.undo("power-off", "backup1")
    assert done.returncode == OK, done.stdout + done.stderr
    reaches(lab, first)

    # One backup by itself: what came after it is not there.
    ruined(lab, first)
    done = anna(
        *("restore", "--to", first, "--backup", taken, "--yes", "--confirm", lab.spec.name, *REASON), timeout=400
    )
    assert done.returncode == OK, done.stdout + done.stderr
    assert psql(lab, first, "SELECT count(*), pg_is_in_recovery() FROM kept") == "0|f"

    lab.faults.undo("power-off")
    # The others may be further than what was restored: then none of them starts, to say how standbys connect.
    psql(lab, first, f"ALTER SYSTEM SET primary_conninfo = '{CONNECT}'")
    psql(lab, first, "SELECT pg_reload_conf()")
    for node in others:
        done = anna("rejoin", node, "--clone", "--yes", timeout=400)
        assert done.returncode == OK, done.stdout + done.stderr
    streaming = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
    until(lambda: psql(lab, first, streaming) == "2", "both others stream from it")
    psql(lab, first, "DROP TABLE kept")
