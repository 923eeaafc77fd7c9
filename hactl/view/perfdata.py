"""Numbers for monitoring systems, as plugins print them after a bar: 'label'=value[unit];warn;crit;min;max

A value that could not be found out is `U`: never left out, never zero. As a limit, `90` alarms above and `2:` below.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hactl.model import rates
from hactl.model.facts import DiskFacts, HostFacts, HttpFacts
from hactl.model.findings import Level
from hactl.model.inventory import Node, ServiceKind, Threshold
from hactl.model.metrics import METRICS, threshold
from hactl.model.observed import Observed
from hactl.model.picture import Picture


@dataclass(frozen=True, slots=True)
class Perf:
    """One number. `value` None: unknown. `warn` and `crit` are ranges as plugins write them, or "" for none."""

    label: str
    value: float | None
    unit: str = ""  # s, ms, %, B, or "" for a count
    warn: str = ""
    crit: str = ""
    minimum: float | None = None
    maximum: float | None = None

    def __str__(self) -> str:
        label = self.label.replace("'", "_").replace("=", "_").replace("|", "_")
        value = "U" if self.value is None else f"{_plain(self.value)}{self.unit}"
        fields = (value, self.warn, self.crit, _optional(self.minimum), _optional(self.maximum))
        quoted = f"'{label}'" if " " in label else label
        return f"{quoted}={';'.join(fields).rstrip(';')}"


def of_cluster(picture: Picture) -> Iterator[Perf]:
    """Services, pools, and how many nodes and findings there are of each level."""
    verdict = picture.assessment
    for service in verdict.services:
        yield from of_service(picture, service)
    for pool in verdict.pools:
        yield from of_pool(picture, pool)
    levels = [node.level for node in verdict.nodes.values()]
    yield Perf("nodes_ok", levels.count(Level.OK), minimum=0, maximum=len(levels))
    for level in (Level.WARN, Level.UNKNOWN, Level.CRIT):
        count = sum(finding.level is level for finding in verdict.findings)
        yield Perf(f"findings_{level.word}", count, minimum=0)


def of_service(picture: Picture, name: str) -> Iterator[Perf]:
    """How many are available, and how long the health checks of an HTTP service take."""
    verdict = picture.assessment.services[name]
    yield _available(name, verdict.available, verdict.total, verdict.minimum)
    service = picture.state.inventory.services[name]
    if service.kind is ServiceKind.HTTP:
        for node in service.nodes:
            yield _latency(picture, name, picture.state.inventory.nodes[node])


def of_pool(picture: Picture, name: str) -> Iterator[Perf]:
    verdict = picture.assessment.pools[name]
    yield _available(f"pool_{name}", verdict.available, verdict.total, verdict.minimum)


def of_node(picture: Picture, name: str) -> Iterator[Perf]:
    """Load, processor, memory, swap, disks."""
    state, node = picture.state.nodes[name], picture.state.inventory.nodes[name]
    host = state.read("host", HostFacts, picture.now)
    known = host.value if isinstance(host, Observed) else None
    values = {
        "load_per_core": known.load5 / known.cores if known else None,
        "cpu_percent": rates.cpu_percent(state) if known else None,
        "memory_percent": rates.memory_percent(known) if known else None,
        "swap_percent": rates.swap_percent(known) if known else None,
    }
    for metric, value in values.items():
        yield _measured(picture, node, metric, f"{name}_{metric.removesuffix('_percent')}", value)
    disks = state.read("disk", DiskFacts, picture.now)
    if isinstance(disks, Observed):
        for one in disks.value.filesystems:
            yield _measured(picture, node, "disk_percent", f"{name}_disk_{one.mount}", one.used_percent)
            yield _measured(picture, node, "inode_percent", f"{name}_inodes_{one.mount}", one.inodes_used_percent)


def _available(label: str, available: int, total: int, minimum: int) -> Perf:
    """Alarms as the verdict does: warns when not all are there, critical below the minimum."""
    return Perf(f"{label}_available", available, warn=f"{total}:", crit=f"{minimum}:", minimum=0, maximum=total)


def _latency(picture: Picture, service: str, node: Node) -> Perf:
    answer = picture.state.nodes[node.name].read(f"http:{service}", HttpFacts, picture.now)
    value = answer.value.latency_ms if isinstance(answer, Observed) and answer.value.status else None
    return _measured(picture, node, "http_latency_ms", f"{service}_{node.name}_latency", value)


def _measured(picture: Picture, node: Node, metric: str, label: str, value: float | None) -> Perf:
    limit = threshold(picture.state.inventory.thresholds, metric, node)
    known = METRICS[metric]
    warn, crit = _range(limit, limit.warn), _range(limit, limit.crit)
    return Perf(label, value, known.unit, warn, crit, minimum=0, maximum=known.limit)


def _range(limit: Threshold, value: float | None) -> str:
    return "" if value is None else f"{_plain(value)}{':' if limit.below else ''}"


def _optional(value: float | None) -> str:
    return "" if value is None else _plain(value)


def _plain(value: float) -> str:
    """No exponent, no needless digits: readers of perfdata are simple."""
    return f"{value:.3f}".rstrip("0").rstrip(".")
