"""The verb that proves that a primary's WAL gets into the archive: one segment is ended, and seen to arrive there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hactl.drivers import pgbackrest
from hactl.drivers.probe import Asked
from hactl.drivers.verbs import postgresql_server as server
from hactl.drivers.verbs.database_verb import DatabaseArguments, DatabaseVerb
from hactl.model.errors import ParseError, TransportError
from hactl.model.inventory import PgbackrestService
from hactl.model.parameters import About
from hactl.model.verb import AnyVerb, Doing, Memory, Scene, Shown, Standing, VerbError, now, run, tell, wait

_WITHIN = 90.0  # seconds


@dataclass(frozen=True, slots=True)
class ArchivedArguments(DatabaseArguments):
    backups: Annotated[str, About("a pgbackrest service: that its repository has it is enough")] = ""


class Archived(DatabaseVerb[ArchivedArguments]):
    name = "postgresql.archived"
    summary = "See that the node, a primary, archives: end a WAL segment, and wait until it is in the archive."
    arguments = ArchivedArguments
    reads_back = False
    deadline = 120.0

    def first(self, scene: Scene, args: ArchivedArguments) -> tuple[Shown, ...]:  # noqa: ARG002 - no part of it
        return (server.shown(scene.target.name, "SELECT pg_walfile_name(pg_switch_wal())"),)

    def check(self, scene: Scene, args: ArchivedArguments) -> Doing[Standing]:
        """While a plan is made it may not even run yet."""
        mode = yield from server.maybe_query(server.database(scene, args.service), scene.target.name, _MODE)
        off = mode == "off"
        said = "archives nothing (archive_mode = off)" if off else "archives" if mode else "does not answer yet"
        return Standing(off, f"{scene.target.name} {said}")

    def do(self, scene: Scene, args: ArchivedArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - none is needed
        service, node = server.database(scene, args.service), scene.target.name
        segment = yield from server.order(service, node, SWITCH)
        end = (yield from now()) + _WITHIN
        while True:
            last, failed = (yield from server.query(service, node, _NEWEST)).split("|")
            # Of one timeline they sort by age; a newer timeline's sort after all of an older one.
            if last[:24] >= segment:
                return f"{node} archives: {last} has arrived"
            if (yield from now()) >= end:
                why = f"; {failed} failed" if failed else ""
                raise VerbError(
                    f"{segment} of {node} is not in the archive after {_WITHIN:.0f} s{why}",
                    remedy=f"Look at PostgreSQL's log on {node}, and at the archive_command.",
                )
            if failed and args.backups and (where := (yield from _arrived(scene, args.backups, segment))):
                return f"{where} has {segment}; {failed} has not arrived in another repository yet"
            yield from tell(f"{segment} is not in the archive yet")
            yield from wait(0.3, f"{segment} to be archived")


def _arrived(scene: Scene, name: str, segment: str) -> Doing[str]:
    """The repository that has it by its own word: archiving fails for as long as any other one is away. "" for none."""
    service = scene.inventory.services.get(name)
    if not isinstance(service, PgbackrestService):
        return ""
    try:
        said = yield from run(pgbackrest.info_command(service), service.repository_host)
        facts = pgbackrest.parse(service.stanza, said, Asked(0.0, 0.0))
    except (TransportError, ParseError):
        return ""  # nobody knows: it is looked for on
    newest = facts.archive_max
    return next((f"repository {one}" for one in service.repositories if newest.get(one, "") >= segment), "")


VERBS: tuple[AnyVerb, ...] = (Archived(),)

_MODE = "SELECT current_setting('archive_mode')"
# The message makes sure that there is something to end; nobody reads it.
SWITCH = """
SELECT pg_walfile_name(pg_switch_wal()) FROM (SELECT pg_logical_emit_message(false, 'hactl', '') OFFSET 0) AS written
"""
_NEWEST = """
SELECT coalesce(last_archived_wal, ''), CASE WHEN last_failed_time > coalesce(last_archived_time, '-infinity')
  THEN last_failed_wal ELSE '' END FROM pg_stat_archiver
"""
