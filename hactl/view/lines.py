"""A sentence on a line of its own: what both front ends show of plans and runs. Colours are theirs."""

from __future__ import annotations

from dataclasses import dataclass

from hactl.model.findings import Level


@dataclass(frozen=True, slots=True)
class Line:
    """One line, however wide. `indent` in columns; what does not fit goes on `hang` columns further in.

    `mark`: begins with the level's word, in its colour; without it the whole text has the level's colour.
    """

    text: str = ""
    level: Level | None = None
    indent: int = 0
    hang: int = 2
    mark: str = ""
    strong: bool = False
    faint: bool = False
