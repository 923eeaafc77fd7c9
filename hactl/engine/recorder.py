"""Writes a recording: gzip members of JSON lines, each member a block that can be read without those before it.

What was told is in the file a second later and stays readable whatever happens then: a block is flushed as it grows,
nothing that was written is ever changed. Blocks for as long as the disk takes.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from types import TracebackType
from typing import Self

from hactl import __version__
from hactl.model.assess import Assessor
from hactl.model.errors import HactlError, InputError
from hactl.model.findings import Assessment, Finding, Level
from hactl.model.inventory import Inventory
from hactl.model.picture import Picture
from hactl.model.recording import (
    Checkpoint,
    Entry,
    Frame,
    Header,
    News,
    RunEntry,
    inventory_for_recording,
    moment,
    shifted,
)
from hactl.model.recording_lines import Encoder, header_line
from hactl.model.state import StateEvent, apply_all, initial

# Seconds of a recording in one block: to go to any moment, at most so much is read and judged again.
BLOCK = 30.0
_FLUSH = 1.0  # seconds that may be lost when this process is killed
_GZIP = 31  # zlib's number for a gzip member with the largest window


class Recorder:
    """One recording, from `now` (monotonic) and `wall` (epoch) on. Use it with `with`, or `close` it.

    Raises InputError when `path` exists or cannot be made, and HactlError when it cannot be written to.
    """

    def __init__(
        self,
        path: Path,
        inventory: Inventory,
        *,
        now: float,
        wall: float,
        interval: float,
        note: str = "",
        block: float = BLOCK,
    ) -> None:
        self._path, self._zero, self._block = path, now, block
        inventory = inventory_for_recording(inventory)
        self._state = initial(inventory, now=0.0, epoch=round(wall, 3))
        self._assessor = Assessor(inventory)
        self._assessment = self._assessor.assess(self._state, 0.0)
        self._events: list[StateEvent] = []
        self._runs: list[RunEntry] = []
        self._level: Level | None = None
        self._critical: frozenset[str] = frozenset()
        self._block_at = self._frame_at = self._flushed_at = 0.0
        self._encoder = Encoder()
        self._gzip = _member()
        self._size = 0
        self._file = _made(path)
        self._line(header_line(Header(__version__, round(wall, 3), interval, inventory, note)))
        self._checkpoint(0.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Bytes in the file so far."""
        return self._size

    def event(self, event: StateEvent) -> None:
        """A node has said something. Costs nothing: it is judged and written with the next frame."""
        self._events.append(event)

    def run_entry(self, entry: RunEntry) -> None:
        """Something was learned of a run."""
        self._runs.append(entry)

    def frame(self, now: float) -> Picture:
        """Judge what has come since the last frame and write it down. The picture, as a replay will show it."""
        at = moment(now, self._zero)
        if at - self._block_at >= self._block:
            self._next_block()
        # What came before a clock was put right may bear a later time than the frame; never an earlier frame.
        at = max(at, self._frame_at)
        events, self._events = [shifted(event, self._zero) for event in self._events], []
        runs, self._runs = self._runs, []
        self._state = apply_all(self._state, events)
        self._assessment = self._assessor.assess(self._state, at)
        entries: tuple[Entry, ...] = (*events, *runs, self._frame(at, self._assessment))
        for entry in entries:
            self._line(self._encoder.line(entry))
        self._frame_at = at
        if at - self._flushed_at >= _FLUSH:
            self._write(self._gzip.flush(zlib.Z_SYNC_FLUSH))
            self._flushed_at = at
        return Picture(self._state, self._assessment, at)

    def close(self) -> None:
        """Bring the file to its end; on disk when it returns. Idempotent."""
        if self._file >= 0:
            descriptor = self._file
            try:
                self._write(self._gzip.flush())
                os.fsync(descriptor)
            except OSError as error:
                raise self._failed(error) from error
            finally:
                self._file = -1
                os.close(descriptor)

    # --- inside ---

    def _frame(self, at: float, assessment: Assessment) -> Frame:
        level = assessment.cluster.level
        told = level if level is not self._level else None
        critical = {finding.key: finding for finding in assessment.findings if finding.level is Level.CRIT}
        news = tuple(_news(finding) for key, finding in critical.items() if key not in self._critical)
        self._level, self._critical = level, frozenset(critical)
        return Frame(at, told, news)

    def _next_block(self) -> None:
        self._write(self._gzip.flush())
        self._gzip = _member()
        self._checkpoint(self._frame_at)

    def _checkpoint(self, at: float) -> None:
        """Everything up to the frame at `at`. From here on it is judged as a reader does who begins here."""
        self._assessor = Assessor(self._state.inventory, self._assessment)
        self._line(self._encoder.line(Checkpoint(at, self._state, self._assessment)))
        self._block_at = self._frame_at = self._flushed_at = at

    def _line(self, text: str) -> None:
        self._write(self._gzip.compress(f"{text}\n".encode("utf-8", "backslashreplace")))

    def _write(self, data: bytes) -> None:
        try:
            while data:
                written = os.write(self._file, data)
                data, self._size = data[written:], self._size + written
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> HactlError:
        return HactlError(
            f"The recording {self._path} cannot be written: {error.strerror or error}.",
            remedy="What was written before can be replayed.",
        )


def _member() -> zlib._Compress:
    """An empty gzip member."""
    return zlib.compressobj(9, zlib.DEFLATED, _GZIP)


def _news(finding: Finding) -> News:
    return News(str(finding.scope), finding.sentence)


def _made(path: Path) -> int:
    """The descriptor of a new file that only its owner can read: it tells much about a cluster."""
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise InputError(f"{path} exists.", remedy="Choose another name, or remove it first.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be made: {error.strerror or error}.") from error
