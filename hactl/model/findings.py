"""Judged facts. `model.assess` makes them; everything that shows or guards reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Level(IntEnum):
    """How bad. Ordered for roll-up: the worst of several is their max(); not to know is worse than to be warned."""

    OK = 0
    WARN = 1
    UNKNOWN = 2
    CRIT = 3

    @property
    def word(self) -> str:
        return self.name.lower()


class ScopeKind(StrEnum):
    CLUSTER = "cluster"
    SITE = "site"
    SERVICE = "service"
    POOL = "pool"
    VIP = "vip"
    NODE = "node"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a finding is about."""

    kind: ScopeKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One judged fact.

    `key` is stable from sample to sample ("disk:db1:/var"): acknowledgement, hysteresis and ages hang on it. `since`
    is the monotonic second from which it has had this level. `value` is in the metric's unit.
    """

    key: str
    level: Level
    scope: Scope
    sentence: str  # one line, safe text, without the scope's name where that is obvious: "disk /var 93 % full"
    since: float
    hint: str = ""  # what to do about it, or ""
    node: str | None = None  # where to look, when it is one node
    service: str | None = None
    metric: str | None = None  # a name of model.metrics
    value: float | None = None


def subject(finding: Finding) -> str:
    """What a finding is about, in a word: "db1", "shop", "shop on app1"."""
    name = finding.scope.name
    return name if finding.node in (None, name) else f"{name} on {finding.node}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A roll-up: the level and the one sentence that says why."""

    level: Level
    sentence: str
    since: float


@dataclass(frozen=True, slots=True)
class ServiceVerdict:
    """`available` of `total` active nodes are known to be good, `unknown` of them cannot be judged."""

    name: str
    verdict: Verdict
    available: int
    unknown: int
    total: int
    minimum: int
    members: Mapping[str, Verdict]  # by node


@dataclass(frozen=True, slots=True)
class PoolVerdict:
    """A pool over all balancers: a member counts as available only where every reachable balancer says so."""

    name: str
    verdict: Verdict
    available: int
    unknown: int
    total: int
    minimum: int
    disagreements: tuple[str, ...]  # a sentence for each server that balancers see differently
    drained: tuple[str, ...]  # nodes in drain or maint on at least one balancer


@dataclass(frozen=True, slots=True)
class VipVerdict:
    """Who holds the address. Exactly one is right; none or two are critical."""

    name: str
    address: str
    verdict: Verdict
    holders: tuple[str, ...]
    unknown: tuple[str, ...]  # candidates that could not be asked


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything that is to be said about one ClusterState at one moment."""

    at: float
    cluster: Verdict
    sites: Mapping[str, Verdict]
    services: Mapping[str, ServiceVerdict]
    pools: Mapping[str, PoolVerdict]
    vips: Mapping[str, VipVerdict]
    nodes: Mapping[str, Verdict]
    findings: tuple[Finding, ...]  # those that are not ok, worst first, then oldest first
