"""How long to wait before the next try: exponential, capped, with full jitter so that many never come at once. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """An endless iterator of waits in seconds. `reset` after a success.

    The n-th wait is drawn evenly from [floor, min(cap, first * factor**n)]: spread over the whole range, so that five
    hundred nodes that died together do not come back together.
    """

    def __init__(
        self,
        first: float = 0.5,
        cap: float = 30.0,
        *,
        factor: float = 2.0,
        floor: float = 0.1,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        if not 0 <= floor <= first <= cap or factor < 1:
            raise ValueError("want 0 <= floor <= first <= cap and factor >= 1")
        self._first, self._cap, self._factor, self._floor, self._uniform = first, cap, factor, floor, uniform
        self._ceiling = first

    def __iter__(self) -> Backoff:
        return self

    def __next__(self) -> float:
        wait = self._uniform(self._floor, self._ceiling)
        self._ceiling = min(self._cap, self._ceiling * self._factor)
        return wait

    def reset(self) -> None:
        """Start again from the shortest waits."""
        self._ceiling = self._first
