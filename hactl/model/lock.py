"""The cluster's lock as somebody sees who looks at it: who holds it, for what, since when, on which nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Holder:
    """Who took the lock. `since` is epoch seconds; `id` names this taking of it, for `hactl lock break --id`."""

    id: str
    run: str
    playbook: str
    who: str  # "anna@laptop"
    host: str
    pid: int
    since: float


@dataclass(frozen=True, slots=True)
class NodeLock:
    """The lock's part on one node. `epoch` 0: it was never taken there. `unknown` says why nobody can say; else ""."""

    node: str
    held: bool = False
    holder: Holder | None = None  # who holds it, or who held it last
    epoch: int = 0
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class LockPicture:
    """`holder`: who holds it on a majority of the nodes, if anybody does."""

    cluster: str
    nodes: Mapping[str, NodeLock] = field(default_factory=dict)
    holder: Holder | None = None
    majority: int = 0  # so many nodes decide
