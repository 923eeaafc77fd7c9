"""Nodes as rows: how each is reached, how loaded it is, what it carries."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hactl.model import rates
from hactl.model.facts import DiskFacts, HostFacts
from hactl.model.findings import Finding, Level
from hactl.model.inventory import Node, Standing
from hactl.model.observed import Observed
from hactl.model.picture import Picture
from hactl.model.state import LinkPhase, NodeState
from hactl.view import units
from hactl.view.cells import UNKNOWN, age_cell, level_cell, percent_cell
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
)

_PHASES: Mapping[LinkPhase, tuple[str, Level]] = MappingProxyType(
    {
        LinkPhase.UP: ("up", Level.OK),
        LinkPhase.CONNECTING: ("connecting", Level.UNKNOWN),
        LinkPhase.IDLE: ("not asked", Level.UNKNOWN),
        LinkPhase.DOWN: ("down", Level.CRIT),
    }
)


def node_rows(picture: Picture) -> Table:
    """One row a node in inventory order, keyed by its name."""
    levels: dict[tuple[str, str], Level] = {}
    for finding in picture.assessment.findings:
        if finding.node is not None and finding.metric is not None:
            key = finding.node, finding.metric
            levels[key] = max(levels.get(key, Level.OK), finding.level)
    return Table(COLUMNS, tuple(_row(picture, node, levels) for node in picture.state.inventory.nodes.values()))


def findings_of(picture: Picture, node: str) -> tuple[Finding, ...]:
    """What is to be said about one node, worst first."""
    return tuple(finding for finding in picture.assessment.findings if finding.node == node)


def link_cell(state: NodeState, standing: Standing = Standing.ACTIVE) -> Cell:
    text, level = _PHASES[state.link.phase]
    if standing is Standing.SPARE:
        level = min(level, Level.WARN)
    return Cell(text, None if level is Level.OK else level, text)


def _row(picture: Picture, node: Node, levels: Mapping[tuple[str, str], Level]) -> Row:
    state = picture.state.nodes[node.name]
    verdict = picture.assessment.nodes[node.name]
    roles = ",".join(node.roles) + (" (spare)" if node.standing is Standing.SPARE else "")
    services = " ".join(service.name for service in picture.state.inventory.services_on(node.name))

    def judged(metric: str) -> Level | None:
        return levels.get((node.name, metric))

    cells = (
        Cell(node.name),
        level_cell(verdict.level),
        Cell(node.site),
        Cell(roles),
        link_cell(state, node.standing),
        _age(state, picture.now),
        *_load(state, picture.now, judged("cpu_percent"), judged("memory_percent"), judged("load_per_core")),
        _disk(state, picture.now, judged("disk_percent")),
        _uptime(state, picture.now),
        Cell(services),
    )
    return Row(node.name, cells, verdict.level)


def _age(state: NodeState, now: float) -> Cell:
    """How old the newest answer is, good or not: what is not fresh is marked."""
    seen = state.last_known("host", HostFacts)
    if seen is None:
        return UNKNOWN
    fresh = isinstance(state.read("host", HostFacts, now), Observed)
    return age_cell(seen.age(now), None if fresh else Level.UNKNOWN)


def _load(
    state: NodeState, now: float, cpu: Level | None, memory: Level | None, load: Level | None
) -> tuple[Cell, Cell, Cell]:
    match state.read("host", HostFacts, now):
        case Observed(value=host):
            return (
                percent_cell(rates.cpu_percent(state), cpu),
                percent_cell(rates.memory_percent(host), memory),
                Cell(f"{host.load1:.2f}", load, host.load1),
            )
    return UNKNOWN, UNKNOWN, UNKNOWN


def _disk(state: NodeState, now: float, level: Level | None) -> Cell:
    """The fullest file system."""
    match state.read("disk", DiskFacts, now):
        case Observed(value=disk) if disk.filesystems:
            return percent_cell(max(one.used_percent for one in disk.filesystems), level)
    return UNKNOWN


def _uptime(state: NodeState, now: float) -> Cell:
    match state.read("host", HostFacts, now):
        case Observed(value=host):
            return Cell(units.age(host.uptime), None, host.uptime)
    return UNKNOWN
