"""What every judge is given and how it speaks: the node or the cluster as a case, and the findings before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from hactl.model.assess.hysteresis import level_of
from hactl.model.facts import Facts
from hactl.model.findings import Finding, Level, Scope, ScopeKind
from hactl.model.inventory import Inventory, Node, Service, Standing, Threshold, Thresholds
from hactl.model.metrics import METRICS, threshold
from hactl.model.observed import Maybe, Observed, Unknown
from hactl.model.state import ClusterState, LinkPhase, NodeState
from hactl.model.text import one_line
from hactl.model.units import measure

F = TypeVar("F", bound=Facts)


@dataclass(frozen=True, slots=True)
class Past:
    """The findings of the assessment before, by key: levels to hold on to, and since when they have been so."""

    findings: Mapping[str, Finding]

    def level(self, key: str) -> Level:
        found = self.findings.get(key)
        return found.level if found else Level.OK

    def since(self, key: str, level: Level, began: float) -> float:
        found = self.findings.get(key)
        return found.since if found and found.level is level else began


@dataclass(frozen=True, slots=True)
class NodeCase:
    """One node to be judged by what itself says."""

    node: Node
    state: NodeState
    services: tuple[Service, ...]
    thresholds: Thresholds
    past: Past
    now: float
    epoch: float  # wall clock when `now` was 0

    def read(self, key: str, kind: type[F]) -> Maybe[F]:
        return self.state.read(key, kind, self.now)

    def limit(self, metric: str) -> Threshold:
        return threshold(self.thresholds, metric, self.node)

    def finding(
        self,
        key: str,
        level: Level,
        sentence: str,
        *,
        began: float | None = None,
        hint: str = "",
        service: Service | None = None,
        metric: str | None = None,
        value: float | None = None,
    ) -> Finding:
        """A finding about this node, or about a service on it. Of a spare nothing is worse than a warning."""
        if self.node.standing is Standing.SPARE:
            level = min(level, Level.WARN)
        scope = Scope(ScopeKind.SERVICE, service.name) if service else Scope(ScopeKind.NODE, self.node.name)
        return Finding(
            key=key,
            level=level,
            scope=scope,
            sentence=one_line(sentence, 300),
            since=self.past.since(key, level, self.now if began is None else began),
            hint=one_line(hint, 300),
            node=self.node.name,
            service=service.name if service else None,
            metric=metric,
            value=value,
        )

    def measured(
        self,
        metric: str,
        key: str,
        value: float,
        what: str,
        *,
        limit: Threshold | None = None,
        after: str = "",
        hint: str = "",
        service: Service | None = None,
    ) -> Iterator[Finding]:
        """A finding when `value` has reached its limit: "WHAT VALUE AFTER (warn 80, crit 90)"."""
        if limit is None:
            limit = self.limit(metric)
        level = level_of(value, limit, self.past.level(key))
        if level is not Level.OK:
            sentence = f"{what} {against(value, metric, limit, after)}"
            yield self.finding(key, level, sentence, hint=hint, service=service, metric=metric, value=value)


@dataclass(frozen=True, slots=True)
class ClusterCase:
    """The cluster to be judged by what its nodes say together. `nodes` holds the findings about each node alone."""

    state: ClusterState
    past: Past
    now: float
    own: Mapping[str, tuple[Finding, ...]]

    @property
    def inventory(self) -> Inventory:
        return self.state.inventory

    def read(self, node: str, key: str, kind: type[F]) -> Maybe[F]:
        return self.state.nodes[node].read(key, kind, self.now)

    def known(self, nodes: tuple[str, ...], key: str, kind: type[F]) -> dict[str, Observed[F]]:
        """The facts of those nodes that can be asked now."""
        answers = {node: self.read(node, key, kind) for node in nodes}
        return {node: answer for node, answer in answers.items() if isinstance(answer, Observed)}

    def active(self, node: str) -> bool:
        return self.inventory.nodes[node].standing is Standing.ACTIVE

    def broken(self, node: str, service: str) -> bool:
        """Does the node itself say that the service there does not work?"""
        return any(found.service == service and breaks(found) for found in self.own.get(node, ()))

    def limit(self, node: str, metric: str) -> Threshold:
        return threshold(self.inventory.thresholds, metric, self.inventory.nodes[node])

    def finding(
        self,
        key: str,
        level: Level,
        scope: Scope,
        sentence: str,
        *,
        began: float | None = None,
        hint: str = "",
        node: str | None = None,
        service: str | None = None,
        metric: str | None = None,
        value: float | None = None,
    ) -> Finding:
        """A finding. `node` says where to look; of a spare nothing is worse than a warning."""
        if node is not None and not self.active(node):
            level = min(level, Level.WARN)
        since = self.past.since(key, level, self.now if began is None else began)
        return Finding(
            key, level, scope, one_line(sentence, 300), since, one_line(hint, 300), node, service, metric, value
        )

    def measured(
        self,
        metric: str,
        key: str,
        value: float,
        what: str,
        scope: Scope,
        *,
        node: str,
        service: str,
        after: str = "",
        hint: str = "",
    ) -> Iterator[Finding]:
        """A finding about `node` when `value` has reached the limit that holds there."""
        limit = self.limit(node, metric)
        level = level_of(value, limit, self.past.level(key))
        if level is not Level.OK:
            sentence = f"{what} {against(value, metric, limit, after)}"
            yield self.finding(
                key, level, scope, sentence, hint=hint, node=node, service=service, metric=metric, value=value
            )


def against(value: float, metric: str, limit: Threshold, after: str = "") -> str:
    """A value beside its limits: "93 % AFTER (warn 80, crit 90)"."""
    unit = METRICS[metric].unit
    return f"{measure(value, unit)}{after} ({_limits(limit, unit)})"


def breaks(finding: Finding) -> bool:
    """Does it say that something does not work at all? A measured value, however bad, only says how well."""
    return finding.level is Level.CRIT and finding.metric is None


def is_up(state: NodeState) -> bool:
    return state.link.phase is LinkPhase.UP


def because(answer: Unknown, node: str) -> str:
    """Why somebody does not know, without the node's name in front."""
    return answer.reason.removeprefix(f"{node}: ").rstrip(".")


def listed(names: tuple[str, ...] | list[str]) -> str:
    """As in a sentence: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _limits(limit: Threshold, unit: str) -> str:
    """The limits as a sentence names them; percents and counts without their unit, which stands before."""
    pairs = (("warn", limit.warn), ("crit", limit.crit))
    shown = (
        (word, f"{value:g}" if unit in {"%", "", "ms"} else measure(value, unit))
        for word, value in pairs
        if value is not None
    )
    return ", ".join(f"{word} {'below ' if limit.below else ''}{text}" for word, text in shown)
