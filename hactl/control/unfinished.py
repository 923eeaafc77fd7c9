"""Runs of a cluster for whoever only looks: nothing is opened, made or loaded where no run ever was."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hactl.config.folders import state_folder

if TYPE_CHECKING:
    from hactl.engine.journal import Journal
    from hactl.model.journal import RunSummary
    from hactl.model.plan import RunRef

_JOURNAL = "journal.db"  # `engine.journal_file.default_journal`, whose module needs SQLite


def unfinished(cluster: str, env: Mapping[str, str] = os.environ) -> tuple[RunRef, ...]:
    """Those that go on, and those that left something behind, newest first. Raises JournalError."""
    with _journal(env) as journal:
        return journal.history(cluster, "").unfinished if journal is not None else ()


def newest(cluster: str, env: Mapping[str, str] = os.environ, limit: int = 20) -> tuple[RunSummary, ...]:
    """The newest runs, newest first. Raises JournalError."""
    with _journal(env) as journal:
        return tuple(journal.runs(cluster, limit=limit)) if journal is not None else ()


def existing(env: Mapping[str, str]) -> Journal | None:
    """The journal, if there is one; to be closed. Raises JournalError."""
    if not (state_folder(env) / _JOURNAL).exists():
        return None
    from hactl.engine.journal import Journal, default_journal  # noqa: PLC0415 - see the module's docstring

    return Journal(default_journal(env))


@contextmanager
def _journal(env: Mapping[str, str]) -> Iterator[Journal | None]:
    journal = existing(env)
    try:
        yield journal
    finally:
        if journal is not None:
            journal.close()
