"""The inventory as the rest of hactl sees it: resolved, validated, immutable.

`config` builds it from TOML and guarantees every invariant named here, so that readers never check again:
names are unique within their kind, every reference resolves, roles are expanded to nodes, SSH defaults are merged into
each node, `{cluster}` and `{node}` are substituted and `~` expanded in paths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class TransportKind(StrEnum):
    ASYNCSSH = "asyncssh"
    PARAMIKO = "paramiko"
    LOCAL = "local"


class BecomeMethod(StrEnum):
    SUDO = "sudo"
    NONE = "none"  # the login user already may do everything that is asked


class Standing(StrEnum):
    """Whether a node counts: a spare is watched but nothing depends on it."""

    ACTIVE = "active"
    SPARE = "spare"


class ServiceKind(StrEnum):
    HTTP = "http"
    POSTGRESQL = "postgresql"
    PGBACKREST = "pgbackrest"
    RESTIC = "restic"
    HAPROXY = "haproxy"
    KEEPALIVED = "keepalived"
    UNIT = "unit"


class PostgresqlManager(StrEnum):
    PLAIN = "plain"
    PATRONI = "patroni"


class Routing(StrEnum):
    """How a pool is meant to look: every healthy member takes traffic, or exactly one does (the primary)."""

    ALL = "all"
    ONE = "one"


@dataclass(frozen=True, slots=True)
class Algorithms:
    """SSH algorithm names in order of preference; empty means hactl's quick and OpenSSH-safe defaults."""

    kex: tuple[str, ...] = ()
    ciphers: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    host_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SshSettings:
    """How one node is reached: the defaults of `[ssh]` with the node's own `ssh` table over them."""

    user: str | None = None  # None: what ~/.ssh/config says, else the local user
    port: int | None = None  # None: what ~/.ssh/config says, else 22
    identity: tuple[str, ...] = ()  # private keys; empty: agent and the usual files
    known_hosts: tuple[str, ...] = ()  # empty: ~/.ssh/known_hosts; never "no check"
    host_key_alias: str | None = None  # looked up in known_hosts instead of the address
    proxy_jump: str | None = None  # "user@host:port[,...]", or the name of another node
    socket: str | None = None  # a local Unix socket that leads to the node's sshd
    config: tuple[str, ...] | None = None  # ssh_config files; None: ~/.ssh/config when present; () none
    transport: TransportKind = TransportKind.ASYNCSSH
    become: BecomeMethod = BecomeMethod.SUDO
    connect_timeout: float = 5.0  # seconds for TCP, key exchange and login together
    keepalive: float = 2.5  # seconds of silence before a keepalive is sent; three unanswered end the connection
    max_sessions: int = 8  # exec sessions at once on one connection (OpenSSH's MaxSessions is 10)
    algorithms: Algorithms = field(default_factory=Algorithms)


@dataclass(frozen=True, slots=True)
class Site:
    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    address: str
    site: str
    roles: tuple[str, ...]
    ssh: SshSettings
    labels: Mapping[str, str] = field(default_factory=dict)
    standing: Standing = Standing.ACTIVE


@dataclass(frozen=True, slots=True)
class Service:
    """Something users depend on. `nodes` is resolved (role expanded), in inventory order."""

    name: str
    nodes: tuple[str, ...]
    units: tuple[str, ...]  # systemd units that carry it on each of its nodes
    minimum: int  # nodes that must be available; a pool's minimum where the service is pooled
    serves = True  # False: it keeps copies, and nobody misses it while a node of it is away

    @property
    def kind(self) -> ServiceKind:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where users reach a service, and where a run's prober sends its requests.

    `socket` is a local Unix socket that leads there, `via` a node to go by; with neither, this machine connects itself.
    """

    service: str
    url: str  # http or https
    socket: str | None = None
    via: str | None = None
    rate: float = 10.0  # requests a second
    timeout: float = 5.0  # seconds; an answer that comes later has failed
    expect_status: int = 200


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """When acting is welcome, in UTC. `days` are 0 (Monday) to 6; an end before the begin lies on the next day."""

    days: tuple[int, ...]
    begin: int  # minutes since midnight
    end: int


@dataclass(frozen=True, slots=True)
class HttpService(Service):
    port: int = 80
    health: str = "/"
    host: str | None = None  # Host header; None: the node's address
    expect_status: int = 200
    package: str | None = None
    version_path: str | None = None  # path that answers with the running version
    version_command: tuple[str, ...] = ()  # or the argv that prints it
    public: tuple[Endpoint, ...] = ()
    kind = ServiceKind.HTTP


@dataclass(frozen=True, slots=True)
class PostgresqlService(Service):
    version: int = 15
    cluster: str = "main"
    port: int = 5432
    data_directory: str = "/var/lib/postgresql/15/main"
    socket_directory: str = "/var/run/postgresql"
    user: str | None = None  # database role for monitoring; None: the SSH user (peer authentication)
    database: str = "postgres"
    manager: PostgresqlManager = PostgresqlManager.PLAIN
    kind = ServiceKind.POSTGRESQL


@dataclass(frozen=True, slots=True)
class SqlCheck:
    """A question to a restored database, and what it has to answer: a text, or "> 0" (also < >= <= =) of a number."""

    name: str
    database: str
    sql: str
    expect: str


@dataclass(frozen=True, slots=True)
class Newest:
    """A question that answers with the epoch second of the newest row: asked of the primary and of a copy, its
    difference is what would have been lost.
    """

    database: str
    sql: str


@dataclass(frozen=True, slots=True)
class PgbackrestService(Service):
    database: str = ""  # the postgresql service that is backed up
    stanza: str = "main"
    repository_host: str = ""
    repositories: tuple[int, ...] = (1,)
    repository_paths: tuple[str, ...] = ()  # theirs, on that host; "": in no folder of it; none: the tool's default
    os_user: str = "pgbackrest"  # runs `pgbackrest info` on the repository host
    max_age_full: float = 8 * 86400.0  # seconds; older than this is a warning
    max_age_any: float = 26 * 3600.0
    drill_node: str | None = None  # where it is restored to be tried; None: nowhere
    drill_user: str | None = None  # who restores there; None: no drills of it
    drill_directory: str = "/var/lib/pgdrill"  # on the drill node, the user's own: scratch and history
    drill_config: str = "/etc/pgbackrest-drill.conf"  # of pgBackRest there: repositories, and no database's host
    drill_port: int = 5499  # names the socket of the restored server, which has no other way in
    max_age_drill: float | None = None  # seconds since a good drill; None: no policy
    target_rto: float | None = None  # seconds; a drill that takes longer has passed in part
    target_rpo: float | None = None
    checks: tuple[SqlCheck, ...] = ()
    newest: Newest | None = None
    kind = ServiceKind.PGBACKREST

    def repository_path(self, number: int) -> str:
        """Empty for one that is in no folder of its host."""
        named = dict(zip(self.repositories, self.repository_paths, strict=False))
        return named.get(number, "/var/lib/pgbackrest")


@dataclass(frozen=True, slots=True)
class ResticService(Service):
    """Files of its nodes, kept by restic. `repository` may hold {node}: then each node has one of its own."""

    paths: tuple[str, ...] = ()  # files and folders on the nodes, absolute
    repository: str = ""  # as restic spells it: /srv/restic, sftp:user@host:/path, s3:..., rest:...
    password_file: str = ""  # on the nodes
    os_user: str = "root"  # runs restic there: reads the files and the password, reaches the repository
    max_age: float = 26 * 3600.0  # seconds; an older newest snapshot is a warning
    scratch: str = "/var/lib/hactl-drill"  # a folder on the nodes, the user's own: where drills restore to, and history
    max_age_drill: float | None = None  # seconds since a good drill; None: no policy
    target_rto: float | None = None  # seconds; a drill that takes longer has passed in part
    target_rpo: float | None = None
    kind = ServiceKind.RESTIC
    serves = False

    @property
    def drill_directory(self) -> str:
        return self.scratch

    @property
    def drill_user(self) -> str:
        return self.os_user

    def repository_of(self, node: str) -> str:
        return self.repository.replace("{node}", node)


@dataclass(frozen=True, slots=True)
class HaproxyService(Service):
    admin_socket: str = "/run/haproxy/admin.sock"
    state_file: str | None = None  # where a reload finds drained servers again; None: hactl does not know of one
    kind = ServiceKind.HAPROXY


@dataclass(frozen=True, slots=True)
class KeepalivedService(Service):
    track_file: str | None = None
    kind = ServiceKind.KEEPALIVED


@dataclass(frozen=True, slots=True)
class UnitService(Service):
    kind = ServiceKind.UNIT


@dataclass(frozen=True, slots=True)
class Pool:
    """A balancer backend. `servers` maps every member node to what HAProxy calls it."""

    name: str
    service: str
    balancer: str  # the haproxy service
    backend: str
    minimum: int
    servers: Mapping[str, str]  # node name -> server name
    routing: Routing = Routing.ALL
    frontend: str | None = None  # that leads to the backend alone: disabled, its clients wait, or are refused


@dataclass(frozen=True, slots=True)
class Vip:
    name: str
    address: str
    service: str  # the keepalived service whose nodes may hold it


@dataclass(frozen=True, slots=True)
class Threshold:
    """Levels at which a measured value becomes a finding. `below`: small values are the bad ones."""

    warn: float | None = None
    crit: float | None = None
    below: bool = False


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits by metric name (see `model.metrics`), most specific wins: node, then roles in order, then cluster."""

    cluster: Mapping[str, Threshold] = field(default_factory=dict)
    roles: Mapping[str, Mapping[str, Threshold]] = field(default_factory=dict)
    nodes: Mapping[str, Mapping[str, Threshold]] = field(default_factory=dict)

    def of(self, metric: str, node: Node, default: Threshold) -> Threshold:
        """The threshold of `metric` on `node`; `default` where the inventory names none."""
        scopes = (
            self.nodes.get(node.name, {}),
            *(self.roles.get(role, {}) for role in node.roles),
            self.cluster,
        )
        return next((scope[metric] for scope in scopes if metric in scope), default)


@dataclass(frozen=True, slots=True)
class Fencing:
    """Programs of the operator's machine that know a node's power; {node} in their words is the node's name.

    `status` prints "on" or "off" and nothing else; `off` returns with 0 once the node has no power.
    """

    status: tuple[str, ...]
    off: tuple[str, ...]

    @staticmethod
    def argv(words: tuple[str, ...], node: str) -> tuple[str, ...]:
        return tuple(word.replace("{node}", node) for word in words)


@dataclass(frozen=True, slots=True)
class Inventory:
    name: str
    sites: Mapping[str, Site]
    nodes: Mapping[str, Node]
    services: Mapping[str, Service]
    pools: Mapping[str, Pool]
    vips: Mapping[str, Vip]
    thresholds: Thresholds
    drill_node: str | None = None
    maintenance: tuple[MaintenanceWindow, ...] = ()  # empty: any time will do
    fencing: Fencing | None = None  # None: nothing here can turn a node's power off
    path: str = ""  # the file it was read from, absolute; "" when built in memory

    def services_on(self, node: str) -> tuple[Service, ...]:
        return tuple(service for service in self.services.values() if node in service.nodes)

    def pools_of(self, node: str) -> tuple[Pool, ...]:
        return tuple(pool for pool in self.pools.values() if node in pool.servers)

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role that some node has, in order of first appearance."""
        return tuple(dict.fromkeys(role for node in self.nodes.values() for role in node.roles))
