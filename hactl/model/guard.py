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
        "standby-unreachable": "every server of the database can be asked",
        "not-streaming": "the standby that takes over receives from the primary it replaces",
        "timeline": "it is a copy of the same database, on the primary's timeline",
        "lag": "it is not far behind, neither in receiving nor in replaying",
        "replay-paused": "it replays what it receives",
        "archiver": "the primary archives, and little waits for it: else it would not stop",
        "slots": "there are slots and connections for those that will follow the new primary",
        "long-transaction": "no transaction has been open for long: it would be lost",
        "synchronous": "commits do not wait for a standby that is gone afterwards",
        "rewind": "the old primary can be made a standby again without being copied anew",
        "logical-slots": "no logical slot is left behind on the old primary",
        "split-brain": "it is proven that the old primary takes no writes",
        "data-loss": "nothing is lost with a primary that is given up, that a better choice would keep",
        "sudo": "sudo allows on each target what will be run there",
        "lock": "nobody else holds the cluster's lock",
    }
)
"""Every guard, and what it wants. `lock` is never set aside, neither by an override nor by a playbook."""
