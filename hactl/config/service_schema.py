"""What may stand in a [[services]] table: one shape for each kind.

The docstrings below keys are for people who write inventories: `hactl inventory schema` shows them in editors.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from hactl.config.entry import Entry
from hactl.config.values import (
    Address,
    Duration,
    Filled,
    HttpUrl,
    LocalPath,
    Name,
    OsUser,
    Package,
    PlainPath,
    Port,
    Ref,
    RemotePath,
    ResticRepository,
    Unit,
    UrlPath,
)
from hactl.model.expect import COMPARISON
from hactl.model.suggest import quoted


class ServiceEntry(Entry):
    """What every service has. It runs on the nodes of `role`, or on `nodes`; never both."""

    name: Name
    """What users of hactl call the service."""
    role: Ref | None = None
    """All nodes with this role provide it."""
    nodes: list[Ref] | None = None
    """Or exactly these nodes do."""
    unit: Unit | None = None
    """The systemd unit that carries it."""
    units: list[Unit] | None = None
    """Or several units."""
    minimum: Annotated[int, Field(ge=0)] | None = None
    """Active nodes that must be available. Left away: the pool's minimum where it has one, else 1."""

    @model_validator(mode="after")
    def _one_way_each(self) -> ServiceEntry:
        if (self.role is None) == (self.nodes is None):
            raise ValueError("needs `role` or `nodes`" if self.role is None else "has `role` and `nodes`; keep one")
        if self.unit is not None and self.units is not None:
            raise ValueError("has `unit` and `units`; keep one")
        return self


class VersionEntry(Entry):
    """How the running version is asked for: `path` or `command`."""

    path: UrlPath | None = None
    """A path of the service that answers with its version."""
    command: list[Filled] | None = None
    """Or a command on the node that prints it, word by word."""

    @model_validator(mode="after")
    def _one_way(self) -> VersionEntry:
        if (self.path is None) == (not self.command):
            raise ValueError("needs `path` or `command`, and not both")
        return self


class PublicEntry(Entry):
    """Where users reach the service. While hactl acts on it, a prober sends requests there and counts what fails."""

    url: HttpUrl
    """The address, with a path that does some work and changes nothing."""
    socket: LocalPath | None = None
    """A Unix socket on this machine that leads there."""
    via: Ref | None = None
    """Or a node to go by. With neither, this machine connects itself."""
    rate: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 10.0
    """Requests a second."""
    timeout: Duration = 5.0
    """An answer that takes longer has failed."""
    expect_status: Annotated[int, Field(ge=100, le=599)] = 200
    """The status of a good answer."""

    @model_validator(mode="after")
    def _one_way(self) -> PublicEntry:
        if self.socket is not None and self.via is not None:
            raise ValueError("has `socket` and `via`; keep one")
        return self


class HttpEntry(ServiceEntry):
    """An application that answers HTTP."""

    kind: Literal["http"]
    port: Port
    """The port it listens on."""
    health: UrlPath = "/"
    """The path that tells whether it is well."""
    host: Address | None = None
    """The Host header. Left away: the node's address."""
    expect_status: Annotated[int, Field(ge=100, le=599)] = 200
    """The status that a healthy answer has."""
    package: Package | None = None
    """The Debian package that holds it; upgrades need to know."""
    version: VersionEntry | None = None
    """How to ask for the running version."""
    public: list[PublicEntry] = []
    """Where users reach it."""


class PostgresqlEntry(ServiceEntry):
    """A PostgreSQL cluster: one primary and its standbys."""

    kind: Literal["postgresql"]
    version: Annotated[int, Field(ge=10, le=99)] = 15
    """Major version."""
    cluster: Filled = "main"
    """Debian's name of the cluster."""
    port: Port = 5432
    """The port, which also names the socket."""
    data_directory: RemotePath | None = None
    """Left away: /var/lib/postgresql/VERSION/CLUSTER."""
    socket_directory: RemotePath = "/var/run/postgresql"
    """The folder of its Unix socket."""
    user: Filled | None = None
    """The role that watches. Left away: the SSH user's name."""
    database: Filled = "postgres"
    """The database to connect to."""
    manager: Literal["plain", "patroni"] = "plain"
    """Who decides which node is the primary: nobody but you and hactl, or Patroni."""


class SqlCheckEntry(Entry):
    """What a restored database is asked in a drill, and what it has to answer."""

    name: Name
    """What the check is called in a drill's record."""
    database: Filled = "postgres"
    """The database to ask."""
    sql: Filled
    """One statement with one value."""
    expect: Filled
    """The value; or a comparison with a number, "> 0" (also < >= <= =)."""

    @model_validator(mode="after")
    def _comparison_has_a_number(self) -> SqlCheckEntry:
        if re.match(r"[<>=]", self.expect) and not COMPARISON.fullmatch(self.expect):
            raise ValueError(f'expect: {quoted(self.expect)} compares with no number; write a text, or "> 0"')
        return self


class NewestEntry(Entry):
    """How new the newest row is. Asked of the primary and of the copy, it tells what would have been lost."""

    database: Filled = "postgres"
    """The database to ask."""
    sql: Filled
    """One statement that answers with the second since the epoch."""


class PgbackrestEntry(ServiceEntry):
    """Backups by pgBackRest."""

    kind: Literal["pgbackrest"]
    database: Ref
    """The postgresql service that is backed up."""
    stanza: Filled = "main"
    """The stanza's name."""
    repository_host: Ref | None = None
    """The node with the repository. Left away: the service's node, when it has exactly one."""
    repositories: Annotated[list[Annotated[int, Field(ge=1, le=256)]], Field(min_length=1)] = [1]
    """Numbers of the repositories to watch (repo1, repo2, ...)."""
    repository_paths: list[PlainPath | Literal[""]] | None = None
    """Where each of them lies on that host; "" for one that is in no folder of it. Left away: /var/lib/pgbackrest."""
    os_user: Filled = "pgbackrest"
    """The user that may read the repository there."""
    max_age_full: Duration = 8 * 86400.0
    """A full backup older than this is a warning: seconds, or "8d"."""
    max_age_any: Duration = 26 * 3600.0
    """So is a newest backup of any type older than this: seconds, or "26h"."""
    drill_node: Ref | None = None
    """The node where it is restored to be tried. Left away: the cluster's drill_node."""
    drill_user: OsUser | None = None
    """The user that restores there. Left away: there are no drills."""
    drill_directory: PlainPath = "/var/lib/pgdrill"
    """A folder there that is this user's own: scratch space, and the history of drills."""
    drill_config: PlainPath = "/etc/pgbackrest-drill.conf"
    """pgBackRest's configuration there: repositories that the user can read, and no pg host."""
    drill_port: Port = 5499
    """Names the socket of the restored server; nothing listens on the network."""
    max_age_drill: Duration | None = None
    """The last good drill being older than this is a warning: seconds, or "35d". Left away: no policy."""
    target_rto: Duration | None = None
    """How long restore and start may take: seconds, or "15m"."""
    target_rpo: Duration | None = None
    """How much may be lost: seconds, or "5m"."""
    checks: list[SqlCheckEntry] = []
    """What a restored database is asked."""
    newest: NewestEntry | None = None
    """How new its newest row is."""


class ResticEntry(ServiceEntry):
    """Files of its nodes, backed up by restic."""

    kind: Literal["restic"]
    paths: Annotated[list[PlainPath], Field(min_length=1)]
    """Files and folders on the nodes."""
    repository: ResticRepository
    """As restic spells it; {node} stands for the node's name: "sftp:restic@backup1:/srv/restic/{node}"."""
    password_file: PlainPath
    """The file on the nodes with the repository's password."""
    os_user: OsUser = "root"
    """The user there that runs restic, and so reads the files and the password."""
    max_age: Duration = 26 * 3600.0
    """A newest snapshot older than this is a warning: seconds, or "26h"."""
    scratch: PlainPath = "/var/lib/hactl-drill"
    """A folder there, that user's own: where drills restore to, and their history."""
    max_age_drill: Duration | None = None
    """The last good drill being older than this is a warning: seconds, or "35d". Left away: no policy."""
    target_rto: Duration | None = None
    """How long a restore may take: seconds, or "15m"."""
    target_rpo: Duration | None = None
    """How much may be lost: seconds, or "1d"."""


class HaproxyEntry(ServiceEntry):
    """Balancers by HAProxy."""

    kind: Literal["haproxy"]
    admin_socket: RemotePath = "/run/haproxy/admin.sock"
    """The stats socket with `level admin`."""
    state_file: RemotePath | None = None
    """The server-state-file that a reload reads; without one a reload forgets what is drained."""


class KeepalivedEntry(ServiceEntry):
    """Addresses that move between nodes by keepalived."""

    kind: Literal["keepalived"]
    track_file: RemotePath | None = None
    """A track_file that makes a node give its addresses up."""


class UnitEntry(ServiceEntry):
    """Any other systemd unit that matters."""

    kind: Literal["unit"]

    @model_validator(mode="after")
    def _has_unit(self) -> UnitEntry:
        if self.unit is None and not self.units:
            raise ValueError("needs `unit` or `units`")
        return self


AnyServiceEntry: TypeAlias = (
    HttpEntry | PostgresqlEntry | PgbackrestEntry | ResticEntry | HaproxyEntry | KeepalivedEntry | UnitEntry
)

SERVICES: dict[str, type[ServiceEntry]] = {
    "http": HttpEntry,
    "postgresql": PostgresqlEntry,
    "pgbackrest": PgbackrestEntry,
    "restic": ResticEntry,
    "haproxy": HaproxyEntry,
    "keepalived": KeepalivedEntry,
    "unit": UnitEntry,
}
