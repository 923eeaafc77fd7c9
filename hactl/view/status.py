"""The status document as types: the public shape that `hactl status -o json` prints. `document` fills it in.

docs/reference/status.schema.json is made from these classes; a test holds both and the page beside it together.
Fields may be added under the same SCHEMA; renaming or removing one, or changing what it means, needs a new number.
Levels are "ok", "warn", "unknown", "crit". Times are ISO 8601 in UTC; `*_seconds` durations; `*_bytes` bytes;
`*_percent` 0 to 100. null is "not known" or "there is none", as the field says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

SCHEMA: Literal["hactl.status/1"] = "hactl.status/1"
LevelName: TypeAlias = Literal["ok", "warn", "unknown", "crit"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """How something is, why, and since when."""

    level: LevelName
    sentence: str
    since: str


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """A site, as its worst node."""

    name: str
    status: Judgement


@dataclass(frozen=True, slots=True)
class MemberStatus:
    """A service on one of its nodes. `version` is what the service tells of itself; null where nobody knows."""

    node: str
    status: Judgement
    version: str | None


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """`available` of `total` active nodes are known to be good; of `unknown` nobody can say."""

    name: str
    kind: str
    status: Judgement
    available: int
    unknown: int
    total: int
    minimum: int
    members: list[MemberStatus]


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """A pool's member on one balancer. `known` false: that balancer could not be asked, the rest is null."""

    balancer: str
    known: bool
    state: str | None
    available: bool | None
    sessions: int | None
    check: str | None
    last_change_seconds: int | None


@dataclass(frozen=True, slots=True)
class NoteStatus:
    """Who took a member out of its pool, when and why ("" where no reason was given), as the note on its node tells.

    `run` is the run's id in the journal of whoever did it.
    """

    who: str
    why: str
    at: str
    run: str


@dataclass(frozen=True, slots=True)
class PoolMember:
    """A member by its node and by HAProxy's name for it. `agree` false: the balancers see it differently.

    `taken_out` null: nobody took it out, or nobody who did left a note that can be read now.
    """

    node: str
    server: str
    agree: bool
    taken_out: NoteStatus | None
    on: list[ServerStatus]


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """A balancer pool. With routing "one" exactly one member is meant to be up, and counts are of one."""

    name: str
    service: str
    balancer: str
    backend: str
    routing: Literal["all", "one"]
    status: Judgement
    available: int
    unknown: int
    total: int
    minimum: int
    drained: list[str]
    disagreements: list[str]
    members: list[PoolMember]


@dataclass(frozen=True, slots=True)
class VipStatus:
    """An address that moves. `holders` are the nodes that really have it; `unknown` those that could not be asked."""

    name: str
    address: str
    status: Judgement
    holders: list[str]
    unknown: list[str]


@dataclass(frozen=True, slots=True)
class SlotStatus:
    """A replication slot. `retained_bytes` null: it holds nothing yet."""

    name: str
    active: bool
    retained_bytes: int | None
    wal_status: str


@dataclass(frozen=True, slots=True)
class ArchiverStatus:
    """Archiving of WAL. `backlog` is in segments; null where the role may not see it."""

    mode: str
    archived: int
    failed: int
    backlog: int | None
    since_archived_seconds: float | None


@dataclass(frozen=True, slots=True)
class PostgresqlStatus:
    """What one server says now. Lags are of standbys: null on a primary, and where they are not known."""

    role: Literal["primary", "standby"]
    version: str
    system_identifier: str
    timeline: int
    read_only: bool
    streaming: bool
    receive_lag_bytes: int | None
    replay_lag_bytes: int | None
    replay_paused: bool
    connections: int
    max_connections: int
    longest_transaction_seconds: float
    slots: list[SlotStatus]
    archiver: ArchiverStatus


@dataclass(frozen=True, slots=True)
class DatabaseServer:
    """`facts` null: it cannot be asked now, for `reason`; `last_role` is then what it was when last seen."""

    node: str
    facts: PostgresqlStatus | None
    reason: str | None
    last_role: Literal["primary", "standby"] | None
    age_seconds: float | None


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """`primaries`: those that are known to be one now. Right is exactly one."""

    service: str
    primaries: list[str]
    servers: list[DatabaseServer]


@dataclass(frozen=True, slots=True)
class RepositoryState:
    """One repository. Ages are since the newest good backup ended; null where there is none."""

    number: int
    code: int
    message: str
    last_full_age_seconds: float | None
    last_any_age_seconds: float | None
    backups: int
    newest_wal: str | None
    wal_gap_segments: int | None


@dataclass(frozen=True, slots=True)
class BackupStatus:
    """`repositories` is empty and `reason` says why when the repository host cannot be asked."""

    service: str
    stanza: str
    running: bool | None
    reason: str | None
    repositories: list[RepositoryState]


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """The connection to a node. `code` and `reason` say why it is down."""

    phase: Literal["idle", "connecting", "up", "down"]
    since: str
    code: str | None
    reason: str | None
    attempts: int


@dataclass(frozen=True, slots=True)
class HostStatus:
    """The machine. `cpu_percent` needs two samples, and is null after the first."""

    cpu_percent: float | None
    cores: int
    load: list[float]
    memory_percent: float
    memory_total_bytes: int
    swap_percent: float
    uptime_seconds: float
    addresses: list[str]


@dataclass(frozen=True, slots=True)
class DiskStatus:
    """A file system."""

    mount: str
    size_bytes: int
    available_bytes: int
    used_percent: float
    inodes_used_percent: float


@dataclass(frozen=True, slots=True)
class ClockStatus:
    """The node's clock against this machine's: ahead when `skew_seconds` is above 0; off by `error_seconds` at most."""

    skew_seconds: float
    error_seconds: float
    synchronized: bool | None


@dataclass(frozen=True, slots=True)
class UnitStatus:
    """A systemd unit that carries a service."""

    name: str
    active: str
    sub: str
    enabled: str


@dataclass(frozen=True, slots=True)
class PackagesStatus:
    """`installed` has the packages that the inventory names, `offered` newer versions of them."""

    os: str
    kernel: str
    reboot_required: bool
    pending: int | None
    pending_security: int | None
    installed: dict[str, str]
    offered: dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """One question to a node. When `known` is false nothing of it is knowledge now, and `reason` says why.

    `age_seconds` is the age of the newest good answer, shown or not; null where there never was one.
    """

    question: str
    known: bool
    age_seconds: float | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """A node. A group of facts is null where it is not known now; `answers` says of each question how it stands."""

    name: str
    address: str
    site: str
    roles: list[str]
    standing: Literal["active", "spare"]
    status: Judgement
    link: LinkStatus
    host: HostStatus | None
    disks: list[DiskStatus] | None
    clock: ClockStatus | None
    units: list[UnitStatus] | None
    failed_units: list[str] | None
    packages: PackagesStatus | None
    answers: list[Answer]


@dataclass(frozen=True, slots=True)
class AckStatus:
    """Who knows of a finding, why it may stay, from when and until when. It changes no level."""

    reason: str
    who: str
    at: str
    until: str


@dataclass(frozen=True, slots=True)
class FindingStatus:
    """Something that is not ok. `key` stays the same from one document to the next; `hactl ack add` takes it.

    `acknowledged` null: nobody has said that they know of it.
    """

    key: str
    level: LevelName
    kind: Literal["cluster", "site", "service", "pool", "vip", "node"]
    name: str
    node: str | None
    service: str | None
    sentence: str
    hint: str
    since: str
    age_seconds: float
    metric: str | None
    value: float | None
    acknowledged: AckStatus | None


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """The whole, as the worst finding."""

    name: str
    status: Judgement


@dataclass(frozen=True, slots=True)
class StatusDocument:
    """Everything that hactl knows about a cluster at one moment. `outside` names what a --limit left out."""

    schema: Literal["hactl.status/1"]
    at: str
    cluster: ClusterStatus
    sites: list[SiteStatus]
    services: list[ServiceStatus]
    pools: list[PoolStatus]
    vips: list[VipStatus]
    databases: list[DatabaseStatus]
    backups: list[BackupStatus]
    nodes: list[NodeStatus]
    findings: list[FindingStatus]
    outside: list[str]
