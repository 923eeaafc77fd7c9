"""The operator's acknowledgements: a small file in the user's state folder, and a note in the journal for each change.

Several processes use the file at the same time, dashboards and commands. Whoever changes it holds a lock beside it,
writes a new file and puts that in the old one's place, so that nobody ever reads half of it.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hactl.config.files import UnreadableError, read_file
from hactl.config.folders import state_folder
from hactl.model.ack import MOST, Ack, acknowledge
from hactl.model.acks import Ended, Ending
from hactl.model.errors import InputError, StateError
from hactl.model.findings import Finding
from hactl.model.text import one_line

if TYPE_CHECKING:
    from hactl.model.codec import Json
    from hactl.model.journal import Note

_SCHEMA = "hactl.acks/1"
_ENDED = {
    Ending.EXPIRED: "it has reached its end",
    Ending.WORSE: "the finding has got worse",
    Ending.GONE: "the finding has gone",
    Ending.REMOVED: "it was taken back",
}


class Acks:
    """Those of one cluster. Calls block for as long as the disk takes."""

    def __init__(
        self, cluster: str, env: Mapping[str, str] = os.environ, wall: Callable[[], float] = time.time
    ) -> None:
        self._cluster, self._env, self._wall = cluster, env, wall
        self._seen: tuple[int, int, int] | None = None  # of the file that was read last
        self._held: tuple[Ack, ...] = ()

    @property
    def path(self) -> Path:
        return state_folder(self._env) / "acks.json"

    def look(self) -> tuple[Ack, ...]:
        """Those that have not reached their end, oldest first. Costs microseconds while nobody changes the file.

        Raises StateError when the file cannot be read.
        """
        seen = self._stamp()
        if seen != self._seen:
            self._held = tuple(ack for cluster, ack in self._read() if cluster == self._cluster)
            self._seen = seen
        now = self._wall()
        return tuple(ack for ack in self._held if now < ack.until)

    def add(self, finding: Finding, *, reason: str, who: str, until: float) -> Ack:
        """Acknowledge a finding as it is, in the place of an earlier acknowledgement of it.

        Raises InputError as `model.ack.acknowledge` does and where there are too many, StateError, JournalError.
        """
        now = self._wall()
        ack = acknowledge(finding, reason=reason, who=who, at=now, until=until)
        with self._changing() as (mine, others):
            kept = [one for one in mine if one.key != ack.key and now < one.until]
            if len(kept) >= MOST:
                raise InputError(
                    f"There are {len(kept)} acknowledgements already, as many as there may be.",
                    remedy="`hactl ack list` shows them, `hactl ack remove` takes some back.",
                )
            self._note(_added(self._cluster, ack))
            self._write([*others, *((self._cluster, one) for one in (*kept, ack))])
        return ack

    def remove(self, key: str, who: str) -> Ack:
        """Take one back. Raises InputError where the finding is not acknowledged, StateError, JournalError."""
        with self._changing() as (mine, others):
            found = next((ack for ack in mine if ack.key == key), None)
            if found is None:
                raise InputError(f'"{key}" is not acknowledged.', remedy="See `hactl ack list`.")
            self._note(_over(self._cluster, Ended(found, Ending.REMOVED), who))
            self._write([*others, *((self._cluster, one) for one in mine if one.key != key)])
        return found

    def settle(self, ended: Sequence[Ended], who: str) -> None:
        """Take out those that are over, each told once, whoever else has seen it too. Raises as `remove` does."""
        with self._changing() as (mine, others):
            over = [one for one in ended if one.ack in mine]
            if not over:
                return
            for one in over:
                self._note(_over(self._cluster, one, who))
            gone = {one.ack for one in over}
            self._write([*others, *((self._cluster, ack) for ack in mine if ack not in gone)])

    # --- the file ---

    @contextmanager
    def _changing(self) -> Iterator[tuple[list[Ack], list[tuple[str, Ack]]]]:
        """This cluster's and everybody else's, while nobody else changes them."""
        with _in_our_words(self.path):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with _in_our_words(self.path):
                fcntl.flock(lock, fcntl.LOCK_EX)
            every = self._read()
            mine = [ack for cluster, ack in every if cluster == self._cluster]
            yield mine, [(cluster, ack) for cluster, ack in every if cluster != self._cluster]
        finally:
            os.close(lock)

    def _stamp(self) -> tuple[int, int, int] | None:
        with _in_our_words(self.path):
            try:
                found = self.path.stat()
            except FileNotFoundError:
                return None
            return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> list[tuple[str, Ack]]:
        if self._stamp() is None:
            return []
        try:
            return _parsed(read_file(self.path, "list of acknowledgements"))
        except UnreadableError as error:
            raise StateError(f"The acknowledgements in {self.path} cannot be read: it {error.reason}.") from error
        except ValueError as error:
            raise StateError(
                f"The acknowledgements in {self.path} cannot be read: {error}.",
                remedy="Move the file away; what was acknowledged stands in the journal: `hactl ack history`.",
            ) from error

    def _write(self, acks: Sequence[tuple[str, Ack]]) -> None:
        from hactl.model.codec import plain  # noqa: PLC0415 - only for who changes something

        document = {"schema": _SCHEMA, "acks": [{"cluster": cluster, "ack": plain(ack)} for cluster, ack in acks]}
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        with _in_our_words(self.path):
            draft.unlink(missing_ok=True)
            file = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with os.fdopen(file, "w", encoding="utf-8") as out:
                json.dump(document, out, ensure_ascii=False, indent=1)
                out.flush()
                os.fsync(out.fileno())
            draft.replace(self.path)

    def _note(self, note: Note) -> None:
        """Before the change: what was done is written down, whatever happens then."""
        from hactl.engine.journal import Journal, default_journal  # noqa: PLC0415 - likewise

        journal = Journal(default_journal(self._env), self._wall)
        try:
            journal.note(note)
        finally:
            journal.close()

    def history(self, limit: int = 50) -> list[Note]:
        """What was acknowledged and taken back, and by whom, newest first. Raises JournalError."""
        from hactl.control.unfinished import existing  # noqa: PLC0415 - likewise

        journal = existing(self._env)
        if journal is None:
            return []
        try:
            return journal.notes(self._cluster, limit)
        finally:
            journal.close()


def _parsed(data: bytes) -> list[tuple[str, Ack]]:
    """Raises ValueError."""
    from hactl.model.codec import restored  # noqa: PLC0415 - most clusters have none

    document = json.loads(data)
    if not isinstance(document, dict) or document.get("schema") != _SCHEMA:
        raise ValueError(f"it is no {_SCHEMA}")
    try:
        return [(one["cluster"], restored(Ack, _tamed(one["ack"]))) for one in document["acks"]]
    except (KeyError, TypeError) as error:
        raise ValueError(f"it is no {_SCHEMA}: {error!r}") from error


def _tamed(value: Json) -> Json:
    """Somebody may have written in the file: its texts come to a terminal like a node's."""
    if isinstance(value, str):
        return one_line(value, 1000)
    if isinstance(value, dict):
        return {key: _tamed(inner) for key, inner in value.items()}
    return [_tamed(inner) for inner in value] if isinstance(value, list) else value


@contextmanager
def _in_our_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StateError(
            f"The acknowledgements in {path} cannot be used: {error.strerror}.",
            remedy=f"Check the folder {path.parent}.",
        ) from error


def _added(cluster: str, ack: Ack) -> Note:
    from hactl.model.journal import Note  # noqa: PLC0415 - likewise
    from hactl.model.units import moment  # noqa: PLC0415 - likewise

    said = f"{ack.finding.level.word} until {moment(ack.until, ack.at)}: {ack.reason}"
    return Note(cluster, "ack-added", ack.who, ack.key, said)


def _over(cluster: str, ended: Ended, who: str) -> Note:
    from hactl.model.journal import Note  # noqa: PLC0415 - likewise

    return Note(cluster, "ack-ended", who, ended.ack.key, _ENDED[ended.why])
