"""Who holds a cluster's lock, as data: what a holder leaves on the nodes, and what looking at all of them shows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Holder:
    """`id` is what `hactl lock break --id` takes. `epoch` 0: it does not have its majority yet."""

    id: str
    who: str
    host: str
    pid: int
    run: str
    playbook: str
    since: float  # epoch seconds
    epoch: int = 0

    @property
    def sentence(self) -> str:
        """Who, what, since when, from where."""
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        doing = f"{self.playbook} (run {self.run})" if self.run else self.playbook
        return f"{self.who} for {doing} since {when}, from {self.host} (process {self.pid})"


@dataclass(frozen=True, slots=True)
class NodeLock:
    """The lock on one node. `holder` None with no `problem`: free. `epoch` is the newest that was ever taken there."""

    node: str
    held: bool = False
    holder: Holder | None = None
    epoch: int = 0
    problem: str = ""  # why the node could not be asked


@dataclass(frozen=True, slots=True)
class LockPicture:
    """The lock on all nodes of a cluster."""

    cluster: str
    nodes: tuple[NodeLock, ...]

    @property
    def majority(self) -> int:
        return majority(len(self.nodes))

    @property
    def holders(self) -> tuple[Holder, ...]:
        """Everybody who holds some node, the one with the most nodes first."""
        counts: dict[Holder, int] = {}
        for node in self.nodes:
            if node.held and node.holder is not None:
                counts[node.holder] = counts.get(node.holder, 0) + 1
        return tuple(sorted(counts, key=lambda holder: -counts[holder]))

    @property
    def holder(self) -> Holder | None:
        """The one who has a majority. None may also mean that too few nodes could be asked: see `certain`."""
        for holder in self.holders:
            if sum(node.holder == holder and node.held for node in self.nodes) >= self.majority:
                return holder
        return None

    @property
    def certain(self) -> bool:
        """Whether enough nodes answered to say who has the lock, or that nobody has."""
        return sum(not node.problem for node in self.nodes) >= self.majority


@dataclass(frozen=True, slots=True)
class LockBroken:
    """What breaking a lock did. `missing`: nodes that could not be asked; what they are told later is refused there
    only once somebody takes the lock again.
    """

    epoch: int
    nodes: tuple[str, ...]
    missing: tuple[str, ...] = ()


def majority(count: int) -> int:
    return count // 2 + 1


def listed(nodes: Sequence[str]) -> str:
    return ", ".join(nodes) or "none"
