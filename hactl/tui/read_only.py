"""The door to plans and runs of a dashboard that only looks."""

from __future__ import annotations

from typing import NoReturn, cast

from hactl.model.errors import HactlError
from hactl.tui.acting import RunSource

REFUSED = "read-only: nothing is done from here. Start hactl without --read-only to act."

# What only reads. Everything else is refused, also what a later version of the door can do.
_READS = frozenset({"inventory", "follow", "state", "story", "runs", "alive", "playbooks"})


class _Looking:
    def __init__(self, runs: RunSource) -> None:
        self._runs = runs

    def __getattr__(self, name: str) -> object:
        return getattr(self._runs, name) if name in _READS else _refuse


def _refuse(*_given: object, **_named: object) -> NoReturn:
    raise HactlError(REFUSED)


def looking(runs: RunSource) -> RunSource:
    """The same door, for looking only: runs are listed and followed; plans, starts and wishes raise HactlError."""
    return cast("RunSource", _Looking(runs))
