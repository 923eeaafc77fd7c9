"""The chain through the journal: every run and every event, in the order of writing, is hashed together with the hash
before it. A row that was changed, taken out or moved breaks the chain at that row.

The end of a chain can be cut off without breaking it, so the newest number and hash also stand in a small file beside
the journal. Who can write both can forge both: for proof against that, keep `Link`s somewhere else.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NOTHING = "0" * 64  # the hash before the first

_ROWS = """
SELECT seq, run, 0, at, 'run', run_body(cluster, playbook, who, plan), previous, hash FROM runs
UNION ALL SELECT seq, run, number, at, kind, body, previous, hash FROM events
UNION ALL SELECT seq, '', number, at, kind, note_body(cluster, who, about, sentence), previous, hash FROM notes
ORDER BY seq
"""
_NEWEST = """
SELECT seq, hash FROM (SELECT * FROM (SELECT seq, hash FROM runs ORDER BY seq DESC LIMIT 1)
UNION ALL SELECT * FROM (SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1)
UNION ALL SELECT * FROM (SELECT seq, hash FROM notes ORDER BY seq DESC LIMIT 1)) ORDER BY seq DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Link:
    """One end of the chain: how many entries there are, and the hash over all of them."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A row as it is hashed. `number` 0: the run itself, whose body holds its plan. `run` "": a note, of no run."""

    seq: int
    run: str
    number: int
    at: float
    kind: str
    body: str

    def hash(self, previous: str) -> str:
        text = json.dumps([self.seq, self.run, self.number, self.at, self.kind, self.body], separators=(",", ":"))
        return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()

    @property
    def what(self) -> str:
        if not self.run:
            return f"note {self.number} ({self.kind})"
        return f"event {self.number} ({self.kind}) of run {self.run}" if self.number else f"the plan of run {self.run}"


def run_body(cluster: str, playbook: str, who: str, plan: str) -> str:
    """The body of a run's entry: everything that its row says."""
    return json.dumps([cluster, playbook, who, plan], separators=(",", ":"))


def note_body(cluster: str, who: str, about: str, sentence: str) -> str:
    """The body of a note's entry, likewise."""
    return json.dumps([cluster, who, about, sentence], separators=(",", ":"))


def newest(connection: sqlite3.Connection) -> Link:
    row = connection.execute(_NEWEST).fetchone()
    return Link(*row) if row else Link(0, NOTHING)


class HeadFile:
    """Where the chain ends, in one line. Written after each commit: it may be behind the chain, never before it."""

    def __init__(self, journal: Path) -> None:
        self._path = journal.with_name(f"{journal.name}.head")

    @property
    def path(self) -> Path:
        return self._path

    def write(self, link: Link) -> None:
        # One small write in place: no process sees half of it, and what is lost with the power only makes it older.
        file = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        try:
            os.pwrite(file, f"{link.seq:020d} {link.hash}\n".encode(), 0)
        finally:
            os.close(file)

    def read(self) -> Link | None:
        """None when there is none, or what stands there is no link."""
        try:
            seq, digest = self._path.read_text(encoding="ascii").split()
            return Link(int(seq), digest)
        except (OSError, ValueError):
            return None


def problems(connection: sqlite3.Connection, head: HeadFile) -> list[str]:
    """A sentence for everything that is not as it was written; empty when the chain holds."""
    connection.create_function("run_body", 4, run_body, deterministic=True)
    connection.create_function("note_body", 4, note_body, deterministic=True)
    told = head.read()  # before the rows: the chain may grow while it is read
    found = list(_damage(connection))
    before, numbers = Link(0, NOTHING), dict[str, int]()
    at_head = ""
    for *row, previous, digest in connection.execute(_ROWS):
        entry = Entry(*row)
        found += _broken(entry, previous, digest, before)
        expected = numbers.get(entry.run, -1) + 1
        if entry.number != expected:
            kind = "event" if entry.run else "note"
            where = f"Run {entry.run}: " if entry.run else ""
            found.append(f"{where}{kind} {entry.number} stands where {kind} {expected} should.")
        numbers[entry.run] = entry.number
        before = Link(entry.seq, digest)
        if told is not None and entry.seq == told.seq:
            at_head = digest
    return found + _end(told, before, at_head, head.path)


def _damage(connection: sqlite3.Connection) -> Iterator[str]:
    for (said,) in connection.execute("PRAGMA quick_check"):
        if said != "ok":
            yield f"SQLite finds the file damaged: {said}."


def _broken(entry: Entry, previous: str, digest: str, before: Link) -> Iterator[str]:
    if (gap := entry.seq - before.seq - 1) > 0:
        yield f"{_entries(gap)} missing before entry {entry.seq}, {entry.what}."
    elif previous != before.hash:
        yield f"Entry {entry.seq}, {entry.what}, does not follow the one before it: one of them was moved or replaced."
    if entry.hash(previous) != digest:
        yield f"Entry {entry.seq}, {entry.what}, was changed after it was written."


def _end(told: Link | None, last: Link, at_head: str, path: Path) -> list[str]:
    if told is None:
        if last.seq == 0:
            return []
        return [f"{path} is missing or unreadable: it cannot be said whether the newest entries are all there."]
    if told.seq > last.seq:
        return [
            f"The newest {_entries(told.seq - last.seq)} missing: {path} knows of {told.seq}, {last.seq} are there."
        ]
    if told.seq and at_head != told.hash:
        return [f"Entry {told.seq} has another hash than {path} says: the chain was written again."]
    return []


def _entries(count: int) -> str:
    return "1 entry is" if count == 1 else f"{count} entries are"
