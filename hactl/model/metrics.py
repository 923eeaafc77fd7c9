"""The closed set of things that thresholds are set for: name, unit, meaning, and the limits hactl starts from.

Percentages run from 0 to 100. A metric whose `default.below` is set is bad when it is small. A level that is None
raises nothing. A value takes a level when it reaches it, and gives it up only once it is a margin back on the good
side, so that a value at the edge does not flap; warn and crit stand far enough apart that such margins do not meet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hactl.model.inventory import Node, Threshold, Thresholds

MIB = 1024.0**2
GIB = 1024.0**3


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured value. `unit` is "%", "s", "ms", "h", "B" or "" (a count or a ratio); `limit` the most it can be."""

    name: str
    unit: str
    default: Threshold
    meaning: str

    @property
    def limit(self) -> float | None:
        return 100.0 if self.unit == "%" else None


def _above(name: str, unit: str, warn: float | None, crit: float | None, meaning: str) -> Metric:
    return Metric(name, unit, Threshold(warn, crit), meaning)


def _below(name: str, unit: str, warn: float | None, crit: float | None, meaning: str) -> Metric:
    return Metric(name, unit, Threshold(warn, crit, below=True), meaning)


_NODE = (
    _above("cpu_percent", "%", 90, 98, "CPU time of all cores that was not idle, over one sample interval"),
    _above("load_per_core", "", 2, 6, "five-minute load average divided by the number of cores"),
    _above("memory_percent", "%", 90, 96, "memory that is not available to new work (MemTotal minus MemAvailable)"),
    _above("swap_percent", "%", 50, 90, "swap space in use"),
    _above("disk_percent", "%", 85, 95, "space in use on a file system, as an unprivileged writer sees it"),
    _above("inode_percent", "%", 85, 95, "inodes in use on a file system"),
    _above("clock_skew_seconds", "s", 0.5, 5, "distance of the node's clock from this machine's, either way"),
    _above(
        "round_trip_ms",
        "ms",
        750,
        3000,
        "time from a question about the clock to its answer: the link, and how busy the node is",
    ),
    _below("uptime_seconds", "s", 600, None, "time since the node booted; a small value means it has just restarted"),
    _above("failed_units", "", 1, None, "systemd units in the failed state"),
    _above("pending_upgrades", "", 100, None, "packages that apt would upgrade"),
    _above("pending_security_upgrades", "", 1, None, "packages that apt would upgrade from a security archive"),
)
_HTTP = (_above("http_latency_ms", "ms", 500, 2000, "time that the health check took, measured on the node itself"),)
_HAPROXY = (
    _above("haproxy_queue", "", 1, 50, "requests waiting in a backend for a free server"),
    _above(
        "haproxy_session_percent", "%", 80, 95, "sessions of a frontend, backend or server, of its configured limit"
    ),
)
_POSTGRESQL = (
    _above(
        "replication_lag_bytes", "B", 16 * MIB, 256 * MIB, "WAL that the primary has written and a standby not received"
    ),
    _above("replay_lag_bytes", "B", 64 * MIB, 1 * GIB, "WAL that a standby has received and not yet replayed"),
    _above("slot_retained_bytes", "B", 1 * GIB, 4 * GIB, "WAL that one replication slot keeps from being recycled"),
    _above("archive_backlog", "", 10, 100, "WAL segments that are ready and not yet archived"),
    _above("archive_failing_seconds", "s", 60, 900, "time for which archiving has failed without one success"),
    _above("connections_percent", "%", 80, 95, "connections in use, of max_connections less the reserved ones"),
    _above("transaction_seconds", "s", 300, 3600, "age of the oldest open transaction"),
    _above("prepared_transaction_seconds", "s", 300, 3600, "age of the oldest prepared transaction"),
)
_BACKUP = (
    _above("repository_percent", "%", 80, 90, "space in use on the file system that holds a repository of backups"),
    _above("backup_age_full_hours", "h", 8 * 24, 15 * 24, "time since the last good full backup ended"),
    _above("backup_age_any_hours", "h", 26, 50, "time since the last good backup of any type ended"),
)

METRICS: Mapping[str, Metric] = MappingProxyType(
    {metric.name: metric for metric in (*_NODE, *_HTTP, *_HAPROXY, *_POSTGRESQL, *_BACKUP)}
)


def threshold(thresholds: Thresholds, metric: str, node: Node) -> Threshold:
    """What holds for `metric` on `node`: the inventory's most specific limit, else the metric's own default."""
    return thresholds.of(metric, node, METRICS[metric].default)
