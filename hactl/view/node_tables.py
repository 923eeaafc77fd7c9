"""What one node carries, as rows: its units, its places in pools, the runs that touched it."""

from __future__ import annotations

from collections.abc import Sequence

from hactl.model.facts import UnitFacts, UnitState
from hactl.model.findings import Level
from hactl.model.journal import RunSummary
from hactl.model.observed import Unknown
from hactl.model.picture import Picture
from hactl.view import units
from hactl.view.balancers import balancer_matrix
from hactl.view.cells import NOTHING, UNKNOWN, size_cell
from hactl.view.runs import run_rows
from hactl.view.tables import Cell, Column, Row, Table

_UNITS = (
    Column("unit", "unit"),
    Column("state", "state", minimum=6),
    Column("since", "since", "right", priority=1),
    Column("memory", "memory", "right", priority=2),
    Column("restarts", "restarts", "right", priority=3),
    Column("enabled", "enabled", priority=4),
    Column("service", "of", priority=5),
)


def unit_rows(picture: Picture, node: str) -> Table:
    """The units of its services, and every other one that has failed there, keyed by name."""
    state = picture.state.nodes[node]
    answer = state.read("units", UnitFacts, picture.now)
    levels = {one.key: one.level for one in picture.assessment.findings if one.node == node}
    carried = {name: one.name for one in picture.state.inventory.services_on(node) for name in one.units}
    rows = []
    for name, service in carried.items():
        level = levels.get(f"unit:{node}:{name}")
        unit = None if isinstance(answer, Unknown) else answer.value.units.get(name)
        rows.append(Row(name, _unit_cells(name, unit, service, level), level))
    if not isinstance(answer, Unknown):
        for name in answer.value.failed:
            if name not in carried:
                failed = (Cell(name), Cell("failed", Level.CRIT), *[UNKNOWN] * 4, NOTHING)
                rows.append(Row(name, failed, Level.CRIT))
    return Table(_UNITS, tuple(rows))


def _unit_cells(name: str, unit: UnitState | None, service: str, level: Level | None) -> tuple[Cell, ...]:
    if unit is None:
        return (Cell(name), *[UNKNOWN] * 5, Cell(service))
    return (
        Cell(name),
        Cell(f"{unit.active} ({unit.sub})", level),
        UNKNOWN if unit.since is None else Cell(units.age(unit.since), None, unit.since),
        size_cell(unit.memory),
        Cell(str(unit.restarts), None, unit.restarts),
        Cell(unit.enabled or "no unit file"),
        Cell(service),
    )


def pool_rows_of(picture: Picture, node: str) -> Table:
    """Its places in pools, as each balancer sees them: `view.balancers.balancer_matrix` without the node's name."""
    table = balancer_matrix(picture, node=node)
    kept = [index for index, column in enumerate(table.columns) if column.key != "node"]
    columns = tuple(table.columns[index] for index in kept)
    return Table(
        columns, tuple(Row(row.key, tuple(row.cells[index] for index in kept), row.level) for row in table.rows)
    )


def runs_of(summaries: Sequence[RunSummary], node: str, now: float, *, most: int = 20) -> Table:
    """The newest runs that had this node among their targets. `now` is epoch seconds."""
    touched = [one for one in summaries if node in one.targets]
    return run_rows(touched[:most], now)
