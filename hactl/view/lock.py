"""The cluster's lock as lines: who holds it, for what, since when, from where, and how each node sees it."""

from __future__ import annotations

from collections.abc import Iterator

from hactl.model.findings import Level
from hactl.model.lock import Holder, LockBroken, LockPicture, NodeLock, listed
from hactl.model.text import one_line
from hactl.view import units
from hactl.view.cluster import Fact
from hactl.view.lines import Line
from hactl.view.tables import Cell, Column, Row, Table

_OLD = 120.0  # seconds from which the age of what is known is told
_COLUMNS = (
    Column("node", "node"),
    Column("lock", "lock"),
    Column("epoch", "epoch", align="right", priority=1),
    Column("holder", "last taken by", grow=True, minimum=12),
)


def lock_lines(picture: LockPicture, now: float) -> Iterator[Line]:
    """The verdict: free, held, held by less than a majority, or not to be found out. `now` is epoch seconds."""
    held = [node.node for node in picture.nodes if node.held]
    if (holder := picture.holder) is not None:
        yield Line(f"held by {holder_words(holder, now)}", Level.WARN, strong=True)
        yield Line(f"run {holder.run}; lock id {holder.id}" if holder.run else f"lock id {holder.id}", indent=2)
    elif not picture.certain:
        yield Line("nobody can say: too few nodes could be asked", Level.UNKNOWN, strong=True)
    elif held:
        needed = f"{picture.majority} of {len(picture.nodes)} decide"
        yield Line(f"held only on {listed(held)}; {needed}, so nobody has it", Level.WARN, strong=True)
    else:
        yield Line("free", Level.OK, strong=True)
    if silent := [node.node for node in picture.nodes if node.problem]:
        yield Line(f"could not be asked: {listed(silent)}", Level.UNKNOWN, indent=2)


def lock_fact(picture: LockPicture | None, age: float) -> Fact:
    """Who holds it in a word or two, for the banner; `age` is how many seconds ago the nodes were asked."""
    if picture is None or not picture.certain:
        return Fact("lock", "?", Level.UNKNOWN)
    ago = f" {units.age(age)} ago" if age >= _OLD else ""
    if (holder := picture.holder) is not None:
        return Fact("lock", f"{one_line(holder.who, 40)} {one_line(holder.playbook, 30)}{ago}", Level.WARN)
    held = [node.node for node in picture.nodes if node.held]
    return Fact("lock", f"only on {listed(held)}{ago}", Level.WARN) if held else Fact("lock", f"free{ago}")


def holder_words(holder: Holder, now: float) -> str:
    """Who, what, since when, from where."""
    since = units.moment(holder.since, now)
    who = f"{one_line(holder.who)} for {one_line(holder.playbook)} since {since}"
    return f"{who}, from {one_line(holder.host)} (process {holder.pid})"


def broken_lines(broken: LockBroken) -> Iterator[Line]:
    """What breaking the lock did."""
    yield Line(f"broken on {listed(broken.nodes)}; epoch {broken.epoch} shuts out whoever held it", Level.OK)
    if broken.missing:
        yield Line(f"could not be asked: {listed(broken.missing)}", Level.WARN)


def lock_rows(picture: LockPicture, now: float) -> Table:
    """One row a node."""
    return Table(_COLUMNS, tuple(_row(node, now) for node in picture.nodes))


def _row(node: NodeLock, now: float) -> Row:
    if node.problem:
        lock = Cell("?", Level.UNKNOWN, unknown=True)
    else:
        lock = Cell("held", Level.WARN) if node.held else Cell("free", Level.OK)
    said = one_line(node.problem) if node.problem else holder_words(node.holder, now) if node.holder else "-"
    return Row(node.node, (Cell(node.node), lock, Cell(str(node.epoch) if node.epoch else "-"), Cell(said)))
