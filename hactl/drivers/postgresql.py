"""PostgreSQL 13 and later, on its own socket, by one statement that answers with one JSON text.

Positions in the WAL are bytes from its beginning, so that lags are differences. A role that is a member of pg_monitor
sees everything; another one still gets an answer, marked as not complete.
"""

from __future__ import annotations

from hactl.drivers.probe import Asked, Cadence, QueryProbe
from hactl.drivers.reading import Record, json_of
from hactl.model.errors import ParseError
from hactl.model.facts import ArchiverFacts, PostgresqlFacts, PostgresqlRole, Replica, Slot
from hactl.model.inventory import PostgresqlService

# Why it is written so:
# - `here.lsn` is where this server stands: written (primary); received or replayed, whichever is further (standby: what
#   comes from the archive is replayed without being received).
# - A primary's timeline is that of the file it writes to: the control file tells the old one until the checkpoint after
#   a promotion is done.
# - The right to call a function is checked when a statement starts, not when a CASE gets to it: the backlog of the
#   archive is asked for by a statement within the statement.
# - The receiver's row is there only while it has a connection; whom a standby is told to follow stands in its settings.
# - Functions that raise an error in the wrong role of the server stand behind a CASE, which is enough for those.
SQL = r"""
WITH here AS MATERIALIZED (
  SELECT recovery, complete,
    CASE WHEN recovery THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
      ELSE pg_current_wal_lsn() END AS lsn
  FROM (SELECT pg_is_in_recovery() AS recovery, pg_has_role('pg_read_all_stats', 'usage') AS complete) AS mode
), session AS MATERIALIZED (
  SELECT count(*) FILTER (WHERE backend_type = 'client backend') AS clients,
    max(extract(epoch FROM clock_timestamp() - xact_start))
      FILTER (WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) AS longest
  FROM pg_stat_activity
)
SELECT json_build_object(
  'recovery', recovery,
  'complete', complete,
  'version', current_setting('server_version'),
  'system_identifier', (SELECT system_identifier::text FROM pg_control_system()),
  'timeline', CASE WHEN recovery
    THEN coalesce(
      (SELECT received_tli FROM pg_stat_wal_receiver),
      greatest(
        (SELECT timeline_id FROM pg_control_checkpoint()),
        (SELECT min_recovery_end_timeline FROM pg_control_recovery())))
    ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END,
  'lsn', pg_wal_lsn_diff(lsn, '0/0'),
  'replayed', CASE WHEN recovery THEN pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0') END,
  'replay_paused', CASE WHEN recovery THEN pg_is_wal_replay_paused() ELSE false END,
  'since_replay', CASE WHEN recovery
    THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END,
  'follows', CASE WHEN recovery AND pg_has_role('pg_read_all_settings', 'usage')
    THEN substring(current_setting('primary_conninfo') FROM '(?:^|\s)host\s*=\s*''?([^''[:space:]]+)') END,
  'slot', CASE WHEN recovery THEN current_setting('primary_slot_name') END,
  'receiver', (SELECT json_build_object('status', status, 'host', sender_host) FROM pg_stat_wal_receiver),
  'replicas', (SELECT json_agg(json_build_object(
      'application', application_name, 'address', host(client_addr), 'state', state, 'sync_state', sync_state,
      'sent_lag', pg_wal_lsn_diff(lsn, sent_lsn), 'flush_lag', pg_wal_lsn_diff(lsn, flush_lsn),
      'replay_lag', pg_wal_lsn_diff(lsn, replay_lsn)) ORDER BY application_name, pid) FROM pg_stat_replication),
  'slots', (SELECT json_agg(json_build_object(
      'name', slot_name, 'active', active, 'retained', pg_wal_lsn_diff(lsn, restart_lsn),
      'wal_status', wal_status, 'slot_type', slot_type) ORDER BY slot_name) FROM pg_replication_slots),
  'archiver', (SELECT json_build_object(
      'mode', current_setting('archive_mode'), 'archived', archived_count, 'failed', failed_count,
      'last_archived_wal', last_archived_wal, 'last_failed_wal', last_failed_wal,
      'since_archived', extract(epoch FROM clock_timestamp() - last_archived_time),
      'since_failed', extract(epoch FROM clock_timestamp() - last_failed_time),
      'ready', CASE WHEN has_function_privilege('pg_ls_archive_statusdir()', 'execute')
        THEN substring(query_to_xml(
          'SELECT count(*) AS n FROM pg_ls_archive_statusdir() WHERE name LIKE ''%.ready''', true, true, ''
        )::text FROM '<n>([0-9]+)</n>')::int END) FROM pg_stat_archiver),
  'connections', CASE WHEN complete THEN clients ELSE (SELECT sum(numbackends) FROM pg_stat_database) END,
  'max_connections', current_setting('max_connections')::int,
  'reserved_connections', current_setting('superuser_reserved_connections')::int,
  'longest_transaction', coalesce(longest, 0),
  'longest_prepared', coalesce(
    (SELECT max(extract(epoch FROM clock_timestamp() - prepared)) FROM pg_prepared_xacts), 0),
  'synchronous_standby_names', current_setting('synchronous_standby_names'),
  'read_only', current_setting('default_transaction_read_only')::bool,
  'up', extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())
)::text
FROM here, session
"""


def picture(service: PostgresqlService) -> QueryProbe:
    """Everything that one server knows of itself and of those that stream from it."""
    return QueryProbe(
        f"postgresql:{service.name}",
        Cadence.FAST,
        4.0,
        service.socket_directory,
        service.port,
        service.user,
        service.database,
        SQL,
        parse,
    )


def parse(answer: str, asked: Asked) -> PostgresqlFacts:  # noqa: ARG001 - every probe's parse has this shape
    told = Record.of(json_of(answer, "PostgreSQL"), "PostgreSQL's answer")
    recovery = told.flag("recovery")
    receiver = told.record("receiver") if told.fields.get("receiver") is not None else Record("the receiver", {})
    if told.integer("max_connections") < 1:
        raise ParseError("PostgreSQL says that it allows no connection.")
    return PostgresqlFacts(
        role=PostgresqlRole.STANDBY if recovery else PostgresqlRole.PRIMARY,
        version=told.text("version").partition(" ")[0],
        system_identifier=told.text("system_identifier"),
        timeline=told.integer("timeline"),
        lsn=told.integer("lsn"),
        replayed=told.maybe_integer("replayed"),
        replay_paused=told.flag("replay_paused"),
        seconds_since_replay=told.maybe_number("since_replay"),
        primary_host=receiver.text("host", ""),
        receiver_status=receiver.text("status", ""),
        replicas=tuple(map(_replica, told.records("replicas"))),
        slots=tuple(map(_slot, told.records("slots"))),
        archiver=_archiver(told.record("archiver")),
        connections=told.integer("connections"),
        max_connections=told.integer("max_connections"),
        longest_transaction=told.number("longest_transaction"),
        synchronous_standby_names=told.text("synchronous_standby_names", ""),
        read_only=told.flag("read_only"),
        started=told.number("up"),
        longest_prepared=told.number("longest_prepared"),
        reserved_connections=told.integer("reserved_connections"),
        follows=told.text("follows", ""),
        slot_name=told.text("slot", ""),
        complete=told.flag("complete"),
    )


def _behind(row: Record, key: str) -> int | None:
    """Bytes; never negative, though a replica may have moved on since the server read its own position."""
    distance = row.maybe_integer(key)
    return None if distance is None else max(0, distance)


def _replica(row: Record) -> Replica:
    return Replica(
        application=row.text("application", ""),
        address=row.text("address", ""),
        state=row.text("state", ""),
        sync_state=row.text("sync_state", ""),
        sent_lag=_behind(row, "sent_lag"),
        flush_lag=_behind(row, "flush_lag"),
        replay_lag=_behind(row, "replay_lag"),
    )


def _slot(row: Record) -> Slot:
    return Slot(
        name=row.text("name"),
        active=row.flag("active"),
        retained=_behind(row, "retained"),
        wal_status=row.text("wal_status", ""),
        slot_type=row.text("slot_type", ""),
    )


def _archiver(row: Record) -> ArchiverFacts:
    return ArchiverFacts(
        mode=row.text("mode"),
        archived=row.integer("archived"),
        failed=row.integer("failed"),
        last_archived_wal=row.text("last_archived_wal", ""),
        last_failed_wal=row.text("last_failed_wal", ""),
        seconds_since_archived=row.maybe_number("since_archived"),
        seconds_since_failed=row.maybe_number("since_failed"),
        ready=row.maybe_integer("ready"),
    )
