"""The live picture: what every node last said, and when. Immutable; `apply` gives the next one.

Times are seconds of one monotonic clock. `ClusterState.wall` converts them for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from hactl.model.inventory import Inventory
from hactl.model.observed import Maybe, Observed, Unknown

if TYPE_CHECKING:  # a state without any is shown before they are loaded
    from hactl.model.facts import Facts

F = TypeVar("F", bound="Facts")

# An answer older than this many of its probe's intervals is no longer knowledge.
STALE_AFTER_INTERVALS = 2.0


class LinkPhase(StrEnum):
    IDLE = "idle"  # nobody tried yet
    CONNECTING = "connecting"  # the first attempt is under way
    UP = "up"
    DOWN = "down"  # the last attempt failed or the connection died; attempts go on


_NOT_UP = {LinkPhase.IDLE: "not asked yet", LinkPhase.CONNECTING: "connecting", LinkPhase.DOWN: "not connected"}


@dataclass(frozen=True, slots=True)
class Link:
    """The connection to a node. `since` is when the phase began; `code` and `reason` say why it is DOWN."""

    phase: LinkPhase = LinkPhase.IDLE
    since: float = 0.0
    code: str = ""  # a stable code of model.errors
    reason: str = ""
    remedy: str = ""
    attempts: int = 0  # failed ones in a row
    address: str = ""
    software: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A question that was asked and not answered usefully. `code` is a stable code of model.errors."""

    code: str
    reason: str
    at: float
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one probe on one node said. `last` and `before` are its two newest good answers (rates need two)."""

    interval: float
    last: Observed[Facts] | None = None
    before: Observed[Facts] | None = None
    failure: Failure | None = None  # of the newest attempt; None when that was good
    failing_since: float = 0.0

    def limit(self) -> float:
        """Age in seconds from which the last answer is stale."""
        return STALE_AFTER_INTERVALS * self.interval


@dataclass(frozen=True, slots=True)
class NodeState:
    name: str
    link: Link = field(default_factory=Link)
    readings: Mapping[str, Reading] = field(default_factory=dict)

    def read(self, key: str, kind: type[F], now: float) -> Maybe[F]:
        """The facts of a probe if they are knowledge now; else why they are not.

        Unknown when the node is not connected, the newest attempt failed, the last answer is stale, or there is none.
        """
        if self.link.phase is not LinkPhase.UP:
            return Unknown(self.link.reason or _NOT_UP[self.link.phase], self.link.since)
        reading = self.readings.get(key)
        if reading is None or (reading.last is None and reading.failure is None):
            return Unknown("not asked yet", self.link.since)
        if reading.failure is not None:
            return Unknown(reading.failure.reason, reading.failing_since)
        last = reading.last
        if last is None or not isinstance(last.value, kind):
            return Unknown("not asked yet", self.link.since)
        if last.age(now) > reading.limit():
            return Unknown(f"no answer for {last.age(now):.0f} s", last.at)
        return cast("Observed[F]", last)

    def last_known(self, key: str, kind: type[F]) -> Observed[F] | None:
        """The newest good answer however old: only to be shown as "last seen", never as the present."""
        reading = self.readings.get(key)
        last = reading.last if reading else None
        return cast("Observed[F]", last) if last is not None and isinstance(last.value, kind) else None


@dataclass(frozen=True, slots=True)
class ClusterState:
    inventory: Inventory
    nodes: Mapping[str, NodeState]
    at: float = 0.0  # when the newest event happened
    epoch: float = 0.0  # wall clock (epoch seconds) when the monotonic clock read 0

    def wall(self, monotonic: float) -> float:
        """Epoch seconds of a monotonic second."""
        return self.epoch + monotonic


@dataclass(frozen=True, slots=True)
class LinkChanged:
    node: str
    link: Link


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer, or the failure to get one. `interval` is the probe's cadence now, seconds."""

    node: str
    key: str
    at: float
    interval: float
    result: Facts | Failure


StateEvent: TypeAlias = LinkChanged | Sample


def initial(inventory: Inventory, *, now: float, epoch: float) -> ClusterState:
    """Nothing known yet. `epoch` is as in ClusterState."""
    idle = Link(since=now)
    return ClusterState(inventory, {name: NodeState(name, idle) for name in inventory.nodes}, now, epoch)


def apply(state: ClusterState, event: StateEvent) -> ClusterState:
    """The picture after one event. Costs one copy of the node mapping; unchanged nodes keep their identity."""
    return apply_all(state, (event,))


def apply_all(state: ClusterState, events: Iterable[StateEvent]) -> ClusterState:
    """The picture after these events, in their order, for one copy of the node mapping."""
    nodes, at = dict(state.nodes), state.at
    for event in events:
        node = nodes[event.node]
        if isinstance(event, LinkChanged):
            nodes[event.node] = NodeState(node.name, event.link, node.readings)
            at = max(at, event.link.since)
        else:
            reading = _after(node.readings.get(event.key) or Reading(event.interval), event)
            nodes[event.node] = NodeState(node.name, node.link, {**node.readings, event.key: reading})
            at = max(at, event.at)
    return ClusterState(state.inventory, nodes, at, state.epoch)


def _after(reading: Reading, sample: Sample) -> Reading:
    if isinstance(sample.result, Failure):
        since = reading.failing_since if reading.failure else sample.result.at
        return Reading(sample.interval, reading.last, reading.before, sample.result, since)
    observed: Observed[Facts] = Observed(sample.result, sample.at)
    return Reading(sample.interval, observed, reading.last)
