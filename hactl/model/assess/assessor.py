"""The judgement of a whole picture, and the memory that makes the next one cheap.

What a node says alone is judged by `node_judges` and kept until the node says something new or something it said turns
stale; what nodes say together is judged each time (`together`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeAlias

from hactl.model.assess import answers, reach, rollup
from hactl.model.assess.base import ClusterCase, NodeCase, Past, is_up
from hactl.model.assess.together import Shared
from hactl.model.findings import Assessment, Finding, Verdict
from hactl.model.inventory import Inventory, Service
from hactl.model.state import ClusterState, NodeState

_TINY = 1e-6

Judge: TypeAlias = Callable[[NodeCase], Iterator[Finding]]


@cache
def node_judges() -> tuple[Judge, ...]:
    """Judges of a connected node. `reach` comes before them all, and alone where it has something to say.

    Loaded when there is a connected node: before, a dashboard has its first picture to show.
    """
    from hactl.model.assess import backup, balancer, files, host, http, postgresql, units  # noqa: PLC0415

    return (
        answers.judge,
        host.judge,
        units.judge,
        http.judge,
        balancer.judge,
        postgresql.judge,
        backup.judge,
        files.judge,
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was said about a node alone. True for this very NodeState, and until `until`."""

    state: NodeState
    until: float
    findings: tuple[Finding, ...]
    verdict: Verdict


class Assessor:
    """Judges picture after picture of one inventory. `assess` must be called with `now` that never goes back."""

    def __init__(self, inventory: Inventory, previous: Assessment | None = None) -> None:
        self._inventory = inventory
        self._previous = previous
        self._past = Past({finding.key: finding for finding in previous.findings} if previous else {})
        self._memory: dict[str, _Judged] = {}
        self._touched: set[str] = set()  # nodes about which something was said from outside
        on: dict[str, list[Service]] = {name: [] for name in inventory.nodes}
        for service in inventory.services.values():
            for node in service.nodes:
                on[node].append(service)
        self._services = {name: tuple(services) for name, services in on.items()}

    def assess(self, state: ClusterState, now: float) -> Assessment:
        """Everything that is to be said at `now` about `state`, which must be of this assessor's inventory."""
        memory = {name: self._judged(state, node, now) for name, node in state.nodes.items()}
        self._memory = memory
        own = {name: judged.findings for name, judged in memory.items() if judged.findings}
        case = ClusterCase(state, self._past, now, own)
        shared = Shared.judge(case, self._previous)
        findings = rollup.ordered([*(found for some in own.values() for found in some), *shared.findings])
        past = self._previous
        nodes = {name: judged.verdict for name, judged in memory.items()}
        nodes |= self._with_shared(shared.findings, now)
        assessment = Assessment(
            at=now,
            cluster=rollup.cluster(self._inventory, findings, past, now),
            sites=rollup.sites(self._inventory, nodes, past, now),
            services=shared.services,
            pools=shared.pools,
            vips=shared.vips,
            nodes=nodes,
            findings=findings,
        )
        self._previous = assessment
        self._past = Past({finding.key: finding for finding in findings})
        return assessment

    def _judged(self, state: ClusterState, node: NodeState, now: float) -> _Judged:
        kept = self._memory.get(node.name)
        if kept is not None and kept.state is node and now <= kept.until:
            return kept
        case = NodeCase(
            self._inventory.nodes[node.name],
            node,
            self._services[node.name],
            self._inventory.thresholds,
            self._past,
            now,
            state.epoch,
        )
        findings = tuple(reach.judge(case))
        if is_up(node):
            findings = tuple(finding for judge in node_judges() for finding in judge(case))
        past = self._previous.nodes.get(node.name) if self._previous else None
        return _Judged(node, _good_until(node, now), findings, rollup.of_findings(findings, past, now))

    def _with_shared(self, shared: tuple[Finding, ...], now: float) -> dict[str, Verdict]:
        """Verdicts of the nodes about which something is said from outside too, or was a moment ago."""
        past = self._previous.nodes if self._previous else {}
        said = rollup.by_node(shared)
        touched, self._touched = self._touched | said.keys(), set(said)
        verdicts: dict[str, Verdict] = {}
        for name in touched:
            judged = self._memory[name]
            verdicts[name] = rollup.of_findings([*judged.findings, *said.get(name, ())], past.get(name), now)
            if name not in said:  # from now on it is as it says itself, and has been so since now
                self._memory[name] = replace(judged, verdict=verdicts[name])
        return verdicts


def _good_until(node: NodeState, now: float) -> float:
    """The moment at which the first answer that is still good turns stale; a little before it, as floats go."""
    if not is_up(node):
        return math.inf
    ends = (
        reading.last.at + reading.limit() - _TINY
        for reading in node.readings.values()
        if reading.last is not None and reading.failure is None and not answers.is_stale(reading, now)
    )
    return min(ends, default=math.inf)


def assess(state: ClusterState, previous: Assessment | None, now: float) -> Assessment:
    """The same without memory: `previous` gives levels to hold on to and ages to go on with."""
    return Assessor(state.inventory, previous).assess(state, now)
