"""The journal of runs: what was planned, and every event of every run, on disk before the act that it announces.

One SQLite file for all runs of a user (`journal_file`), hash-chained (`journal_chain`). Several processes use it at the
same time: each run's runner appends, command lines and dashboards read and leave wishes. A `Journal` may be shared by
threads; its calls block for as long as the disk takes, a few milliseconds.
"""

from __future__ import annotations

import secrets as randomness
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hactl.engine.journal_chain import Entry, HeadFile, Link, newest, problems, run_body
from hactl.engine.journal_file import (
    MIGRATIONS,
    ROOM,
    Identity,
    Migration,
    check_room,
    default_journal,
    in_our_words,
    open_journal,
    transaction,
)
from hactl.engine.journal_history import history_of, summary
from hactl.engine.journal_lives import Life, Lives
from hactl.engine.journal_names import resolved
from hactl.engine.journal_notes import newest_notes, noted
from hactl.engine.journal_text import event_of, kept, plan_of, text_of
from hactl.model.errors import JournalError, RunNotFoundError
from hactl.model.events import Event, Recorded, WishKind
from hactl.model.journal import Note, RunSummary, Wish
from hactl.model.observed import Unknown
from hactl.model.plan import History, Plan

__all__ = ["Journal", "default_journal", "new_run_id"]

_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that are taken for one another


def new_run_id(wall: float) -> str:
    """A name for a run: "20261121-143005-k3f". Sorts by time (UTC), can be typed, and its end alone will mostly do."""
    tail = "".join(randomness.choice(_LETTERS) for _ in range(3))
    return time.strftime("%Y%m%d-%H%M%S-", time.gmtime(wall)) + tail


class Journal:
    """Opened at `path`, made when there is none. Everything raises JournalError where the journal cannot be used, and
    what takes a run's id raises RunNotFoundError where there is no such run.
    """

    def __init__(
        self, path: Path, wall: Callable[[], float] = time.time, migrations: Sequence[Migration] = MIGRATIONS
    ) -> None:
        self._path, self._wall = path, wall
        self._turn = threading.RLock()
        self._db = open_journal(path, migrations)
        self._file = Identity(path)
        self._head = HeadFile(path)
        self._lives = Lives(path.parent / "runs")

    @property
    def path(self) -> Path:
        return self._path

    def close(self) -> None:
        """Idempotent."""
        with self._using() as db:
            db.close()

    # --- writing --------------------------------------------------------------------------------------------------

    def create(self, run: str, plan: Plan, who: str) -> None:
        """Begin a run's story with its plan."""
        text, at = text_of(plan), self._wall()
        with self._using() as db:
            self._file.require()
            with transaction(db):
                if db.execute("SELECT 1 FROM runs WHERE run = ?", (run,)).fetchone():
                    raise JournalError(f"Run {run} is in the journal already.")
                last = newest(db)
                entry = Entry(last.seq + 1, run, 0, at, "run", run_body(plan.cluster, plan.playbook, who, text))
                digest = entry.hash(last.hash)
                row = (entry.seq, run, at, plan.cluster, plan.playbook, who, text, last.hash, digest)
                db.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            self._head.write(Link(entry.seq, digest))

    def append(self, run: str, event: Event, secrets: Collection[str] = ()) -> Recorded:
        """Write an event down, with every one of `secrets` masked and outputs cut; it is on disk on return.

        What comes back is the event as it was written.
        """
        event, at = kept(event, secrets), self._wall()
        kind, body = type(event).__name__, text_of(event)
        with self._using() as db:
            self._file.require()
            with transaction(db):
                number = self._next_number(db, run)
                last = newest(db)
                entry = Entry(last.seq + 1, run, number, at, kind, body)
                digest = entry.hash(last.hash)
                row = (entry.seq, run, number, at, kind, body, last.hash, digest)
                db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            self._head.write(Link(entry.seq, digest))
        return Recorded(run, number, at, event)

    def wish(self, run: str, kind: WishKind, who: str) -> Wish:
        """Ask something of the run's runner."""
        at = self._wall()
        with self._using() as db, transaction(db):
            self._row(db, run)
            made = db.execute(
                "INSERT INTO wishes (run, at, kind, who) VALUES (?, ?, ?, ?)", (run, at, kind.value, who)
            ).lastrowid
        assert made is not None  # noqa: S101 - an INSERT gives one
        return Wish(made, run, at, kind, who)

    def note(self, note: Note) -> None:
        """Write down what is no run. Its `at` is replaced by the present moment; it is on disk on return."""
        with self._using() as db:
            self._file.require()
            with transaction(db):
                link = noted(db, note, self._wall())
            self._head.write(link)

    # --- reading --------------------------------------------------------------------------------------------------

    def notes(self, cluster: str, limit: int = 50) -> list[Note]:
        """The newest of a cluster, newest first."""
        with self._using() as db:
            return newest_notes(db, cluster, limit)

    def events(self, run: str, after: int = 0) -> list[Recorded]:
        """The run's events with numbers above `after`, in order."""
        with self._using() as db:
            rows = db.execute(
                "SELECT number, at, kind, body FROM events WHERE run = ? AND number > ? ORDER BY number", (run, after)
            ).fetchall()
            if not rows:
                self._row(db, run)
        return [Recorded(run, number, at, event_of(kind, body)) for number, at, kind, body in rows]

    def plan_of(self, run: str) -> Plan:
        with self._using() as db:
            text = self._row(db, run)
        try:
            return plan_of(text)
        except ValueError as error:
            raise JournalError(
                f"The plan of run {run} cannot be read ({error}).",
                remedy="A newer hactl may have written it; `hactl audit verify` tells whether it was changed.",
            ) from error

    def wishes(self, run: str, after: int = 0) -> list[Wish]:
        """The wishes for the run with numbers above `after`, oldest first."""
        with self._using() as db:
            rows = db.execute(
                "SELECT number, at, kind, who FROM wishes WHERE run = ? AND number > ? ORDER BY number", (run, after)
            ).fetchall()
        known = {kind.value for kind in WishKind}
        return [Wish(number, run, at, WishKind(kind), who) for number, at, kind, who in rows if kind in known]

    def version(self) -> int:
        """A number that changes when another process or `Journal` has written: costs microseconds, so poll this."""
        with self._using() as db:
            return int(db.execute("PRAGMA data_version").fetchone()[0])

    def runs(self, cluster: str | None = None, playbook: str | None = None, limit: int = 50) -> list[RunSummary]:
        """The newest runs, newest first."""
        with self._using() as db:
            rows = db.execute(
                "SELECT run, cluster, playbook, who, at, plan FROM runs WHERE (?1 IS NULL OR cluster = ?1) "
                "AND (?2 IS NULL OR playbook = ?2) ORDER BY seq DESC LIMIT ?3",
                (cluster, playbook, limit),
            ).fetchall()
            return [summary(db, row, alive=self.alive(row[0])) for row in rows]

    def resolve(self, name: str, cluster: str | None = None) -> str:
        """The run that `name` means: "last", a whole id, or a beginning or end that only one has."""
        with self._using() as db:
            rows = db.execute(
                "SELECT run FROM runs WHERE (?1 IS NULL OR cluster = ?1) ORDER BY seq DESC", (cluster,)
            ).fetchall()
        return resolved(name, [run for (run,) in rows])

    def history(self, cluster: str, playbook: str) -> History:
        """What earlier runs on the cluster teach a plan for this playbook."""
        with self._using() as db:
            return history_of(db, cluster, playbook, self.alive)

    # --- runners --------------------------------------------------------------------------------------------------

    def live(self, run: str) -> Life:
        """Become the one who works on `run`; until the answer is closed, or the process dies, `alive` says so.

        Raises RunNotFoundError when somebody does already.
        """
        with self._using() as db:
            self._row(db, run)
        with in_our_words(self._path):
            return self._lives.take(run)

    def alive(self, run: str) -> bool | Unknown:
        """Whether a runner works on `run` now; Unknown where that runner is another machine's."""
        with in_our_words(self._path):
            return self._lives.alive(run)

    # --- trust ----------------------------------------------------------------------------------------------------

    def verify(self) -> list[str]:
        """Recompute the whole chain: a sentence for each thing that is not as it was written."""
        with self._using() as db:
            return problems(db, self._head)

    def head(self) -> Link:
        """The end of the chain: kept elsewhere, it proves later that nothing before it was changed."""
        with self._using() as db:
            return newest(db)

    def check_room(self, needed: int = ROOM) -> None:
        """Raises JournalError when the disk has too little room for a run, or the journal is where it was no longer."""
        with in_our_words(self._path):
            self._file.require()
        check_room(self._path, needed)

    # --- inside ---------------------------------------------------------------------------------------------------

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._turn, in_our_words(self._path):
            yield self._db

    @staticmethod
    def _row(db: sqlite3.Connection, run: str) -> str:
        """The text of the run's plan."""
        row: tuple[str] | None = db.execute("SELECT plan FROM runs WHERE run = ?", (run,)).fetchone()
        if row is None:
            raise RunNotFoundError(f'No run "{run}" is in the journal.', remedy="See `hactl runs list`.")
        return row[0]

    def _next_number(self, db: sqlite3.Connection, run: str) -> int:
        number = db.execute("SELECT max(number) FROM events WHERE run = ?", (run,)).fetchone()[0]
        if number is None:
            self._row(db, run)
            return 1
        return int(number) + 1
