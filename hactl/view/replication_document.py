"""What `hactl db status -o json` prints: a document with a version, whose fields stay."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from hactl.model.facts import PostgresqlFacts
from hactl.model.observed import Maybe, Observed, Unknown
from hactl.model.picture import Picture
from hactl.model.replication import Replication, Standby
from hactl.model.succession import candidates
from hactl.view.document import Json

SCHEMA = "hactl.db-status/1"


@dataclass(frozen=True, slots=True)
class ReplicationSlot:
    """`retained_bytes` null: it cannot be told."""

    name: str
    active: bool
    retained_bytes: int | None
    wal_status: str
    type: str


@dataclass(frozen=True, slots=True)
class Archiving:
    """`waiting_segments` null: the role may not ask."""

    mode: str
    archived: int
    failed: int
    seconds_since_archived: float | None
    seconds_since_failed: float | None
    waiting_segments: int | None


@dataclass(frozen=True, slots=True)
class ReplicationServer:
    """One server. Everything below `unknown` is null while that says why it cannot be asked. `upstream`: whom a standby
    follows. Lags are bytes, `_per_second` by how many of them they grow. `last_role` and `last_seen_seconds`: as what
    and how long ago it was last seen.
    """

    node: str
    site: str
    unknown: str | None
    role: str | None
    writable: bool | None
    timeline: int | None
    system_identifier: str | None
    upstream: str | None
    streaming: bool | None
    lsn: int | None
    receive_lag_bytes: int | None
    receive_lag_bytes_per_second: float | None
    replay_lag_bytes: int | None
    replay_lag_bytes_per_second: float | None
    replay_paused: bool | None
    sync_state: str | None
    slot: str | None
    slots: list[ReplicationSlot]
    archiving: Archiving | None
    last_role: str | None
    last_seen_seconds: float | None


@dataclass(frozen=True, slots=True)
class ReplicationCandidate:
    """`reasons`: why it cannot take over. `may_lose_bytes`: what it lacked when the lost primary was last seen."""

    rank: int
    node: str
    site: str
    eligible: bool
    reasons: list[str]
    timeline: int | None
    received_lsn: int | None
    may_lose_bytes: int | None


@dataclass(frozen=True, slots=True)
class LostPrimary:
    """`last_seen_seconds` null: nobody here has seen it."""

    node: str
    last_seen_seconds: float | None
    lsn: int | None
    timeline: int | None


@dataclass(frozen=True, slots=True)
class ReplicatedDatabase:
    """`primary` null: there is none, more than one, or none that can be asked."""

    service: str
    manager: str
    primary: str | None
    primaries: list[str]
    unknown: list[str]
    lost_primary: LostPrimary | None
    servers: list[ReplicationServer]
    candidates: list[ReplicationCandidate]


@dataclass(frozen=True, slots=True)
class ReplicationDocument:
    """The databases of a cluster. `at` is epoch seconds."""

    schema: str
    cluster: str
    at: float
    databases: list[ReplicatedDatabase]


def replication_document(picture: Picture, found: tuple[Replication, ...]) -> dict[str, Json]:
    databases = [_database(one) for one in found]
    at = round(picture.state.wall(picture.now), 3)
    return asdict(ReplicationDocument(SCHEMA, picture.state.inventory.name, at, databases))


def _database(found: Replication) -> ReplicatedDatabase:
    return ReplicatedDatabase(
        service=found.service.name,
        manager=found.service.manager.value,
        primary=found.primary or None,
        primaries=list(found.primaries),
        unknown=list(found.unknown),
        lost_primary=_lost(found),
        servers=[_server(found, node) for node in found.servers],
        candidates=[
            ReplicationCandidate(
                rank=one.rank,
                node=one.node,
                site=one.site,
                eligible=one.eligible,
                reasons=list(one.reasons),
                timeline=_value(one.timeline),
                received_lsn=_value(one.received),
                may_lose_bytes=None if found.primaries else _value(found.loss(one.node)),
            )
            for one in candidates(found)
        ],
    )


def _lost(found: Replication) -> LostPrimary | None:
    if found.lost is None:
        return None
    seen = found.lost.seen
    if seen is None:
        return LostPrimary(found.lost.node, None, None, None)
    return LostPrimary(found.lost.node, round(seen.age(found.at), 3), seen.value.lsn, seen.value.timeline)


def _server(found: Replication, node: str) -> ReplicationServer:
    server = found.servers[node]
    facts, last = server.known, server.last
    standby = next((one for one in found.standbys if one.node == node), None)
    return ReplicationServer(
        node=node,
        site=server.site,
        unknown=server.facts.reason if isinstance(server.facts, Unknown) else None,
        role=facts.role.value if facts else None,
        writable=node in found.writable if facts else None,
        timeline=facts.timeline if facts else None,
        system_identifier=facts.system_identifier if facts else None,
        upstream=standby.upstream or None if standby else None,
        streaming=standby.streaming if standby else None,
        lsn=facts.lsn if facts else None,
        receive_lag_bytes=_value(standby.behind) if standby else None,
        receive_lag_bytes_per_second=_rounded(standby.behind_by) if standby else None,
        replay_lag_bytes=standby.to_replay if standby else None,
        replay_lag_bytes_per_second=_rounded(standby.to_replay_by) if standby else None,
        replay_paused=standby.paused if standby else None,
        sync_state=standby.sync or None if standby else None,
        slot=_slot(standby),
        slots=_slots(facts),
        archiving=_archiving(facts),
        last_role=last.value.role.value if last else None,
        last_seen_seconds=round(last.age(found.at), 3) if last else None,
    )


def _slot(standby: Standby | None) -> str | None:
    return standby.slot.name if standby is not None and standby.slot is not None else None


def _slots(facts: PostgresqlFacts | None) -> list[ReplicationSlot]:
    return [
        ReplicationSlot(one.name, one.active, one.retained, one.wal_status, one.slot_type)
        for one in (facts.slots if facts else ())
    ]


def _archiving(facts: PostgresqlFacts | None) -> Archiving | None:
    if facts is None:
        return None
    told = facts.archiver
    since = told.seconds_since_archived, told.seconds_since_failed
    return Archiving(told.mode, told.archived, told.failed, *since, told.ready)


def _value(answer: Maybe[int]) -> int | None:
    return answer.value if isinstance(answer, Observed) else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
