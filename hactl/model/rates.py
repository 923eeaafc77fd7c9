"""What two samples of counters say together."""

from __future__ import annotations

from dataclasses import dataclass

from hactl.model.facts import HostFacts
from hactl.model.observed import Observed
from hactl.model.state import NodeState


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes a second over all interfaces, errors a second."""

    received: float
    sent: float
    errors: float


def two_samples(state: NodeState) -> tuple[Observed[HostFacts], Observed[HostFacts]] | None:
    """The newest two samples of the host, older first, where they are of one boot and of different moments."""
    reading = state.readings.get("host")
    if reading is None or reading.before is None or reading.last is None:
        return None
    before, last = reading.before, reading.last
    if not isinstance(before.value, HostFacts) or not isinstance(last.value, HostFacts):
        return None
    if last.at <= before.at or last.value.boot_id != before.value.boot_id:
        return None
    return Observed(before.value, before.at), Observed(last.value, last.at)


def cpu_percent(state: NodeState) -> float | None:
    """CPU time that was not idle between the newest two samples; None when they do not tell."""
    pair = two_samples(state)
    if pair is None:
        return None
    ticks = pair[1].value.cpu_total - pair[0].value.cpu_total
    busy = pair[1].value.cpu_busy - pair[0].value.cpu_busy
    return min(100.0, 100.0 * busy / ticks) if ticks > 0 and busy >= 0 else None


def traffic(state: NodeState) -> Traffic | None:
    """Network traffic between the newest two samples. A new interface counts from its next sample."""
    pair = two_samples(state)
    if pair is None:
        return None
    old, new, seconds = pair[0].value.network, pair[1].value.network, pair[1].at - pair[0].at
    same = [(old[name], new[name]) for name in new if name in old and new[name].received >= old[name].received]
    return Traffic(
        received=sum(after.received - before.received for before, after in same) / seconds,
        sent=sum(max(0, after.sent - before.sent) for before, after in same) / seconds,
        errors=sum(max(0, after.errors - before.errors) for before, after in same) / seconds,
    )


def memory_percent(facts: HostFacts) -> float:
    """Memory that is not available to new work."""
    return _share(facts.memory_total - facts.memory_available, facts.memory_total)


def swap_percent(facts: HostFacts) -> float:
    return _share(facts.swap_total - facts.swap_free, facts.swap_total)


def _share(part: float, whole: float) -> float:
    return 100.0 * part / whole if whole > 0 else 0.0
