"""When each of one node's questions is due. Pure: it is told the time.

Questions of one node stand on one grid, so that those due together travel together; nodes stand on the grid at
different phases, so that hundreds of them do not answer in the same moment.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping

from hactl.drivers.probe import Cadence, Probe

# A question whose interval is longer is asked again after this many seconds when it failed.
RETRY_AFTER = 30.0
# On a new connection everything is asked at once, but not what is rare and was answered within this many seconds.
STILL_NEW = 300.0
# Questions due within this many seconds go with those due now.
_TOGETHER = 0.02


def intervals(probes: Iterable[Probe], fast: float) -> dict[str, float]:
    """Seconds between two samples by key. `fast` replaces FAST; nothing is asked more often than that."""
    return {p.key: fast if p.cadence is Cadence.FAST else max(p.cadence.value, fast) for p in probes}


class Schedule:
    """`phase` is the node's place on the grid, 0 to 1 (1 not included); `fast` the grid's step in seconds. What is
    `uncalled` has no turns: it is due when it is hurried by its key, and only then.
    """

    def __init__(
        self, every: Mapping[str, float], *, fast: float, phase: float = 0.0, uncalled: Collection[str] = ()
    ) -> None:
        self._every = dict(every)
        self._uncalled = frozenset(uncalled)
        self._offset = {
            key: phase * fast + math.floor(phase * interval / fast) * fast for key, interval in self._every.items()
        }
        self._due = dict.fromkeys(self._every, math.inf)
        self._good: dict[str, float] = {}

    @property
    def next_at(self) -> float:
        """When something is due; infinity before `start`."""
        return min(self._due.values(), default=math.inf)

    def start(self, now: float) -> None:
        """A connection is new: everything is due now, except what is rare and was answered lately."""
        for key, interval in self._every.items():
            if key in self._uncalled:
                continue
            known = self._good.get(key, -math.inf)
            recent = interval > STILL_NEW and now - known < STILL_NEW
            self._due[key] = self._slot(key, now) if recent else now

    def hurry(self, now: float, keys: Iterable[str] | None = None) -> None:
        """These are due now; without `keys`, everything that has turns."""
        hurried = self._every.keys() - self._uncalled if keys is None else keys
        self._due.update(dict.fromkeys(hurried, now))

    def take(self, now: float) -> list[str]:
        """What is due, in the order of the probes; each of them is then due at its next slot."""
        due = [key for key, at in self._due.items() if at <= now + _TOGETHER]
        for key in due:
            self._due[key] = self._slot(key, now)
        return due

    def answered(self, key: str, now: float) -> None:
        self._good[key] = now

    def failed(self, key: str, now: float) -> None:
        """Ask a rare question again soon."""
        if self._every[key] > RETRY_AFTER and key not in self._uncalled:
            self._due[key] = min(self._due[key], now + RETRY_AFTER)

    def _slot(self, key: str, now: float) -> float:
        """The slot of the grid nearest to one interval from now: half to one and a half of it away."""
        if key in self._uncalled:
            return math.inf
        interval, offset = self._every[key], self._offset[key]
        return offset + math.ceil((now + interval / 2 - offset) / interval) * interval
