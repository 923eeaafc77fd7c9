"""What a line of a graph is made of: a name, values in equal slices of time, and how a value reads in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hactl.model.findings import Level


@dataclass(frozen=True, slots=True)
class Trace:
    """One trend. `slices` gives the span in as many equal parts as one asks for, the newest last, None where nobody
    knew; `newest` None: nobody knows now. `words` reads a value, with its unit.

    `top` is what the highest bar stands for; None: the greatest value that is shown.
    """

    label: str
    slices: Callable[[int], Sequence[float | None]]
    newest: float | None
    words: Callable[[float], str]
    top: float | None = None
    level: Level | None = None
