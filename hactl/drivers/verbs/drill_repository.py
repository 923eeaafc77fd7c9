"""That a drill leaves the repository as it was: the checksums of its files before, and after.

Where the repository is a directory of the drill's node, the drill's user reads it; where it is a directory of another
node, that node's own user of pgBackRest does, who changes nothing. Of what is in no directory nobody can tell.
"""

from __future__ import annotations

from collections.abc import Mapping

from hactl.drivers.verbs import drill_commands as commands
from hactl.drivers.verbs.drill_commands import Scratch
from hactl.drivers.verbs.drill_scratch import LONG, reading
from hactl.model.command import command
from hactl.model.drills import Check, CheckOutcome
from hactl.model.errors import TransportError
from hactl.model.inventory import PgbackrestService
from hactl.model.text import one_line
from hactl.model.verb import Doing, Memory, VerbError, exit_sentence, run, tell

NAME = "repository"
HERE, THERE = "here", "there"
_NONE = "# "  # what a list begins with that could not be made: sha256sum takes it for a comment
_UNREAD = "its files could not be read when the drill began"


def where(service: PgbackrestService, number: int, settings: Mapping[str, str]) -> Memory:
    """What `prepare` has to remember: `reader` (HERE, THERE), and the `directory` on that node; or why nobody can."""
    host, kind = settings.get(f"repo{number}-host", ""), settings.get(f"repo{number}-type", "posix")
    if host:
        reader, path = THERE, service.repository_path(number)
        missing = f"the inventory does not say in which folder of {service.repository_host} it lies"
    else:
        reader, path = HERE, settings.get(f"repo{number}-path", "/var/lib/pgbackrest") if kind == "posix" else ""
        missing = f"it is in no folder of any node ({kind})"
    if not path:
        return {"unread": missing}
    if not commands.readable(path):
        return {"unread": f"no rule of sudo may name {path}"}
    return {"reader": reader, "directory": path}


def listed(scratch: Scratch, memory: Memory) -> Doing[str]:
    """The checksums of what the restore will read, for the scratch space; where there are none, the reason."""
    if "directory" not in memory:
        return f"{_NONE}{memory.get('unread', _UNREAD)}\n"
    yield from tell("reading the files of the repository that the restore will read")
    try:
        return (yield from _sums(scratch.service, memory))
    except VerbError as error:
        return f"{_NONE}{error.sentence}\n"


def compared(scratch: Scratch, memory: Memory) -> Doing[Check]:
    """The files that were there when the drill began. One that is gone since was expired by somebody else."""
    yield from tell("comparing the files of the repository with what they were")
    try:
        kept = yield from run(reading(scratch.service, commands.kept(scratch)))
        if not kept.ok or kept.truncated or "chain" not in memory:
            return _skipped("what they were could not be read again")
        if kept.stdout.startswith(_NONE) or not kept.stdout.strip():
            return _skipped(kept.stdout.removeprefix(_NONE).strip() or _UNREAD)
        after = yield from _sums(scratch.service, memory)
    except VerbError as error:
        return _skipped(error.sentence)
    return _judged(_read(kept.stdout), _read(after))


def _sums(service: PgbackrestService, memory: Memory) -> Doing[str]:
    """Raises VerbError where not all of them can be read."""
    path, since, found = memory["directory"], int(memory["since"]), ""
    backups = (f"{path}/backup/{service.stanza}/{label}" for label in memory["chain"].split())
    for directory in (*backups, f"{path}/archive/{service.stanza}"):
        found += yield from _told(service, memory, commands.sums(directory, since))
    return found


def _told(service: PgbackrestService, memory: Memory, argv: tuple[str, ...]) -> Doing[str]:
    """Asked once more where a file has gone while it was read: what is archived has another name at first."""
    far = memory["reader"] == THERE
    node = service.repository_host if far else None
    asked = command(*argv, as_user=service.os_user if far else service.drill_user, timeout=LONG)
    try:
        said = yield from run(asked, node)
        if not said.ok:
            said = yield from run(asked, node)
    except TransportError as error:
        raise VerbError(error.message.rstrip(".")) from None
    if said.truncated:
        raise VerbError("it has too many files to be told")
    if not said.ok:
        raise VerbError(f"its files cannot be read{f' on {node}' if far else ''}: {exit_sentence(said, 'find')}")
    return said.stdout


def _read(listing: str) -> Mapping[str, str]:
    """SHA-256 by path."""
    rows = (line.split("  ", 1) for line in listing.splitlines())
    return {row[1]: row[0] for row in rows if len(row) == 2}


def _judged(before: Mapping[str, str], after: Mapping[str, str]) -> Check:
    changed = [path for path, told in before.items() if after.get(path, told) != told]
    if changed:
        sentence = f"{len(changed)} files of the repository have changed: {one_line(changed[0], 200)}"
        return Check(NAME, CheckOutcome.FAIL, sentence)
    if not before.keys() <= after.keys():
        return _skipped("files of it have been removed meanwhile")
    return Check(NAME, CheckOutcome.OK, f"its {len(before)} files are what they were")


def _skipped(why: str) -> Check:
    return Check(NAME, CheckOutcome.SKIPPED, why)
