"""A recording as a source of pictures and of runs: the same two doors as a live cluster's, with a hand on the time.

Nothing here reaches any network, and nothing can be done: what is shown is over.
"""

from __future__ import annotations

import asyncio
import bisect
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from hactl.control.replay_runs import RecordedRuns
from hactl.engine.clock import Clock, RealClock
from hactl.engine.recording_file import RecordingFile
from hactl.model.picture import Picture
from hactl.model.recording import Header, Mark

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
_WHOLE = 600  # frames of the past that are looked at, one by one; of what lies further back, one of each block
_LEAP = 0.1  # seconds: moved by more, it went elsewhere and did not only play on
_SHORTEST = 0.05  # seconds of ours between two pictures, however fast it runs


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a replay is. Seconds are the recording's own."""

    at: float
    speed: float
    playing: bool


class Replay:
    """An open recording that plays. Raises RecordingError when `path` is none. Use it with `async with`, or `close`."""

    def __init__(self, path: Path, *, clock: Clock | None = None) -> None:
        self._file = RecordingFile(path)
        self._reading = threading.Lock()
        self._clock = clock or RealClock()
        self._stands = Standing(0.0, 1.0, playing=False)
        self._since = self._clock.monotonic()  # when it stood there
        self._moved = asyncio.Event()
        self._backwards = self._leaps = 0
        self.runs = RecordedRuns(self.header.inventory, self._file.index.runs, lambda: self.stands.at)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """It may be opened again: whoever made it closes it."""

    def close(self) -> None:
        self._file.close()

    # --- what it is ---

    @property
    def header(self) -> Header:
        return self._file.index.header

    @property
    def length(self) -> float:
        """Seconds."""
        return self._file.length

    @property
    def marks(self) -> Sequence[Mark]:
        return self._file.index.marks

    @property
    def cut(self) -> str:
        """What is missing at its end, as a sentence; "" when it is whole."""
        return self._file.index.cut

    def picture(self, at: float) -> Picture:
        """What was to be seen at a moment. Blocks for up to some tenths of a second."""
        return self._read(self._file.frame_at(at))

    def past(self, at: float, seconds: float) -> Iterator[Picture]:
        """What was to be seen in the `seconds` up to `at`, oldest first, coarser where it lies far back.

        Blocks for some seconds altogether: for a thread. Others that want pictures meanwhile get in between.
        """
        last, first = self._file.frame_at(at), self._file.frame_at(at - seconds)
        whole = max(first, last - _WHOLE + 1)
        coarse = (block.frame for block in self._file.index.blocks if first <= block.frame < whole)
        for frame in (*coarse, *range(whole, last + 1)):
            yield self._read(frame)

    def _read(self, frame: int) -> Picture:
        with self._reading:
            return self._file.picture(frame)

    # --- where it is ---

    @property
    def stands(self) -> Standing:
        """Where it is now."""
        stands = self._stands
        if not stands.playing:
            return stands
        at = stands.at + (self._clock.monotonic() - self._since) * stands.speed
        return (
            Standing(at, stands.speed, playing=True)
            if at < self.length
            else Standing(self.length, stands.speed, playing=False)
        )

    @property
    def now(self) -> float:
        """Epoch seconds of where it is: what the time was then."""
        return self.header.began + self.stands.at

    @property
    def backwards(self) -> int:
        """How often time has gone back: whoever remembers what came later has to forget it."""
        return self._backwards

    @property
    def leaps(self) -> int:
        """How often it went elsewhere than by playing: whoever remembers has not seen what lies between."""
        return self._leaps

    def toggle(self) -> None:
        """Play, or pause; from its end, play it again."""
        stands = self.stands
        if not stands.playing and stands.at >= self.length:
            self._stand(Standing(0.0, stands.speed, playing=True))
        else:
            self._stand(Standing(stands.at, stands.speed, playing=not stands.playing))

    def play(self, speed: float) -> None:
        """Play at the one of SPEEDS that is nearest."""
        nearest = min(SPEEDS, key=lambda one: abs(one - speed))
        self._stand(Standing(self.stands.at, nearest, playing=True))

    def accelerate(self, steps: int) -> None:
        """Faster by so many of SPEEDS, or slower."""
        stands = self.stands
        place = SPEEDS.index(stands.speed) + steps
        self._stand(Standing(stands.at, SPEEDS[min(max(place, 0), len(SPEEDS) - 1)], stands.playing))

    def step(self, frames: int) -> None:
        """Pause at the frame that is so many further on."""
        times = self._file.index.frames
        frame = self._file.frame_at(self.stands.at) + frames
        self._stand(Standing(times[min(max(frame, 0), len(times) - 1)], self.stands.speed, playing=False))

    def jump(self, seconds: float) -> None:
        self.go_to(self.stands.at + seconds)

    def go_to(self, at: float) -> None:
        """To this second, or to the end that is nearer; it plays on if it did."""
        stands = self.stands
        self._stand(Standing(min(max(at, 0.0), self.length), stands.speed, stands.playing))

    def to_mark(self, direction: int) -> Mark | None:
        """To the next moment worth going to (1) or to the one before (-1), and pause there; None: there is none."""
        at = self.stands.at
        times = [mark.at for mark in self.marks]
        place = bisect.bisect_right(times, at) if direction > 0 else bisect.bisect_left(times, at) - 1
        if not 0 <= place < len(times):
            return None
        self._stand(Standing(times[place], self.stands.speed, playing=False))
        return self.marks[place]

    def _stand(self, stands: Standing) -> None:
        before = self.stands.at
        self._backwards += stands.at < before
        self._leaps += abs(stands.at - before) > _LEAP
        self._stands, self._since = stands, self._clock.monotonic()
        self._moved.set()

    # --- a source of pictures ---

    async def watch(self) -> AsyncIterator[Picture]:
        """The picture of where it stands, then another whenever it stands elsewhere. Raises RecordingError."""
        shown, backwards = -1, self._backwards
        while True:
            self._moved.clear()
            frame = self._file.frame_at(self.stands.at)
            if frame != shown or backwards != self._backwards:
                shown, backwards = frame, self._backwards
                yield await asyncio.to_thread(self._read, frame)
            await self._moved_on(shown)

    def refresh(self, node: str | None = None) -> None:
        """Nobody can be asked."""

    async def _moved_on(self, frame: int) -> None:
        """Wait until the frame after this one is due, or somebody goes elsewhere."""
        stands, times = self.stands, self._file.index.frames
        timer = None
        if stands.playing and frame + 1 < len(times):
            wait = max((times[frame + 1] - stands.at) / stands.speed, _SHORTEST)
            timer = self._clock.call_at(self._clock.monotonic() + wait, self._moved.set)
        try:
            await self._moved.wait()
        finally:
            if timer is not None:
                timer.cancel()
