"""What a node's answers look like in the nodes' table: the cells of each question, which change together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from hactl.model import rates
from hactl.model.facts import ClockFacts, DiskFacts, HostFacts, PackageFacts, UnitFacts
from hactl.model.findings import Level
from hactl.model.inventory import Node, Pool, Standing
from hactl.model.observed import Observed
from hactl.model.picture import Picture
from hactl.model.state import LinkPhase, NodeState
from hactl.view import units
from hactl.view.cells import NOTHING, UNKNOWN, age_cell, from_answer, percent_cell
from hactl.view.tables import Cell

_HOST_METRICS = ("cpu_percent", "memory_percent", "load_per_core", "swap_percent")

Judged = Mapping[str, Level]
"""The levels of a node's findings, by metric."""

_PHASES: Mapping[LinkPhase, tuple[str, Level]] = MappingProxyType(
    {
        LinkPhase.UP: ("up", Level.OK),
        LinkPhase.CONNECTING: ("connecting", Level.UNKNOWN),
        LinkPhase.IDLE: ("not asked", Level.UNKNOWN),
        LinkPhase.DOWN: ("down", Level.CRIT),
    }
)


@dataclass(frozen=True, slots=True)
class Group:
    """`cells` makes those of `columns`, in their order, from the question's newest answer as of a moment."""

    question: str
    columns: tuple[str, ...]
    cells: Callable[[NodeState, float, Judged], tuple[Cell, ...]]


def fixed_cells(picture: Picture, node: Node) -> tuple[Cell, Cell, Cell, Cell]:
    """Name, site, roles, services: as the inventory has them."""
    roles = ",".join(node.roles) + (" (spare)" if node.standing is Standing.SPARE else "")
    services = " ".join(service.name for service in picture.state.inventory.services_on(node.name))
    return Cell(node.name), Cell(node.site), Cell(roles), Cell(services)


def link_cells(state: NodeState, node: Node) -> tuple[Cell, Cell]:
    """How the node is reached, and where."""
    text, level = _PHASES[state.link.phase]
    if node.standing is Standing.SPARE:
        level = min(level, Level.WARN)
    return Cell(text, None if level is Level.OK else level, text), Cell(state.link.address or node.address)


def newest_cell(state: NodeState, now: float) -> Cell:
    """How old the newest answer is, good or not: what is not fresh is marked."""
    seen = state.last_known("host", HostFacts)
    if seen is None:
        return UNKNOWN
    return _age(int(seen.age(now)), fresh=isinstance(state.read("host", HostFacts, now), Observed))


@lru_cache(maxsize=1024)
def _age(seconds: int, *, fresh: bool) -> Cell:
    return age_cell(seconds, None if fresh else Level.UNKNOWN)


def pools_cell(picture: Picture, pools: Sequence[Pool], node: str) -> Cell:
    """The pools that it is in, a word for each of which it is out."""
    if not pools:
        return NOTHING
    out = [pool.name for pool in pools if node in picture.assessment.pools[pool.name].drained]
    text = " ".join(f"{pool.name} (out)" if pool.name in out else pool.name for pool in pools)
    return Cell(text, Level.WARN if out else None)


def _host(state: NodeState, now: float, judged: Judged) -> tuple[Cell, ...]:
    answer = state.read("host", HostFacts, now)
    if not isinstance(answer, Observed):
        return (UNKNOWN,) * 7
    host, pair = answer.value, rates.two_samples(state)
    traffic = rates.traffic_between(*pair) if pair is not None else None
    said = _HostSaid(
        rates.cpu_between(*pair) if pair is not None else None,
        rates.memory_percent(host),
        host.load1,
        host.uptime,
        traffic.received if traffic is not None else None,
        traffic.sent if traffic is not None else None,
        rates.swap_percent(host) if host.swap_total else None,
    )
    return _host_cells(said, *map(judged.get, _HOST_METRICS))


class _HostSaid(NamedTuple):
    """The numbers that are shown, in the order of their columns."""

    cpu: float | None
    memory: float
    load: float
    uptime: float
    received: float | None
    sent: float | None
    swap: float | None  # None: it has none


@lru_cache(maxsize=256)  # as many as can be in sight: a node that idles says the same again
def _host_cells(
    said: _HostSaid, cpu: Level | None, memory: Level | None, load: Level | None, swap: Level | None
) -> tuple[Cell, ...]:
    return (
        percent_cell(said.cpu, cpu),
        percent_cell(said.memory, memory),
        Cell(f"{said.load:.2f}", load, said.load),
        Cell(units.age(said.uptime), None, said.uptime),
        _rate(said.received),
        _rate(said.sent),
        NOTHING if said.swap is None else percent_cell(said.swap, swap),
    )


def _rate(value: float | None) -> Cell:
    return UNKNOWN if value is None else Cell(units.rate(value), None, value)


def _disk(state: NodeState, now: float, judged: Judged) -> tuple[Cell, ...]:
    """The fullest file system."""
    match state.read("disk", DiskFacts, now):
        case Observed(value=disk) if disk.filesystems:
            return (percent_cell(max(one.used_percent for one in disk.filesystems), judged.get("disk_percent")),)
    return (UNKNOWN,)


def _clock(state: NodeState, now: float, judged: Judged) -> tuple[Cell, ...]:
    clock = state.read("clock", ClockFacts, now)
    skewed = judged.get("clock_skew_seconds")
    return (
        from_answer(clock, lambda said: _milliseconds(2000 * said.error, judged.get("round_trip_ms"))),
        from_answer(clock, lambda said: Cell(f"{said.skew:+.3f} s", skewed, abs(said.skew))),
    )


def _units(state: NodeState, now: float, judged: Judged) -> tuple[Cell, ...]:
    seen = state.read("units", UnitFacts, now)
    return (from_answer(seen, lambda said: _count(len(said.failed), judged.get("failed_units"))),)


def _packages(state: NodeState, now: float, judged: Judged) -> tuple[Cell, ...]:
    seen = state.read("packages", PackageFacts, now)
    return (
        from_answer(seen, lambda said: _count(said.pending, judged.get("pending_upgrades"))),
        from_answer(seen, lambda said: Cell("needed", Level.WARN, 1.0) if said.reboot_required else Cell("no", sort=0)),
        from_answer(seen, lambda said: Cell(said.os_name)),
        from_answer(seen, lambda said: Cell(said.kernel)),
    )


GROUPS = (
    Group("host", ("cpu", "memory", "load", "uptime", "received", "sent", "swap"), _host),
    Group("disk", ("disk",), _disk),
    Group("clock", ("latency", "skew"), _clock),
    Group("units", ("failed",), _units),
    Group("packages", ("upgrades", "reboot", "os", "kernel"), _packages),
)


def _count(count: int | None, level: Level | None) -> Cell:
    return UNKNOWN if count is None else Cell(str(count), level, count)


def _milliseconds(value: float, level: Level | None) -> Cell:
    return Cell(f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms", level, value)
