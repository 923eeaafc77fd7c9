"""What became of the databases' roles, as the runs of this machine tell it; for the screen of databases."""

from __future__ import annotations

from hactl.model.journal import RunSummary
from hactl.model.role_history import PROMOTE, RETURNS, RoleChange, of_run
from hactl.tui.acting import RunSource


class RoleChanges:
    """Remembers what runs that are over have changed: each of them is read once, and again when it was gone on with."""

    def __init__(self) -> None:
        self._over: dict[RunSummary, tuple[RoleChange, ...]] = {}

    def look(self, source: RunSource) -> tuple[RoleChange, ...]:
        """Newest first, of the runs that the source lists. Blocks. Raises HactlError."""
        found: list[RoleChange] = []
        for summary in source.runs():
            changes = self._over.get(summary)
            if changes is None:
                state = source.state(summary.run)
                moves = any(step.verb == PROMOTE or step.verb in RETURNS for step in state.plan.steps)
                changes = tuple(of_run(state)) if moves else ()
                if summary.outcome is not None:
                    self._over[summary] = changes
            found += changes
        return tuple(sorted(found, key=lambda one: one.until or one.since or 0.0, reverse=True))
