"""Who could be the next primary of a database, best first, and why the others could not. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hactl.model.assess.base import because
from hactl.model.facts import PostgresqlFacts, PostgresqlRole
from hactl.model.inventory import Standing
from hactl.model.observed import Maybe, Observed, Unknown
from hactl.model.replication import STREAMING, Replication, Server
from hactl.model.units import size

_SEGMENT = 16 << 20  # bytes of a WAL file, as PostgreSQL is built by default


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


def candidates(found: Replication) -> tuple[Candidate, ...]:
    """Who could be switched over to; with no primary in sight, who could be promoted. Best first.

    For a switchover, which loses nothing, those that are less than a WAL segment apart are equally near: then one
    at the primary's site comes first.
    """
    leader = found.leader
    if leader is None:
        return survivors(found)
    return _ranked(found, lambda one: _planned(found, leader, one), lambda one: _nearness(found, leader, one))


def survivors(found: Replication, without: Iterable[str] = ()) -> tuple[Candidate, ...]:
    """Who could be promoted if the servers `without` are given up, though one of them may be the primary still.

    The longest history counts first, then how much of it has been received, then the inventory's order.
    """
    gone = frozenset(without)
    newest = max((one.timeline for one in found.standbys if one.node not in gone), default=0)
    database = _database(found, gone)

    def why(server: Server) -> tuple[str, ...]:
        if server.node in gone:
            return ("it is the one to be replaced",)
        return _lost(found, server, newest, database)

    return _ranked(found, why, _merit)


def _planned(found: Replication, leader: PostgresqlFacts, server: Server) -> tuple[str, ...]:
    """Why it cannot take over from the primary without loss."""
    facts, primary = server.known, found.primary
    if facts is None:
        return (_silent(server),)
    if facts.system_identifier != leader.system_identifier:
        return (f"it is a copy of another database than {primary}",)
    reasons = []
    if facts.timeline != leader.timeline:
        reasons.append(f"it is on timeline {facts.timeline}, the primary {primary} on {leader.timeline}")
    if facts.receiver_status != STREAMING:
        reasons.append(f"it does not stream from {primary}")
    elif (upstream := found.named(facts.primary_host)) not in {primary, ""}:
        reasons.append(f"it streams from {upstream}, not from the primary {primary}")
    return (*reasons, *_held_back(found, server, facts))


def _lost(found: Replication, server: Server, newest: int, database: str) -> tuple[str, ...]:
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
    return (*reasons, *_held_back(found, server, facts))


def _held_back(found: Replication, server: Server, facts: PostgresqlFacts) -> tuple[str, ...]:
    reasons = []
    if facts.replay_paused:
        waiting = 0 if facts.replayed is None else max(0, facts.lsn - facts.replayed)
        reasons.append(f"its replay is paused, {size(waiting)} wait to be replayed")
    if found.inventory.nodes[server.node].standing is Standing.SPARE:
        reasons.append("it is a spare")
    return tuple(reasons)


def _database(found: Replication, gone: frozenset[str]) -> str:
    """Which database this is, when the primary cannot say: what it last said, else what most standbys are of."""
    if found.lost is not None and found.lost.seen is not None:
        return found.lost.seen.value.system_identifier
    said = [one.system_identifier for one in found.standbys if one.node not in gone]
    best = max(said, key=said.count, default="")
    return best if said.count(best) * 2 > len(said) else ""


def _merit(server: Server) -> tuple[int, int]:
    """Smaller is better: a longer history first, then more of it."""
    facts = server.known
    return (-facts.timeline, -facts.lsn) if facts is not None else (0, 0)


def _nearness(found: Replication, leader: PostgresqlFacts, server: Server) -> tuple[int, int, int]:
    timeline, position = _merit(server)
    behind = max(0, leader.lsn + position) if server.known is not None else 0
    return timeline, behind // _SEGMENT, int(server.site != found.servers[found.primary].site)


def _ranked(
    found: Replication, why: Callable[[Server], tuple[str, ...]], merit: Callable[[Server], tuple[int, ...]]
) -> tuple[Candidate, ...]:
    """Those that can first; the sort is stable, so that the inventory's order decides between equals."""
    judged = [(server, why(server)) for server in found.servers.values() if server.node not in found.primaries]
    judged.sort(key=lambda one: (bool(one[1]), *merit(one[0])))
    return tuple(_candidate(rank, server, reasons) for rank, (server, reasons) in enumerate(judged, start=1))


def _candidate(rank: int, server: Server, reasons: tuple[str, ...]) -> Candidate:
    facts = server.facts
    if isinstance(facts, Unknown):
        return Candidate(server.node, server.site, rank, facts, facts, reasons)
    timeline, received = Observed(facts.value.timeline, facts.at), Observed(facts.value.lsn, facts.at)
    return Candidate(server.node, server.site, rank, timeline, received, reasons)


def _silent(server: Server) -> str:
    return f"it cannot be asked: {because(server.facts, server.node)}" if isinstance(server.facts, Unknown) else ""
