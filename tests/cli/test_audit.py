"""`hactl audit verify`: the journal is whole, or every place where it is not is named."""

from __future__ import annotations

from pathlib import Path

from tests.cli.playing import play


def test_a_whole_journal(home: Path) -> None:
    done = play("done", "audit", "verify", home=home)
    assert (done.code, done.out) == (0, "The journal is as it was written.\n")


def test_a_journal_that_was_changed(home: Path) -> None:
    done = play("tampered", "audit", "verify", home=home)
    assert (done.code, done.out) == (1, "entry 7 is not as it was written\n")
