"""A replicated database in one look: who is primary, who follows whom and how far behind, and what is gone.

Pure, made from a picture. Positions and lags are bytes of WAL. What is known of a moment ago is never told as the
present: `Server.last` is for "last seen", and what is lost with a primary that is gone stays `Unknown` where nobody has
seen it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from hactl.model.assess.base import listed
from hactl.model.assess.database import Pair, primaries_of, receive_lag
from hactl.model.facts import PostgresqlFacts, PostgresqlRole, Replica, Slot
from hactl.model.inventory import Inventory, PostgresqlService
from hactl.model.observed import Maybe, Observed, Unknown
from hactl.model.picture import Picture
from hactl.model.state import NodeState

STREAMING = "streaming"


@dataclass(frozen=True, slots=True)
class Server:
    """One server of the database. `last`: its newest good answer, however old; `before`: the one before it."""

    node: str
    site: str
    facts: Maybe[PostgresqlFacts]
    last: Observed[PostgresqlFacts] | None
    before: Observed[PostgresqlFacts] | None = None

    @property
    def known(self) -> PostgresqlFacts | None:
        return self.facts.value if isinstance(self.facts, Observed) else None


@dataclass(frozen=True, slots=True)
class Standby:
    """A server in recovery that answers now. `upstream`: the node it receives from, or is told to receive from while it
    does not; an address where the inventory has no such node; "" where it is told none. `behind`: bytes that the
    primary has written and this one not received. `slot`: the one that holds WAL for it on its upstream. `behind_by`
    and `to_replay_by`: bytes a second by which those grow (or shrink, below 0); None before two answers are there.
    """

    node: str
    site: str
    timeline: int
    system_identifier: str
    upstream: str
    streaming: bool
    received: int
    replayed: int
    behind: Maybe[int]
    sync: str  # sync, quorum, potential, async; "" where no primary says so
    slot: Slot | None
    paused: bool
    behind_by: float | None = None
    to_replay_by: float | None = None

    @property
    def to_replay(self) -> int:
        """Bytes that have arrived and cannot be read yet."""
        return max(0, self.received - self.replayed)


@dataclass(frozen=True, slots=True)
class LastSeen:
    """The primary that is gone. `seen` None: nobody here saw it, it is only whom the standbys follow."""

    node: str
    seen: Observed[PostgresqlFacts] | None


@dataclass(frozen=True)
class Replication:
    """`primaries` are those out of recovery now; `unknown` the servers that could not be asked: each may be one too.

    `at` is the monotonic second of the picture.
    """

    service: PostgresqlService
    inventory: Inventory
    at: float
    servers: Mapping[str, Server]
    primaries: tuple[str, ...]

    @cached_property
    def unknown(self) -> tuple[str, ...]:
        return tuple(node for node, server in self.servers.items() if server.known is None)

    @cached_property
    def writable(self) -> tuple[str, ...]:
        """The primaries that take writes from anybody."""
        return tuple(node for node in self.primaries if (facts := self.known(node)) and not facts.read_only)

    @property
    def primary(self) -> str:
        """The one primary; "" when there is none, or more than one."""
        return self.primaries[0] if len(self.primaries) == 1 else ""

    @property
    def leader(self) -> PostgresqlFacts | None:
        """What the one primary says; None where there is no such one."""
        return self.known(self.primary)

    @cached_property
    def standbys(self) -> tuple[Standby, ...]:
        """Those in recovery that answer, in inventory order."""
        return tuple(
            self._standby(server, facts)
            for server in self.servers.values()
            if (facts := server.known) is not None and facts.role is PostgresqlRole.STANDBY
        )

    @cached_property
    def lost(self) -> LastSeen | None:
        """The primary that is not there now: the newest sight of one that cannot be asked, else whom the standbys
        follow. None while there is a primary, or where nobody knows.
        """
        if self.primaries:
            return None
        was = [
            (node, self.servers[node].last)
            for node in self.unknown
            if (last := self.servers[node].last) is not None and last.value.role is PostgresqlRole.PRIMARY
        ]
        if was:
            return LastSeen(*max(was, key=lambda one: one[1].at if one[1] else 0.0))
        followed = {one.upstream for one in self.standbys if one.upstream in self.unknown}
        return LastSeen(followed.pop(), None) if len(followed) == 1 else None

    def loss(self, candidate: str) -> Maybe[int]:
        """Bytes that `candidate` had not received when the primary was last seen: what may be lost, at the least.

        `Observed.at` is when the primary was last seen. After that it may have written more.
        """
        facts = self.known(candidate)
        seen = self.lost.seen if self.lost is not None else None
        if facts is None:
            return Unknown(f"{candidate} cannot be asked", self.at)
        if seen is None:
            return Unknown("nobody here has seen the primary while it was there", self.at)
        return Observed(max(0, seen.value.lsn - facts.lsn), seen.at)

    # --- standbys ---------------------------------------------------------------------------------------------

    def known(self, node: str) -> PostgresqlFacts | None:
        """What the server says now; None where it cannot be asked."""
        return self.servers[node].known if node in self.servers else None

    def _standby(self, server: Server, facts: PostgresqlFacts) -> Standby:
        upstream = self.named(facts.primary_host or facts.follows)
        above = self.known(upstream)
        row = self._row(above, server.node)
        return Standby(
            node=server.node,
            site=server.site,
            timeline=facts.timeline,
            system_identifier=facts.system_identifier,
            upstream=upstream,
            streaming=facts.receiver_status == STREAMING,
            received=facts.lsn,
            replayed=facts.lsn if facts.replayed is None else facts.replayed,
            behind=self._behind(server, facts),
            sync=row.sync_state if row else "",
            slot=_slot(above, facts.slot_name or server.node),
            paused=facts.replay_paused,
            behind_by=self._growth(above, server.node) if upstream == self.primary else None,
            to_replay_by=_per_second(server, _waiting),
        )

    def _growth(self, above: PostgresqlFacts | None, node: str) -> float | None:
        """By the primary's own rows about the standby, each of one moment."""
        if above is None or self._row(above, node) is None:
            return None

        def behind(facts: PostgresqlFacts) -> int | None:
            row = self._row(facts, node)
            return row.flush_lag if row is not None else None

        return _per_second(self.servers[self.primary], behind)

    def _behind(self, server: Server, facts: PostgresqlFacts) -> Maybe[int]:
        if not self.primary:
            return Unknown("more than one primary" if self.primaries else "no primary can be asked", self.at)
        leader, mine = self.servers[self.primary].facts, server.facts
        if not isinstance(leader, Observed) or not isinstance(mine, Observed):
            return Unknown("not asked yet", self.at)
        if facts.system_identifier != leader.value.system_identifier:
            return Unknown(f"it is a copy of another database than {self.primary}", mine.at)
        if facts.timeline != leader.value.timeline:
            return Unknown(f"it is on timeline {facts.timeline}, {self.primary} on {leader.value.timeline}", mine.at)
        return Observed(receive_lag(self.inventory, Pair(self.primary, leader, server.node, mine)), mine.at)

    def named(self, host: str) -> str:
        """The node that a host name or an address stands for."""
        same = (node for node in self.servers if host in {node, self.inventory.nodes[node].address})
        return next(same, host)

    def _row(self, upstream: PostgresqlFacts | None, node: str) -> Replica | None:
        address = self.inventory.nodes[node].address
        rows = upstream.replicas if upstream else ()
        return next((row for row in rows if node == row.application or address == row.address), None)


def replication(service: PostgresqlService, picture: Picture) -> Replication:
    """How the database stands now."""
    state, key = picture.state, f"postgresql:{service.name}"
    servers = {
        node: Server(
            node,
            state.inventory.nodes[node].site,
            state.nodes[node].read(key, PostgresqlFacts, picture.now),
            state.nodes[node].last_known(key, PostgresqlFacts),
            _before(state.nodes[node], key),
        )
        for node in service.nodes
    }
    known = {node: server.facts for node, server in servers.items() if isinstance(server.facts, Observed)}
    return Replication(service, state.inventory, picture.now, servers, primaries_of(state, service, known))


def why_no_primary(found: Replication) -> str:
    """In one sentence, why nobody can be called the primary; "" when somebody can."""
    if len(found.primaries) > 1:
        return f"{found.service.name} has {len(found.primaries)} primaries: {listed(found.primaries)}"
    if found.primaries:
        return ""
    if found.unknown:
        return f"{found.service.name} has no primary in sight, and {listed(found.unknown)} could not be asked"
    return f"{found.service.name} has no primary"


def _before(state: NodeState, key: str) -> Observed[PostgresqlFacts] | None:
    reading = state.readings.get(key)
    before = reading.before if reading is not None else None
    if before is None or not isinstance(before.value, PostgresqlFacts):
        return None
    return Observed(before.value, before.at)


def _waiting(facts: PostgresqlFacts) -> int | None:
    return None if facts.replayed is None else max(0, facts.lsn - facts.replayed)


def _per_second(server: Server, measure: Callable[[PostgresqlFacts], int | None]) -> float | None:
    """How fast something grew between the two newest answers of a server that answers now."""
    if not isinstance(server.facts, Observed) or server.before is None or server.facts.at <= server.before.at:
        return None
    now, then = measure(server.facts.value), measure(server.before.value)
    return None if now is None or then is None else (now - then) / (server.facts.at - server.before.at)


def _slot(upstream: PostgresqlFacts | None, name: str) -> Slot | None:
    slots = upstream.slots if upstream else ()
    wanted = "".join(letter if letter.isalnum() else "_" for letter in name)
    return next((one for one in slots if one.name == wanted), None)
