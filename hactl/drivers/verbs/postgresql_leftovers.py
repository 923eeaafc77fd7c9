"""What a server keeps of a timeline that has ended: the beginning of a segment that the new timeline has whole.

A server that was the primary of that timeline, or lost its stream in the middle, does not know whether this segment is
archived, and sends it there the next time it is the primary. Where another server has done so, with other bytes behind
the end, the archive refuses it, and nothing is archived from then on. So it is told that this is done.
"""

from __future__ import annotations

from hactl.drivers.verbs import postgresql_commands as commands
from hactl.drivers.verbs import postgresql_server as server
from hactl.model.inventory import PostgresqlService
from hactl.model.verb import Doing, VerbError, exit_sentence, run


def settle_leftovers(service: PostgresqlService, node: str) -> Doing[tuple[str, ...]]:
    """On a standby that streams the new timeline. The segments that are not archived from here any more."""
    found = (yield from server.query(service, node, _LEFTOVERS)).split()
    for segment in found:
        done = yield from run(server.as_postgres(commands.archived(service, segment), mutates=True), node)
        if not done.ok:
            raise VerbError(exit_sentence(done, f"noting on {node} that {segment} needs no archiving"))
    return tuple(found)


# Those without a word about archiving whose number a newer timeline has, too. A standby notes of what it received
# whole that it is done; what waits to be archived (.ready) is left alone: only a primary has that.
_LEFTOVERS = """
WITH here AS (SELECT name FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$')
SELECT old.name FROM here old
WHERE current_setting('archive_mode') = 'on'
  AND EXISTS (SELECT FROM here new WHERE substr(new.name, 9) = substr(old.name, 9) AND new.name > old.name)
  AND NOT EXISTS (SELECT FROM pg_ls_archive_statusdir() told WHERE told.name LIKE old.name || '.%')
ORDER BY old.name
"""
