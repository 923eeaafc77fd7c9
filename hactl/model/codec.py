"""Frozen dataclasses as plain JSON values and back, by their own type hints: for the journal and for documents.

Knows dataclasses, enums, str, int, float, bool, None, tuple[X, ...], frozenset[X], Mapping[str, X] or [int, X] and
unions of them.
Dataclasses that stand in a union are told apart by `type`, the class's name.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from collections.abc import Mapping as AbstractMapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Annotated, Any, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


def plain(value: object) -> Json:
    """`value` as JSON values. Every dataclass says its `type`. Raises TypeError for what has no JSON."""
    if isinstance(value, Enum):
        return value.value if isinstance(value.value, int) else str(value.value)
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, AbstractMapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        held = {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        return {"type": type(value).__name__, **held}
    raise TypeError(f"no JSON for {type(value).__name__}")


def restored(kind: type[T], document: Json) -> T:
    """The inverse of `plain`. Raises ValueError when `document` is nothing of the sort.

    Fields that are missing keep their defaults and unknown ones are ignored, so that an older or newer hactl can read
    what another wrote.
    """
    try:
        made: T = _read(kind, document)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no {kind.__name__}: {error}") from error
    return made


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _read(hint: Any, value: Any) -> Any:  # noqa: PLR0911 - one line a shape
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _read(inner[0], value)
    if origin in {Union, types.UnionType}:
        return _one_of(inner, value)
    if origin in {tuple, frozenset}:
        return origin(_read(inner[0], item) for item in _list(value))
    if origin in {Mapping, AbstractMapping, dict}:
        key_of = int if inner[0] is int else str  # JSON has no other keys than texts
        return {key_of(key): _read(inner[1], item) for key, item in value.items()}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if isinstance(hint, type) and is_dataclass(hint):
        hints = _hints(hint)
        return hint(
            **{field.name: _read(hints[field.name], value[field.name]) for field in fields(hint) if field.name in value}
        )
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is type(None) and value is None:
        return None
    if isinstance(hint, type) and isinstance(value, hint):
        return value
    raise TypeError(f"{value!r:.60} is no {hint}")


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r:.60} is no list")
    return value


def _one_of(choices: tuple[Any, ...], value: Any) -> Any:
    if isinstance(value, dict) and "type" in value:
        for choice in choices:
            if isinstance(choice, type) and choice.__name__ == value["type"]:
                return _read(choice, value)
    exact = [choice for choice in choices if isinstance(choice, type) and type(value) is choice]
    for choice in (*exact, *choices):
        try:
            return _read(choice, value)
        except (TypeError, ValueError, AttributeError):
            continue
    raise TypeError(f"{value!r:.60} is none of what may stand there")
