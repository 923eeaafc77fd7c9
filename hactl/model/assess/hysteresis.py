"""A level that does not flap.

A value takes a level when it reaches the limit and gives it up only when it is back past the limit by a twentieth of
it: with warn = 80 a disk warns from 80 % on and is fine again below 76 %.
"""

from __future__ import annotations

from hactl.model.findings import Level
from hactl.model.inventory import Threshold

MARGIN = 0.05


def level_of(value: float, limit: Threshold, before: Level = Level.OK) -> Level:
    """The level of `value`, given the level that the same finding had before. Never UNKNOWN."""
    if _reached(value, limit.crit, below=limit.below, held=before is Level.CRIT):
        return Level.CRIT
    if _reached(value, limit.warn, below=limit.below, held=before in (Level.WARN, Level.CRIT)):
        return Level.WARN
    return Level.OK


def _reached(value: float, limit: float | None, *, below: bool, held: bool) -> bool:
    if limit is None:
        return False
    margin = MARGIN * abs(limit) if held else 0.0
    return value <= limit + margin if below else value >= limit - margin
