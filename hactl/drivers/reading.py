"""Careful reading of what nodes say, shared by the drivers: whatever does not fit is a ParseError that names itself."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from hactl.model.command import Completed
from hactl.model.errors import ParseError
from hactl.model.text import one_line, safe

# Nothing that a node counts is larger; what claims to be is nonsense, and slow to print.
_LARGEST = 2**64

# What timeout(1) exits with when it had to end its program: GNU's, after SIGKILL, and busybox's.
_TIMED_OUT = (124, 137, 143)


def integer(text: str, what: str) -> int:
    """A whole number of at most 64 bits."""
    try:
        value = int(text)
    except ValueError:
        raise ParseError(f'{what} is "{one_line(text, 40)}", not a whole number.') from None
    if -_LARGEST < value < _LARGEST:
        return value
    raise ParseError(f"{what} is impossibly large.")


def number(text: str, what: str) -> float:
    """A finite number."""
    try:
        value = float(text)
    except ValueError:
        raise ParseError(f'{what} is "{one_line(text, 40)}", not a number.') from None
    if math.isfinite(value):
        return value
    raise ParseError(f"{what} is not a finite number.")


def optional_integer(text: str, what: str) -> int | None:
    """None where the text is empty: the protocol's "no such thing"."""
    return integer(text, what) if text else None


def explained(done: Completed, what: str) -> str:
    """One sentence for a command that did not do what was asked: the node's own words where it said any."""
    if done.exit in _TIMED_OUT:
        return f"{what} did not finish in time on the node."
    words = one_line(done.stderr or done.stdout, 160)
    return f"{what} failed (exit {done.exit}){': ' + words if words else ''}."


def json_of(text: str, what: str) -> object:
    """JSON, as deep and as large as Python reads it; anything else is a ParseError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ParseError(f'{what} did not answer with JSON: "{one_line(text, 80)}".') from None


@dataclass(frozen=True, slots=True)
class Record:
    """A JSON object read field by field. A field of the wrong type, or absent without a default, is a ParseError.

    JSON can spell any character, so every string that comes out of here has been made safe again.
    """

    what: str  # whose words these are, for the errors
    fields: Mapping[str, object]

    @staticmethod
    def of(value: object, what: str) -> Record:
        if isinstance(value, dict):
            return Record(what, value)
        raise ParseError(f"{what} is not a JSON object.")

    def text(self, key: str, default: str | None = None) -> str:
        """A string; `default` where it is absent or null."""
        value = self._value(key, default)
        if isinstance(value, str):
            return safe(value)
        raise self._wrong(key, "text")

    def number(self, key: str) -> float:
        value = self.maybe_number(key)
        if value is not None:
            return value
        raise self._wrong(key, "a number")

    def integer(self, key: str, default: int | None = None) -> int:
        """A whole number of at most 64 bits; `default` where it is absent or null."""
        value = self._value(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and -_LARGEST < value < _LARGEST:
            return value
        raise self._wrong(key, "a whole number")

    def maybe_integer(self, key: str) -> int | None:
        return None if self.fields.get(key) is None else self.integer(key)

    def maybe_number(self, key: str) -> float | None:
        value = self.fields.get(key)
        if value is None:
            return None
        if isinstance(value, (int, float)) and not isinstance(value, bool) and -_LARGEST < value < _LARGEST:
            return float(value)
        raise self._wrong(key, "a number")

    def flag(self, key: str, *, default: bool | None = None) -> bool:
        """A boolean; `default` where it is absent or null."""
        value = self._value(key, default)
        if isinstance(value, bool):
            return value
        raise self._wrong(key, "true or false")

    def record(self, key: str) -> Record:
        return Record.of(self.fields.get(key), f"{self.what}: {key}")

    def records(self, key: str) -> tuple[Record, ...]:
        """A list of objects; empty where it is absent or null."""
        value = self._value(key, [])
        if isinstance(value, list):
            return tuple(Record.of(item, f"{self.what}: {key}") for item in value)
        raise self._wrong(key, "a list")

    def _value(self, key: str, default: object) -> object:
        value = self.fields.get(key)
        return default if value is None else value

    def _wrong(self, key: str, wanted: str) -> ParseError:
        return ParseError(f"{self.what}: {key} is not {wanted}.")
