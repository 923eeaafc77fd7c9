"""JSON Schemas of the documents that hactl prints, made from their classes; of the status document among them."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from inspect import cleandoc
from types import NoneType, UnionType
from typing import Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from hactl.view.status import SCHEMA, StatusDocument

Schema: TypeAlias = "dict[str, object]"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PLAIN: dict[object, str] = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


def status_schema() -> Schema:
    return document_schema(StatusDocument, SCHEMA, "hactl status")


def document_schema(kind: type, version: str, title: str) -> Schema:
    """Draft 2020-12. Objects allow more properties: fields may be added under the same version."""
    definitions: dict[str, Schema] = {}
    root = _object(kind, definitions)
    return {
        "$schema": _DIALECT,
        "$id": version,
        "title": title,
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def _object(kind: type, definitions: dict[str, Schema]) -> Schema:
    hints = get_type_hints(kind)
    named = [field.name for field in fields(kind)]
    required = [field.name for field in fields(kind) if field.default is MISSING]
    return {
        "type": "object",
        "description": " ".join(cleandoc(kind.__doc__ or "").split()),
        "properties": {name: _of(hints[name], definitions) for name in named},
        "required": required,
    }


def _of(hint: object, definitions: dict[str, Schema]) -> Schema:
    """The schema of one type hint; classes go to `definitions` and are referred to."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if isinstance(hint, type) and is_dataclass(hint):
        if hint.__name__ not in definitions:
            definitions[hint.__name__] = {}  # a place for it, should it hold itself
            definitions[hint.__name__] = _object(hint, definitions)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    if origin is Literal:
        return {"enum": list(inner)}
    if origin is list:
        return {"type": "array", "items": _of(inner[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of(inner[1], definitions)}
    if origin in {Union, UnionType}:
        return {"anyOf": [_of(one, definitions) for one in inner]}
    raise TypeError(f"{hint} has no schema")
