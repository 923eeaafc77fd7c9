"""When a server's timelines began, as far as it remembers: by the history files beside its WAL."""

from __future__ import annotations

from hactl.drivers.reading import Record, json_of
from hactl.drivers.requirements import Judged, SqlQuestion
from hactl.model.findings import Level
from hactl.model.inventory import PostgresqlService
from hactl.model.role_history import TimelineBegun

# A promotion writes the file of its timeline; a standby that receives it writes its own a moment later. One that was
# copied anew has it from then. The functions in the statement are granted to pg_monitor.
SQL = r"""
SELECT json_build_object('files', json_agg(json_build_object(
  'timeline', ('x' || substr(name, 1, 8))::bit(32)::int,
  'at', extract(epoch FROM modification)) ORDER BY name))::text
FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{8}\.history$'
"""


def question(service: PostgresqlService) -> SqlQuestion:
    where = service.socket_directory, service.port, service.user, service.database
    return SqlQuestion(*where, SQL, lambda answer: Judged(Level.OK, answer))


def parse(answer: str, service: str, node: str) -> tuple[TimelineBegun, ...]:
    """Raises ParseError."""
    told = Record.of(json_of(answer, "PostgreSQL"), "PostgreSQL's answer")
    return tuple(
        TimelineBegun(service, node, row.integer("timeline"), row.number("at")) for row in told.records("files")
    )
