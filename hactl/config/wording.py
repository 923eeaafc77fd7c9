"""What pydantic finds, in the words of hactl: which key, what it holds, what it may hold, what was probably meant."""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from hactl.config.entry import Entry
from hactl.config.positions import KeyPath
from hactl.config.problems import Problem
from hactl.model.suggest import did_you_mean, nearest, quoted

_TYPES = {
    "string_type": "a string",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "an array",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_BOUNDS = {
    "greater_than": "above",
    "greater_than_equal": "at least",
    "less_than": "below",
    "less_than_equal": "at most",
}
_PLAIN = {"finite_number": " must be a finite number", "too_short": " must not be empty"}


def reworded(detail: ErrorDetails, model: type[Entry], path: KeyPath) -> Problem:
    """The problem that `detail` is, found by `model` in the table at `path`."""
    loc = detail["loc"]
    at_key = bool(loc) and loc[-1] == "[key]"
    loc = loc[:-1] if at_key else loc
    if detail["type"] == "missing":
        return Problem((*path, *loc[:-1]), f"missing key: {loc[-1]}")
    if detail["type"] == "extra_forbidden":
        hint = f'; did you mean "{meant}"?' if (meant := meant_key(detail, model)) else ""
        return Problem((*path, *loc), f"unknown key {quoted(str(loc[-1]))}{hint}", at_key=True)
    sentence = _sentence(detail)
    if detail["type"] == "value_error":
        sentence = f": {sentence}" if loc else sentence
    return Problem((*path, *loc), f"{_subject(loc)}{sentence}", at_key=at_key)


def meant_key(detail: ErrorDetails, model: type[Entry]) -> str | None:
    """The key that an unknown one was probably meant to be."""
    return nearest(str(detail["loc"][-1]), _keys(model, detail["loc"][:-1]))


def _sentence(detail: ErrorDetails) -> str:
    """What follows the key."""
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind in _TYPES:
        return f" must be {_TYPES[kind]}, not {shown(given)}{_bent(kind, given)}"
    if kind in _BOUNDS:
        (limit,) = context.values()
        return f" must be {_BOUNDS[kind]} {limit:g}, not {shown(given)}"
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind == "literal_error":
        choices = [choice.strip("'") for choice in str(context["expected"]).replace(" or ", ", ").split(", ")]
        hint = did_you_mean(given, choices) if isinstance(given, str) else ""
        return f" is {shown(given)}, and must be one of {', '.join(choices)}{hint}"
    return f": {detail['msg']}"


def _bent(kind: str, given: object) -> str:
    """What the value would be in the type that is wanted, where that is plain."""
    if kind == "list_type" and isinstance(given, str):
        return f"; did you mean [{quoted(given)}]?"
    if kind == "int_type" and isinstance(given, str) and given.isascii() and given.isdigit():
        return f"; did you mean {given[:20]}, without quotes?"
    if kind == "string_type" and isinstance(given, int | float) and not isinstance(given, bool):
        return f'; did you mean "{str(given)[:60]}"?'
    return ""


def shown(value: object) -> str:
    """A value from the file, short and safe, or what sort of thing it is."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)[:60]
    return "an array" if isinstance(value, list) else "a table" if isinstance(value, dict) else "a date or time"


def _field_model(model: type[BaseModel], key: str) -> type[Entry] | None:
    """The model inside a field's annotation: of the table itself, or of the tables that it holds."""
    pending: list[object] = [model.model_fields[key].annotation]
    while pending:
        annotation = pending.pop()
        if isinstance(annotation, type) and not get_origin(annotation) and issubclass(annotation, Entry):
            return annotation
        if get_origin(annotation) in {Annotated, Union, types.UnionType, list, dict}:
            pending.extend(get_args(annotation))
    return None


def _subject(loc: Sequence[str | int]) -> str:
    """The key as people say it: ssh.port, roles[0]."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{_part(part)}" if text else _part(part)
    return text


def _part(part: str) -> str:
    """A key of a path, in quotes where it is more than a word."""
    return part if part.replace("_", "").replace("-", "").isalnum() else quoted(part)


def _keys(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys that may stand at `loc` inside `model`."""
    here: type[BaseModel] | None = model
    for part in loc:
        if here is not None and isinstance(part, str) and part in here.model_fields:
            here = _field_model(here, part)
    return [info.alias or key for key, info in here.model_fields.items()] if here is not None else []
