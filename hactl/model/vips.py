"""An address that keepalived moves, as every node that may hold it tells: who has it, who is kept from taking it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hactl.model.inventory import Vip
from hactl.model.observed import Maybe, Observed


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a node says: whether it has the address, and what its track_file holds against that ("" nothing)."""

    has: bool
    hold: str


@dataclass(frozen=True, slots=True)
class Holding:
    """All that may hold the address, by node, as they answered."""

    vip: Vip
    candidates: Mapping[str, Maybe[Candidate]]

    @property
    def holders(self) -> tuple[str, ...]:
        return tuple(name for name, one in self.candidates.items() if isinstance(one, Observed) and one.value.has)

    @property
    def silent(self) -> tuple[str, ...]:
        return tuple(name for name, one in self.candidates.items() if not isinstance(one, Observed))

    @property
    def right(self) -> bool:
        """Exactly one holder, and everybody could be asked."""
        return len(self.holders) == 1 and not self.silent
