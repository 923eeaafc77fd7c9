"""Moments of a recording as people write and read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from hactl.model.suggest import quoted
from hactl.model.text import one_line
from hactl.model.values import duration

_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})")
_DAYTIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")

FORMS = '"+90s" or "+3:20" from its begin, "-30s" from its end, "14:30" or "14:30:05" (UTC), a date and time, or "end"'


def clock(seconds: float) -> str:
    """Seconds as a clock counts them: 0:07, 3:20, 1:05:00."""
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def stamp(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def second_of(text: str, began: float, length: float) -> float:
    """The recording's second that somebody means who writes `text`. Raises ValueError.

    Forms are those of FORMS. A time of day is the first one of that name in the recording.
    """
    word = text.strip()
    if word in {"begin", "end"}:
        return length if word == "end" else 0.0
    if word[:1] in {"+", "-"}:
        at = _span(word[1:])
        at = at if word[0] == "+" else length - at
    elif found := _DAYTIME.fullmatch(word):
        at = _daytime(began, int(found[1]), int(found[2]), int(found[3] or 0))
    else:
        at = _date(word) - began
    if not 0.0 <= at <= length:
        raise ValueError(
            f"{quoted(one_line(text, 40))} is not in the recording, which goes from {stamp(began)} to"
            f" {stamp(began + length)} ({clock(length)})"
        )
    return at


def _span(word: str) -> float:
    if found := _CLOCK.fullmatch(word):
        return int(found[1] or 0) * 3600.0 + int(found[2]) * 60.0 + int(found[3])
    return float(word) if re.fullmatch(r"\d{1,9}(\.\d{1,3})?", word) else duration(word)


def _daytime(began: float, hours: int, minutes: int, seconds: int) -> float:
    """The full second that is meant may have begun just before the recording."""
    begin = datetime.fromtimestamp(int(began), UTC)
    try:
        then = begin.replace(hour=hours, minute=minutes, second=seconds)
    except ValueError:
        raise ValueError(f"{hours}:{minutes:02} is no time of day") from None
    if then < begin:
        then += timedelta(days=1)
    return max(0.0, then.timestamp() - began)


def _date(word: str) -> float:
    try:
        then = datetime.fromisoformat(word)
    except ValueError:
        raise ValueError(f"{quoted(one_line(word, 40))} is no moment of a recording; write {FORMS}") from None
    return (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp()
