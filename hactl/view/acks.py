"""Acknowledgements in a list, and as a document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hactl.model.ack import Ack
from hactl.model.assess import subject
from hactl.model.codec import Json
from hactl.model.findings import Finding
from hactl.model.journal import Note
from hactl.view import units
from hactl.view.document_parts import iso, level_name
from hactl.view.tables import Cell, Column, Row, Table

SCHEMA = "hactl.acks/1"
_COLUMNS = (
    Column("key", "finding"),
    Column("level", "level", minimum=7),
    Column("until", "until"),
    Column("who", "who", priority=2),
    Column("reason", "reason", minimum=16, grow=True),
    Column("said", "said then", minimum=20, grow=True, priority=3),
)
_WORDS = {"ack-added": "acknowledged", "ack-ended": "over"}
_NOTES = (
    Column("at", "when"),
    Column("what", "what"),
    Column("key", "finding"),
    Column("who", "who", priority=1),
    Column("says", "says", minimum=20, grow=True),
)


def ack_rows(acks: Iterable[Ack], now: float) -> Table:
    """One row an acknowledgement, keyed by its finding's key. `now` is epoch seconds."""
    return Table(
        _COLUMNS,
        tuple(
            Row(
                ack.key,
                (
                    Cell(ack.key),
                    Cell(ack.finding.level.word, ack.finding.level),
                    Cell(units.moment(ack.until, now), sort=ack.until),
                    Cell(ack.who),
                    Cell(ack.reason),
                    Cell(f"{subject(ack.finding)}: {ack.finding.sentence}"),
                ),
            )
            for ack in acks
        ),
    )


def note_rows(notes: Iterable[Note], now: float) -> Table:
    """What was acknowledged and what is over, in the order given."""
    return Table(
        _NOTES,
        tuple(
            Row(
                str(index),
                (
                    Cell(units.moment(note.at, now), sort=note.at),
                    Cell(_WORDS.get(note.kind, note.kind)),
                    Cell(note.about),
                    Cell(note.who),
                    Cell(note.sentence),
                ),
            )
            for index, note in enumerate(notes)
        ),
    )


def ack_document(cluster: str, acks: Sequence[Ack]) -> dict[str, Json]:
    """What `hactl ack list -o json` prints."""
    return {
        "schema": SCHEMA,
        "cluster": cluster,
        "acknowledgements": [
            {
                "key": ack.key,
                "level": level_name(ack.finding.level),
                "sentence": ack.finding.sentence,
                "reason": ack.reason,
                "who": ack.who,
                "at": iso(ack.at),
                "until": iso(ack.until),
            }
            for ack in acks
        ],
    }


def chosen(findings: Sequence[Finding], wanted: str) -> tuple[Finding, ...]:
    """The findings that a word means: the one with this key, else those about a node or a thing of that name."""
    exact = tuple(finding for finding in findings if finding.key == wanted)
    return exact or tuple(finding for finding in findings if wanted in {finding.scope.name, finding.node})
