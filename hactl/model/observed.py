"""What is known, what is not, and how old it is.

"Don't know" is a value with a reason. Nothing else stands for it: not None, not 0, not an old number shown as fresh.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody could say, and why. `since` is the monotonic second from which it has been so."""

    reason: str
    since: float


@dataclass(frozen=True, slots=True)
class Observed(Generic[T]):
    """A value and the monotonic second at which its answer arrived."""

    value: T
    at: float

    def age(self, now: float) -> float:
        return max(0.0, now - self.at)


Maybe: TypeAlias = Observed[T] | Unknown
