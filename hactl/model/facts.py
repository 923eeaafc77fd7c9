"""Parsed answers of nodes: facts without judgement. Units are in the names or in the comment beside a field.

Sizes are bytes, durations seconds, `*_percent` 0 to 100. A counter is cumulative; rates are made from two samples by
`rates` functions of the driver that owns the fact. Fields that an old or odd server does not tell are `None` only
where the protocol itself says "no such thing" (a server without a check); "could not find out" is a missing sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Flag, StrEnum
from typing import TypeAlias

from hactl.model.drills import DrillFacts

# --- the host -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NetCounters:
    received: int
    sent: int
    errors: int


@dataclass(frozen=True, slots=True)
class HostFacts:
    """Cheap numbers, every fast sample. cpu_* are cumulative clock ticks over all cores."""

    cpu_busy: int
    cpu_total: int
    cores: int
    load1: float
    load5: float
    load15: float
    memory_total: int
    memory_available: int
    swap_total: int
    swap_free: int
    uptime: float
    network: Mapping[str, NetCounters] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()  # local IP addresses (only where the node may hold a VIP)
    boot_id: str = ""


@dataclass(frozen=True, slots=True)
class Filesystem:
    mount: str
    device: str
    size: int
    available: int  # to an unprivileged user
    used_percent: float
    inodes_used_percent: float  # 0 where the filesystem has no fixed number of them


@dataclass(frozen=True, slots=True)
class DiskFacts:
    filesystems: tuple[Filesystem, ...]


@dataclass(frozen=True, slots=True)
class Room:
    """The file system that holds one folder."""

    mount: str
    size: int
    available: int  # to an unprivileged user
    used_percent: float


@dataclass(frozen=True, slots=True)
class RoomFacts:
    """By folder: the room that there is, or why that cannot be told."""

    rooms: Mapping[str, Room]
    unknown: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """The node's wall clock against ours. `skew` > 0: the node is ahead; `error` bounds it (half the round trip)."""

    skew: float
    error: float
    synchronized: bool | None  # what timedatectl says; None where it says nothing


@dataclass(frozen=True, slots=True)
class UnitState:
    name: str
    load: str  # loaded, not-found, masked ...
    active: str  # active, inactive, failed, activating ...
    sub: str  # running, dead, exited ...
    enabled: str  # enabled, disabled, static, masked, "" ...
    main_pid: int
    restarts: int
    since: float | None  # seconds in the present state, by the node's own clock
    memory: int | None  # bytes, where systemd accounts for it


@dataclass(frozen=True, slots=True)
class UnitFacts:
    units: Mapping[str, UnitState]
    failed: tuple[str, ...]  # every failed unit on the node, ours or not


@dataclass(frozen=True, slots=True)
class DrainNote:
    """What somebody who took the node out of its pools left written on it. Anybody with a login may have written it."""

    node: str
    pools: tuple[str, ...]
    who: str  # "anna@laptop"
    why: str  # "" when no reason was given
    when: float  # epoch seconds by the node's own clock
    run: str  # its id in the journal of whoever did it


@dataclass(frozen=True, slots=True)
class NoteFacts:
    """The notes on a node, one for each pool that it was taken out of. `ignored`: why one cannot be made out, or ""."""

    notes: tuple[DrainNote, ...] = ()
    ignored: str = ""


@dataclass(frozen=True, slots=True)
class PackageFacts:
    """Slow things: installed versions of the inventory's packages, upgrades, reboot."""

    installed: Mapping[str, str]  # package -> version; absent when not installed
    pending: int | None  # upgradable packages; None where the node could not tell
    pending_security: int | None
    reboot_required: bool
    offered: Mapping[str, str]  # of those, what an upgrade would install; absent when nothing newer is known
    os_name: str  # "Debian GNU/Linux 12 (bookworm)"
    kernel: str


# --- services -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HttpFacts:
    """One health request, made on the node. `status` 0: no HTTP answer; `error` says why."""

    status: int
    latency_ms: float
    body: str  # the start of it
    error: str = ""
    healthy: bool = False


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """The version that a service itself tells."""

    version: str


class ServerState(StrEnum):
    """HAProxy's operational state of a server, by prefix of `status`."""

    UP = "up"
    GOING_DOWN = "going-down"  # UP 1/3
    DOWN = "down"
    COMING_UP = "coming-up"  # DOWN 1/2
    NOLB = "nolb"
    DRAIN = "drain"
    MAINT = "maint"
    NO_CHECK = "no-check"
    OTHER = "other"


class AdminState(Flag):
    """Bits of `srv_admin_state` in `show servers state`."""

    READY = 0
    FORCED_MAINT = 1
    INHERITED_MAINT = 2
    CONFIG_MAINT = 4
    FORCED_DRAIN = 8
    INHERITED_DRAIN = 16
    RESOLUTION_MAINT = 32

    @property
    def drained(self) -> bool:
        return bool(self & (AdminState.FORCED_DRAIN | AdminState.INHERITED_DRAIN))

    @property
    def maintained(self) -> bool:
        return bool(self & (AdminState(1) | AdminState(2) | AdminState(4) | AdminState(32)))


@dataclass(frozen=True, slots=True)
class HaproxyServer:
    """One row of `show stat` with its admin state. Counters are cumulative since HAProxy started."""

    name: str
    status: str  # as HAProxy writes it
    state: ServerState
    admin: AdminState | None  # None: HAProxy did not list it in `show servers state`
    weight: int
    backup: bool
    sessions: int
    session_limit: int | None
    queue: int
    sessions_total: int
    bytes_in: int
    bytes_out: int
    errors_connection: int
    errors_response: int
    http_5xx: int | None
    rate: int  # sessions in the last second
    check_status: str  # L7OK, L4CON ...; "" without a check
    check_code: int | None
    check_ms: int | None
    last_change: int  # seconds since the state changed
    address: str

    @property
    def available(self) -> bool:
        """UP, not backup, weight > 0 and administratively ready: what guards count."""
        ready = self.admin is None or not (self.admin.drained or self.admin.maintained)
        return self.state in _SERVING and ready and not self.backup and self.weight > 0


_SERVING = frozenset({ServerState.UP, ServerState.GOING_DOWN, ServerState.NO_CHECK})


@dataclass(frozen=True, slots=True)
class HaproxyBackend:
    name: str
    status: str
    servers: Mapping[str, HaproxyServer]
    sessions: int
    queue: int
    rate: int
    requests_total: int | None  # None in tcp mode
    errors_5xx: int | None
    response_ms: int | None = None  # how long servers took, average of the newest 1024 requests; None where not timed


@dataclass(frozen=True, slots=True)
class HaproxyFrontend:
    name: str
    status: str
    sessions: int
    session_limit: int
    rate: int
    requests_total: int | None


@dataclass(frozen=True, slots=True)
class HaproxyFacts:
    version: str
    uptime: float
    pid: int
    backends: Mapping[str, HaproxyBackend]
    frontends: Mapping[str, HaproxyFrontend]


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


@dataclass(frozen=True, slots=True)
class Backup:
    """`size`: bytes of the database when it was taken."""

    label: str
    kind: str  # full, diff, incr
    repository: int
    started: float  # epoch seconds
    stopped: float
    size: int
    wal_start: str
    wal_stop: str
    error: bool
    database_id: int = 1
    prior: str = ""  # the label of the backup that this one builds on; "" for a full one
    stored: int | None = None  # bytes that the repository took for it; None: nobody said
    notes: Mapping[str, str] = field(default_factory=dict)  # annotations


@dataclass(frozen=True, slots=True)
class RepositoryStatus:
    number: int
    code: int
    message: str


@dataclass(frozen=True, slots=True)
class PgbackrestFacts:
    stanza: str
    code: int  # 0: ok
    message: str
    repositories: tuple[RepositoryStatus, ...]
    backups: tuple[Backup, ...]  # oldest first
    archive_min: Mapping[int, str]  # by repository
    archive_max: Mapping[int, str]
    system_identifier: str
    now: float  # the repository host's epoch second when asked
    running: bool  # a backup is being made now


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A backup by restic. `took`, `size` and `stored` are told by restic 0.17 and later; None: nobody said."""

    id: str
    taken: float  # epoch seconds, when it was begun
    paths: tuple[str, ...]
    tags: tuple[str, ...] = ()
    took: float | None = None
    size: int | None = None  # bytes of the files
    stored: int | None = None  # bytes that the repository took for it


class RepositoryTrouble(StrEnum):
    ABSENT = "absent"  # there is none
    PASSWORD = "password"  # it is not the right one, or cannot be read  # noqa: S105 - no secret
    UNREACHABLE = "unreachable"
    LOCKED = "locked"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class ResticFacts:
    """What one node's files have in its repository. With `trouble` nothing else is known of it."""

    snapshots: tuple[Snapshot, ...]  # oldest first
    now: float  # our epoch second when asked
    unreadable: int = 0  # snapshots that are there and cannot be read
    trouble: RepositoryTrouble | None = None
    message: str = ""  # restic's own words for it


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
