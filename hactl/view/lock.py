"""The cluster's lock as lines: who holds it, for what, since when, from where, and how each node sees it."""

from __future__ import annotations

from collections.abc import Iterator

from hactl.model.findings import Level
from hactl.model.lock import Holder, LockPicture, NodeLock
from hactl.model.text import one_line
from hactl.view import units
from hactl.view.lines import Line
from hactl.view.tables import Cell, Column, Row, Table

_COLUMNS = (
    Column("node", "node"),
    Column("lock", "lock"),
    Column("epoch", "epoch", align="right", priority=1),
    Column("holder", "last taken by", grow=True, minimum=12),
)


def lock_lines(picture: LockPicture, now: float) -> Iterator[Line]:
    """The verdict: free, held, held by less than a majority, or not to be found out. `now` is epoch seconds."""
    held = sum(node.held for node in picture.nodes.values())
    unknown = [node.node for node in picture.nodes.values() if node.unknown]
    if picture.holder is not None:
        yield Line(f"held by {holder_words(picture.holder, now)}", Level.WARN, strong=True)
        yield Line(f"lock id {picture.holder.id}; run {picture.holder.run}", indent=2)
    elif held:
        yield Line(f"held on {held} node{'s' * (held != 1)} only; {picture.majority} decide", Level.WARN, strong=True)
    elif len(picture.nodes) - len(unknown) < picture.majority:
        yield Line("nobody can say: too few nodes could be asked", Level.UNKNOWN, strong=True)
    else:
        yield Line("free", Level.OK, strong=True)
    if unknown:
        yield Line(f"not asked: {', '.join(unknown)}", Level.UNKNOWN, indent=2)


def holder_words(holder: Holder, now: float) -> str:
    since = units.moment(holder.since, now)
    who = f"{one_line(holder.who)} for {one_line(holder.playbook)} since {since}"
    return f"{who}, from {one_line(holder.host)} (process {holder.pid})"


def lock_rows(picture: LockPicture, now: float) -> Table:
    """One row a node."""
    return Table(_COLUMNS, tuple(_row(node, now) for node in picture.nodes.values()))


def _row(node: NodeLock, now: float) -> Row:
    if node.unknown:
        lock = Cell("?", Level.UNKNOWN, unknown=True)
    else:
        lock = Cell("held", Level.WARN) if node.held else Cell("free", Level.OK)
    said = one_line(node.unknown) if node.unknown else holder_words(node.holder, now) if node.holder else "-"
    return Row(node.node, (Cell(node.node), lock, Cell(str(node.epoch) if node.epoch else "-"), Cell(said)))
