"""Who holds the cluster's lock, for the banner: looked at seldom, because each look asks every node."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection
from typing import TypeAlias

from hactl.model.errors import HactlError
from hactl.model.lock import LockPicture
from hactl.model.picture import Picture
from hactl.model.state import LinkPhase
from hactl.view.cluster import Fact
from hactl.view.lock import lock_fact

LookAtLock: TypeAlias = Callable[[Collection[str]], Awaitable[LockPicture]]
"""Asks those of the connected nodes that decide about the lock."""

_EVERY = 30.0  # seconds between two looks at least
_A_NODE = 3.0  # and as many for each node: what looking costs does not grow with the cluster
_SOON = 3.0  # seconds after a run has begun or ended: its runner takes the lock, or lets go of it


class LockWatch:
    """`look` asks; this decides when. Not to be used by two at once."""

    def __init__(self, look: LookAtLock, clock: Callable[[], float] = time.monotonic) -> None:
        self._look, self._clock = look, clock
        self._due = clock()
        self._seen: LockPicture | None = None
        self._at = clock()

    def soon(self) -> None:
        """Something has happened that may have changed it."""
        self._due = min(self._due, self._clock() + _SOON)

    async def turn(self, picture: Picture) -> None:
        """Look, if it is time for it and somebody is connected."""
        connected = [name for name, node in picture.state.nodes.items() if node.link.phase is LinkPhase.UP]
        if self._clock() < self._due or 2 * len(connected) <= len(picture.state.nodes):
            return
        self._due = self._clock() + max(_EVERY, _A_NODE * len(connected))
        try:
            self._seen = await self._look(connected)
        except HactlError:  # not known, then; why not stands where the nodes are
            self._seen = None
        self._at = self._clock()

    @property
    def fact(self) -> Fact:
        return lock_fact(self._seen, self._clock() - self._at)
