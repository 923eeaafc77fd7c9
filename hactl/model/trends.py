"""What was measured in the last fifteen minutes, kept while pictures pass by: for graphs, and for nothing that decides.

Keys: "node/NAME/" cpu, memory, disk (percent), received, sent (bytes a second), latency (ms, there and back);
"pool/NAME/" and "service/NAME/" rate (requests a second; connections where nothing else is counted), errors (of them, a
second), latency (ms, as balancers time it), sessions, queue; "service/NAME/health" (ms, the slowest check on a node).
What was not known has no point: a gap, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hactl.model import rates
from hactl.model.facts import ClockFacts, DiskFacts, HaproxyFacts, HostFacts, HttpFacts
from hactl.model.inventory import HttpService, Pool
from hactl.model.observed import Observed
from hactl.model.picture import Picture
from hactl.model.series import Point, Series
from hactl.model.state import ClusterState, NodeState, Reading


class Trends:
    """Takes every picture; gives the last fifteen minutes of a key. At most 8 kB a key, 50 kB a node."""

    def __init__(self) -> None:
        self._series: dict[str, Series] = {}
        self._seen: Mapping[str, NodeState] = {}
        self._of_nodes: dict[str, _NodeSeries] = {}
        self._now = 0.0

    def take(self, picture: Picture) -> None:
        """Keep what is new in a picture; nodes that are as they were cost nothing.

        A picture from before the newest one (a recording was wound back) takes back what came after it.
        """
        if picture.now < self._now:
            self._rewind(picture.now)
        self._now = picture.now
        seen, self._seen = self._seen, picture.state.nodes
        changed = [name for name, state in self._seen.items() if seen.get(name) is not state]
        for name in changed:
            self._take_node(self._seen[name], seen.get(name))
        if changed:
            self._take_services(picture, frozenset(changed))

    def points(self, key: str) -> tuple[Point, ...]:
        """Oldest first. Empty for what was never known."""
        series = self._series.get(key)
        return series.points(self._now) if series is not None else ()

    def slices(self, key: str, count: int) -> tuple[float | None, ...]:
        """The last fifteen minutes in `count` equal parts, the newest last: see `Series.slices`."""
        series = self._series.get(key)
        return series.slices(self._now, count) if series is not None else (None,) * count

    def newest(self, key: str) -> float | None:
        """The last value; None when that is not knowledge any more, or never was."""
        series = self._series.get(key)
        return series.newest(self._now) if series is not None else None

    # --- inside ---

    def _take_node(self, state: NodeState, before: NodeState | None) -> None:
        """What was answered since `before`."""
        series = self._of_nodes.get(state.name)
        if series is None:
            series = self._of_nodes[state.name] = _NodeSeries(f"node/{state.name}/", self._series)
        readings, known = state.readings, before.readings if before is not None else {}
        if (host := readings.get("host")) is not None and host is not known.get("host"):
            series.put_host(host)
        if (disk := readings.get("disk")) is not None and disk is not known.get("disk"):
            series.put_disk(disk)
        if (clock := readings.get("clock")) is not None and clock is not known.get("clock"):
            series.put_clock(clock)

    def _take_services(self, picture: Picture, changed: frozenset[str]) -> None:
        state, inventory = picture.state, picture.state.inventory
        for service in inventory.services.values():
            pools = [pool for pool in inventory.pools.values() if pool.service == service.name]
            if any(not changed.isdisjoint(inventory.services[pool.balancer].nodes) for pool in pools):
                found = [one for pool in pools if (one := self._take_pool(state, pool, picture.now)) is not None]
                self._take_together(f"service/{service.name}", found)
            if isinstance(service, HttpService) and not changed.isdisjoint(service.nodes):
                self._take_health(state, service, picture.now)

    def _take_pool(self, state: ClusterState, pool: Pool, now: float) -> _Seen | None:
        nodes = state.inventory.services[pool.balancer].nodes
        found = [one for name in nodes if (one := _seen(state.nodes[name], pool, now)) is not None]
        return self._take_together(f"pool/{pool.name}", found)

    def _take_together(self, prefix: str, found: Sequence[_Seen]) -> _Seen | None:
        """Those that could be asked; what another balancer carried that could not be is not known, and not shown."""
        if not found:
            return None
        seen = _together(found)
        self._put(f"{prefix}/sessions", seen.at, seen.sessions, seen.interval)
        self._put(f"{prefix}/queue", seen.at, seen.queue, seen.interval)
        if seen.flow is not None:
            self._put(f"{prefix}/rate", seen.at, seen.flow.rate, seen.interval)
            self._put(f"{prefix}/errors", seen.at, seen.flow.errors, seen.interval)
            self._put(f"{prefix}/latency", seen.at, seen.flow.latency_ms, seen.interval)
        return seen

    def _take_health(self, state: ClusterState, service: HttpService, now: float) -> None:
        key = f"http:{service.name}"
        answers = [(state.nodes[node], state.nodes[node].read(key, HttpFacts, now)) for node in service.nodes]
        good = [(node, said) for node, said in answers if isinstance(said, Observed) and said.value.healthy]
        if good:
            slowest = max(said.value.latency_ms for _, said in good)
            self._put(f"service/{service.name}/health", good[0][1].at, slowest, good[0][0].readings[key].interval)

    def _put(self, key: str, at: float, value: float | None, interval: float) -> None:
        if value is not None:
            self._series.setdefault(key, Series()).put(at, value, interval)

    def _rewind(self, now: float) -> None:
        self._seen = {}
        for series in self._series.values():
            series.cut_after(now)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A pool on one balancer, or on several together. `at`: when the first of them answered."""

    at: float
    interval: float
    sessions: float
    queue: float
    flow: rates.Flow | None  # None: two answers in a row are needed


def _seen(state: NodeState, pool: Pool, now: float) -> _Seen | None:
    """What one balancer says; None when it cannot be asked or does not know the backend."""
    key = f"haproxy:{pool.balancer}"
    answer = state.read(key, HaproxyFacts, now)
    backend = answer.value.backends.get(pool.backend) if isinstance(answer, Observed) else None
    if backend is None or not isinstance(answer, Observed):
        return None
    reading = state.readings[key]
    return _Seen(answer.at, reading.interval, backend.sessions, backend.queue, rates.flow(reading, pool.backend))


def _together(found: Sequence[_Seen]) -> _Seen:
    if len(found) == 1:
        return found[0]
    return _Seen(
        at=found[0].at,
        interval=found[0].interval,
        sessions=sum(one.sessions for one in found),
        queue=sum(one.queue for one in found),
        flow=rates.joined([one.flow for one in found if one.flow is not None]),
    )


class _NodeSeries:
    """Takes a node's answers: the newest good one of each question was true when it was given, whatever came after."""

    __slots__ = ("_host", "_prefix", "_series")

    def __init__(self, prefix: str, series: dict[str, Series]) -> None:
        self._prefix = prefix
        self._series = series
        self._host: tuple[Series, ...] = ()

    def put_host(self, reading: Reading) -> None:
        """Called for every node with every answer, so it asks for nothing twice."""
        host = reading.last
        if host is None or not isinstance(host.value, HostFacts):
            return
        if not self._host:
            self._host = tuple(map(self._of, ("memory", "cpu", "received", "sent")))
        memory, cpu, received, sent = self._host
        at, every = host.at, reading.interval
        memory.put(at, rates.memory_percent(host.value), every)
        if not rates.in_a_row(reading) or (pair := rates.samples_of(reading)) is None:
            return
        if (busy := rates.cpu_between(*pair)) is not None:
            cpu.put(at, busy, every)
        traffic = rates.traffic_between(*pair)
        received.put(at, traffic.received, every)
        sent.put(at, traffic.sent, every)

    def put_disk(self, reading: Reading) -> None:
        disk = reading.last
        if disk is not None and isinstance(disk.value, DiskFacts) and disk.value.filesystems:
            fullest = max(one.used_percent for one in disk.value.filesystems)
            self._of("disk").put(disk.at, fullest, reading.interval)

    def put_clock(self, reading: Reading) -> None:
        clock = reading.last
        if clock is not None and isinstance(clock.value, ClockFacts):
            self._of("latency").put(clock.at, 2000 * clock.value.error, reading.interval)

    def _of(self, word: str) -> Series:
        return self._series.setdefault(self._prefix + word, Series())
