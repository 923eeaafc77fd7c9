"""The journal's notes: what somebody did that is no run. In the chain with runs and events."""

from __future__ import annotations

import sqlite3

from hactl.engine.journal_chain import Entry, Link, newest, note_body
from hactl.model.journal import Note


def noted(db: sqlite3.Connection, note: Note, at: float) -> Link:
    """Write a note, inside a transaction that the caller has begun. The chain's new end."""
    (number,) = db.execute("SELECT count(*) FROM notes").fetchone()
    last = newest(db)
    body = note_body(note.cluster, note.who, note.about, note.sentence)
    entry = Entry(last.seq + 1, "", number, at, note.kind, body)
    digest = entry.hash(last.hash)
    texts = note.kind, note.cluster, note.who, note.about, note.sentence
    db.execute(
        "INSERT INTO notes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (entry.seq, number, at, *texts, last.hash, digest)
    )
    return Link(entry.seq, digest)


def newest_notes(db: sqlite3.Connection, cluster: str, limit: int) -> list[Note]:
    """Newest first."""
    rows = db.execute(
        "SELECT cluster, kind, who, about, sentence, at FROM notes WHERE cluster = ? ORDER BY number DESC LIMIT ?",
        (cluster, limit),
    ).fetchall()
    return [Note(*row) for row in rows]
