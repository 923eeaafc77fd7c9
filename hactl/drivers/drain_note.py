"""The notes that lie on a drained node: who drained it, why, when. Where they are, and how they are read.

There is one for each pool that the node is out of, for different people may have different reasons. A note is JSON, in
the folder where the cluster's lock lives, and gone with the next boot. Anybody who may log in can write
there, so nothing is decided by it: it is shown beside a drain that the balancers tell of, and else not at all.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from datetime import datetime, timedelta

from hactl.drivers.haproxy import speakable
from hactl.drivers.probe import Asked, Cadence, TickProbe
from hactl.drivers.reading import Record, json_of
from hactl.model.command import Completed
from hactl.model.errors import ParseError
from hactl.model.facts import DrainNote, NoteFacts
from hactl.model.text import one_line

_WHAT = "The note about the drain"
_LONGEST = 4096  # bytes; a note has about 200
_WHY, _WORD = 160, 80  # characters that are kept of the reason, and of a name

# Where there is no note nothing is forked. What is there may be anything: no link is followed, no pipe waited for, and
# no more is read than a note can have.
_READ = r"""
for hactl_note in {paths}; do
  if [ -f "$hactl_note" ] && [ ! -h "$hactl_note" ]; then
    hactl_said=$(timeout -k 1 1 head -c {longest} "$hactl_note")
    hactl_out="$hactl_out=== $?
$hactl_said
"
  fi
done
"""
_HEAD = re.compile(r"^=== (\d+)\n", re.MULTILINE)  # before each note: how reading it went
_MOST = 64  # notes that are looked at: whoever forges more of them hides his own


def folder(cluster: str) -> str:
    """Where a cluster's lock and notes are, on every node of it."""
    return f"/run/lock/hactl-{cluster if speakable(cluster, cluster) else 'cluster'}"


def name(pool: str) -> str:
    """The file in the folder that tells of a drain from one pool."""
    return f"drained.{pool if speakable(pool, pool) else 'pool'}.json"


def probe(cluster: str, pools: Iterable[str]) -> TickProbe:
    """The notes on a node that may be drained from these pools."""
    paths = " ".join(shlex.quote(f"{folder(cluster)}/{name(pool)}") for pool in pools)
    body = _READ.format(paths=paths, longest=_LONGEST)
    return TickProbe("note", Cadence.MEDIUM, 6.0, body, parse)


def parse(done: Completed, asked: Asked) -> NoteFacts:  # noqa: ARG001 - every probe's parse has this shape
    """A note that cannot be made out is no failure: it is said to be there, and why it is ignored."""
    if not done.ok:
        return NoteFacts(ignored=f"{_WHAT} could not be read (exit {done.exit}).")
    notes: list[DrainNote] = []
    ignored = ""
    _, *pieces = _HEAD.split(done.stdout)
    for status, said in list(zip(pieces[::2], pieces[1::2], strict=True))[:_MOST]:
        try:
            notes.append(_read(status, said))
        except ParseError as error:
            ignored = ignored or error.message
    return NoteFacts(tuple(notes), ignored)


def _read(status: str, said: str) -> DrainNote:
    if status != "0":
        raise ParseError(f"{_WHAT} could not be read (exit {one_line(status, 8)}).")
    return _note(Record.of(json_of(said, _WHAT), _WHAT))


def _note(said: Record) -> DrainNote:
    who = one_line(said.text("who"), _WORD)
    if not who:
        raise ParseError(f"{_WHAT} names nobody.")
    return DrainNote(
        node=said.text("node"),
        pools=_names(said),
        who=who,
        why=one_line(said.text("why", ""), _WHY),
        when=_moment(said.text("when")),
        run=one_line(said.text("run", ""), _WORD),
    )


def _names(said: Record) -> tuple[str, ...]:
    names = said.fields.get("pools")
    if not isinstance(names, list):
        raise ParseError(f"{_WHAT}: pools is not a list.")
    return tuple(Record(_WHAT, {"pools": name}).text("pools") for name in names)


def _moment(text: str) -> float:
    """Epoch seconds of a moment as the writer of notes spells it."""
    try:
        then = datetime.fromisoformat(text)
    except ValueError:
        then = None
    if then is None or then.utcoffset() != timedelta(0):
        raise ParseError(f'{_WHAT}: "{one_line(text, 40)}" is no moment.')
    return then.timestamp()
