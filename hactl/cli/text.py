"""Wording that every command's help shares."""

from __future__ import annotations


def examples(*lines: str) -> str:
    """An epilog of literal lines under "Examples:", which click must not wrap. Keep each within 74 columns."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))
