"""What may stand in an inventory file, table by table: the shape, not yet the sense (`check`) nor the model (`build`).

The docstrings below keys are for people who write inventories: `hactl inventory schema` shows them in editors.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, create_model, model_validator

from hactl.config.entry import Entry
from hactl.config.service_schema import AnyServiceEntry
from hactl.config.values import (
    Address,
    Filled,
    IpAddress,
    KnownHosts,
    Level,
    LocalPath,
    LocalPaths,
    Minute,
    Name,
    Port,
    Ref,
    Seconds,
    Text,
)
from hactl.model.metrics import METRICS

SCHEMA = 1


class ClusterEntry(Entry):
    """The cluster as a whole."""

    name: Name
    """What the cluster is called; {cluster} stands for it in paths."""
    drill_node: Ref | None = None
    """The node that restore drills run on. Without one, no drill runs."""


class AlgorithmsEntry(Entry):
    """SSH algorithms in order of preference. Left away: quick ones that OpenSSH offers by default."""

    kex: list[Filled] = []
    """Key exchange, e.g. ["curve25519-sha256"]."""
    ciphers: list[Filled] = []
    """Ciphers, e.g. ["aes128-gcm@openssh.com"]."""
    macs: list[Filled] = []
    """Message authentication codes, for ciphers that need one."""
    host_keys: list[Filled] = []
    """Types of host key, e.g. ["ssh-ed25519"]."""


class SshEntry(Entry):
    """How nodes are reached. [ssh] holds for all; a node's own `ssh` table wins over it, key by key."""

    user: Filled | None = None
    """Login user. Left away: what ~/.ssh/config says, else the local user."""
    port: Port | None = None
    """sshd's port. Left away: what ~/.ssh/config says, else 22."""
    identity: LocalPaths | None = None
    """Private key file or files. Left away: the agent and the usual files."""
    known_hosts: KnownHosts | None = None
    """File or files of trusted host keys. Left away: ~/.ssh/known_hosts. Checking cannot be turned off."""
    host_key_alias: Filled | None = None
    """The name to look up in known_hosts instead of the address."""
    proxy_jump: Filled | None = None
    """The name of a node to go through, or "user@host:port" of a machine outside the inventory; several by comma.
    "none" takes the default of [ssh] back."""
    socket: LocalPath | None = None
    """A Unix socket on this machine that leads to the node's sshd. "none" takes the default of [ssh] back."""
    config: LocalPaths | None = None
    """ssh_config files to honour. Left away: ~/.ssh/config where present; []: none."""
    transport: Literal["asyncssh", "paramiko", "local"] | None = None
    """The library that speaks SSH, or "local" for the machine that hactl runs on."""
    become: Literal["sudo", "none"] | None = None
    """How to get another user's rights; "none" when the login user already may do everything."""
    connect_timeout: Seconds | None = None
    """Seconds for TCP, key exchange and login together (5)."""
    keepalive: Seconds | None = None
    """Seconds of silence before a keepalive is sent; three unanswered ones end the connection (2.5)."""
    max_sessions: Annotated[int, Field(ge=1, le=100)] | None = None
    """Commands at once on one connection (8); sshd's own MaxSessions is 10 by default."""
    algorithms: AlgorithmsEntry | None = None
    """SSH algorithms, where the defaults do not suit."""


class SiteEntry(Entry):
    """A place that fails as a whole: a data centre, a room, a zone."""

    name: Name
    """What --limit site:NAME and nodes call it."""
    description: Text = ""
    """A few words for people."""


class NodeEntry(Entry):
    """A machine reached over SSH."""

    name: Name
    """What hactl calls the node; needs not be its host name."""
    site: Ref
    """The site it stands in."""
    address: Address
    """Its IP address or host name."""
    roles: list[Name] = []
    """What it does; services find their nodes by role."""
    labels: dict[Name, Text] = {}
    """Anything else to select by: --limit label:KEY=VALUE."""
    standing: Literal["active", "spare"] = "active"
    """A spare is watched, but nothing depends on it and it never counts as available."""
    ssh: SshEntry = SshEntry()
    """What differs from [ssh] for this node."""


class PoolEntry(Entry):
    """A backend of a balancer."""

    name: Name
    """What hactl calls the pool."""
    service: Ref
    """The service that its members provide."""
    balancer: Ref
    """The haproxy service that it stands in."""
    backend: Filled
    """The backend's name in HAProxy."""
    minimum: Annotated[int, Field(ge=0)] = 1
    """Members that must stay available."""
    members: list[Ref] | None = None
    """Its nodes. Left away: all nodes of the service."""
    servers: dict[Ref, Filled] = {}
    """What HAProxy calls a node, where that is not the node's name."""
    routing: Literal["all", "one"] = "all"
    """Whether every healthy member takes traffic, or exactly one does (the primary)."""
    frontend: Filled | None = None
    """The frontend in HAProxy that leads to this backend alone: a switchover holds writes there."""


class VipEntry(Entry):
    """An address that keepalived moves."""

    name: Name
    """What hactl calls the address."""
    address: IpAddress
    """The address, without a prefix length."""
    service: Ref
    """The keepalived service whose nodes may hold it."""


class MaintenanceEntry(Entry):
    """When acting is welcome. Where there is such a window, a run outside of all of them is refused."""

    days: Annotated[list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]], Field(min_length=1)] | None = None
    """The days on which it begins. Left away: every day."""
    from_: Minute = Field(alias="from")
    """When it begins, in UTC: "02:00"."""
    to: Minute
    """When it ends, in UTC; a time before `from` is on the next day. "24:00" is midnight."""

    @model_validator(mode="after")
    def _lasts(self) -> MaintenanceEntry:
        if self.from_ in {self.to, "24:00"}:
            raise ValueError('must end after it begins; the whole day is from = "00:00", to = "24:00"')
        return self


class FencingEntry(Entry):
    """Programs on this machine that know the power of nodes. {node} in their words stands for the node's name."""

    status: Annotated[list[Filled], Field(min_length=1)]
    """Prints "on" or "off"."""
    off: Annotated[list[Filled], Field(min_length=1)]
    """Cuts the node's power, and returns when it is off."""

    @model_validator(mode="after")
    def _names_the_node(self) -> FencingEntry:
        for key in ("status", "off"):
            if not any("{node}" in word for word in getattr(self, key)):
                raise ValueError(f"`{key}` does not say which node: one of its words has to hold {{node}}")
        return self


class LevelsEntry(Entry):
    """Where a value becomes a finding. A level left away keeps what holds otherwise; "off" raises nothing."""

    warn: Level = Field(default=None)
    """From here on it is a warning."""
    crit: Level = Field(default=None)
    """From here on it is critical."""


class MetricsEntry(Entry):
    """Levels by metric; its keys are the names in METRICS."""

    def levels(self) -> dict[str, LevelsEntry]:
        """What was given, by metric."""
        return {name: getattr(self, name) for name in METRICS if name in self.model_fields_set}


_METRICS: dict[str, Any] = {
    name: (LevelsEntry | None, Field(None, description=metric.meaning)) for name, metric in METRICS.items()
}
_MetricsTable = create_model("MetricsEntry", __base__=MetricsEntry, __doc__="Levels by metric.", **_METRICS)
_ByName: Any = dict[Ref, _MetricsTable]  # type: ignore[valid-type] # a class that METRICS makes, not source text


class ThresholdsEntry(MetricsEntry):
    """Levels for the whole cluster, and tighter or wider ones by role and by node."""

    roles: dict[Ref, MetricsEntry] = {}
    nodes: dict[Ref, MetricsEntry] = {}


ThresholdsTable = create_model(
    "ThresholdsEntry",
    __base__=ThresholdsEntry,
    __doc__=ThresholdsEntry.__doc__,
    roles=(_ByName, Field({}, description="Levels for the nodes of a role.")),
    nodes=(_ByName, Field({}, description="Levels for one node; they win over those of its roles.")),
    **_METRICS,
)


class InventoryFile(Entry):
    """An inventory of hactl: one cluster."""

    schema_: Literal[1] = Field(alias="schema")
    """The version of this format."""
    cluster: ClusterEntry
    ssh: SshEntry = SshEntry()
    sites: list[SiteEntry]
    nodes: list[NodeEntry]
    services: list[Annotated[AnyServiceEntry, Field(discriminator="kind")]] = []
    pools: list[PoolEntry] = []
    vips: list[VipEntry] = []
    maintenance: list[MaintenanceEntry] = []
    fencing: FencingEntry | None = None
    thresholds: ThresholdsTable = ThresholdsTable()  # type: ignore[valid-type] # made from METRICS, see above
