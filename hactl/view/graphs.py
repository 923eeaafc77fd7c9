"""What is drawn of a node and of a pool: the trends that the model keeps, with names, scales and words."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from hactl.model.findings import Level
from hactl.model.inventory import Routing
from hactl.model.picture import Picture
from hactl.view import units
from hactl.view.trace import Trace

if TYPE_CHECKING:
    from hactl.model.trends import Trends

_Words = Callable[[float], str]


def milliseconds(value: float) -> str:
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def per_second(value: float) -> str:
    return f"{units.number(value) if value else '0'}/s"


def node_graphs(picture: Picture, trends: Trends, node: str) -> tuple[Trace, ...]:
    """Processor, memory, the fullest disk, the network and the way there and back."""
    levels = {
        metric: max(
            (one.level for one in picture.assessment.findings if (one.node, one.metric) == (node, metric)), default=None
        )
        for metric in ("cpu_percent", "memory_percent", "disk_percent", "round_trip_ms")
    }
    trace = partial(_trace, trends, f"node/{node}")
    return (
        trace("cpu", "cpu", units.percent, top=100.0, level=levels["cpu_percent"]),
        trace("memory", "memory", units.percent, top=100.0, level=levels["memory_percent"]),
        trace("disk", "fullest disk", units.percent, top=100.0, level=levels["disk_percent"]),
        trace("received", "network in", units.rate),
        trace("sent", "network out", units.rate),
        trace("latency", "ssh round trip", milliseconds, level=levels["round_trip_ms"]),
    )


def pool_graphs(picture: Picture, trends: Trends, pool: str) -> tuple[Trace, ...]:
    """Requests, errors, response time, queue and sessions; connections in a pool that counts no requests."""
    one = picture.state.inventory.pools[pool]
    trace = partial(_trace, trends, f"pool/{pool}")
    errors, queue = trends.newest(f"pool/{pool}/errors"), trends.newest(f"pool/{pool}/queue")
    timed = trends.points(f"pool/{pool}/latency") or one.routing is Routing.ALL
    return (
        trace("rate", "requests" if timed else "connections", per_second),
        trace("errors", "errors", per_second, level=Level.WARN if errors else None),
        *((trace("latency", "response", milliseconds),) if timed else ()),
        trace("queue", "queue", units.number, level=Level.WARN if queue else None),
        trace("sessions", "sessions", units.number),
    )


def _trace(
    trends: Trends,
    prefix: str,
    key: str,
    label: str,
    words: _Words,
    *,
    top: float | None = None,
    level: Level | None = None,
) -> Trace:
    name = f"{prefix}/{key}"
    return Trace(label, partial(trends.slices, name), trends.newest(name), words, top, level)
