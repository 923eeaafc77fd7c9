"""What a guard says: a rule's verdict with its reason and the name that sets it aside."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
