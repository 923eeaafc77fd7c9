"""What a HAProxy says: its servers by backend, as it sees and was told to see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Flag, StrEnum


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
