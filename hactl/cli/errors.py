"""How an error is told on stderr: what happened, every single problem, what to do. Never a traceback."""

from __future__ import annotations

from hactl.model.errors import (
    GuardError,
    HactlError,
    InventoryError,
    LabUnsupportedError,
    PlanChangedError,
    PlaybookError,
)


def told(error: HactlError) -> str:
    """The lines for the person, without a final newline: `hactl: message`, details and remedy indented below."""
    details: tuple[str, ...] = ()
    if isinstance(error, InventoryError | PlaybookError):
        details = error.problems
    elif isinstance(error, GuardError):
        details = error.reasons
    elif isinstance(error, PlanChangedError):
        details = error.changes
    elif isinstance(error, LabUnsupportedError):
        details = error.missing
    unsaid = [line for line in details if line not in error.message]
    lines = [f"hactl: {error.message.rstrip()}", *(f"  {line}" for line in unsaid)]
    if error.remedy:
        lines.append(f"  {error.remedy}")
    return "\n".join(lines)
