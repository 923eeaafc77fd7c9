"""The journal's file: where it is, that it is ours alone, its schema and migrations, and SQLite's errors in our words.

Knows nothing of what is written into it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from hactl.config.folders import state_folder
from hactl.model.errors import JournalError

Migration: TypeAlias = Callable[[sqlite3.Connection], None]
"""Takes a journal from one schema version to the next, inside a transaction that the caller has begun."""

ROOM = 64 * 1024 * 1024  # bytes that have to be free before a run starts
_BUSY = 10_000  # milliseconds to wait for another process's transaction, which takes a few
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def default_journal(env: Mapping[str, str] = os.environ) -> Path:
    return state_folder(env) / "journal.db"


# --- schema -------------------------------------------------------------------------------------------------------

# What is written stays. No protection against malice (the chain is for that), but against our own mistakes.
_KEEPS = (
    "CREATE TRIGGER {table}_keep_{verb} BEFORE {verb} ON {table} "
    "BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END"
)

# `seq` counts all that is in the chain together: it is its order. A hash is over the one before it and the row.
_VERSION_1 = (
    """CREATE TABLE runs (
        seq INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE, at REAL NOT NULL, cluster TEXT NOT NULL,
        playbook TEXT NOT NULL, who TEXT NOT NULL, plan TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL)""",
    """CREATE TABLE events (
        seq INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES runs (run), number INTEGER NOT NULL, at REAL NOT NULL,
        kind TEXT NOT NULL, body TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL, UNIQUE (run, number))""",
    """CREATE TABLE wishes (
        number INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL REFERENCES runs (run), at REAL NOT NULL,
        kind TEXT NOT NULL, who TEXT NOT NULL)""",
    *(_KEEPS.format(table=table, verb=verb) for table in ("runs", "events", "wishes") for verb in ("update", "delete")),
)


def _version_1(connection: sqlite3.Connection) -> None:
    for statement in _VERSION_1:
        connection.execute(statement)


# What is no run: who has acknowledged which finding, and why. In the same chain, numbered from 0 on.
_VERSION_2 = (
    """CREATE TABLE notes (
        seq INTEGER PRIMARY KEY, number INTEGER NOT NULL UNIQUE, at REAL NOT NULL, kind TEXT NOT NULL,
        cluster TEXT NOT NULL, who TEXT NOT NULL, about TEXT NOT NULL, sentence TEXT NOT NULL,
        previous TEXT NOT NULL, hash TEXT NOT NULL)""",
    *(_KEEPS.format(table="notes", verb=verb) for verb in ("update", "delete")),
)


def _version_2(connection: sqlite3.Connection) -> None:
    for statement in _VERSION_2:
        connection.execute(statement)


MIGRATIONS: tuple[Migration, ...] = (_version_1, _version_2)
"""The one at index N takes version N to N + 1. Released ones are never edited."""


def _migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    known = len(migrations)
    if _version(connection) == known:
        return
    with transaction(connection):  # of two processes that get here, the second finds the work done
        version = _version(connection)
        if version > known:
            raise JournalError(
                f"The journal {path} was written by a newer hactl (schema {version}; this one knows {known}).",
                remedy="Upgrade hactl on this machine, or set XDG_STATE_HOME to another folder.",
            )
        for migration in migrations[version:]:
            migration(connection)
        connection.execute(f"PRAGMA user_version = {known}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, and nobody else writes meanwhile. On disk when it is over."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite rolls back by itself where the disk is full
            connection.execute("ROLLBACK")
        raise


# --- opening ------------------------------------------------------------------------------------------------------


def open_journal(path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> sqlite3.Connection:
    """The journal at `path`, made when there is none, at the newest schema. Raises JournalError."""
    with in_our_words(path):
        _own_folder(path.parent)
        _own_file(path)
        # The threads that use it take turns (Journal); SQLite's own files get the mode of this one.
        connection = sqlite3.connect(path, timeout=_BUSY / 1000, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # a commit is on disk when it returns
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
            _migrate(connection, path, migrations)
        except BaseException:
            connection.close()
            raise
        return connection


def _own_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = _owned(folder).st_mode
    if mode & _OTHERS:
        folder.chmod(stat.S_IMODE(mode) & ~_OTHERS)


def _own_file(path: Path) -> None:
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        if not os.path.lexists(each):
            continue
        found = _owned(each)
        if not stat.S_ISREG(found.st_mode):
            raise JournalError(f"{each} is no plain file.", remedy="Move it away; hactl makes a new journal.")
        if found.st_mode & _OTHERS:
            each.chmod(0o600)


def _owned(path: Path) -> os.stat_result:
    """The state of `path` itself (no link is followed), which is ours and which nobody else can write."""
    found = path.lstat()
    if found.st_uid != os.geteuid():
        raise JournalError(
            f"{path} belongs to another user (uid {found.st_uid}).",
            remedy="Run hactl as that user, or set XDG_STATE_HOME to a folder of your own.",
        )
    if found.st_mode & _OTHERS_WRITE and not stat.S_ISLNK(found.st_mode):
        raise JournalError(
            f"Other users can write {path} (mode {stat.S_IMODE(found.st_mode):04o}): its journal proves nothing.",
            remedy=f"Find out who did, check `hactl audit verify`, then `chmod go-rwx {path}`.",
        )
    return found


class Identity:
    """Which file a journal was opened as. SQLite goes on writing into one that was removed or replaced meanwhile, and
    nobody could ever read that.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = self._now()

    def require(self) -> None:
        """Raises JournalError when another file, or none, is at its path. Costs a microsecond."""
        if self._now() != self._file:
            raise JournalError(
                f"The journal {self._path} was moved or removed while it was in use.",
                remedy="Put the file back where it was, with the `-wal` file beside it, and resume its runs.",
            )

    def _now(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino


# --- what can go wrong --------------------------------------------------------------------------------------------


@contextlib.contextmanager
def in_our_words(path: Path) -> Iterator[None]:
    """SQLite's and the system's errors as JournalError."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explained(path, str(error), getattr(error, "sqlite_errorname", "")) from error
    except OSError as error:
        raise JournalError(
            f"The journal {path} cannot be used: {error.strerror or error}.",
            remedy=f"Check the folder {path.parent} and its disk; XDG_STATE_HOME names another place.",
        ) from error


def _explained(path: Path, text: str, name: str) -> JournalError:
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return JournalError(
            f"The journal {path} cannot be written ({text}).",
            remedy=f"Free some space on the disk of {path.parent}; nothing goes on that could not be recorded.",
        )
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return JournalError(
            f"The journal {path} is damaged ({text}).",
            remedy="Keep the file for those who look into it, move it away, and start with a new one.",
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return JournalError(
            f"Another process has kept the journal {path} busy for {_BUSY // 1000} s.",
            remedy=f"See who with `fuser {path}`.",
        )
    return JournalError(f"The journal {path} cannot be used ({text}).", remedy=f"Check the folder {path.parent}.")


def check_room(path: Path, needed: int = ROOM) -> None:
    """Raises JournalError when the journal's disk has too little room for a run."""
    with in_our_words(path):
        found = os.statvfs(path.parent)
    free = found.f_bavail * found.f_frsize
    if free < needed:
        raise JournalError(
            f"The disk of {path.parent} has {free / 2**20:.0f} MiB free; a run wants {needed / 2**20:.0f} MiB "
            "for its journal.",
            remedy="Free some space, or set XDG_STATE_HOME to a folder on another disk.",
        )
