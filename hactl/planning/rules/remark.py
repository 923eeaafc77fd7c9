"""How a rule speaks: a ruling and its sentence; the guard's name is put on it by `planning.guards`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hactl.model.guard import Ruling


@dataclass(frozen=True, slots=True)
class Remark:
    ruling: Ruling
    sentence: str
    node: str | None = None
    pool: str | None = None


def refuse(sentence: str, *, node: str | None = None, pool: str | None = None) -> Remark:
    return Remark(Ruling.REFUSE, sentence, node, pool)


def warn(sentence: str, *, node: str | None = None, pool: str | None = None) -> Remark:
    return Remark(Ruling.WARN, sentence, node, pool)


def listed(names: Iterable[str]) -> str:
    """As in a sentence: "a", "a and b", "a, b and c"."""
    words = list(names)
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
