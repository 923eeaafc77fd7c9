"""A replicated database in one look: who is primary, who follows whom and how far behind, and who could take over.

Pure, made from a picture. Positions and lags are bytes of WAL. What is known of a moment ago is never told as the
present: `Server.last` is for "last seen", and what is lost with a primary that is gone stays `Unknown` where nobody has
seen it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from hactl.model.assess.base import because, listed
from hactl.model.assess.database import Pair, primaries_of, receive_lag
from hactl.model.facts import PostgresqlFacts, PostgresqlRole, Replica, Slot
from hactl.model.inventory import Inventory, PostgresqlService, Standing
from hactl.model.observed import Maybe, Observed, Unknown
from hactl.model.picture import Picture
from hactl.model.state import NodeState
from hactl.model.units import size

_STREAMING = "streaming"
_SEGMENT = 16 << 20  # bytes of a WAL file, as PostgreSQL is built by default


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
class Candidate:
    """A server that might become the primary. `reasons`: why not; empty when it can. Ranks count from 1, best first."""

    node: str
    site: str
    rank: int
    timeline: Maybe[int]
    received: Maybe[int]
    reasons: tuple[str, ...]

    @property
    def eligible(self) -> bool:
        return not self.reasons


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
        return tuple(node for node in self.primaries if not self._of(node).read_only)

    @property
    def primary(self) -> str:
        """The one primary; "" when there is none, or more than one."""
        return self.primaries[0] if len(self.primaries) == 1 else ""

    @cached_property
    def standbys(self) -> tuple[Standby, ...]:
        """Those in recovery that answer, in inventory order."""
        return tuple(
            self._standby(server, facts)
            for server in self.servers.values()
            if (facts := server.known) is not None and facts.role is PostgresqlRole.STANDBY
        )

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """Who could be switched over to; with no primary in sight, who could be promoted. Best first.

        For a switchover, which loses nothing, those that are less than a WAL segment apart are equally near: then one
        at the primary's site comes first.
        """
        return self._ranked(self._planned, self._nearness) if self.primary else self.survivors()

    def survivors(self, without: Iterable[str] = ()) -> tuple[Candidate, ...]:
        """Who could be promoted if the servers `without` are given up, though one of them may be the primary still.

        The longest history counts first, then how much of it has been received, then the inventory's order.
        """
        gone = frozenset(without)
        alive = [one for one in self.standbys if one.node not in gone]
        newest = max((one.timeline for one in alive), default=0)
        database = self._database(gone)

        def why(server: Server) -> tuple[str, ...]:
            if server.node in gone:
                return ("it is the one to be replaced",)
            return self._lost(server, newest, database)

        return self._ranked(why, _merit)

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
        facts = self._maybe(candidate)
        seen = self.lost.seen if self.lost is not None else None
        if facts is None:
            return Unknown(f"{candidate} cannot be asked", self.at)
        if seen is None:
            return Unknown("nobody here has seen the primary while it was there", self.at)
        return Observed(max(0, seen.value.lsn - facts.lsn), seen.at)

    # --- standbys ---------------------------------------------------------------------------------------------

    def _of(self, node: str) -> PostgresqlFacts:
        facts = self._maybe(node)
        if facts is None:
            raise ValueError(f"{node} cannot be asked")
        return facts

    def _maybe(self, node: str) -> PostgresqlFacts | None:
        return self.servers[node].known if node in self.servers else None

    def _standby(self, server: Server, facts: PostgresqlFacts) -> Standby:
        upstream = self._named(facts.primary_host or facts.follows)
        above = self._maybe(upstream)
        row = self._row(above, server.node)
        return Standby(
            node=server.node,
            site=server.site,
            timeline=facts.timeline,
            system_identifier=facts.system_identifier,
            upstream=upstream,
            streaming=facts.receiver_status == _STREAMING,
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

    def _named(self, host: str) -> str:
        """The node that a host name or an address stands for."""
        same = (node for node in self.servers if host in {node, self.inventory.nodes[node].address})
        return next(same, host)

    def _row(self, upstream: PostgresqlFacts | None, node: str) -> Replica | None:
        address = self.inventory.nodes[node].address
        rows = upstream.replicas if upstream else ()
        return next((row for row in rows if node == row.application or address == row.address), None)

    # --- candidates -------------------------------------------------------------------------------------------

    def _planned(self, server: Server) -> tuple[str, ...]:
        """Why it cannot take over from the primary without loss."""
        facts, primary = server.known, self.primary
        if server.node == primary:
            return ("it is the primary",)
        if facts is None:
            return (_silent(server),)
        leader = self._of(primary)
        if facts.system_identifier != leader.system_identifier:
            return (f"it is a copy of another database than {primary}",)
        reasons = []
        if facts.timeline != leader.timeline:
            reasons.append(f"it is on timeline {facts.timeline}, the primary {primary} on {leader.timeline}")
        if facts.receiver_status != _STREAMING:
            reasons.append(f"it does not stream from {primary}")
        elif (upstream := self._named(facts.primary_host)) not in {primary, ""}:
            reasons.append(f"it streams from {upstream}, not from the primary {primary}")
        return (*reasons, *self._held_back(server, facts))

    def _lost(self, server: Server, newest: int, database: str) -> tuple[str, ...]:
        """Why it cannot be promoted in place of a primary that is gone."""
        facts = server.known
        if facts is None:
            return (_silent(server),)
        if facts.role is PostgresqlRole.PRIMARY:
            return ("it is a primary already",)
        if database and facts.system_identifier != database:
            return ("it is a copy of another database than the others",)
        reasons = []
        if facts.timeline < newest:
            reasons.append(f"it is on timeline {facts.timeline}, and others are on {newest}")
        return (*reasons, *self._held_back(server, facts))

    def _held_back(self, server: Server, facts: PostgresqlFacts) -> tuple[str, ...]:
        reasons = []
        if facts.replay_paused:
            waiting = 0 if facts.replayed is None else max(0, facts.lsn - facts.replayed)
            reasons.append(f"its replay is paused, {size(waiting)} wait to be replayed")
        if self.inventory.nodes[server.node].standing is Standing.SPARE:
            reasons.append("it is a spare")
        return tuple(reasons)

    def _database(self, gone: frozenset[str]) -> str:
        """Which database this is, when the primary cannot say: what it last said, else what most standbys are of."""
        if self.lost is not None and self.lost.seen is not None:
            return self.lost.seen.value.system_identifier
        found = [one.system_identifier for one in self.standbys if one.node not in gone]
        best = max(found, key=found.count, default="")
        return best if found.count(best) * 2 > len(found) else ""

    def _nearness(self, server: Server) -> tuple[int, int, int]:
        timeline, position = _merit(server)
        primary = self.servers[self.primary]
        behind = max(0, self._of(self.primary).lsn + position) if server.known is not None else 0
        return timeline, behind // _SEGMENT, int(server.site != primary.site)

    def _ranked(
        self, why: Callable[[Server], tuple[str, ...]], merit: Callable[[Server], tuple[int, ...]]
    ) -> tuple[Candidate, ...]:
        """Those that can first; the sort is stable, so that the inventory's order decides between equals."""
        judged = [(server, why(server)) for server in self.servers.values() if server.node not in self.primaries]
        judged.sort(key=lambda one: (bool(one[1]), *merit(one[0])))
        return tuple(_candidate(rank, server, reasons) for rank, (server, reasons) in enumerate(judged, start=1))


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


def _merit(server: Server) -> tuple[int, int]:
    """Smaller is better: a longer history first, then more of it."""
    facts = server.known
    return (-facts.timeline, -facts.lsn) if facts is not None else (0, 0)


def _candidate(rank: int, server: Server, reasons: tuple[str, ...]) -> Candidate:
    facts = server.facts
    if isinstance(facts, Unknown):
        return Candidate(server.node, server.site, rank, facts, facts, reasons)
    timeline, received = Observed(facts.value.timeline, facts.at), Observed(facts.value.lsn, facts.at)
    return Candidate(server.node, server.site, rank, timeline, received, reasons)


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


def _silent(server: Server) -> str:
    return f"it cannot be asked: {because(server.facts, server.node)}" if isinstance(server.facts, Unknown) else ""


def _slot(upstream: PostgresqlFacts | None, name: str) -> Slot | None:
    slots = upstream.slots if upstream else ()
    wanted = "".join(letter if letter.isalnum() else "_" for letter in name)
    return next((one for one in slots if one.name == wanted), None)
