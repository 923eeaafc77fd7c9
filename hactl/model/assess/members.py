"""The members of a balancer pool as all balancers that could be asked see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hactl.model.facts import HaproxyFacts, HaproxyServer, ServerState
from hactl.model.inventory import Pool
from hactl.model.observed import Observed

# Balancers check a member at different moments: that they differ counts once it has lasted for this many seconds.
SETTLED = 10


@dataclass(frozen=True, slots=True)
class Member:
    """One node of a pool. `seen`: balancer -> its row for it, None where that balancer has no such server."""

    node: str
    server: str
    seen: Mapping[str, HaproxyServer | None]

    @property
    def available(self) -> bool:
        """On every balancer that was asked."""
        return bool(self.seen) and all(row is not None and row.available for row in self.seen.values())

    @property
    def drained_on(self) -> tuple[str, ...]:
        """The balancers on which somebody took it out."""
        return tuple(name for name, row in self.seen.items() if row is not None and is_out(row))

    @property
    def absent_on(self) -> tuple[str, ...]:
        return tuple(name for name, row in self.seen.items() if row is None)

    @property
    def reserve(self) -> bool:
        """A backup server: HAProxy uses it only when all others are gone, so it does not count."""
        return bool(self.seen) and all(row is not None and row.backup for row in self.seen.values())

    @property
    def changed(self) -> float:
        """Seconds since the balancer that changed its mind last did so."""
        return min((row.last_change for row in self.seen.values() if row is not None), default=0)


def members(pool: Pool, asked: Mapping[str, Observed[HaproxyFacts]]) -> tuple[Member, ...]:
    """In inventory order. A balancer without the backend sees none of them."""
    backends = {name: seen.value.backends.get(pool.backend) for name, seen in asked.items()}
    return tuple(
        Member(
            node,
            server,
            {name: backend.servers.get(server) if backend else None for name, backend in backends.items()},
        )
        for node, server in pool.servers.items()
    )


def is_out(row: HaproxyServer) -> bool:
    """Taken out by somebody, whatever its checks say."""
    if row.admin is not None and (row.admin.drained or row.admin.maintained):
        return True
    return row.state in {ServerState.DRAIN, ServerState.MAINT}


def word(row: HaproxyServer | None) -> str:
    """How a balancer sees a server, in a word or two."""
    if row is None:
        return "absent"
    maintained = row.state is ServerState.MAINT or (row.admin is not None and row.admin.maintained)
    if maintained:
        return "in maintenance"
    if is_out(row):
        return "drained"
    if row.available:
        return "up"
    if row.state in {ServerState.UP, ServerState.GOING_DOWN, ServerState.NO_CHECK}:
        return "backup" if row.backup else "up with weight 0"
    return row.status.lower() or "down"


def difference(member: Member) -> str:
    """The sentence for a member that balancers see differently, or nothing: "drained on lb1, up on lb2"."""
    words = {name: word(row) for name, row in member.seen.items()}
    serves = {row is not None and row.available for row in member.seen.values()}
    out = len(member.drained_on)
    by_hand = 0 < out < len(member.seen)
    if not by_hand and (len(serves) < 2 or member.changed < SETTLED or member.absent_on):
        return ""
    return ", ".join(f"{text} on {name}" for name, text in words.items())
