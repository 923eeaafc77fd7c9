"""What a guard says: a rule's verdict with its reason and the name that sets it aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Ruling(StrEnum):
    OK = "ok"
    WARN = "warn"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class GuardVerdict:
    """What one guard says. `guard` is also the name that `--override` takes. `overridden`: refused, and set aside."""

    guard: str
    ruling: Ruling
    sentence: str
    node: str | None = None
    pool: str | None = None
    overridden: bool = False
    can_override: bool = True

    @property
    def blocks(self) -> bool:
        return self.ruling is Ruling.REFUSE and not self.overridden


GUARDS: Mapping[str, str] = MappingProxyType(
    {
        "targets": "somebody is left to act on, and every step can be done there",
        "minimum-available": "no pool or service falls below its minimum, on any balancer",
        "maximum-unavailable": "no more than the minimum allows is away, what is away already included",
        "unknown-data": "nothing that matters is unknown or stale",
        "other-run": "no other run is under way or waits to be finished",
        "other-drain": "nobody has drained another node of the same pools",
        "site-loss": "no site is left without a member of a service that several sites provide",
        "replication": "no database falls behind, or loses its last standby",
        "backup-running": "no backup is in progress on what is touched",
        "maintenance-window": "it is a time at which acting is welcome",
        "disk-space": "there is room on the disks that are written to",
        "package-available": "every target is offered the version that is wanted",
        "critical-finding": "nothing on what is touched is critical already",
        "balancer-unreachable": "every balancer can be asked",
        "sudo": "sudo allows on each target what will be run there",
        "lock": "nobody else holds the cluster's lock",
    }
)
"""Every guard, and what it wants. `lock` is never set aside, neither by an override nor by a playbook."""
