"""What a machine says of itself: load, disks, clock, units, notes, packages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
