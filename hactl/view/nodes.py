"""Nodes as rows: how each is reached, how loaded it is, what it carries. Wide terminals see more of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from hactl.model import rates
from hactl.model.facts import ClockFacts, DiskFacts, HostFacts, PackageFacts, UnitFacts
from hactl.model.findings import Finding, Level
from hactl.model.inventory import Node, Standing
from hactl.model.observed import Observed
from hactl.model.picture import Picture
from hactl.model.state import LinkPhase, NodeState
from hactl.view import units
from hactl.view.cells import NOTHING, UNKNOWN, age_cell, from_answer, level_cell, percent_cell
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
        _pools(picture, node.name),
        *_traffic(state, picture.now),
        *_system(state, picture.now, judged),
        Cell(state.link.address or node.address),
        *_software(state, picture.now),
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


def _pools(picture: Picture, node: str) -> Cell:
    """The pools that it is in, a word for each of which it is out."""
    pools = picture.state.inventory.pools_of(node)
    out = [pool.name for pool in pools if node in picture.assessment.pools[pool.name].drained]
    if not pools:
        return NOTHING
    text = " ".join(f"{pool.name} (out)" if pool.name in out else pool.name for pool in pools)
    return Cell(text, Level.WARN if out else None)


def _traffic(state: NodeState, now: float) -> tuple[Cell, Cell]:
    seen = rates.traffic(state) if isinstance(state.read("host", HostFacts, now), Observed) else None
    if seen is None:
        return UNKNOWN, UNKNOWN
    return Cell(units.rate(seen.received), None, seen.received), Cell(units.rate(seen.sent), None, seen.sent)


def _system(state: NodeState, now: float, judged: Callable[[str], Level | None]) -> Iterator[Cell]:
    """Round trip, failed units, upgrades, reboot, swap and clock."""
    clock, host = state.read("clock", ClockFacts, now), state.read("host", HostFacts, now)
    packages = state.read("packages", PackageFacts, now)
    yield from_answer(clock, lambda said: _milliseconds(2000 * said.error, judged("round_trip_ms")))
    yield from_answer(
        state.read("units", UnitFacts, now), lambda said: _count(len(said.failed), judged("failed_units"))
    )
    yield from_answer(packages, lambda said: _count(said.pending, judged("pending_upgrades")))
    yield from_answer(
        packages, lambda said: Cell("needed", Level.WARN, 1.0) if said.reboot_required else Cell("no", None, 0.0)
    )
    yield from_answer(
        host,
        lambda said: percent_cell(rates.swap_percent(said), judged("swap_percent")) if said.swap_total else NOTHING,
    )
    yield from_answer(clock, lambda said: Cell(f"{said.skew:+.3f} s", judged("clock_skew_seconds"), abs(said.skew)))


def _software(state: NodeState, now: float) -> tuple[Cell, Cell]:
    packages = state.read("packages", PackageFacts, now)
    return from_answer(packages, lambda said: Cell(said.os_name)), from_answer(packages, lambda said: Cell(said.kernel))


def _count(count: int | None, level: Level | None) -> Cell:
    return UNKNOWN if count is None else Cell(str(count), level, count)


def _milliseconds(value: float, level: Level | None) -> Cell:
    return Cell(f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms", level, value)
