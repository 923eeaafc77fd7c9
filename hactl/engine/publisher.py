"""Turns events into pictures: judges the state a few times a second and publishes the newest.

Judging is the only work whose cost grows with the whole cluster, so it is coalesced, paced by what it costs, and rests
while nobody listens.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from hactl.engine.bus import Bus
from hactl.engine.clock import Clock, Timer
from hactl.engine.failures import defect
from hactl.model.assess import Assessor
from hactl.model.inventory import Inventory
from hactl.model.picture import Picture
from hactl.model.state import StateEvent, apply_all, initial

# Seconds from an event to its picture, so that what arrives together is judged together.
_GATHER = 0.03
# The least seconds between two pictures, and the most: ages grow and answers become stale without any event.
_GAP = 0.25
_HEARTBEAT = 1.0
# While judging is slow, at most one part in this many of the time goes into it, within the bounds above.
_SHARE = 10
# Events that may wait for somebody to look.
_HELD = 1000


class Publisher:
    """Holds the newest state and the newest assessment. Everything happens on the event loop."""

    def __init__(self, inventory: Inventory, clock: Clock, outside: tuple[str, ...] = ()) -> None:
        self._clock = clock
        self._outside = outside
        now = clock.monotonic()
        self._state = initial(inventory, now=now, epoch=clock.wall() - now)
        self._events: list[StateEvent] = []
        self._assessor = Assessor(inventory)
        self._bus = Bus[Picture](self._listeners_changed)
        self._timer: Timer | None = None
        self._due = 0.0
        self._not_before = 0.0

    def event(self, event: StateEvent) -> None:
        """Something happened. Events are put into the state when somebody looks at it, all at once."""
        self._events.append(event)
        if len(self._events) > _HELD:
            self._apply()
        if self._bus.listeners:
            self._publish_at(max(self._clock.monotonic() + _GATHER, self._not_before))

    def picture(self) -> Picture:
        """Judge the state as it is now."""
        self._apply()
        now = self._clock.monotonic()
        return Picture(self._state, self._assessor.assess(self._state, now), now, self._outside)

    async def pictures(self) -> AsyncIterator[Picture]:
        """The present picture at once, then the newest whenever there is a newer one."""
        async for picture in self._bus.subscribe():
            yield picture

    def close(self) -> None:
        """No more pictures: every listener ends."""
        self._cancel()
        self._bus.close()

    # --- inside ---

    def _apply(self) -> None:
        events, self._events = self._events, []
        self._state = apply_all(self._state, events)

    def _listeners_changed(self, count: int) -> None:
        if not count:
            self._cancel()
        elif self._timer is None:
            self._publish()

    def _publish_at(self, when: float) -> None:
        if self._timer is None or when < self._due:
            self._cancel()
            self._due = when
            self._timer = self._clock.call_at(when, self._publish)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _publish(self) -> None:
        self._timer = None
        started = self._clock.monotonic()
        try:
            self._bus.publish(self.picture())
        except Exception as error:  # noqa: BLE001 - listeners must learn that there will be no more pictures
            self._bus.close(defect(error, "judging the cluster"))
            return
        ended = self._clock.monotonic()
        self._not_before = ended + min(max(_GAP, (ended - started) * _SHARE), _HEARTBEAT)
        self._publish_at(ended + _HEARTBEAT)
