"""What one PostgreSQL server says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PostgresqlRole(StrEnum):
    PRIMARY = "primary"
    STANDBY = "standby"


@dataclass(frozen=True, slots=True)
class Replica:
    """A row of pg_stat_replication, as the primary sees it. Lags are bytes behind the primary's LSN."""

    application: str
    address: str
    state: str
    sync_state: str
    sent_lag: int | None
    flush_lag: int | None
    replay_lag: int | None


@dataclass(frozen=True, slots=True)
class Slot:
    name: str
    active: bool
    retained: int | None  # bytes of WAL it holds back
    wal_status: str
    slot_type: str = "physical"


@dataclass(frozen=True, slots=True)
class ArchiverFacts:
    mode: str  # off, on, always
    archived: int
    failed: int
    last_archived_wal: str
    last_failed_wal: str
    seconds_since_archived: float | None
    seconds_since_failed: float | None
    ready: int | None  # segments that wait to be archived; None: may not be asked


@dataclass(frozen=True, slots=True)
class PostgresqlFacts:
    role: PostgresqlRole
    version: str
    system_identifier: str
    timeline: int
    lsn: int  # current write position on a primary, received on a standby; bytes
    replayed: int | None  # standby only
    replay_paused: bool
    seconds_since_replay: float | None  # grows while the primary is idle: never alarm on it alone
    primary_host: str  # where a standby streams from; ""
    receiver_status: str  # wal receiver's state on a standby; "" when there is none
    replicas: tuple[Replica, ...]
    slots: tuple[Slot, ...]
    archiver: ArchiverFacts
    connections: int
    max_connections: int
    longest_transaction: float  # seconds
    synchronous_standby_names: str
    read_only: bool  # default_transaction_read_only
    started: float  # seconds since the postmaster started
    longest_prepared: float = 0.0  # seconds that the oldest prepared transaction has been open
    reserved_connections: int = 0  # of max_connections, kept for superusers
    follows: str = (
        ""  # standby only: the host that primary_conninfo names, streaming or not; "" where it may not be seen
    )
    slot_name: str = ""  # standby only: primary_slot_name
    complete: bool = True  # False: the role lacks pg_monitor, so lags and transactions of other roles are not seen
