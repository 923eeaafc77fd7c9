"""Typed parameters: what a playbook asks its operator for, and what a verb is told. One notion for both.

A value is whole: it is put into an argument list as one word or left out; nothing ever pastes it into a text that a
shell reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from typing import Annotated, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

Value: TypeAlias = str | int | float | bool | tuple[str, ...]

A = TypeVar("A")


class ParameterKind(StrEnum):
    """What may stand there, and in which form it is held (in parentheses)."""

    STRING = "string"  # (str) one line
    TEXT = "text"  # (str) may have several lines
    INTEGER = "integer"  # (int)
    NUMBER = "number"  # (float)
    BOOLEAN = "boolean"  # (bool)
    DURATION = "duration"  # (float, seconds) a number of seconds, or "90s", "15m", "2h"
    AMOUNT = "amount"  # (str) a count or a share of the targets: "2", "25%"
    WORDS = "words"  # (tuple of str) an argument list
    NODE = "node"  # (str) the inventory's names
    SERVICE = "service"
    POOL = "pool"
    VIP = "vip"
    SITE = "site"
    LIMIT = "limit"  # (str) an expression of model.limit
    PACKAGE = "package"  # (str) a Debian package
    VERSION = "version"  # (str) a version of one, or "" for the newest that is offered
    UNIT = "unit"  # (str) a systemd unit's full name
    PATH = "path"  # (str) an absolute path on a node
    FILE = "file"  # (str) a file on the operator's machine


class Side(StrEnum):
    """On which side of a site's fence a node has to stand."""

    IN = "in"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Place:
    """Only a node on this side of a site will do. `parameter` has the site's name."""

    side: Side
    parameter: str

    def __str__(self) -> str:
        return f"{self.side} ${self.parameter}"


@dataclass(frozen=True, slots=True)
class Taken:
    """A source of `model.sources`, and the parameter that it is asked of; "" for a source that is asked of none."""

    source: str
    parameter: str = ""
    place: Place | None = None

    def __str__(self) -> str:
        said = f"{self.source} of ${self.parameter}" if self.parameter else self.source
        return f"{said} {self.place}" if self.place is not None else said


@dataclass(frozen=True, slots=True)
class Parameter:
    """`default` None: the operator has to give it, unless it is `taken` from the live picture. `minimum` bounds numbers
    and durations. A default beside `taken` holds where it is known that there is none to take.
    """

    name: str
    kind: ParameterKind
    help: str
    default: Value | None = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    taken: Taken | None = None

    @property
    def required(self) -> bool:
        return self.default is None and self.taken is None


@dataclass(frozen=True, slots=True)
class About:
    """What a verb's argument means, beside its type: `drain: Annotated[float, About("...", DURATION)]`."""

    help: str
    kind: ParameterKind | None = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None


_KINDS: Mapping[object, ParameterKind] = {
    str: ParameterKind.STRING,
    int: ParameterKind.INTEGER,
    float: ParameterKind.NUMBER,
    bool: ParameterKind.BOOLEAN,
    tuple[str, ...]: ParameterKind.WORDS,
}


def parameters_of(arguments: type) -> tuple[Parameter, ...]:
    """The fields of a dataclass whose annotations are `Annotated[type, About(...)]`, as parameters, in their order."""
    hints = get_type_hints(arguments, include_extras=True)
    found = []
    for field in fields(arguments):
        hint = hints[field.name]
        if get_origin(hint) is not Annotated:
            raise TypeError(f"{arguments.__name__}.{field.name} does not say what it is About")
        plain, about = get_args(hint)[:2]
        default = field.default if field.default is not MISSING else None
        kind = about.kind or _KINDS[plain]
        found.append(Parameter(field.name, kind, about.help, default, about.choices, about.minimum))
    return tuple(found)


def filled(arguments: type[A], values: Mapping[str, Value]) -> A:
    """The dataclass made of checked `values`; what is left away keeps its default."""
    return arguments(**values)
