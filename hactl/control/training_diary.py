"""Where exercises are written down: a folder for each playing, beside the lab's disks, so that it outlives a reset.

Several processes write notes to one playing (its watcher, who takes a hint): each is one appended line. The watcher
holds a lock that dies with it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from hactl.lab.spec import STATE_ROOT
from hactl.model.codec import plain, restored
from hactl.model.errors import StateError
from hactl.model.scenario_story import Mark, Note, Session, Standing, folded

_SESSION, _NOTES, _LOCK, _STOP = "session.json", "notes.jsonl", "watcher.lock", "stop"


class Diary:
    """One playing of an exercise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def log(self) -> Path:
        """What the watcher's process itself had to say: for defects, mostly empty."""
        return self.folder / "watcher.log"

    def begin(self, session: Session) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{_SESSION}.new"
        draft.write_text(json.dumps(plain(session), indent=1), encoding="utf-8")
        draft.rename(self.folder / _SESSION)

    def session(self) -> Session:
        """Raises StateError when it cannot be read."""
        try:
            return restored(Session, json.loads((self.folder / _SESSION).read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise StateError(f"{self.folder / _SESSION} cannot be read: {error}.") from error

    def note(self, mark: Mark, text: str = "", number: int = 0, *, at: float | None = None) -> None:
        """Durable when it returns, and readable behind a line that a power cut has torn."""
        line = json.dumps(plain(Note(time.time() if at is None else at, mark, text, number))) + "\n"
        handle = os.open(self.folder / _NOTES, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            size = os.fstat(handle).st_size
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            os.write(handle, (f"\n{line}" if torn else line).encode())
            os.fsync(handle)
        finally:
            os.close(handle)

    def standing(self) -> Standing:
        notes: list[Note] = []
        unreadable = 0
        for line in self._lines():
            try:
                notes.append(restored(Note, json.loads(line)))
            except ValueError:
                unreadable += 1
        return folded(self.session(), notes, unreadable)

    def _lines(self) -> list[bytes]:
        try:
            return [line for line in (self.folder / _NOTES).read_bytes().split(b"\n") if line]
        except FileNotFoundError:
            return []

    # --- who works on it ---

    @contextlib.contextmanager
    def held(self) -> Iterator[bool]:
        """As the one who works on it; False when somebody does already."""
        handle = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                os.ftruncate(handle, 0)
                os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
                yield True
        finally:
            os.close(handle)

    def watcher(self) -> int | None:
        """The process that works on it now."""
        try:
            handle = os.open(self.folder / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            said = os.pread(handle, 32, 0).decode(errors="replace").strip()
            return int(said) if said.isdigit() else 0
        else:
            return None
        finally:
            os.close(handle)

    def ask_to_stop(self) -> None:
        (self.folder / _STOP).touch()

    @property
    def asked_to_stop(self) -> bool:
        return (self.folder / _STOP).exists()


class Shelf:
    """Every playing of one lab's exercises."""

    def __init__(self, lab: str, root: Path = STATE_ROOT) -> None:
        self._root = root / f"{lab}.training"

    def new(self, wall: float) -> Diary:
        """A folder for one that begins; its name sorts by time."""
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(wall))
        taken = {path.name for path in self._root.glob(f"{stamp}*")}
        name = next(one for one in (stamp, *(f"{stamp}-{number}" for number in range(2, 100))) if one not in taken)
        return Diary(self._root / name)

    def diaries(self) -> tuple[Diary, ...]:
        """The oldest first; those that never began are left out."""
        return tuple(Diary(path.parent) for path in sorted(self._root.glob(f"*/{_SESSION}")))

    def open(self) -> Diary | None:
        """The one that is not over."""
        newest = self.diaries()[-1:]
        return next((diary for diary in newest if not diary.standing().over), None)
