"""The kinds of value that people write, each with its check and the sentence that a wrong one gets.

The inventory, playbooks and command lines share them. A check returns the value in the form in which hactl holds it, or
raises ValueError with a sentence that reads after "KEY: " (`said` joins the two). Nothing here knows which key it
serves.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

from hactl.model.errors import LimitError
from hactl.model.limit import check_syntax
from hactl.model.parameters import Parameter, ParameterKind, Value
from hactl.model.suggest import did_you_mean, quoted
from hactl.model.text import safe

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")

_UNIT_TYPES = ("service", "socket", "timer", "target", "mount", "path", "slice", "scope", "device", "swap", "automount")
_UNIT = re.compile(rf"[A-Za-z0-9:_.\\@-]+\.(?:{'|'.join(_UNIT_TYPES)})")
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+(?::[a-z0-9]+)?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~:-]{0,127}")
_AMOUNT = re.compile(r"([1-9]\d{0,5})(%?)")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def said(key: str, sentence: str) -> str:
    """The sentence of a check, about `key`."""
    return f"{key} {sentence}" if sentence.startswith("must ") else f"{key}: {sentence}"


# --- words --------------------------------------------------------------------------------------------------------


def text(value: str) -> str:
    """One line that can be shown anywhere: nothing that moves a cursor, hides or reorders."""
    if safe(value) != value or "\n" in value or "\t" in value:
        raise ValueError(f"{quoted(value)} holds a control or invisible character")
    return value


def lines(value: str) -> str:
    """The same, of several lines."""
    if safe(value) != value:
        raise ValueError(f"{quoted(value)} holds a control or invisible character")
    return value


def filled(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return text(value)


def unit(value: str) -> str:
    if not _UNIT.fullmatch(value):
        hint = f'; did you mean "{value}.service"?' if _UNIT.fullmatch(f"{value}.service") else ""
        raise ValueError(f"{quoted(value)} is not a systemd unit's full name{hint}")
    return value


def package(value: str) -> str:
    if not _PACKAGE.fullmatch(value):
        raise ValueError(f"{quoted(value)} is not the name of a Debian package")
    return value


def version(value: str) -> str:
    """A Debian package's version; empty stands for the newest that is offered."""
    if value and not _VERSION.fullmatch(value):
        raise ValueError(f"{quoted(value)} is not a version of a Debian package")
    return value


def remote_path(value: str) -> str:
    """A path on a node, where nobody's home and no working directory can be assumed."""
    if not filled(value).startswith("/"):
        raise ValueError(f"{quoted(value)} must be an absolute path on the node")
    if ".." in PurePosixPath(value).parts:
        raise ValueError(f"{quoted(value)} must not contain ..")
    return value


def known_name(value: str) -> str:
    """What the inventory may call a thing; whether it does is for whoever has the inventory to say."""
    if not NAME.fullmatch(value):
        raise ValueError(f"{quoted(value)} is no name that an inventory can hold")
    return value


def limit(value: str) -> str:
    try:
        check_syntax(value)
    except LimitError as error:
        raise ValueError(error.message.rstrip(".")[:1].lower() + error.message.rstrip(".")[1:]) from None
    return value


def duration(value: str) -> float:
    """Seconds, from "90s", "15m", "26h", "8d", "2w"."""
    found = _DURATION.fullmatch(value.strip())
    if found is None:
        raise ValueError(f'{quoted(value)} is not a duration; write seconds, or "90s", "15m", "26h", "8d", "2w"')
    return float(found[1]) * _SECONDS[found[2]]


def amount(value: str) -> str:
    """A count, or a share of the targets."""
    found = _AMOUNT.fullmatch(value)
    if found is None or (found[2] and int(found[1]) > 100):
        raise ValueError(f'{quoted(value)} is not an amount; write a number such as "2", or a share such as "25%"')
    return value


# --- parameters ---------------------------------------------------------------------------------------------------

_WORDS: Mapping[ParameterKind, Callable[[str], str]] = MappingProxyType(
    {
        ParameterKind.STRING: text,
        ParameterKind.TEXT: lines,
        ParameterKind.AMOUNT: amount,
        ParameterKind.NODE: known_name,
        ParameterKind.SERVICE: known_name,
        ParameterKind.POOL: known_name,
        ParameterKind.VIP: known_name,
        ParameterKind.SITE: known_name,
        ParameterKind.LIMIT: limit,
        ParameterKind.PACKAGE: package,
        ParameterKind.VERSION: version,
        ParameterKind.UNIT: unit,
        ParameterKind.PATH: remote_path,
        ParameterKind.FILE: filled,
    }
)
_SHOULD: Mapping[ParameterKind, str] = MappingProxyType(
    {
        ParameterKind.INTEGER: "a whole number",
        ParameterKind.NUMBER: "a number",
        ParameterKind.BOOLEAN: "true or false",
        ParameterKind.DURATION: 'seconds, or a duration such as "90s"',
        ParameterKind.WORDS: "an array of strings",
        ParameterKind.AMOUNT: "a whole number, or an amount in quotes",
    }
)


def typed(wanted: Parameter, value: object) -> Value:
    """`value`, as TOML or JSON holds it, in the form that `wanted` is held in. Raises ValueError.

    An empty string stands for "not given" where the default of `wanted` is one.
    """
    found = _typed(wanted, value)
    if wanted.choices and found not in wanted.choices and found != wanted.default:
        hint = did_you_mean(found, wanted.choices) if isinstance(found, str) else ""
        raise ValueError(f"{_shown(value)} is none of {', '.join(wanted.choices)}{hint}")
    if wanted.minimum is not None and isinstance(found, int | float) and found < wanted.minimum:
        raise ValueError(f"must be at least {wanted.minimum:g}, not {_shown(value)}")
    return found


def from_word(wanted: Parameter, word: str) -> Value:
    """The value that `word`, of a command line, means. Raises ValueError.

    Truth is written true or false (or yes, no); an argument list as in a shell, in one word.
    """
    match wanted.kind:
        case ParameterKind.INTEGER | ParameterKind.NUMBER | ParameterKind.DURATION:
            return typed(wanted, _number(word))
        case ParameterKind.BOOLEAN:
            truth = {"true": True, "yes": True, "false": False, "no": False}
            return typed(wanted, truth.get(word.lower(), word))
        case ParameterKind.WORDS:
            return typed(wanted, shlex.split(word))
        case _:
            return typed(wanted, word)


def _number(word: str) -> int | float | str:
    if re.fullmatch(r"[+-]?\d{1,15}", word):
        return int(word)
    return float(word) if re.fullmatch(r"[+-]?\d{1,15}\.\d{1,15}", word) else word


def _typed(wanted: Parameter, value: object) -> Value:  # noqa: PLR0911 - one return a form
    kind = wanted.kind
    match value:
        case bool() if kind is ParameterKind.BOOLEAN:
            return value
        case bool():
            pass
        case int() if kind is ParameterKind.INTEGER:
            return value
        case int() if kind is ParameterKind.AMOUNT:
            return amount(str(value))
        case int() | float() if kind in {ParameterKind.NUMBER, ParameterKind.DURATION}:
            return _finite(float(value), kind)
        case str() if kind is ParameterKind.DURATION:
            return duration(value)
        case str() if kind in _WORDS:
            return value if value == "" == wanted.default else _WORDS[kind](value)
        case list() | tuple() if kind is ParameterKind.WORDS and all(isinstance(word, str) for word in value):
            return tuple(lines(word) for word in value)
    raise ValueError(f"must be {_SHOULD.get(kind, 'a string')}, not {_shown(value)}")


def _finite(value: float, kind: ParameterKind) -> float:
    if not abs(value) < 1e15:  # also NaN
        raise ValueError("must be a finite number")
    if kind is ParameterKind.DURATION and value < 0:
        raise ValueError(f"must be at least 0, not {value:g}")
    return value


def _shown(value: object) -> str:
    """A value, short and safe, or what sort of thing it is."""
    match value:
        case str():
            return quoted(value)
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)[:60]
        case list() | tuple():
            return "an array"
        case dict():
            return "a table"
    return "a date or time"
