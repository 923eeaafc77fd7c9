"""The runs that a dashboard tells of on every screen: those that go on, and those that wait to be resumed or undone.

Looked for again and again, so a look where nothing was written since costs microseconds, and a cluster on which nothing
was ever done never opens a journal.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hactl.control.unfinished import existing

if TYPE_CHECKING:
    from hactl.engine.journal import Journal
    from hactl.model.journal import RunSummary

_NEWEST = 30  # runs that are looked at for what they left behind
_AT_WORK = 3  # runs that are looked at while one goes on: it is among the newest


class GoingRuns:
    """Blocks for as long as the disk takes: to be called from a thread, one call at a time."""

    def __init__(self, cluster: str, env: Mapping[str, str] = os.environ) -> None:
        self._cluster, self._env = cluster, env
        self._journal: Journal | None = None
        self._version = -1
        self._found: tuple[RunSummary, ...] = ()

    def look(self) -> tuple[RunSummary, ...]:
        """Newest first. Raises JournalError."""
        journal = self._open()
        if journal is None:
            return ()
        at_work = [summary.run for summary in self._found if summary.alive is True]
        version = journal.version()
        if version != self._version or any(journal.alive(run) is not True for run in at_work):
            self._version = version
            self._found = self._look(journal)
        return self._found

    def _look(self, journal: Journal) -> tuple[RunSummary, ...]:
        newest = journal.runs(self._cluster, limit=_AT_WORK)
        if going := tuple(summary for summary in newest if summary.alive is True and summary.outcome is None):
            return going
        left = {run.run for run in journal.history(self._cluster, "").unfinished}
        if not left:
            return ()
        return tuple(summary for summary in journal.runs(self._cluster, limit=_NEWEST) if summary.run in left)

    def _open(self) -> Journal | None:
        if self._journal is None:
            self._journal = existing(self._env)
        return self._journal
