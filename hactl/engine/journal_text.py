"""Events as the journal's text and back: secrets masked, outputs cut to what is kept, newer hactls' events readable."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from typing import TypeVar, get_args

from hactl.model.codec import plain, restored
from hactl.model.command import masked
from hactl.model.events import CommandDone, Event, Said
from hactl.model.plan import Plan
from hactl.model.text import one_line

OUTPUT_KEPT = 16 * 1024  # bytes of stdout, and of stderr, of one command
_KINDS: Mapping[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}

E = TypeVar("E", bound=Event)


def text_of(value: Event | Plan) -> str:
    return json.dumps(plain(value), separators=(",", ":"), ensure_ascii=False)


def event_of(kind: str, body: str) -> Event:
    """The event; one that this hactl does not know, or not in this form, as words."""
    try:
        return restored(_KINDS[kind], json.loads(body))
    except (KeyError, ValueError):
        return Said(f"{kind}: {one_line(body)} (written by another version of hactl)")


def plan_of(text: str) -> Plan:
    """Raises ValueError."""
    return restored(Plan, json.loads(text))


def kept(event: E, secrets: Collection[str]) -> E:
    """The event as it may be written down."""
    if secrets:
        event = _masked(event, secrets)
    if isinstance(event, CommandDone):
        event = replace(event, stdout=cut(event.stdout), stderr=cut(event.stderr))
    return event


def cut(text: str, limit: int = OUTPUT_KEPT) -> str:
    """At most `limit` bytes of `text`, its beginning and its end, and a line that says how much is gone."""
    data = text.encode("utf-8", "replace")
    if len(data) <= limit:
        return text
    half = limit // 2
    first, last = data[:half].decode("utf-8", "ignore"), data[-half:].decode("utf-8", "ignore")
    return f"{first}\n[... {len(data) - 2 * half} bytes cut ...]\n{last}"


def _masked(event: E, secrets: Collection[str]) -> E:
    changed: dict[str, object] = {}
    for field in fields(event):
        value = getattr(event, field.name)
        if type(value) is str:  # an enum's values are words of ours
            changed[field.name] = masked(value, secrets)
        elif isinstance(value, Mapping):
            changed[field.name] = {
                key: masked(item, secrets) if isinstance(item, str) else item for key, item in value.items()
            }
    return replace(event, **changed)  # type: ignore[arg-type]  # each value keeps its type
