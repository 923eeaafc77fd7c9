"""When the terminal is read: as soon as something is typed. Whoever reads sleeps meanwhile.

Textual's thread for input asks ten times a second whether it is to end. That is 0.12 to 0.14 % of a core where nothing
ever happens, half of what the whole dashboard may take then. The sign for its end that is made here answers that
thread only when there is something to do. It needs nothing but to be asked before every round of reading; a Textual
that does not ask reads as it always did.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from textual import constants

_ROUND = 0.1  # seconds that Textual waits in one round for something to read
_AWAKE = constants.ESCAPE_DELAY + 5 * _ROUND  # after input: the beginning of a key may be the whole of it (escape)
_NAP = 2.0  # seconds at most, should input have come in the very moment in which a round ended


class SignToEnd(threading.Event):
    """Set when the thread that reads is to end. Within `heeded` that thread waits for input when it asks `is_set`.

    Its pipe is as old as the driver: `select` knows only files with small numbers, and later ones are connections.
    """

    def __init__(self) -> None:
        super().__init__()
        self._reader: int | None = None
        self._terminal = -1
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._woken, False)
        weakref.finalize(self, _close, self._woken, self._waker)
        self._heard = self._asked = 0.0  # when input was last noticed, and the last question answered: monotonic

    @contextmanager
    def heeded(self, terminal: int) -> Iterator[None]:
        """By the thread that reads from `terminal` and calls this."""
        self._terminal, self._reader = terminal, threading.get_ident()
        try:
            yield
        finally:
            self._reader = None

    def set(self) -> None:
        if not super().is_set():
            super().set()
            os.write(self._waker, b"\0")

    def clear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, 1)
        super().clear()

    def is_set(self) -> bool:
        if threading.get_ident() == self._reader and not super().is_set():
            self._sleep()
        return super().is_set()

    def _sleep(self) -> None:
        now = time.monotonic()
        if now - self._asked < _ROUND:  # something came, or the round would have taken longer
            self._heard = now
        if now - self._heard > _AWAKE and select.select([self._terminal, self._woken], [], [], _NAP)[0]:
            self._heard = time.monotonic()
        self._asked = time.monotonic()


def _close(*files: int) -> None:
    for file in files:
        os.close(file)
