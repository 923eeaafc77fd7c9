"""Which run a person means who types a few letters. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from hactl.model.errors import RunNotFoundError
from hactl.model.suggest import did_you_mean, quoted

_SHOWN = 5


def resolved(name: str, runs: Sequence[str]) -> str:
    """The one of `runs` (newest first) that `name` means. Raises RunNotFoundError."""
    if not runs:
        raise RunNotFoundError("There are no runs yet.")
    if name == "last":
        return runs[0]
    if name in runs:
        return name
    found = [run for run in runs if name and (run.startswith(name) or run.rpartition("-")[2] == name)]
    if len(found) == 1:
        return found[0]
    if found:
        shown = ", ".join(found[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")
        raise RunNotFoundError(f"{quoted(name)} may be {len(found)} runs: {shown}.", remedy="Give some more of it.")
    # Somebody who types a whole id may have slipped anywhere in it; of a short word only the end can be meant.
    ends = {run.rpartition("-")[2]: run for run in reversed(runs)}
    hint = did_you_mean(name, runs if len(name) > _SHOWN else ends)
    raise RunNotFoundError(f"No run {quoted(name)} is in the journal{hint or '.'}", remedy="See `hactl runs list`.")
