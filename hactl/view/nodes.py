"""Nodes as rows: how each is reached, how loaded it is, what it carries. Wide terminals see more of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from operator import is_, itemgetter
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from hactl.model.findings import Level
from hactl.model.inventory import Inventory, Node
from hactl.model.picture import Picture
from hactl.model.state import Link, NodeState, Reading
from hactl.view.cells import level_cell
from hactl.view.node_cells import GROUPS, Group, Judged, fixed_cells, link_cells, newest_cell, pools_cell
from hactl.view.tables import Cell, Column, Row, Table

COLUMNS = (
    Column("node", "node", minimum=4),
    Column("level", "level", minimum=7),
    Column("site", "site", priority=3),
    Column("roles", "roles", priority=5),
    Column("link", "link", priority=1),
    Column("age", "age", "right", minimum=3, priority=4),
    Column("cpu", "cpu", "right", minimum=4, priority=2),
    Column("memory", "mem", "right", minimum=4, priority=2),
    Column("load", "load", "right", minimum=4, priority=6),
    Column("disk", "disk", "right", minimum=4, priority=2),
    Column("uptime", "up", "right", minimum=3, priority=7),
    Column("services", "services", minimum=8, priority=8, grow=True),
    Column("pools", "pools", minimum=5, priority=9),
    Column("received", "in", "right", minimum=8, priority=10),
    Column("sent", "out", "right", minimum=8, priority=10),
    Column("latency", "rtt", "right", minimum=6, priority=11),
    Column("failed", "failed", "right", priority=12),
    Column("upgrades", "upgrades", "right", priority=13),
    Column("reboot", "reboot", priority=14),
    Column("swap", "swap", "right", minimum=4, priority=15),
    Column("skew", "skew", "right", minimum=6, priority=16),
    Column("address", "address", priority=17),
    Column("os", "os", priority=18),
    Column("kernel", "kernel", priority=19),
)

_MADE = ("node", "site", "roles", "services", "level", "link", "address", "age", "pools")  # as `_Kept` makes them
_IN_ORDER = itemgetter(
    *map([*_MADE, *(name for group in GROUPS for name in group.columns)].index, (column.key for column in COLUMNS))
)
_TURNS = 60  # pictures within which every row is made again, also where nobody looks
_Parts: TypeAlias = tuple[tuple[Cell, ...], ...]
_NOT_JUDGED: Judged = MappingProxyType({})


def node_rows(picture: Picture) -> Table:
    """One row a node in inventory order, keyed by its name."""
    return NodeRows().table(picture)


class NodeRows:
    """Rows of picture after picture: cells are made again when what they show has changed."""

    def __init__(self) -> None:
        self._inventory: Inventory | None = None
        self._nodes: tuple[_Kept, ...] = ()
        self._places: Mapping[str, int] = {}
        self._table = Table(COLUMNS, ())
        self._turn = 0

    def table(self, picture: Picture, wanted: Collection[str] | None = None) -> Table:
        """As `node_rows`. Where only the `wanted` nodes are looked at, rows of others may be some pictures old.

        Where every row is the one before, so is the table.
        """
        if self._inventory is not picture.state.inventory:
            self._inventory = picture.state.inventory
            self._nodes = tuple(_Kept(picture, node) for node in self._inventory.nodes.values())
            self._places = {kept.name: place for place, kept in enumerate(self._nodes)}
            self._table, wanted = Table(COLUMNS, ()), None
        self._turn = (self._turn + 1) % _TURNS
        rows, judged, before = list(self._table.rows), _judged(picture), self._table.rows
        if wanted is None or not rows:
            rows = [kept.row(picture, judged.get(kept.name, _NOT_JUDGED)) for kept in self._nodes]
        else:
            for place in {*map(self._places.__getitem__, wanted), *range(self._turn, len(rows), _TURNS)}:
                kept = self._nodes[place]
                rows[place] = kept.row(picture, judged.get(kept.name, _NOT_JUDGED))
        if len(rows) != len(before) or not all(map(is_, rows, before)):
            self._table = Table(COLUMNS, tuple(rows))
        return self._table


def _judged(picture: Picture) -> Mapping[str, Judged]:
    found: dict[str, dict[str, Level]] = {}
    for finding in picture.assessment.findings:
        if finding.node is not None and finding.metric is not None:
            levels = found.setdefault(finding.node, {})
            levels[finding.metric] = max(levels.get(finding.metric, Level.OK), finding.level)
    return found


class _Shown(NamedTuple):
    """The cells of a question, and all that they were made from. They hold from `since` until the answer is stale."""

    reading: Reading | None
    link: Link
    judged: Judged
    since: float
    until: float
    cells: tuple[Cell, ...]

    def holds(self, reading: Reading | None, link: Link, judged: Judged, now: float) -> bool:
        same = self.reading is reading and self.link is link and self.judged == judged
        return same and self.since <= now <= self.until


class _Kept:
    """What one node's row was made of last."""

    __slots__ = ("_fixed", "_link", "_node", "_of", "_parts", "_pools", "_reached", "_shown", "made", "name")

    def __init__(self, picture: Picture, node: Node) -> None:
        self.name = node.name
        self.made: Row | None = None
        self._of: Picture | None = None  # what it was made of
        self._node = node
        self._fixed = fixed_cells(picture, node)
        self._link: Link | None = None
        self._reached: tuple[Cell, ...] = ()
        self._shown: list[_Shown | None] = [None for _ in GROUPS]
        self._pools = picture.state.inventory.pools_of(node.name)
        self._parts: _Parts = ()

    def row(self, picture: Picture, judged: Judged) -> Row:
        if self.made is None or self._of is not picture:
            self.made, self._of = self._row(picture, judged), picture
        return self.made

    def _row(self, picture: Picture, judged: Judged) -> Row:
        """The one before, where all its parts are the same."""
        state, level = picture.state.nodes[self.name], picture.assessment.nodes[self.name].level
        if state.link is not self._link:
            self._link, self._reached = state.link, link_cells(state, self._node)
        parts = (
            self._fixed,
            (level_cell(level),),
            self._reached,
            (newest_cell(state, picture.now), pools_cell(picture, self._pools, self.name)),
            *[self._cells(index, group, state, picture.now, judged) for index, group in enumerate(GROUPS)],
        )
        if self.made is not None and self._parts == parts:
            return self.made
        self._parts = parts
        return Row(self.name, _IN_ORDER([cell for part in parts for cell in part]), level)

    def _cells(self, index: int, group: Group, state: NodeState, now: float, judged: Judged) -> tuple[Cell, ...]:
        reading, held = state.readings.get(group.question), self._shown[index]
        if held is None or not held.holds(reading, state.link, judged, now):
            made = group.cells(state, now, judged)
            if held is not None and held.cells == made:
                made = held.cells  # the same tuple is told from another one at a glance
            held = self._shown[index] = _Shown(reading, state.link, judged, now, _stale_at(reading, now), made)
        return held.cells


def _stale_at(reading: Reading | None, now: float) -> float:
    """When the answer stops being knowledge; endless where it is none already, or there is none."""
    if reading is None or reading.last is None or reading.last.at + reading.limit() < now:
        return float("inf")
    return reading.last.at + reading.limit()
