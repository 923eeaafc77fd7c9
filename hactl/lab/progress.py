"""How long work tells what it is doing: one immutable report at a time, handed to whoever shows it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` parts of `what` are finished, `elapsed` seconds after the whole began. total 0: unknown."""

    what: str
    done: int
    total: int
    elapsed: float
    note: str = ""


Reporter = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """A reporter that shows nothing."""


class Stage:
    """Counts the parts of one thing that threads do side by side, and reports each."""

    def __init__(self, report: Reporter, what: str, total: int, began: float) -> None:
        self._report = report
        self._what = what
        self._total = total
        self._began = began
        self._done = 0
        self._lock = threading.Lock()

    def tell(self, note: str = "") -> None:
        """Reports how far it is."""
        self._report(Progress(self._what, self._done, self._total, time.monotonic() - self._began, note))

    def advance(self, note: str = "") -> None:
        """One part more is done; `note` says which."""
        with self._lock:
            self._done += 1
            self.tell(note)
