"""The shell texts of the cluster's lock, and how to read what they say. Pure text, no I/O.

On each node one folder: `lock`, on which the holder's shell keeps a flock; `holder`, who that is (the shell's process
id and JSON); `epoch`, which every fenced command compares with its own (model.command.Fence). Each file is replaced
whole. Any login of the node may use the folder: operators who log in under different names share one lock.

The holder's shell reads lines from hactl and ends with its stdin, whoever closed it: a killed hactl frees its locks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from hactl.model.codec import plain, restored
from hactl.model.command import Command
from hactl.model.lock import Holder
from hactl.model.text import one_line

MARK = "hactl-lock"  # the name under which the holder's shell runs: what may be killed by its id is recognised by it

# Noclobber: anybody may write in the folder, so the file that is written must be one that this has made.
_PUT = 'put() { rm -f "$1.$$"; set -C; printf "%s\\n" "$2" >"$1.$$" && mv -f "$1.$$" "$1"; }'
_SEEN = "seen=0; [ ! -r epoch ] || read -r seen <epoch; line=; [ ! -r holder ] || read -r line <holder"

# The frame that is printed first ends whatever a login shell prints by itself. Who merely looks holds the lock for a
# moment: so it is tried three times. A lock on a file that is no longer at its place counts for nothing.
_HOLD = rf"""umask 0
printf '\036'
[ ! -L "$1" ] || {{ echo "$1 is a link" >&2; exit 73; }}
mkdir -p "$1" && cd "$1" || exit 73
{_PUT}
tries=0
until exec 9>>lock && flock -n 9 && [ lock -ef "/proc/$$/fd/9" ]; do
tries=$((tries + 1))
if [ "$tries" -ge 3 ]; then
{_SEEN}
printf 'busy %s %s\036' "$seen" "$line"
exit 0
fi
sleep 0.1
done
{_SEEN}
put holder "$$ $2" || exit 74
printf 'held %s \036' "$seen"
while IFS=' ' read -r word value rest; do
case $word in
epoch) put epoch "$value" && put holder "$$ $rest" && printf 'ready %s \036' "$value" || exit 74 ;;
release) break ;;
esac
done
{_SEEN}
[ "${{line%% *}}" != "$$" ] || rm -f holder
"""

_LOOK = f"""cd "$1" 2>/dev/null || {{ echo "free 0 "; exit 0; }}
{_SEEN}
if [ ! -e lock ] || flock -n -s lock true; then echo "free $seen "; else printf 'busy %s %s\\n' "$seen" "$line"; fi
"""

# Order matters: the epoch first, so that nothing of the old holder's passes while it is being ended. Where its shell
# may not be killed (another login's), the lock's file is moved away and the next taker makes a new one.
_END = f"""umask 0
cd "$1" 2>/dev/null || {{ echo "none 0 "; exit 0; }}
{_PUT}
{_SEEN}
exec 9>>lock
if flock -n 9; then free=yes; else free=no; fi
case $free$line in
yes* | *'"id":"'"$2"'"'*) ;;
*) printf 'other %s %s\\n' "$seen" "$line"; exit 0 ;;
esac
[ -z "$3" ] || [ "$seen" -ge "$3" ] || put epoch "$3" || exit 74
if [ $free = no ]; then
pid=${{line%% *}}
if grep -q {MARK} "/proc/$pid/cmdline"; then kill -9 "$pid"; fi
flock -n 9 || sleep 0.2
flock -n 9 || mv -f lock "lock.broken.$$"
fi
rm -f holder
printf 'ended %s %s\\n' "$seen" "$line"
"""


@dataclass(frozen=True, slots=True)
class Said:
    """One line of a script: held, ready, busy, free, ended, other or none."""

    word: str
    epoch: int
    holder: Holder | None


def folder_of(cluster: str) -> str:
    return f"/run/lock/hactl-{cluster}"


def hold(folder: str, holder: Holder, timeout: float) -> Command:
    """To be streamed: says held or busy, then takes `settled` and `RELEASE` on stdin."""
    return Command(("sh", "-c", _HOLD, MARK, folder, _text(holder)), timeout=timeout)


def settled(holder: Holder) -> bytes:
    """The line that writes the holder's epoch; answered with ready."""
    return f"epoch {holder.epoch} {_text(holder)}\n".encode()


RELEASE = b"release\n"


def look(folder: str, timeout: float) -> Command:
    """Says busy or free."""
    return Command(("sh", "-c", _LOOK, "sh", folder), timeout=timeout)


def end(folder: str, lock_id: str, epoch: int | None, timeout: float) -> Command:
    """Ends the holder of this id and, with an epoch, raises the node's to it; says ended, other (holds it) or none."""
    raised = "" if epoch is None else str(epoch)
    return Command(("sh", "-c", _END, "sh", folder, lock_id, raised), mutates=True, timeout=timeout)


def heard(line: str) -> Said | None:
    """A script's line; None for what is none (a login shell's own words)."""
    word, _, rest = line.partition(" ")
    epoch, _, told = rest.partition(" ")
    if word not in {"held", "ready", "busy", "free", "ended", "other", "none"}:
        return None
    return Said(word, int(epoch) if epoch.isdecimal() and epoch.isascii() else 0, _holder(told))


def _holder(told: str) -> Holder | None:
    """Of "PID JSON"; None when nobody stands there, or nobody that can be read."""
    try:
        holder = restored(Holder, json.loads(told.partition(" ")[2]))
    except ValueError:
        return None
    return replace(
        holder,
        id=one_line(holder.id),
        who=one_line(holder.who),
        host=one_line(holder.host),
        run=one_line(holder.run),
        playbook=one_line(holder.playbook),
    )


def _text(holder: Holder) -> str:
    return json.dumps(plain(holder), separators=(",", ":"))
