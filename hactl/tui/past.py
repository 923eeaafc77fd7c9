"""What a dashboard over a recording knows of the time before the moment that it was taken to: as if it had watched."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Protocol

from hactl.model.picture import Picture
from hactl.model.series import SPAN
from hactl.model.trends import Trends
from hactl.tui.news import News
from hactl.view.recent import Recent

_BEHIND = 2.0  # seconds of the recording: as near to where it plays on meanwhile as needs be


class Past:
    """Trends, events and news of the pictures that it was told of, in the order of their times."""

    def __init__(self) -> None:
        self.trends, self.recent, self.news = Trends(), Recent(), News()

    def take(self, picture: Picture) -> None:
        self.trends.take(picture)
        self.recent.take(picture)
        self.news.take(picture)


class Stands(Protocol):
    @property
    def at(self) -> float: ...


class Reel(Protocol):
    """A recording, as far as it is read here; `control.replay.Replay` is the real one."""

    @property
    def stands(self) -> Stands: ...

    def past(self, at: float, seconds: float) -> Iterator[Picture]: ...


def remembered(reel: Reel, stop: threading.Event) -> Past | None:
    """Of as long before where it stands as graphs reach back; None once `stop` is set. Blocks: for a thread.

    Raises RecordingError.
    """
    past, at, seconds = Past(), reel.stands.at, SPAN
    while True:
        for picture in reel.past(at, seconds):
            if stop.is_set():
                return None
            past.take(picture)
        before, at = at, reel.stands.at
        seconds = at - before
        if seconds <= _BEHIND:
            return past
