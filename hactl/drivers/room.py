"""How full the file systems are that hold repositories of backups, by `df` on each folder itself.

Only the folder tells: a mount point above it may be another file system, and a link may lead anywhere. Nobody has to be
allowed to look into the folder for that, only into those above it.
"""

from __future__ import annotations

import re
import shlex
from functools import partial

from hactl.drivers.probe import Asked, Cadence, TickProbe
from hactl.drivers.reading import explained
from hactl.model.command import Completed
from hactl.model.errors import ParseError
from hactl.model.facts import Room, RoomFacts
from hactl.model.rooms import key_of
from hactl.model.text import one_line

_DEADLINE = 20.0
_SIGN = "@ "
# What every df has to say (POSIX): device, total, used, available, capacity, mount point.
_ROW = re.compile(r"\S.*?\s+(\d{1,19})\s+(\d{1,19})\s+(-?\d{1,19})\s+\d+%\s+(/.*)")
_NOTHING = "df did not answer in time"


def probe(service: str, paths: tuple[str, ...]) -> TickProbe:
    """A file server that is gone must not keep the others waiting for long."""
    body = f"""
for hactl_room_path in {shlex.join(paths)}; do
  hactl_out="$hactl_out{_SIGN}$hactl_room_path
$(LC_ALL=C timeout -k 1 4 df -P -k -- "$hactl_room_path" 2>&1)
"
done
"""
    return TickProbe(key_of(service), Cadence.SLOW, _DEADLINE, body, partial(parse, paths))


def parse(paths: tuple[str, ...], done: Completed, asked: Asked) -> RoomFacts:  # noqa: ARG001 - shape of a parse
    if not done.stdout.startswith(_SIGN):
        raise ParseError(explained(done, "asking df"))
    rooms, unknown = dict[str, Room](), dict[str, str]()
    for path in paths:
        said = _said(done.stdout, path)
        if (room := _room(said)) is not None:
            rooms[path] = room
        else:
            unknown[path] = one_line(said, 160) or _NOTHING
    return RoomFacts(rooms, unknown)


def _said(text: str, path: str) -> str:
    """What stands below the folder's name."""
    _, found, rest = f"\n{text}".partition(f"\n{_SIGN}{path}\n")
    return rest.partition(f"\n{_SIGN}")[0].strip("\n") if found else ""


def _room(said: str) -> Room | None:
    """Of the last line; the file system with no blocks at all, which some kernels have, is none."""
    match = _ROW.fullmatch(said.rpartition("\n")[2][:512].rstrip())
    if match is None:
        return None
    total, used, free = int(match[1]), int(match[2]), max(0, int(match[3]))
    if used + free == 0:
        return None
    return Room(match[4], total * 1024, free * 1024, 100.0 * used / (used + free))
