"""How many members of a pool were available while a run went on: each count, and what all of them prove together.

A member that nobody could judge is neither there nor lost: a count with unknown members is a range.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class PoolCount:
    """Members of a pool that are surely available, over all balancers that could be asked. `unknown`: members that
    nobody could judge.
    """

    pool: str
    available: int
    total: int
    minimum: int
    unknown: int = 0

    @property
    def at_most(self) -> int:
        return self.available + self.unknown


@dataclass(frozen=True, slots=True)
class PoolProof:
    """At the worst moment `surely` members were available, and `at_most` so many: the same unless it was not known.

    `blind` is for how many seconds some could not be judged, `unknown` how many of them at once.
    """

    pool: str
    surely: int
    at_most: int
    total: int
    minimum: int
    unknown: int = 0
    blind: float = 0.0


def proven(old: PoolProof | None, count: PoolCount) -> PoolProof:
    """What is proven with one more count."""
    if old is None:
        return PoolProof(count.pool, count.available, count.at_most, count.total, count.minimum, count.unknown)
    return replace(
        old,
        surely=min(old.surely, count.available),
        at_most=min(old.at_most, count.at_most),
        total=count.total,
        minimum=count.minimum,
        unknown=max(old.unknown, count.unknown),
    )


def lasted(proof: PoolProof, count: PoolCount, seconds: float) -> PoolProof:
    """The same after `count` has been the newest one for so long."""
    return replace(proof, blind=proof.blind + max(0.0, seconds)) if count.unknown else proof
