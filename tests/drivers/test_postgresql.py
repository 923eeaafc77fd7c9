"""The one statement, put to real servers: a primary and its standby, by roles that may see much and little."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hactl.drivers import postgresql
from hactl.drivers.probe import Asked
from hactl.model.facts import PostgresqlFacts, PostgresqlRole
from hactl.model.inventory import PostgresqlService

NOW = Asked(0.0, 0.1)
PRIMARY, STANDBY = 54391, 54392
SETTINGS = """
port = {port}
listen_addresses = ''
unix_socket_directories = '{folder}'
archive_mode = on
archive_command = 'false'
max_prepared_transactions = 2
max_connections = 20
fsync = off
"""


def _programs() -> Path | None:
    """Where the newest PostgreSQL of this machine keeps its programs."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(found, key=lambda path: int(path.parent.name), default=None)


class Pair:
    """A primary and a standby in a folder of their own, reachable only through sockets in it."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self._programs = folder, programs

    def run(self, program: str, *arguments: str) -> str:
        """One of PostgreSQL's programs, as a user who is not root."""
        argv = [str(self._programs / program), *arguments]
        if os.geteuid() == 0:
            argv = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *argv]
        log = self.folder / "programs.log"  # a server inherits it: a pipe would never end
        with log.open("a") as errors, tempfile.TemporaryFile("w+") as output:
            subprocess.run(argv, check=True, stdout=output, stderr=errors, cwd=self.folder, timeout=90)
            output.seek(0)
            return output.read()

    def sql(self, statement: str, port: int = PRIMARY, user: str = "postgres") -> str:
        arguments = ["-h", str(self.folder), "-p", str(port), "-U", user, "-d", "postgres"]
        return self.run("psql", *arguments, "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement).rstrip("\n")

    def facts(self, port: int = PRIMARY, user: str = "watcher") -> PostgresqlFacts:
        return postgresql.parse(self.sql(postgresql.SQL, port, user), NOW)

    def start(self) -> None:
        self.run("initdb", "-D", str(self.folder / "primary"), "-A", "trust", "-U", "postgres", "-N")
        self._configure("primary", PRIMARY)
        self.run("pg_ctl", "-D", "primary", "-l", "primary.log", "-w", "start")
        self.sql("CREATE ROLE watcher LOGIN IN ROLE pg_monitor")
        self.sql("CREATE ROLE stranger LOGIN")
        self.sql("SELECT pg_create_physical_replication_slot('to_standby')")
        self.sql("SELECT pg_create_physical_replication_slot('abandoned', true)")
        source = f"host={self.folder} port={PRIMARY} user=postgres application_name=second"
        self.run("pg_basebackup", "-d", source, "-D", "standby", "-R", "-S", "to_standby", "-c", "fast")
        self._configure("standby", STANDBY)
        self.run("pg_ctl", "-D", "standby", "-l", "standby.log", "-w", "start")

    def stop(self) -> None:
        for name in ("standby", "primary"):
            with suppress(subprocess.CalledProcessError):
                self.run("pg_ctl", "-D", name, "-m", "immediate", "-w", "stop")

    def _configure(self, name: str, port: int) -> None:
        with (self.folder / name / "postgresql.conf").open("a") as file:
            file.write(SETTINGS.format(port=port, folder=self.folder))


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL server on this machine: its statement was not tried")
    folder = Path(tempfile.mkdtemp(prefix="hactl-pg-"))  # a short path: sockets want that
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, pwd.getpwnam("postgres").pw_gid)
    one = Pair(folder, programs)
    try:
        one.start()
        yield one
    finally:
        one.stop()
        shutil.rmtree(folder)


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.2)


def test_primary(pair: Pair) -> None:
    pair.sql("CREATE TABLE IF NOT EXISTS t AS SELECT generate_series(1, 1000); SELECT pg_switch_wal()")
    _until(lambda: (pair.facts().archiver.ready or 0) > 0 and pair.facts().archiver.failed > 0)
    _until(lambda: pair.facts().replicas[0].state == "streaming")
    facts = pair.facts()
    assert (facts.role, facts.timeline, facts.complete) == (PostgresqlRole.PRIMARY, 1, True)
    assert (facts.replayed, facts.receiver_status, facts.primary_host) == (None, "", "")
    assert facts.version == pair.sql("SHOW server_version").split()[0]
    assert facts.system_identifier == pair.sql("SELECT system_identifier FROM pg_control_system()")
    assert facts.lsn <= int(pair.sql("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"))
    assert (facts.max_connections, facts.reserved_connections, facts.read_only) == (20, 3, False)
    (replica,) = facts.replicas
    assert (replica.application, replica.state, replica.sync_state) == ("second", "streaming", "async")
    slots = {slot.name: slot for slot in facts.slots}
    assert slots["to_standby"].active
    assert not slots["abandoned"].active
    assert (slots["abandoned"].retained or 0) > 0
    assert (facts.archiver.mode, facts.archiver.archived, facts.archiver.seconds_since_archived) == ("on", 0, None)
    assert facts.archiver.last_failed_wal.startswith("00000001")
    assert facts.archiver.seconds_since_failed is not None
    assert 0 < facts.started < 3600


def test_standby_and_its_lag(pair: Pair) -> None:
    pair.sql("SELECT pg_wal_replay_pause()", STANDBY)
    pair.sql("CREATE TABLE lag AS SELECT generate_series(1, 50000)")
    _until(lambda: pair.facts(STANDBY).lsn >= pair.facts().lsn)
    behind = pair.facts(STANDBY)
    assert (behind.role, behind.timeline, behind.replay_paused) == (PostgresqlRole.STANDBY, 1, True)
    assert (behind.receiver_status, behind.primary_host) == ("streaming", str(pair.folder))
    assert (behind.follows, behind.slot_name) == (str(pair.folder), "to_standby")
    assert behind.replayed is not None
    assert behind.lsn - behind.replayed > 1_000_000
    assert behind.system_identifier == pair.facts().system_identifier
    seen = pair.facts().replicas[0]
    assert (seen.replay_lag or 0) > 1_000_000
    pair.sql("SELECT pg_wal_replay_resume()", STANDBY)
    _until(lambda: pair.facts(STANDBY).replayed == pair.facts(STANDBY).lsn)
    assert not pair.facts(STANDBY).replay_paused


@pytest.mark.parametrize("port", [PRIMARY, STANDBY])
def test_a_role_without_rights_still_gets_an_answer(pair: Pair, port: int) -> None:
    little, much = pair.facts(port, "stranger"), pair.facts(port)
    assert (little.complete, much.complete) == (False, True)
    assert (little.archiver.ready, little.role, little.timeline) == (None, much.role, much.timeline)
    assert little.lsn <= much.lsn
    assert little.follows == ""
    assert [replica.replay_lag for replica in little.replicas] == [None for _ in much.replicas]


def test_long_transactions_and_prepared_ones(pair: Pair) -> None:
    arguments = ["-h", str(pair.folder), "-p", str(PRIMARY), "-U", "postgres", "-d", "postgres", "-Xq"]
    with subprocess.Popen(["psql", *arguments], stdin=subprocess.PIPE, text=True) as held:
        assert held.stdin is not None
        held.stdin.write("BEGIN; SELECT 1 \\g /dev/null\n")
        held.stdin.flush()
        _until(lambda: pair.facts().longest_transaction > 1)
        assert pair.facts().connections == 2  # the held one and our own
        held.stdin.write("PREPARE TRANSACTION 'left behind';\n")
        held.stdin.close()
    facts = pair.facts()
    assert facts.longest_transaction == 0  # our own does not count
    assert facts.longest_prepared > 0
    pair.sql("ROLLBACK PREPARED 'left behind'")
    assert pair.facts().longest_prepared == 0


def test_promotion_changes_role_and_timeline_at_once(pair: Pair) -> None:
    pair.sql("SELECT pg_promote()", STANDBY)
    facts = pair.facts(STANDBY)
    assert (facts.role, facts.timeline, facts.receiver_status) == (PostgresqlRole.PRIMARY, 2, "")
    assert pair.facts().timeline == 1


def test_probe() -> None:
    service = PostgresqlService("database", ("db1",), (), 1, port=5433, user="watcher", database="app")
    probe = postgresql.picture(service)
    assert (probe.key, probe.port, probe.user, probe.database) == ("postgresql:database", 5433, "watcher", "app")
    assert probe.socket_directory == "/var/run/postgresql"
