"""Keys that come faster than screens open: each goes to where the one before it has led.

Textual gives a key at once to what has the focus just then, though the key before it may be on its way to open another
screen: "2/db" would filter the overview. So a key waits here until the one before it has had all its effect: its
messages have gone through, and the screen that they opened stands.
"""

from __future__ import annotations

import asyncio
from collections import deque

from textual.app import App
from textual.events import Event
from textual.message import Message

_ROUNDS = 3  # from the key to its action, from there to a message of a widget, from that to one of its screen
_LONGEST = 1.0  # seconds: what is handled later than this must not keep keys back


class Handled(Message):
    """Follows a key through the queues of everything that may act on it, and arrives at the application after it."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class TypeAhead:
    """What was typed ahead, for an application that asks `holds` of every key, and says when one `went` its way."""

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self._waiting: deque[Event] = deque()
        self._left = 0  # rounds until the newest key has had its effect
        self._number = 0  # of the round that is under way
        self._end: asyncio.TimerHandle | None = None

    def holds(self, event: Event) -> bool:
        """Whether the event has to wait, and is kept here: then `next` gives it one day."""
        if self._left:
            self._waiting.append(event)
            if self._end is None:
                self._end = asyncio.get_running_loop().call_later(_LONGEST, self._give_up)
        return bool(self._left)

    def went(self) -> None:
        """A key was given to whom it is for."""
        self._left = _ROUNDS
        self._ask()

    def arrived(self, message: Handled) -> Event | None:
        """Take what came back; gives the event whose turn it is now."""
        if message.number != self._number:
            return None
        self._left -= 1
        if self._left:
            self._ask()
            return None
        if self._end is not None:
            self._end.cancel()
            self._end = None
        return self._waiting.popleft() if self._waiting else None

    def _ask(self) -> None:
        self._number += 1
        target = self._app.focused or self._app.screen
        if not target.post_message(Handled(self._number)):  # it is being taken away
            self._app.post_message(Handled(self._number))

    def _give_up(self) -> None:
        self._end = None
        self._left = 1
        self._number += 1
        self._app.post_message(Handled(self._number))
