"""Where things are in a recording: found by looking through all of it once, without making anything of the samples."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from hactl.engine.recording_members import DamagedError, Member, end_of
from hactl.model.errors import RecordingError
from hactl.model.events import Recorded
from hactl.model.findings import Level
from hactl.model.recording import Frame, Header, Mark, MarkKind, RunEntry, RunPlanned
from hactl.model.recording_lines import frame_of, is_run_line, parsed, read_header, run_entry
from hactl.model.recording_marks import RunMarks

# What is kept of a file. Ours stay far below; another one may have been made to fill the memory.
_MOST_FRAMES = 10_000_000
_MOST_MARKS = 100_000
_MOST_OF_RUNS = 64 << 20  # bytes, as they stand in the file


@dataclass(frozen=True, slots=True)
class Block:
    """`offset` in the file; `line`, counted from 1, is its first one; `frame` the number of its first own frame."""

    offset: int
    line: int
    frame: int


@dataclass(slots=True)
class Index:
    """Times are the recording's seconds. Frame 0 is its begin, of which the first checkpoint tells."""

    header: Header
    blocks: list[Block] = field(default_factory=list)
    frames: array[float] = field(default_factory=lambda: array("d", [0.0]))
    marks: list[Mark] = field(default_factory=list)
    runs: list[tuple[float, RunEntry]] = field(default_factory=list)  # with the frame from which on it is known
    cut: str = ""  # what is missing, as a sentence


def indexed(path: Path, file: BinaryIO) -> Index:
    """Raises RecordingError with FILE:LINE."""
    scan, offset, end = _Scan(), 0, end_of(file)
    whole = end == file.seek(0, 2)
    while offset < end:
        member = Member(file, offset, end)
        try:
            scan.block(offset, member.lines())
        except ValueError as error:
            raise error_at(path, scan.line + isinstance(error, DamagedError), error) from error
        if member.next is None:
            whole = False
            break
        offset = member.next
    if scan.index is None or not scan.index.blocks:
        raise error_at(path, 1, "it is no recording" if end else "it is empty")
    scan.finish(whole=whole)
    return scan.index


def error_at(path: Path, line: int, sentence: object) -> RecordingError:
    return RecordingError(f"{path}:{line}: {str(sentence).rstrip('.')}.")


class _Scan:
    """`line` is the number of the line that is being looked at."""

    def __init__(self) -> None:
        self.index: Index | None = None
        self.line = 0
        self._of_runs = 0
        self._steps: dict[str, int] = {}  # of every run: how many its plan has
        self._unseen: list[RunEntry] = []  # since the last frame
        self._run_marks = RunMarks()

    def block(self, offset: int, lines: Iterator[bytes]) -> None:
        first = self.line + 1
        begun = False
        for line in lines:
            self.line += 1
            if self.index is None:
                self.index = Index(read_header(line))
            elif not begun:
                if not line.startswith(b'{"checkpoint"'):
                    raise ValueError("a block begins with a checkpoint")
                begun = True
                self.index.blocks.append(Block(offset, first, len(self.index.frames) if offset else 0))
            elif line.startswith(b'{"frame"'):
                self._frame(self.index, frame_of(parsed(line)))
            elif is_run_line(line):
                self._run(line)

    def finish(self, *, whole: bool) -> None:
        if self.index is not None and not whole:
            self.index.cut = f"Its end is missing: it was cut off after line {self.line}."

    def _frame(self, index: Index, frame: Frame) -> None:
        if frame.at < index.frames[-1]:
            raise ValueError("time goes back here")
        if len(index.frames) >= _MOST_FRAMES:
            raise ValueError("it has too many frames")
        index.frames.append(frame.at)
        for entry in self._unseen:
            index.runs.append((frame.at, entry))
            self._mark(index, self._run_marks.of(entry, frame.at))
        self._unseen.clear()
        if frame.level is not None:
            self._mark(index, Mark(frame.at, MarkKind.LEVEL, f"the cluster is {frame.level.word}", frame.level))
        for news in frame.news:
            self._mark(index, Mark(frame.at, MarkKind.NEWS, f"{news.scope}: {news.sentence}", Level.CRIT))

    def _run(self, line: bytes) -> None:
        self._of_runs += len(line)
        if self._of_runs > _MOST_OF_RUNS:
            raise ValueError("it tells too much of runs")
        entry = run_entry(line)
        if isinstance(entry, RunPlanned):
            self._steps[entry.run] = len(entry.plan.steps)
        elif entry.run not in self._steps:
            raise ValueError(f"run {entry.run} was not planned")
        elif isinstance(entry, Recorded):
            step: int | None = getattr(entry.event, "step", None)
            if step is not None and step >= self._steps[entry.run]:
                raise ValueError("the run's plan has no such step")
        self._unseen.append(entry)

    @staticmethod
    def _mark(index: Index, mark: Mark | None) -> None:
        if mark is not None and len(index.marks) < _MOST_MARKS:
            index.marks.append(mark)
