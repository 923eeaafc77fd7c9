"""How many of those that should be there can serve."""

from __future__ import annotations

from dataclasses import dataclass

from hactl.model.findings import Level


@dataclass(frozen=True, slots=True)
class Counts:
    """`available` of `total` active members are known to be good, `unknown` of them cannot be judged."""

    available: int
    unknown: int
    total: int
    minimum: int

    @property
    def level(self) -> Level:
        """Too few is critical, but only once so many are known to be missing that the unknown ones cannot help."""
        if self.available + self.unknown < self.minimum:
            return Level.CRIT
        if self.unknown:
            return Level.UNKNOWN
        return Level.WARN if self.available < self.total else Level.OK

    def __str__(self) -> str:
        doubt = f", {self.unknown} unknown" if self.unknown else ""
        return f"{self.available} of {self.total} available{doubt}, minimum {self.minimum}"
