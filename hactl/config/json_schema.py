"""The shape of an inventory as JSON Schema, for editors that complete and check TOML while it is typed."""

from __future__ import annotations

from typing import Any

from hactl.config.codec import Json
from hactl.config.entry import Entry
from hactl.config.schema import InventoryFile


def inventory_schema() -> Json:
    """JSON Schema, draft 2020-12: keys, types and simple rules. References between tables only hactl checks."""
    return plain_schema(InventoryFile, "hactl inventory")


def plain_schema(model: type[Entry], title: str) -> Json:
    """The JSON Schema of a file whose whole is `model`."""
    schema = model.model_json_schema(by_alias=True)
    return _plain({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title})


def _plain(value: Any) -> Json:
    """Without null, which TOML does not have: neither as a type nor as a default."""
    if isinstance(value, list):
        return [_plain(item) for item in value if item != {"type": "null"}]
    if not isinstance(value, dict):
        return value  # type: ignore[no-any-return] # a JSON scalar, by what pydantic promises
    table = {key: _plain(item) for key, item in value.items() if not (key == "default" and item is None)}
    match table.get("anyOf"):
        case [dict() as only]:
            del table["anyOf"]
            return {**only, **table}
    return table
