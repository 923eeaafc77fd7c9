"""What one repository of backups holds, as its tool tells it: backups, what each needs, and the archive. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from hactl.model.facts import Backup, PgbackrestFacts

RUN_NOTE = "hactl-run"
"""The annotation of a backup that says which run of hactl took it."""
SEGMENT = 16 * 1024 * 1024  # PostgreSQL's default; another size makes the gap wrong by a constant factor
_PER_LOG = 0x1_0000_0000 // SEGMENT


@dataclass(frozen=True)
class Holdings:
    """One repository as its tool tells it. `at` is the epoch second of now on the repository's host."""

    number: int
    facts: PgbackrestFacts
    at: float

    @cached_property
    def backups(self) -> tuple[Backup, ...]:
        """All of this repository, oldest first."""
        return tuple(one for one in self.facts.backups if one.repository == self.number)

    @cached_property
    def good(self) -> tuple[Backup, ...]:
        """Those that can be restored: without errors, and with all that they need."""
        unusable = self.broken.keys() | self.lacking.keys()
        return tuple(one for one in self.backups if not one.error and one.label not in unusable)

    @cached_property
    def fulls(self) -> tuple[Backup, ...]:
        return tuple(one for one in self.good if one.kind == "full")

    @cached_property
    def broken(self) -> dict[str, str]:
        """Backups that need one which is not here (any more), or has errors: label -> what it needs."""
        whole, found = set[str](), dict[str, str]()
        for one in self.backups:
            if one.prior and one.prior not in whole:
                found[one.label] = one.prior
            elif not one.error:
                whole.add(one.label)
        return found

    @cached_property
    def lacking(self) -> dict[str, str]:
        """Backups whose WAL lies outside of what is archived: label -> a segment that it needs and that is not there.
        Holes between the archive's ends are found by reading it alone.
        """
        first, last, found = self.oldest_wal, self.newest_wal, dict[str, str]()
        for one in self.backups:
            missing = [
                segment
                for segment in (one.wal_start, one.wal_stop)
                if len(segment) == len(first) == len(last) and not first <= segment <= last
            ]
            if missing and not one.error:
                found[one.label] = missing[0]
        return found

    @property
    def status(self) -> tuple[int, str]:
        """The tool's own code (0: ok) and word for it."""
        own = next(((one.code, one.message) for one in self.facts.repositories if one.number == self.number), None)
        return own or (self.facts.code, self.facts.message)

    @property
    def stored(self) -> int | None:
        """Bytes that all of its backups take; None where one of them does not say."""
        sizes = [one.stored for one in self.backups if one.stored is not None]
        return sum(sizes) if len(sizes) == len(self.backups) else None

    @property
    def oldest_wal(self) -> str:
        return self.facts.archive_min.get(self.number, "")

    @property
    def newest_wal(self) -> str:
        return self.facts.archive_max.get(self.number, "")

    def age(self, backup: Backup) -> float:
        """Seconds since it ended."""
        return max(0.0, self.at - backup.stopped)

    def gap(self, lsn: int | None) -> int | None:
        """Finished segments that a primary which writes at `lsn` has and the repository lacks; None: cannot be told."""
        return wal_gap(lsn, self.newest_wal) if lsn is not None and self.newest_wal else None


def wal_gap(lsn: int, newest: str) -> int | None:
    """Finished segments before `lsn` that come after the archived file `newest`; None when that is not a WAL file."""
    try:
        archived = int(newest[8:16], 16) * _PER_LOG + int(newest[16:24], 16)
    except ValueError:
        return None
    return max(0, lsn // SEGMENT - 1 - archived)
