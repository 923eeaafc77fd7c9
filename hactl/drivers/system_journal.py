"""The journal of a node's own systemd: may it be read, and how it is followed. Nothing of it becomes facts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hactl.model.command import Command, Completed, command
from hactl.model.text import one_line

GROUP = "systemd-journal"
"""Its members may read the journal of the whole system, and change nothing."""

LINES = 200  # of the past, before what is new

# journalctl itself does not fail for somebody who may see his own lines only: it shows those, and no others.
_ACCESS = r"""
command -v journalctl >/dev/null || { echo absent; exit 0; }
for file in /var/log/journal/*/system.journal /run/log/journal/*/system.journal; do
  [ ! -r "$file" ] || { echo readable; exit 0; }
done
user=$(id -un)
case " $(id -nG "$user") " in *" systemd-journal "* | *" adm "*) echo "later $user" ;; *) echo "denied $user" ;; esac
"""

# A frame a line. journalctl would notice that nobody listens any more only at its next line, so the end of our input
# ends it.
_FOLLOW = r"""
exec 3<&0
{
  journalctl "$@" </dev/null 3<&- 2>&1 &
  reader=$!
  { while read -r rest; do :; done; kill "$reader"; } <&3 3<&- >/dev/null 2>&1 &
  wait "$reader"
  kill "$!" 2>/dev/null
} | while IFS= read -r line; do printf '%s\036' "$line" || exit; done
"""


class Access(Enum):
    READABLE = "readable"
    DENIED = "denied"
    LATER = "later"  # a group that counts from the next login
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MayRead:
    """Whether the login user may read the whole journal. `sentence` has no node's name; `remedy` "" where it is."""

    access: Access
    sentence: str
    remedy: str = ""


def access() -> Command:
    return command("sh", "-c", _ACCESS)


def may_read(done: Completed) -> MayRead:
    """What the answer to `access` means."""
    word, *rest = done.stdout.split() or [""]
    user = one_line(rest[0], 40) if rest else "the login user"
    match word if done.ok else "":
        case "readable":
            return MayRead(Access.READABLE, "the system's journal may be read")
        case "denied":
            remedy = f"As root: usermod -aG {GROUP} {user}; it counts from the next login."
            return MayRead(Access.DENIED, f"the system's journal may not be read by {user}", remedy)
        case "later":
            remedy = f"{user} is in a group that may: that counts from the next login, so end hactl's connections."
            return MayRead(Access.LATER, f"the system's journal may not be read by {user} yet", remedy)
        case "absent":
            return MayRead(Access.ABSENT, "there is no journalctl", "Its logs are elsewhere: look there by a shell.")
    return MayRead(Access.UNKNOWN, "the node could not tell whether its journal may be read")


def follow(unit: str = "", lines: int = LINES) -> Command:
    """A stream's command: a frame for each line, the newest last, for as long as it is open. `unit` "": all of them."""
    only = (f"--unit={unit}",) if unit else ()
    argv = ("--follow", f"--lines={lines}", "--output=short-iso", "--no-pager", "--quiet", *only)
    return Command(("sh", "-c", _FOLLOW, "sh", *argv))
