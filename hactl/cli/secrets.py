"""Words that must never be written down: what the operator typed at a prompt, for logs and crash reports to mask."""

from __future__ import annotations

_REMEMBERED: set[str] = set()


def remember(secret: str) -> str:
    """Mask `secret` in everything that this process writes to a log or a crash report; gives it back."""
    if secret:
        _REMEMBERED.add(secret)
    return secret


def masked_everywhere(text: str) -> str:
    """`text` with every remembered secret masked."""
    from hactl.model.command import masked

    return masked(text, _REMEMBERED)
