"""Notes: what is no run, in the same chain as the runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from hactl.engine.journal import Journal
from hactl.engine.journal_file import MIGRATIONS
from hactl.model.events import Said
from hactl.model.journal import Note
from tests.engine.test_journal import RUN, plan

FIRST = Note("lab", "ack-added", "anna@laptop", "disk:db1:/", "until tomorrow: it grows on Monday")
SECOND = Note("lab", "ack-ended", "bert@desk", "disk:db1:/", "removed")
OTHER = Note("prod", "ack-added", "anna@laptop", "link:db3", "new disk")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hactl" / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    """Notes between the events of a run."""
    journal = Journal(path, wall=lambda: 1_700_000_000.0)
    journal.note(FIRST)
    journal.create(RUN, plan(), "anna")
    journal.note(OTHER)
    journal.append(RUN, Said("hello"))
    journal.note(SECOND)
    yield journal
    journal.close()


def test_they_are_read_again_newest_first(journal: Journal, path: Path) -> None:
    again = Journal(path)
    assert [(one.kind, one.who, one.at) for one in again.notes("lab")] == [
        ("ack-ended", "bert@desk", 1_700_000_000.0),
        ("ack-added", "anna@laptop", 1_700_000_000.0),
    ]
    assert [one.sentence for one in again.notes("lab", limit=1)] == ["removed"]
    assert again.notes("nobody") == []
    again.close()


def test_they_are_links_of_the_chain_and_no_runs(journal: Journal) -> None:
    assert journal.verify() == []
    assert journal.head().seq == 5
    assert [one.run for one in journal.runs()] == [RUN]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE notes SET who = 'eve' WHERE number = 1", "note 1 (ack-added), was changed after it was written"),
        ("UPDATE notes SET sentence = '' WHERE number = 0", "note 0 (ack-added), was changed after it was written"),
        ("DELETE FROM notes WHERE number = 1", "note 2 stands where note 1 should"),
        ("DELETE FROM notes WHERE number = 2", "The newest 1 entry is missing"),
    ],
)
def test_what_was_changed_shows(journal: Journal, path: Path, change: str, said: str) -> None:
    with sqlite3.connect(path) as db:
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            db.execute(change)
        for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {trigger}")
        db.execute(change)
    assert said in "\n".join(journal.verify())


def test_a_journal_from_before_notes_gets_them(path: Path) -> None:
    older = Journal(path, migrations=MIGRATIONS[:1])
    older.close()
    newer = Journal(path)
    newer.note(FIRST)
    assert newer.verify() == []
    newer.close()
