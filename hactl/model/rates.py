"""What two samples of counters say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from hactl.model.facts import HaproxyBackend, HaproxyFacts, HostFacts
from hactl.model.observed import Observed
from hactl.model.state import NodeState, Reading


class Traffic(NamedTuple):
    """Bytes a second over all interfaces, errors a second."""

    received: float
    sent: float
    errors: float


@dataclass(frozen=True, slots=True)
class Flow:
    """What a balancer's backend carries. `rate`: requests a second, connections where only those are counted.

    `errors`: those of them, a second, that ended in an error of the servers. `latency_ms`: how long the servers took
    for the newest 1024 requests, on average; None while there are none, or where they are not timed.
    """

    rate: float
    errors: float
    latency_ms: float | None = None


def in_a_row(reading: Reading) -> bool:
    """Whether the two newest answers follow each other: none is missing between them."""
    last, before = reading.last, reading.before
    return last is not None and before is not None and 0 < last.at - before.at <= reading.limit()


def flow(reading: Reading, backend: str) -> Flow | None:
    """The flow through a backend between the newest two answers of a balancer; None when they do not tell."""
    last, before = reading.last, reading.before
    if last is None or before is None or not in_a_row(reading):
        return None
    if not isinstance(last.value, HaproxyFacts) or not isinstance(before.value, HaproxyFacts):
        return None
    new, old = last.value.backends.get(backend), before.value.backends.get(backend)
    if new is None or old is None or last.value.pid != before.value.pid:
        return None
    seconds = last.at - before.at
    count, failed = _carried(new) - _carried(old), _failed(new) - _failed(old)
    if count < 0 or failed < 0:  # counters were cleared
        return None
    return Flow(
        count / seconds, failed / seconds, float(new.response_ms) if count and new.response_ms is not None else None
    )


def joined(flows: Sequence[Flow]) -> Flow | None:
    """The flow through several balancers; their latency by the requests that each has carried."""
    if not flows:
        return None
    timed = [(one.rate, one.latency_ms) for one in flows if one.latency_ms is not None]
    carried = sum(rate for rate, _ in timed)
    latency = sum(rate * latency for rate, latency in timed) / carried if carried else None
    return Flow(sum(one.rate for one in flows), sum(one.errors for one in flows), latency)


def _carried(backend: HaproxyBackend) -> int:
    if backend.requests_total is not None:
        return backend.requests_total
    return sum(server.sessions_total for server in backend.servers.values())


def _failed(backend: HaproxyBackend) -> int:
    if backend.errors_5xx is not None:
        return backend.errors_5xx
    return sum(server.errors_connection + server.errors_response for server in backend.servers.values())


def two_samples(state: NodeState) -> tuple[Observed[HostFacts], Observed[HostFacts]] | None:
    """The newest two samples of the host, older first, where they are of one boot and of different moments."""
    reading = state.readings.get("host")
    return samples_of(reading) if reading is not None else None


def samples_of(reading: Reading) -> tuple[Observed[HostFacts], Observed[HostFacts]] | None:
    """The same for those who have the host's reading."""
    before, last = reading.before, reading.last
    if before is None or last is None:
        return None
    if not isinstance(before.value, HostFacts) or not isinstance(last.value, HostFacts):
        return None
    if last.at <= before.at or last.value.boot_id != before.value.boot_id:
        return None
    return cast("tuple[Observed[HostFacts], Observed[HostFacts]]", (before, last))


def cpu_percent(state: NodeState) -> float | None:
    """CPU time that was not idle between the newest two samples; None when they do not tell."""
    pair = two_samples(state)
    return cpu_between(*pair) if pair is not None else None


def cpu_between(before: Observed[HostFacts], last: Observed[HostFacts]) -> float | None:
    """The same for those who have the two samples."""
    old, new = before.value, last.value
    ticks, busy = new.cpu_total - old.cpu_total, new.cpu_busy - old.cpu_busy
    return min(100.0, 100.0 * busy / ticks) if ticks > 0 and busy >= 0 else None


def traffic(state: NodeState) -> Traffic | None:
    """Network traffic between the newest two samples. A new interface counts from its next sample."""
    pair = two_samples(state)
    return traffic_between(*pair) if pair is not None else None


def traffic_between(before: Observed[HostFacts], last: Observed[HostFacts]) -> Traffic:
    """The same for those who have the two samples."""
    old, new, seconds = before.value.network, last.value.network, last.at - before.at
    received = sent = errors = 0
    for name, after in new.items():
        earlier = old.get(name)
        if earlier is not None and after.received >= earlier.received:
            received += after.received - earlier.received
            sent += max(0, after.sent - earlier.sent)
            errors += max(0, after.errors - earlier.errors)
    return Traffic(received / seconds, sent / seconds, errors / seconds)


def memory_percent(facts: HostFacts) -> float:
    """Memory that is not available to new work."""
    return _share(facts.memory_total - facts.memory_available, facts.memory_total)


def swap_percent(facts: HostFacts) -> float:
    return _share(facts.swap_total - facts.swap_free, facts.swap_total)


def _share(part: float, whole: float) -> float:
    return 100.0 * part / whole if whole > 0 else 0.0
