"""A recording that is open: which frame a moment has, the picture of any frame, and what is known of runs.

To show a frame, its block is read from its checkpoint on. The pictures of the newest two blocks are kept, so that
stepping back and forth costs nothing; memory does not grow with the file beyond its index.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from hactl.engine.recording_index import Index, error_at, indexed
from hactl.engine.recording_members import Member, end_of
from hactl.model.assess import Assessor
from hactl.model.errors import RecordingError
from hactl.model.picture import Picture
from hactl.model.recording import Checkpoint, Frame
from hactl.model.recording_lines import Decoder, is_run_line
from hactl.model.state import LinkChanged, Sample, StateEvent, apply_all

_KEPT = 2  # blocks


class RecordingFile:
    """Use it with `with`, or `close` it. Everything raises RecordingError where the file cannot be made out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise RecordingError(f"{path}: {error.strerror or error}.") from error
        try:
            self._end = end_of(self._file)
            self.index: Index = indexed(path, self._file)
        except BaseException as error:
            self._file.close()
            if isinstance(error, OSError):
                raise RecordingError(f"{path}: {error.strerror or error}.") from error
            raise
        self._open: dict[int, _Pictures] = {}  # by block, the one used last at the end

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    @property
    def length(self) -> float:
        """Seconds that it lasts."""
        return self.index.frames[-1]

    def frame_at(self, at: float) -> int:
        """The number of the newest frame at `at`, or of the first."""
        return max(0, bisect.bisect_right(self.index.frames, at) - 1)

    def picture(self, frame: int) -> Picture:
        """What was to be seen then, by the judgement of this hactl. Not for two threads at the same time."""
        blocks = self.index.blocks
        number = max(0, bisect.bisect_right(blocks, frame, key=lambda block: block.frame) - 1)
        pictures = self._open.pop(number, None) or _Pictures(self, number)
        self._open[number] = pictures
        while len(self._open) > _KEPT:
            del self._open[next(iter(self._open))]
        return pictures.picture(frame - blocks[number].frame)

    def lines(self, block: int) -> Iterator[tuple[int, bytes]]:
        """The lines of a block from its checkpoint on, each with its number in the file."""
        begin = self.index.blocks[block]
        line = begin.line
        try:
            for line, data in enumerate(Member(self._file, begin.offset, self._end).lines(), begin.line):
                if line > 1:
                    yield line, data
        except (OSError, ValueError) as error:
            raise error_at(self.path, line + 1, error) from error


class _Pictures:
    """The pictures of one block, made as they are asked for."""

    def __init__(self, file: RecordingFile, block: int) -> None:
        self._path, self._lines = file.path, file.lines(block)
        self._decoder = Decoder(file.index.header)
        self._made: list[Picture] = []
        line, data = next(self._lines)
        try:
            checkpoint = self._decoder.entry(data)
        except ValueError as error:
            raise error_at(file.path, line, error) from error
        if not isinstance(checkpoint, Checkpoint):
            raise error_at(file.path, line, "a block begins with a checkpoint")
        self._state = checkpoint.state
        self._assessor = Assessor(checkpoint.state.inventory, checkpoint.assessment)
        if not block:
            self._made.append(Picture(self._state, checkpoint.assessment, checkpoint.at))

    def picture(self, place: int) -> Picture:
        while len(self._made) <= place:
            self._made.append(self._next())
        return self._made[place]

    def _next(self) -> Picture:
        events: list[StateEvent] = []
        for line, data in self._lines:
            if is_run_line(data):
                continue
            try:
                entry = self._decoder.entry(data)
                if isinstance(entry, Frame):
                    return self._judged(events, entry.at)
            except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
                # A file may hold what no node says; it is the file that is wrong then, whatever trips over it.
                raise error_at(self._path, line, error) from error
            if isinstance(entry, LinkChanged | Sample):
                events.append(entry)
        raise error_at(self._path, 1, "it has changed since it was opened")

    def _judged(self, events: list[StateEvent], at: float) -> Picture:
        self._state = apply_all(self._state, events)
        return Picture(self._state, self._assessor.assess(self._state, at), at)
