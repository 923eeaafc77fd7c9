"""When something should end, as an operator types it: a time span or a moment in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from hactl.model.errors import InputError
from hactl.model.text import one_line
from hactl.model.values import duration

_MOMENT = re.compile(r"(?:(\d{4}-\d{2}-\d{2})[ T])?(\d{1,2}):(\d{2})\s*(?:UTC|Z)?", re.IGNORECASE)


def end_of(text: str, now: float) -> float:
    """The epoch second that is meant by "4h", "2d", "18:30" (the next one) or "2026-11-22 08:00". Raises InputError."""
    if found := _MOMENT.fullmatch(text.strip()):
        return _moment(text, found, now)
    try:
        return now + duration(text)
    except ValueError:
        raise InputError(
            f'"{one_line(text, 40)}" is neither a time span nor a moment.',
            remedy='Write a span ("90m", "4h", "2d") or a moment in UTC ("18:30", "2026-11-22 08:00").',
        ) from None


def _moment(text: str, found: re.Match[str], now: float) -> float:
    day, hour, minute = found.groups()
    today = datetime.fromtimestamp(now, UTC)
    try:
        date = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC) if day else today
        meant = date.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    except ValueError:
        raise InputError(f'There is no moment "{one_line(text, 40)}".') from None
    if not day and meant <= today:
        meant += timedelta(days=1)
    return meant.timestamp()
