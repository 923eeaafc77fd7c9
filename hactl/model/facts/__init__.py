"""Parsed answers of nodes: facts without judgement. Units are in the names or in the comment beside a field.

Sizes are bytes, durations seconds, `*_percent` 0 to 100. A counter is cumulative; rates are made from two samples by
`rates` functions of the driver that owns the fact. Fields that an old or odd server does not tell are `None` only
where the protocol itself says "no such thing" (a server without a check); "could not find out" is a missing sample.

One file a service, as in `drivers`; whoever needs a fact takes it from here.
"""

from __future__ import annotations

from typing import TypeAlias

from hactl.model.drills import DrillFacts
from hactl.model.facts.copies import Backup, PgbackrestFacts, RepositoryStatus, RepositoryTrouble, ResticFacts, Snapshot
from hactl.model.facts.haproxy import (
    AdminState,
    HaproxyBackend,
    HaproxyFacts,
    HaproxyFrontend,
    HaproxyServer,
    ServerState,
)
from hactl.model.facts.host import (
    ClockFacts,
    DiskFacts,
    DrainNote,
    Filesystem,
    HostFacts,
    NetCounters,
    NoteFacts,
    PackageFacts,
    Room,
    RoomFacts,
    UnitFacts,
    UnitState,
)
from hactl.model.facts.http import HttpFacts, VersionFacts
from hactl.model.facts.postgresql import ArchiverFacts, PostgresqlFacts, PostgresqlRole, Replica, Slot

Facts: TypeAlias = (
    HostFacts
    | DiskFacts
    | RoomFacts
    | ClockFacts
    | UnitFacts
    | NoteFacts
    | PackageFacts
    | HttpFacts
    | VersionFacts
    | HaproxyFacts
    | PostgresqlFacts
    | PgbackrestFacts
    | ResticFacts
    | DrillFacts
)

__all__ = [
    "AdminState",
    "ArchiverFacts",
    "Backup",
    "ClockFacts",
    "DiskFacts",
    "DrainNote",
    "DrillFacts",
    "Facts",
    "Filesystem",
    "HaproxyBackend",
    "HaproxyFacts",
    "HaproxyFrontend",
    "HaproxyServer",
    "HostFacts",
    "HttpFacts",
    "NetCounters",
    "NoteFacts",
    "PackageFacts",
    "PgbackrestFacts",
    "PostgresqlFacts",
    "PostgresqlRole",
    "Replica",
    "RepositoryStatus",
    "RepositoryTrouble",
    "ResticFacts",
    "Room",
    "RoomFacts",
    "ServerState",
    "Slot",
    "Snapshot",
    "UnitFacts",
    "UnitState",
    "VersionFacts",
]
