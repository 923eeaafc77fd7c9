"""What repositories hold: backups of a database by pgBackRest, snapshots of files by restic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Backup:
    """`size`: bytes of the database when it was taken."""

    label: str
    kind: str  # full, diff, incr
    repository: int
    started: float  # epoch seconds
    stopped: float
    size: int
    wal_start: str
    wal_stop: str
    error: bool
    database_id: int = 1
    prior: str = ""  # the label of the backup that this one builds on; "" for a full one
    stored: int | None = None  # bytes that the repository took for it; None: nobody said
    notes: Mapping[str, str] = field(default_factory=dict)  # annotations


@dataclass(frozen=True, slots=True)
class RepositoryStatus:
    number: int
    code: int
    message: str


@dataclass(frozen=True, slots=True)
class PgbackrestFacts:
    stanza: str
    code: int  # 0: ok
    message: str
    repositories: tuple[RepositoryStatus, ...]
    backups: tuple[Backup, ...]  # oldest first
    archive_min: Mapping[int, str]  # by repository
    archive_max: Mapping[int, str]
    system_identifier: str
    now: float  # the repository host's epoch second when asked
    running: bool  # a backup is being made now


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A backup by restic. `took`, `size` and `stored` are told by restic 0.17 and later; None: nobody said."""

    id: str
    taken: float  # epoch seconds, when it was begun
    paths: tuple[str, ...]
    tags: tuple[str, ...] = ()
    took: float | None = None
    size: int | None = None  # bytes of the files
    stored: int | None = None  # bytes that the repository took for it


class RepositoryTrouble(StrEnum):
    ABSENT = "absent"  # there is none
    PASSWORD = "password"  # it is not the right one, or cannot be read  # noqa: S105 - no secret
    UNREACHABLE = "unreachable"
    LOCKED = "locked"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class ResticFacts:
    """What one node's files have in its repository. With `trouble` nothing else is known of it."""

    snapshots: tuple[Snapshot, ...]  # oldest first
    now: float  # our epoch second when asked
    unreadable: int = 0  # snapshots that are there and cannot be read
    trouble: RepositoryTrouble | None = None
    message: str = ""  # restic's own words for it
